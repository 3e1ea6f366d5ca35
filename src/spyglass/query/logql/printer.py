"""Trees back to text, on one line."""

from spyglass.query.logql.ast import (
    BinaryExpr,
    Expr,
    Grouping,
    LabelReplace,
    LogExpr,
    LogRange,
    NumberLiteral,
    RangeAggregation,
    Unwrap,
    Variants,
    VectorAggregation,
    VectorLiteral,
    VectorMatching,
)
from spyglass.query.logql.print_stages import print_predicate, print_stage
from spyglass.text.durations import format_go_duration, format_prometheus_duration
from spyglass.text.gofloat import format_float, format_shortest
from spyglass.text.gostring import quote


def print_expr(expr: Expr) -> str:
    """Text that parses to the same tree."""
    if isinstance(expr, LogExpr):
        return " ".join([print_selector(expr), *map(print_stage, expr.stages)])
    if isinstance(expr, RangeAggregation):
        parameter = "" if expr.parameter is None else f"{format_float(expr.parameter)},"
        return f"{expr.op}({parameter}{print_window(expr.window)}){_suffix(expr.grouping)}"
    if isinstance(expr, VectorAggregation):
        parameter = f"{expr.parameter}," if expr.parameter else ""
        return f"{expr.op}{_infix(expr.grouping)}({parameter}{print_expr(expr.child)})"
    if isinstance(expr, BinaryExpr):
        return f"({print_expr(expr.left)} {expr.op}{print_modifiers(expr)} {print_expr(expr.right)})"
    if isinstance(expr, LabelReplace):
        texts = ",".join(quote(text) for text in (expr.target, expr.replacement, expr.source, expr.pattern))
        return f"label_replace({print_expr(expr.child)},{texts})"
    if isinstance(expr, VectorLiteral):
        return f"vector({format_float(expr.value)})"
    if isinstance(expr, Variants):
        return f"variants({', '.join(map(print_expr, expr.variants))}) of ({print_window(expr.window)})"
    assert isinstance(expr, NumberLiteral), "the last kind of expression"
    return format_shortest(expr.value)


def print_selector(expr: LogExpr) -> str:
    return "{" + ", ".join(f"{m.name}{m.op.value}{quote(m.value)}" for m in expr.matchers) + "}"


def print_window(window: LogRange) -> str:
    text = print_expr(window.log)
    if window.unwrap is not None:
        text += " " + print_unwrap(window.unwrap)
    return text + print_range(window)


def print_range(window: LogRange) -> str:
    text = f"[{format_prometheus_duration(window.range_ns // 1_000_000)}]"
    if window.offset_ns:
        text += f" offset {format_go_duration(window.offset_ns)}"
    return text


def print_unwrap(unwrap: Unwrap) -> str:
    label = f"{unwrap.conversion}({unwrap.label})" if unwrap.conversion else unwrap.label
    return " ".join([f"| unwrap {label}", *(f"| {print_predicate(predicate)}" for predicate in unwrap.filters)])


def _grouping(grouping: Grouping) -> str:
    return f"{'without' if grouping.without else 'by'} ({','.join(grouping.labels)})"


def _suffix(grouping: Grouping | None) -> str:
    return f" {_grouping(grouping)}" if grouping is not None else ""


def _infix(grouping: Grouping | None) -> str:
    return f" {_grouping(grouping)} " if grouping is not None else ""


def print_modifiers(expr: BinaryExpr) -> str:
    """` bool on (a) group_left (b)`, with a space in front."""
    return (" bool" if expr.return_bool else "") + _matching(expr.matching)


def _matching(matching: VectorMatching) -> str:
    if not matching.explicit:
        return ""
    text = f" {'on' if matching.on else 'ignoring'} ({','.join(matching.labels)})"
    if matching.card != "one-to-one":
        side = "group_left" if matching.card == "many-to-one" else "group_right"
        text += f" {side} ({','.join(matching.include)})"
    return text
