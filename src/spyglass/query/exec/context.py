"""What an evaluation knows besides the plan: the grid, the stores, the budget, and where annotations go."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from spyglass.model.errors import Span
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import MetricReader
from spyglass.query.exec.sharing import SharedResults
from spyglass.query.syntax.quoting import line_column

if TYPE_CHECKING:
    from spyglass.protocols.log_store import LogReader

DEFAULT_LOOKBACK_MS = 5 * 60_000


@dataclass(slots=True)
class Annotations:
    """Warnings and infos of one query, each once, in the order of their first occurrence."""

    warnings: dict[str, None] = field(default_factory=dict)
    infos: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Counters:
    """What the query touched, for QueryStats."""

    samples: int = 0
    series: int = 0
    lines: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class EvalOptions:
    """Language switches.

    lookback_ms: how far an instant selection looks back.  delayed_names: metric names are dropped when the query is done
    instead of by each function (Prometheus' promql-delayed-name-removal).  logql: Loki's rules where they differ from
    Prometheus' (division by zero gives NaN, names of errors).  start_timestamps: rate and its relatives take start timestamps into
    account where the store keeps them (Prometheus' use-start-timestamps).
    """

    lookback_ms: int = DEFAULT_LOOKBACK_MS
    delayed_names: bool = False
    logql: bool = False
    start_timestamps: bool = False


@dataclass(frozen=True, slots=True)
class EvalContext:
    """One evaluation. Sub-evaluations on another grid (subqueries, step-invariant parts) share all but the grid."""

    grid: StepGrid
    budget: Budget
    query: str = ""
    options: EvalOptions = field(default_factory=EvalOptions)
    metrics: MetricReader | None = None
    logs: "LogReader | None" = None
    annotations: Annotations = field(default_factory=Annotations)
    counters: Counters = field(default_factory=Counters)
    shared: SharedResults = field(default_factory=SharedResults)

    def notes(self) -> int:
        """How many warnings and infos there are so far."""
        return len(self.annotations.warnings) + len(self.annotations.infos)

    def on(self, grid: StepGrid) -> "EvalContext":
        """The same evaluation at other times."""
        return replace(self, grid=grid)

    def warn(self, message: str, span: Span | None = None) -> None:
        """Note `PromQL warning: message (line:column)`."""
        self.annotations.warnings.setdefault(self._placed(f"PromQL warning: {message}", span))

    def info(self, message: str, span: Span | None = None) -> None:
        """Note `PromQL info: message (line:column)`."""
        self.annotations.infos.setdefault(self._placed(f"PromQL info: {message}", span))

    def _placed(self, message: str, span: Span | None) -> str:
        if span is None:
            return message
        line, column = line_column(self.query, span)
        return f"{message} ({line}:{column})"
