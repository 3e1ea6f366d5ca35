"""Questions about whole trees."""

from collections.abc import Iterator

from spyglass.query.logql.ast import (
    BinaryExpr,
    Expr,
    LabelReplace,
    LogRange,
    RangeAggregation,
    VectorAggregation,
)


def walk(expr: Expr) -> Iterator[Expr]:
    """expr and everything below it, parents first."""
    yield expr
    if isinstance(expr, BinaryExpr):
        yield from walk(expr.left)
        yield from walk(expr.right)
    elif isinstance(expr, VectorAggregation | LabelReplace):
        yield from walk(expr.child)


def windows_of(expr: Expr) -> Iterator[LogRange]:
    """The windows over lines."""
    for node in walk(expr):
        if isinstance(node, RangeAggregation):
            yield node.window


def is_ordered(expr: Expr) -> bool:
    """Whether the query sorts its result; else an answer's order is that of the labels."""
    return any(isinstance(node, VectorAggregation) and node.op in ("sort", "sort_desc") for node in walk(expr))
