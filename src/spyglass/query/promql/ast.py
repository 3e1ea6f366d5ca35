"""PromQL's syntax tree. Frozen values; `span` is half-open in characters of the query.

Names follow upstream's (promql/parser/ast.go), so that either can be read beside the other.
"""

from dataclasses import dataclass
from typing import Literal

from spyglass.model.errors import Span
from spyglass.model.matchers import Matcher

ValueType = Literal["scalar", "vector", "matrix", "string"]

TYPE_NAMES: dict[str, str] = {
    "scalar": "scalar",
    "vector": "instant vector",
    "matrix": "range vector",
    "string": "string",
}


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """duration: it was written as a duration (`5m` is 300)."""

    value: float
    span: Span
    duration: bool = False


@dataclass(frozen=True, slots=True)
class StringLiteral:
    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class DurationExpr:
    """Arithmetic on durations. op: + - * / % ^ (unary where lhs is None), step, range, min, max.

    wrapped: it stood in parentheses.
    """

    op: str
    lhs: "Duration | None"
    rhs: "Duration | None"
    span: Span
    wrapped: bool = False


Duration = NumberLiteral | DurationExpr
"""Seconds, or an expression that gives them."""

At = int | Literal["start", "end"]
"""An @ modifier: milliseconds, or start()/end()."""


@dataclass(frozen=True, slots=True)
class VectorSelector:
    """name: the metric name outside the braces, or "". matchers: all of them, the name's last."""

    name: str
    matchers: tuple[Matcher, ...]
    span: Span
    offset: Duration | None = None
    at: At | None = None
    modifier: str = ""


@dataclass(frozen=True, slots=True)
class MatrixSelector:
    """offset, @ and anchored/smoothed stand on the selector, wherever they were written."""

    selector: VectorSelector
    range: Duration
    span: Span


@dataclass(frozen=True, slots=True)
class SubqueryExpr:
    """step None: the default resolution."""

    expr: "Expr"
    range: Duration
    step: Duration | None
    span: Span
    offset: Duration | None = None
    at: At | None = None


@dataclass(frozen=True, slots=True)
class AggregateExpr:
    op: str
    expr: "Expr"
    param: "Expr | None"
    grouping: tuple[str, ...]
    without: bool
    span: Span


@dataclass(frozen=True, slots=True)
class VectorMatching:
    """card: one-to-one, many-to-one, one-to-many, many-to-many. fill_*: the value for a missing partner on that side."""

    card: str = "one-to-one"
    labels: tuple[str, ...] = ()
    on: bool = False
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(frozen=True, slots=True)
class BinaryExpr:
    op: str
    lhs: "Expr"
    rhs: "Expr"
    matching: VectorMatching
    return_bool: bool
    span: Span


@dataclass(frozen=True, slots=True)
class UnaryExpr:
    op: str
    expr: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class ParenExpr:
    expr: "Expr"
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    args: tuple["Expr", ...]
    span: Span


Expr = (
    NumberLiteral
    | StringLiteral
    | VectorSelector
    | MatrixSelector
    | SubqueryExpr
    | AggregateExpr
    | BinaryExpr
    | UnaryExpr
    | ParenExpr
    | Call
)


def unwrapped(expr: Expr) -> Expr:
    """Without surrounding parentheses."""
    while isinstance(expr, ParenExpr):
        expr = expr.expr
    return expr
