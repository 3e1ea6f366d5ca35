"""format_query: one line where it fits, else one stage, argument or operand a line, indented by two blanks."""

from spyglass.query.logql.ast import (
    BinaryExpr,
    Expr,
    Grouping,
    LabelReplace,
    LogExpr,
    RangeAggregation,
    VectorAggregation,
)
from spyglass.query.logql.print_stages import print_stage
from spyglass.query.logql.printer import print_expr, print_modifiers, print_range, print_selector, print_unwrap
from spyglass.text.gofloat import format_float
from spyglass.text.gostring import quote

MAX_LINE = 100
INDENT = "  "


def pretty(expr: Expr, level: int = 0) -> str:
    """The query over as many lines as it needs. Parsing it gives the same tree."""
    text = print_expr(expr)
    if len(text) + level * len(INDENT) <= MAX_LINE:
        return INDENT * level + text
    if isinstance(expr, LogExpr):
        return _lines(expr, level)
    if isinstance(expr, RangeAggregation):
        return _range(expr, level)
    if isinstance(expr, VectorAggregation):
        return _vector(expr, level)
    if isinstance(expr, BinaryExpr):
        return _binary(expr, level)
    if isinstance(expr, LabelReplace):
        return _label_replace(expr, level)
    return INDENT * level + text


def _lines(expr: LogExpr, level: int) -> str:
    inner = INDENT * (level + 1)
    return "\n".join([INDENT * level + print_selector(expr), *(inner + print_stage(stage) for stage in expr.stages)])


def _range(expr: RangeAggregation, level: int) -> str:
    indent = INDENT * level
    parts = [f"{indent}{expr.op}("]
    if expr.parameter is not None:
        parts.append(f"{indent}{INDENT}{format_float(expr.parameter)},")
    body = _lines(expr.window.log, level + 1)
    if expr.window.unwrap is not None:
        body += f"\n{indent}{INDENT * 2}{print_unwrap(expr.window.unwrap)}"
    parts.append(f"{body} {print_range(expr.window)}")
    return "\n".join([*parts, f"{indent}){_grouping(expr.grouping, suffix=True)}"])


def _grouping(grouping: Grouping | None, *, suffix: bool) -> str:
    if grouping is None:
        return ""
    text = f"{'without' if grouping.without else 'by'} ({', '.join(grouping.labels)})"
    return f" {text}" if suffix else f" {text} "


def _vector(expr: VectorAggregation, level: int) -> str:
    indent = INDENT * level
    parts = [f"{indent}{expr.op}{_grouping(expr.grouping, suffix=False)}("]
    if expr.parameter:
        parts.append(f"{indent}{INDENT}{expr.parameter},")
    return "\n".join([*parts, pretty(expr.child, level + 1), f"{indent})"])


def _binary(expr: BinaryExpr, level: int) -> str:
    """In parentheses, so that what binds how does not depend on the reader."""
    indent = INDENT * level
    operator = f"{indent}{expr.op}{print_modifiers(expr)}"
    return "\n".join(
        [f"{indent}(", pretty(expr.left, level + 1), operator, pretty(expr.right, level + 1), f"{indent})"]
    )


def _label_replace(expr: LabelReplace, level: int) -> str:
    indent = INDENT * level
    texts = [f"{indent}{INDENT}{quote(t)}" for t in (expr.target, expr.replacement, expr.source, expr.pattern)]
    return f"{indent}label_replace(\n{pretty(expr.child, level + 1)},\n" + ",\n".join(texts) + f"\n{indent})"
