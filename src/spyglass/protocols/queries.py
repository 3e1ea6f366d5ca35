"""The door to the query languages, as the APIs and rules see it. Synchronous: callers run it in the query pool."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from spyglass.model.frame import Frame
from spyglass.model.labels import Labels
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogEntry


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What answering took. Seconds; samples are those loaded, lines those looked at."""

    seconds: float = 0.0
    samples: int = 0
    peak_samples: int = 0
    series: int = 0
    lines: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class MetricResult:
    """kind: how upstream would call the result. vector and matrix: `frame`; a vector's order is the frame's row order.

    scalar: `frame` has one row without labels. string: `text`. matrix of an instant query (`x[5m]`): `raw` holds per series the
    labels and (times_ms, values) since its samples lie on no grid.
    """

    kind: Literal["vector", "matrix", "scalar", "string"]
    frame: Frame | None = None
    text: str = ""
    raw: Sequence[tuple[Labels, Sequence[int], Sequence[object]]] = ()
    warnings: Sequence[str] = ()
    infos: Sequence[str] = ()
    stats: QueryStats = field(default_factory=QueryStats)


@dataclass(frozen=True, slots=True)
class StreamsResult:
    """Log lines grouped by their final label sets, each in the direction asked for."""

    streams: Sequence[tuple[Labels, Sequence[LogEntry]]]
    direction: Direction
    warnings: Sequence[str] = ()
    stats: QueryStats = field(default_factory=QueryStats)


class PromQueries(Protocol):
    """PromQL. Raises QueryError leaves."""

    def instant(
        self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0
    ) -> MetricResult: ...

    def range(
        self, query: str, *, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int = 0
    ) -> MetricResult: ...

    def format(self, query: str) -> str:
        """Pretty-printed, as upstream's format_query."""
        ...


class LogQueries(Protocol):
    """LogQL. A log query gives StreamsResult, a metric query MetricResult."""

    def instant(
        self, query: str, *, time_ns: int, limit: int, direction: Direction, tenant: str, budget: Budget
    ) -> StreamsResult | MetricResult:
        """A log selector asked instantly is answered with the newest `limit` entries of the hour up to time_ns and a warning that
        names query_range (Loki 2.9 took it, Loki 3 refuses).
        """
        ...

    def range(
        self,
        query: str,
        *,
        start_ns: int,
        end_ns: int,
        step_ns: int,
        limit: int,
        direction: Direction,
        tenant: str,
        budget: Budget,
        interval_ns: int = 0,
    ) -> StreamsResult | MetricResult: ...

    def format(self, query: str) -> str: ...
