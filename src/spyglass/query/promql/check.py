"""Type checks on a syntax tree, in upstream's order, with upstream's texts. Source: Prometheus promql/parser/parse.go, checkAST."""

from collections.abc import Callable

from spyglass.model.errors import ParseError, Span
from spyglass.model.labels import METRIC_NAME
from spyglass.query.promql import ast
from spyglass.query.promql.functions import FUNCTIONS
from spyglass.query.promql.tokens import COMPARISONS, SET_OPERATORS
from spyglass.query.syntax.quoting import quote

Fail = Callable[[Span, str], ParseError]


def type_of(expr: ast.Expr) -> ast.ValueType:
    """The type of an expression's value."""
    match expr:
        case ast.NumberLiteral():
            return "scalar"
        case ast.StringLiteral():
            return "string"
        case ast.MatrixSelector() | ast.SubqueryExpr():
            return "matrix"
        case ast.Call():
            return FUNCTIONS[expr.function].returns
        case ast.ParenExpr() | ast.UnaryExpr():
            return type_of(expr.expr)
        case ast.BinaryExpr():
            both_scalar = type_of(expr.lhs) == type_of(expr.rhs) == "scalar"
            return "scalar" if both_scalar else "vector"
        case _:
            return "vector"


def check(expr: ast.Expr, fail: Fail) -> ast.ValueType:
    """The type of a well-typed expression. fail makes the error of a span and a message. Raises: ParseError."""
    match expr:
        case ast.AggregateExpr():
            _check_aggregate(expr, fail)
        case ast.BinaryExpr():
            _check_binary(expr, fail)
        case ast.Call():
            _check_call(expr, fail)
        case ast.ParenExpr():
            check(expr.expr, fail)
        case ast.UnaryExpr():
            kind = check(expr.expr, fail)
            if kind not in ("scalar", "vector"):
                message = "unary expression only allowed on expressions of type scalar or instant vector, got "
                raise fail(expr.span, message + quote(ast.TYPE_NAMES[kind]))
        case ast.SubqueryExpr():
            kind = check(expr.expr, fail)
            if kind != "vector":
                raise fail(expr.span, f"subquery is only allowed on instant vector, got {kind} instead")
        case ast.MatrixSelector():
            _check_selector(expr.selector, fail)
        case ast.VectorSelector():
            _check_selector(expr, fail)
        case _:
            pass
    return type_of(expr)


def _expect(expr: ast.Expr, wanted: ast.ValueType, context: str, fail: Fail) -> None:
    found = check(expr, fail)
    if found != wanted:
        raise fail(expr.span, f"expected type {ast.TYPE_NAMES[wanted]} in {context}, got {ast.TYPE_NAMES[found]}")


def _check_aggregate(expr: ast.AggregateExpr, fail: Fail) -> None:
    _expect(expr.expr, "vector", "aggregation expression", fail)
    if expr.param is not None:
        wanted: ast.ValueType = "string" if expr.op == "count_values" else "scalar"
        _expect(expr.param, wanted, "aggregation parameter", fail)


def _check_binary(expr: ast.BinaryExpr, fail: Fail) -> None:
    left, right = check(expr.lhs, fail), check(expr.rhs, fail)
    operator = Span(expr.lhs.span.end + 1, expr.rhs.span.start)
    matching, is_set = expr.matching, expr.op in SET_OPERATORS
    if expr.return_bool and expr.op not in COMPARISONS:
        raise fail(operator, "bool modifier can only be used on comparison operators")
    if expr.op in COMPARISONS and not expr.return_bool and left == right == "scalar":
        raise fail(operator, "comparisons between scalars must use BOOL modifier")
    if matching.on:
        for label in matching.labels:
            if label in matching.include:
                raise fail(operator, f"label {quote(label)} must not occur in ON and GROUP clause at once")
    for side, kind in ((expr.lhs, left), (expr.rhs, right)):
        if kind not in ("scalar", "vector"):
            raise fail(side.span, "binary expression must contain only scalar and instant vector types")
    _check_matching(expr, both_vectors=left == right == "vector", fail=fail)
    if is_set and "scalar" in (left, right):
        raise fail(expr.span, f"set operator {quote(expr.op)} not allowed in binary scalar expression")


def _check_matching(expr: ast.BinaryExpr, *, both_vectors: bool, fail: Fail) -> None:
    matching = expr.matching
    fills = matching.fill_left is not None or matching.fill_right is not None
    if not both_vectors:
        if matching.labels:
            raise fail(expr.span, "vector matching only allowed between instant vectors")
        if fills:
            raise fail(expr.span, "filling in missing series only allowed between instant vectors")
    elif expr.op in SET_OPERATORS:
        if matching.card in ("one-to-many", "many-to-one"):
            raise fail(expr.span, f"no grouping allowed for {quote(expr.op)} operation")
        if fills:
            raise fail(expr.span, "filling in missing series not allowed for set operators")


def _check_call(expr: ast.Call, fail: Fail) -> None:
    function = FUNCTIONS[expr.function]
    _check_arity(expr, fail)
    if expr.function == "info" and len(expr.args) > 1:
        _check_info(expr, fail)
    for index, arg in enumerate(expr.args):
        if expr.function == "info" and index == 1:
            continue
        wanted = function.args[min(index, len(function.args) - 1)]
        _expect(arg, wanted, f"call to function {quote(expr.function)}", fail)


def _check_arity(expr: ast.Call, fail: Fail) -> None:
    function, count, wanted = FUNCTIONS[expr.function], len(expr.args), len(FUNCTIONS[expr.function].args)
    name = quote(expr.function)
    if function.variadic == 0:
        if count != wanted:
            raise fail(expr.span, f"expected {wanted} argument(s) in call to {name}, got {count}")
        return
    if count < wanted - 1:
        raise fail(expr.span, f"expected at least {wanted - 1} argument(s) in call to {name}, got {count}")
    most = wanted - 1 + function.variadic
    if function.variadic > 0 and count > most:
        raise fail(expr.span, f"expected at most {most} argument(s) in call to {name}, got {count}")


def _check_info(expr: ast.Call, fail: Fail) -> None:
    """info()'s second argument is a bare label selector, which may match everything."""
    selector = expr.args[1]
    if type_of(selector) != "vector":
        kind = ast.TYPE_NAMES[type_of(selector)]
        raise fail(expr.span, f'expected type instant vector in call to function "info", got {kind}')
    if not isinstance(selector, ast.VectorSelector):
        raise fail(selector.span, "expected label selectors only")
    if selector.name:
        raise fail(selector.span, "expected label selectors only, got vector selector instead")


def _check_selector(expr: ast.VectorSelector, fail: Fail) -> None:
    if expr.name:
        for matcher in expr.matchers[:-1]:
            if matcher.name == METRIC_NAME:
                both = f"{quote(expr.name)} or {quote(matcher.value)}"
                raise fail(expr.span, f"metric name must not be set twice: {both}")
        return
    if all(matcher.matches_empty() for matcher in expr.matchers):
        raise fail(expr.span, "vector selector must contain at least one non-empty matcher")
