"""Questions about whole trees."""

from collections.abc import Iterator

from spyglass.model.log_stages import AndPredicate, LabelFilter, OrPredicate, Predicate
from spyglass.query.logql.ast import (
    BinaryExpr,
    Expr,
    LabelReplace,
    LogExpr,
    LogRange,
    RangeAggregation,
    Variants,
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
    elif isinstance(expr, Variants):
        for variant in expr.variants:
            yield from walk(variant)


def depth(expr: Expr) -> int:
    """Levels of the tree, label filters included. Not recursive: it guards those who are."""
    deepest = 0
    waiting: list[tuple[Expr | Predicate, int]] = [(expr, 1)]
    while waiting:
        node, level = waiting.pop()
        deepest = max(deepest, level)
        waiting.extend((child, level + 1) for child in _below(node))
    return deepest


def _below(node: Expr | Predicate) -> Iterator[Expr | Predicate]:
    if isinstance(node, BinaryExpr | AndPredicate | OrPredicate):
        yield node.left
        yield node.right
    elif isinstance(node, VectorAggregation | LabelReplace):
        yield node.child
    elif isinstance(node, RangeAggregation):
        yield node.window.log
        yield from node.window.unwrap.filters if node.window.unwrap else ()
    elif isinstance(node, Variants):
        yield from node.variants
    elif isinstance(node, LogExpr):
        yield from (stage.predicate for stage in node.stages if isinstance(stage, LabelFilter))


def windows_of(expr: Expr) -> Iterator[LogRange]:
    """The windows over lines."""
    for node in walk(expr):
        if isinstance(node, RangeAggregation):
            yield node.window


def is_ordered(expr: Expr) -> bool:
    """Whether the query sorts its result; else an answer's order is that of the labels."""
    return any(isinstance(node, VectorAggregation) and node.op in ("sort", "sort_desc") for node in walk(expr))
