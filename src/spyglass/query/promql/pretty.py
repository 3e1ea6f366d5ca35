"""PromQL over several lines, as upstream's format_query: what fits into a line stays in one. Source: promql/parser/prettier.go."""

from spyglass.query.promql import ast
from spyglass.query.promql.printer import aggregation_head, operator, render, subquery_suffix

MAX_LINE = 100
_INDENT = "  "


def pretty(expr: ast.Expr, level: int = 0) -> str:
    """The expression, its parts on lines of their own where it is longer than a line."""
    pad = _INDENT * level
    if isinstance(expr, ast.UnaryExpr):
        return pad + expr.op + pretty(expr.expr, level).strip()
    if isinstance(expr, ast.SubqueryExpr):
        return pretty(expr.expr, level) + subquery_suffix(expr) if _is_long(expr) else pad + render(expr)
    if not _is_long(expr):
        return pad + render(expr)
    match expr:
        case ast.AggregateExpr():
            parts = [expr.expr] if expr.param is None else [expr.param, expr.expr]
            return f"{pad}{aggregation_head(expr)}(\n{_listed(parts, level + 1)}\n{pad})"
        case ast.BinaryExpr():
            left, right = pretty(expr.lhs, level + 1), pretty(expr.rhs, level + 1)
            return f"{left}\n{pad}{operator(expr)}\n{right}"
        case ast.Call():
            return f"{pad}{expr.function}(\n{_listed(list(expr.args), level + 1)}\n{pad})"
        case ast.ParenExpr():
            return f"{pad}(\n{pretty(expr.expr, level + 1)}\n{pad})"
        case _:
            return pad + render(expr)


def _listed(parts: list[ast.Expr], level: int) -> str:
    return ",\n".join(pretty(part, level) for part in parts)


def _is_long(expr: ast.Expr) -> bool:
    return len(render(expr)) > MAX_LINE
