"""What a PromQL query takes for granted: the metrics and labels that must exist for it to show anything."""

from collections.abc import Iterator
from dataclasses import dataclass

from spyglass.model.labels import METRIC_NAME
from spyglass.model.matchers import MatchOp
from spyglass.query.promql import ast

_MAY_BE_ABSENT = frozenset({"absent", "absent_over_time"})
_MAKE_LABELS = {"label_replace": 1, "label_join": 1}
"""Function -> which argument names the label that it makes."""


@dataclass(frozen=True, slots=True)
class Needs:
    """metrics: names that must exist. selected: (metric or "", label) that a matcher cannot do without.

    grouped: (the metrics below, label) of each `by`. made: labels that the query makes itself.
    """

    metrics: tuple[str, ...] = ()
    selected: tuple[tuple[str, str], ...] = ()
    grouped: tuple[tuple[tuple[str, ...], str], ...] = ()
    made: frozenset[str] = frozenset()

    def with_(self, other: "Needs") -> "Needs":
        return Needs(
            self.metrics + other.metrics,
            self.selected + other.selected,
            self.grouped + other.grouped,
            self.made | other.made,
        )


NOTHING = Needs()


def alternatives(expr: ast.Expr) -> list[Needs]:
    """The ways in which the query can show something: each side of an `or` is one. At most 32."""
    if isinstance(expr, ast.BinaryExpr):
        left, right = alternatives(expr.lhs), alternatives(expr.rhs)
        if expr.op == "or":
            return (left + right)[:32]
        if expr.op == "unless":
            return left
        return [a.with_(b) for a in left for b in right][:32]
    if isinstance(expr, ast.VectorSelector):
        return [_selector(expr)]
    if isinstance(expr, ast.Call) and expr.function in _MAY_BE_ABSENT:
        return [NOTHING]
    found = [NOTHING]
    for child in _children(expr):
        found = [a.with_(b) for a in found for b in alternatives(child)][:32]
    return [_of_node(expr, needs) for needs in found]


def _selector(selector: ast.VectorSelector) -> Needs:
    name = selector.name
    for matcher in selector.matchers:
        if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL:
            name = matcher.value
    labels = [one.name for one in selector.matchers if one.name != METRIC_NAME and not one.matches_empty()]
    return Needs((name,) if name else (), tuple((name, label) for label in labels))


def _children(expr: ast.Expr) -> Iterator[ast.Expr]:
    if isinstance(expr, ast.MatrixSelector):
        yield expr.selector
    elif isinstance(expr, ast.AggregateExpr):
        yield expr.expr
        if expr.param is not None:
            yield expr.param
    elif isinstance(expr, ast.SubqueryExpr | ast.UnaryExpr | ast.ParenExpr):
        yield expr.expr
    elif isinstance(expr, ast.Call):
        yield from expr.args


def _of_node(expr: ast.Expr, needs: Needs) -> Needs:
    """What the node itself adds to what is below it."""
    if isinstance(expr, ast.AggregateExpr):
        if expr.op == "count_values" and isinstance(expr.param, ast.StringLiteral):
            needs = needs.with_(Needs(made=frozenset({expr.param.value})))
        if not expr.without:
            known = tuple((needs.metrics, label) for label in expr.grouping if label not in needs.made)
            needs = needs.with_(Needs(grouped=known))
    if isinstance(expr, ast.Call) and expr.function in _MAKE_LABELS:
        target = expr.args[_MAKE_LABELS[expr.function]]
        if isinstance(target, ast.StringLiteral):
            needs = needs.with_(Needs(made=frozenset({target.value})))
    return needs
