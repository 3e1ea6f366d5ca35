"""PromQL's printer: a syntax tree as upstream's String() writes it. Source: Prometheus promql/parser/printer.go."""

import re

from spyglass.model.labels import METRIC_NAME
from spyglass.model.matchers import Matcher, MatchOp
from spyglass.query.format import format_float, short_float
from spyglass.query.promql import ast
from spyglass.query.promql.tokens import PARAMETERISED
from spyglass.query.syntax.quoting import quote
from spyglass.text.durations import format_prometheus_duration

_LEGACY_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def render(expr: ast.Expr) -> str:
    """The expression on one line."""
    match expr:
        case ast.NumberLiteral():
            return number(expr)
        case ast.StringLiteral():
            return quote(expr.value)
        case ast.VectorSelector():
            return _selector(expr) + at_suffix(expr.at) + _modifier(expr.modifier) + offset_suffix(expr.offset)
        case ast.MatrixSelector():
            selector = expr.selector
            tail = _modifier(selector.modifier) + at_suffix(selector.at) + offset_suffix(selector.offset)
            return f"{_selector(selector)}[{duration(expr.range)}]{tail}"
        case ast.SubqueryExpr():
            return render(expr.expr) + subquery_suffix(expr)
        case ast.AggregateExpr():
            return f"{aggregation_head(expr)}({_arguments(expr)})"
        case ast.BinaryExpr():
            return f"{render(expr.lhs)} {operator(expr)} {render(expr.rhs)}"
        case ast.UnaryExpr():
            return expr.op + render(expr.expr)
        case ast.ParenExpr():
            return f"({render(expr.expr)})"
        case ast.Call():
            return f"{expr.function}({', '.join(render(arg) for arg in expr.args)})"


def _arguments(expr: ast.AggregateExpr) -> str:
    if expr.op in PARAMETERISED and expr.param is not None:
        return f"{render(expr.param)}, {render(expr.expr)}"
    return render(expr.expr)


def aggregation_head(expr: ast.AggregateExpr) -> str:
    """`sum by (job) `, as it stands before the parenthesis."""
    if expr.without:
        return f"{expr.op} without ({label_list(expr.grouping)}) "
    if expr.grouping:
        return f"{expr.op} by ({label_list(expr.grouping)}) "
    return expr.op


def label_list(names: tuple[str, ...]) -> str:
    return ", ".join(name if _LEGACY_LABEL.fullmatch(name) else quote(name) for name in names)


def operator(expr: ast.BinaryExpr) -> str:
    """The operator with everything that belongs to it: `== bool on (a) group_left (b)`."""
    matching = expr.matching
    text = expr.op + (" bool" if expr.return_bool else "")
    grouped = matching.card in ("many-to-one", "one-to-many")
    if matching.labels or matching.on or grouped:
        text += f" {'on' if matching.on else 'ignoring'} ({label_list(matching.labels)})"
    if grouped:
        side = "left" if matching.card == "many-to-one" else "right"
        text += f" group_{side} ({label_list(matching.include)})"
    return text + _fills(matching)


def _fills(matching: ast.VectorMatching) -> str:
    left, right = matching.fill_left, matching.fill_right
    if left is not None and right is not None and (left == right or (left != left and right != right)):
        return f" fill ({short_float(left)})"
    text = "" if left is None else f" fill_left ({short_float(left)})"
    return text + ("" if right is None else f" fill_right ({short_float(right)})")


def subquery_suffix(expr: ast.SubqueryExpr) -> str:
    step = "" if expr.step is None else duration(expr.step)
    return f"[{duration(expr.range)}:{step}]{at_suffix(expr.at)}{offset_suffix(expr.offset)}"


def at_suffix(at: ast.At | None) -> str:
    if at is None:
        return ""
    return f" @ {at}()" if isinstance(at, str) else f" @ {at / 1000:.3f}"


def _modifier(word: str) -> str:
    return f" {word}" if word else ""


def offset_suffix(offset: ast.Duration | None) -> str:
    if offset is None or (isinstance(offset, ast.NumberLiteral) and offset.value == 0):
        return ""
    return f" offset {duration(offset)}"


def number(expr: ast.NumberLiteral) -> str:
    if expr.duration:
        return format_prometheus_duration(round(expr.value * 1000))
    return format_float(expr.value)


def duration(expr: ast.Duration) -> str:
    """A duration: plain numbers of seconds are written as durations, as upstream does outside of expressions."""
    if isinstance(expr, ast.NumberLiteral):
        return format_prometheus_duration(round(expr.value * 1000))
    return _duration_expr(expr)


def _duration_expr(expr: ast.Duration) -> str:
    if isinstance(expr, ast.NumberLiteral):
        return number(expr)
    if expr.op in ("step", "range"):
        text = f"{expr.op}()"
    elif expr.op in ("min", "max", "min_of", "max_of"):
        text = f"{expr.op}({_part(expr.lhs)}, {_part(expr.rhs)})"
    elif expr.lhs is None:
        text = _part(expr.rhs) if expr.op == "+" else f"{expr.op}{_part(expr.rhs)}"
    else:
        text = f"{_part(expr.lhs)} {expr.op} {_part(expr.rhs)}"
    return f"({text})" if expr.wrapped else text


def _part(expr: ast.Duration | None) -> str:
    assert expr is not None, "only step() and range() have no operands"
    return _duration_expr(expr)


def _selector(expr: ast.VectorSelector) -> str:
    matchers = sorted(_matcher(m) for m in expr.matchers if not _is_name(m, expr.name))
    return expr.name + (f"{{{','.join(matchers)}}}" if matchers else "")


def _is_name(matcher: Matcher, name: str) -> bool:
    return matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL and matcher.value == name and matcher.value != ""


def _matcher(matcher: Matcher) -> str:
    name = matcher.name if _LEGACY_LABEL.fullmatch(matcher.name) else quote(matcher.name)
    return f"{name}{matcher.op.value}{quote(matcher.value)}"
