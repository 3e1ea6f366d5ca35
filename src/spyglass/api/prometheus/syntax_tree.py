"""parse_query: a query's syntax tree as JSON. Source: Prometheus web/api/v1/translate_ast.go."""

from typing import Any

from spyglass.query.promql import ast
from spyglass.query.promql.check import type_of
from spyglass.query.promql.functions import FUNCTIONS
from spyglass.text.gofloat import format_float

Json = dict[str, Any]


def tree_json(node: ast.Expr | None) -> Json | None:
    """The node and all below it; None for none."""
    match node:
        case None:
            return None
        case ast.AggregateExpr():
            return {
                "type": "aggregation",
                "op": node.op,
                "expr": tree_json(node.expr),
                "param": tree_json(node.param),
                "grouping": list(node.grouping),
                "without": node.without,
            }
        case ast.BinaryExpr():
            return _binary(node)
        case ast.Call():
            return {"type": "call", "func": _function(node.function), "args": [tree_json(arg) for arg in node.args]}
        case ast.MatrixSelector():
            selector = _selector(node.selector)
            return {**selector, "type": "matrixSelector", "range": _ms(node.range)}
        case ast.SubqueryExpr():
            return {
                "type": "subquery",
                "expr": tree_json(node.expr),
                "range": _ms(node.range),
                "offset": _ms(node.offset),
                "step": _ms(node.step),
                **_at(node.at),
            }
        case ast.NumberLiteral():
            return {"type": "numberLiteral", "val": format_float(node.value)}
        case ast.StringLiteral():
            return {"type": "stringLiteral", "val": node.value}
        case ast.ParenExpr():
            return {"type": "parenExpr", "expr": tree_json(node.expr)}
        case ast.UnaryExpr():
            return {"type": "unaryExpr", "op": node.op, "expr": tree_json(node.expr)}
        case ast.VectorSelector():
            return _selector(node)


def _binary(node: ast.BinaryExpr) -> Json:
    matching = None
    if type_of(node.lhs) == type_of(node.rhs) == "vector":
        given = node.matching
        matching = {
            "card": given.card,
            "labels": list(given.labels),
            "on": given.on,
            "include": list(given.include),
            "fillValues": {"lhs": given.fill_left, "rhs": given.fill_right},
        }
    return {
        "type": "binaryExpr",
        "op": node.op,
        "lhs": tree_json(node.lhs),
        "rhs": tree_json(node.rhs),
        "matching": matching,
        "bool": node.return_bool,
    }


def _function(name: str) -> Json:
    function = FUNCTIONS[name]
    return {
        "name": name,
        "argTypes": list(function.args),
        "variadic": function.variadic,
        "returnType": function.returns,
    }


def _selector(node: ast.VectorSelector) -> Json:
    return {
        "type": "vectorSelector",
        "name": node.name,
        "offset": _ms(node.offset),
        "matchers": [{"name": m.name, "value": m.value, "type": m.op.value} for m in node.matchers],
        **_at(node.at),
        "anchored": node.modifier == "anchored",
        "smoothed": node.modifier == "smoothed",
    }


def _at(at: ast.At | None) -> Json:
    return {
        "timestamp": at if isinstance(at, int) else None,
        "startOrEnd": at if isinstance(at, str) else None,
    }


def _ms(duration: ast.Duration | None) -> int:
    """Milliseconds; 0 for none, and for an expression, whose value depends on the query's times."""
    return round(duration.value * 1000) if isinstance(duration, ast.NumberLiteral) else 0
