"""LogQL's syntax tree. Stages are those of model/log_stages.py; every node is a frozen value with its place in the query.

LogExpr                                     lines: a selector and a pipeline
RangeAggregation(LogRange)                  count_over_time({...} [5m])
VectorAggregation, BinaryExpr, LabelReplace, NumberLiteral, VectorLiteral      as in PromQL
"""

from dataclasses import dataclass

from spyglass.model.errors import Span
from spyglass.model.log_stages import LogStage, Predicate
from spyglass.model.matchers import Matcher

NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class LogExpr:
    """`{a="b"} |= "x" | json`."""

    matchers: tuple[Matcher, ...]
    stages: tuple[LogStage, ...] = ()
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Unwrap:
    """`| unwrap duration(label) | filter`: conversion "" (a number), "bytes", "duration" or "duration_seconds"."""

    label: str
    conversion: str = ""
    filters: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRange:
    """The lines of a window."""

    log: LogExpr
    range_ns: int
    unwrap: Unwrap | None = None
    offset_ns: int = 0


@dataclass(frozen=True, slots=True)
class Grouping:
    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class RangeAggregation:
    op: str
    window: LogRange
    grouping: Grouping | None = None
    parameter: float | None = None
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class VectorAggregation:
    """parameter: the k of topk, bottomk and approx_topk, 0 elsewhere."""

    op: str
    child: "MetricExpr"
    grouping: Grouping | None = None
    parameter: int = 0
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """card: "one-to-one", "many-to-one" or "one-to-many"; explicit: on or ignoring was written."""

    card: str = "one-to-one"
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    explicit: bool = False


@dataclass(frozen=True, slots=True)
class BinaryExpr:
    op: str
    left: "MetricExpr"
    right: "MetricExpr"
    matching: VectorMatching = VectorMatching()
    return_bool: bool = False
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    value: float
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class VectorLiteral:
    """`vector(5)`."""

    value: float
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class LabelReplace:
    child: "MetricExpr"
    target: str
    replacement: str
    source: str
    pattern: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Variants:
    """`variants(a, b) of ({..}[5m])`: several queries over the same lines in one answer, told apart by `__variant__`."""

    variants: tuple["MetricExpr", ...]
    window: LogRange
    span: Span = NOWHERE


MetricExpr = RangeAggregation | VectorAggregation | BinaryExpr | NumberLiteral | VectorLiteral | LabelReplace | Variants
Expr = LogExpr | MetricExpr
