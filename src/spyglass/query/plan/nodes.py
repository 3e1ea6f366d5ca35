"""The plan: what PromQL and LogQL both lower to.

Everything above the leaves is shared. Leaves are `SeriesScan` (here, PromQL's) and whatever LogQL adds: a leaf is any subclass of
`PlanNode` for which a loader or an evaluator is registered (exec/registry.py).

Times are resolved when a query is lowered (`start()`, duration expressions, defaults of subquery steps). So a plan
belongs to one request. Every node is a frozen value; `span` is its place in the query text, for messages.

    Number | Text                           literals
    Instant(source)                         the newest sample of each series at each step
    Window(function, source, range)         a function over the samples of (t - range, t] at each step
    RawWindow(source, range)                those samples themselves; only at the top of an instant query
    SeriesScan | Subquery | <LogQL leaves>  sources of samples: only below Instant, Window, RawWindow
    Aggregate, Binary, Unary, Call, Absent, Info, StepInvariant
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from spyglass.model.errors import Span
from spyglass.model.labels import Labels
from spyglass.model.matchers import Matcher

NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """Base of all nodes."""

    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Number(PlanNode):
    """A scalar literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Text(PlanNode):
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True)
class SeriesScan(PlanNode):
    """A source: the samples of all series that match.

    detect_resets: find out the reset hints of histograms by comparing neighbours, as upstream does where only counts and sums of
    histograms are looked at.
    """

    matchers: tuple[Matcher, ...]
    detect_resets: bool = False


@dataclass(frozen=True, slots=True)
class Subquery(PlanNode):
    """A source: `child` evaluated at every multiple of step_ms within the window's reach."""

    child: PlanNode
    step_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted(PlanNode):
    """Base of what looks at samples at a shifted time: at (at_ms, where set, else t) - offset_ms."""

    offset_ms: int = 0
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Instant(Shifted):
    """The newest sample in (t - lookback, t] of each series. timestamps: its time in seconds instead of its value; starts: its start
    timestamp.

    modifier "smoothed": the value interpolated at t; "anchored" changes nothing here.
    """

    source: PlanNode
    timestamps: bool = False
    modifier: str = ""
    starts: bool = False


@dataclass(frozen=True, slots=True)
class Window(Shifted):
    """`function` over the samples in (t - range_ms, t].

    arguments: the function's other arguments in their order, evaluated at each step (`quantile_over_time`'s number).
    modifier: "", "anchored" or "smoothed".  first_span, argument_spans: where the call's first argument and `arguments` stand, for
    annotations.
    """

    function: str
    source: PlanNode
    range_ms: int
    arguments: tuple[PlanNode, ...] = ()
    modifier: str = ""
    first_span: Span = NOWHERE
    argument_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class RawWindow(Shifted):
    """The samples in (t - range_ms, t] as they are: an instant query for `x[5m]`."""

    source: PlanNode
    range_ms: int
    modifier: str = ""


@dataclass(frozen=True, slots=True)
class Aggregate(PlanNode):
    """`op by/without (labels) (parameter, child)`. without=False and no labels: everything into one group."""

    op: str
    child: PlanNode
    labels: tuple[str, ...] = ()
    without: bool = False
    parameter: PlanNode | None = None
    child_span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Matching:
    """How the sides of a binary operation on two vectors find each other.

    card: "one-to-one", "many-to-one" (group_left), "one-to-many" (group_right), "many-to-many" (and, or, unless).
    labels: those of on (on=True) or ignoring. include: labels taken over from the one side.
    fill_left, fill_right: the value that stands in for a missing partner on that side, None: no filling.
    """

    card: str = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class Binary(PlanNode):
    """`left op right`. op: + - * / % ^ atan2 == != > < >= <= and or unless (and </ >/ on native histograms).

    matching is used where both sides are vectors. return_bool: comparisons give 0 or 1 instead of filtering.
    """

    op: str
    left: PlanNode
    right: PlanNode
    matching: Matching = field(default_factory=Matching)
    return_bool: bool = False


@dataclass(frozen=True, slots=True)
class Unary(PlanNode):
    """`-child` or `+child`."""

    op: str
    child: PlanNode


@dataclass(frozen=True, slots=True)
class Call(PlanNode):
    """A function of instant vectors, scalars and strings (see exec/functions)."""

    function: str
    arguments: tuple[PlanNode, ...] = ()
    argument_spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent(PlanNode):
    """1 with `labels` at steps where child has no sample at all. LogQL and PromQL; the labels come from the selector."""

    child: PlanNode
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Info(PlanNode):
    """PromQL's info(): child's series, enriched with data labels of matching info series.

    data_matchers: the selector given as second argument (has_selector).  offset_ms, at_ms: when the info series are looked up.
    """

    child: PlanNode
    data_matchers: tuple[Matcher, ...] = ()
    has_selector: bool = False
    offset_ms: int = 0
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StepInvariant(PlanNode):
    """child gives the same at every step (everything below is pinned with @): evaluated once and repeated."""

    child: PlanNode


def children(node: PlanNode) -> Iterator[PlanNode]:
    """The direct sub-nodes, sources included, in the order of their fields."""
    for item in fields(node):
        value = getattr(node, item.name)
        if isinstance(value, PlanNode):
            yield value
        elif isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, PlanNode))


def walk(node: PlanNode) -> Iterator[PlanNode]:
    """node and everything below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)
