"""The door to the query languages, as the APIs and rules see it. Synchronous: callers run it in the query pool."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from spyglass.model.frame import Frame
from spyglass.model.labels import Labels
from spyglass.model.log_entry import LogEntry
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget

if TYPE_CHECKING:
    # The log store's seam brings the values of every LogQL stage: nothing for a server of metrics alone.
    from spyglass.protocols.log_store import Direction


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
class LabelCategories:
    """A label set by where its labels come from: the stream, structured metadata, the query's stages. No name is in two."""

    stream: Labels
    metadata: Labels = ()
    parsed: Labels = ()


@dataclass(frozen=True, slots=True)
class CategorizedStream:
    """Lines by the labels of their stream alone; rows: (entry with its structured metadata, extracted labels)."""

    labels: Labels
    rows: Sequence[tuple[LogEntry, Labels]]


@dataclass(frozen=True, slots=True)
class StreamsResult:
    """Log lines grouped by their final label sets, each in the direction asked for.

    Unlike elsewhere a label set may hold empty values: labels that a stage extracted as empty.
    categories[i]: where the labels of streams[i] come from.
    """

    streams: Sequence[tuple[Labels, Sequence[LogEntry]]]
    direction: "Direction"
    warnings: Sequence[str] = ()
    stats: QueryStats = field(default_factory=QueryStats)
    categories: Sequence[LabelCategories] = ()

    def categorized(self) -> list[CategorizedStream]:
        """The lines for answers that keep the categories apart (categorize-labels): final label sets of one stream joined."""
        joined: dict[Labels, list[tuple[LogEntry, Labels]]] = {}
        for (_, entries), category in zip(self.streams, self.categories, strict=True):
            joined.setdefault(category.stream, []).extend((entry, category.parsed) for entry in entries)
        sign = 1 if self.direction == "forward" else -1
        for rows in joined.values():
            rows.sort(key=lambda row: row[0].time_ns * sign)
        return [CategorizedStream(labels, rows) for labels, rows in joined.items()]


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
        self, query: str, *, time_ns: int, limit: int, direction: "Direction", tenant: str, budget: Budget
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
        direction: "Direction",
        tenant: str,
        budget: Budget,
        interval_ns: int = 0,
    ) -> StreamsResult | MetricResult: ...

    def format(self, query: str) -> str: ...
