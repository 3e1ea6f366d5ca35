"""LogQL's grammar, as a recursive descent over tokens; upstream's precedences, messages and quirks.

expr    := "(" expr ")" | log | range_aggregation | vector_aggregation | expr OP modifiers expr | number
         | "vector" "(" number ")" | "label_replace" "(" expr "," STRING x4 ")"
         | "variants" "(" expr ("," expr)* ")" "of" "(" window ")", which nothing may stand around
log     := selector stage*
window  := selector stage* ["|" "unwrap" ...] RANGE ["offset" DURATION] (and with the pipeline behind the RANGE)
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from spyglass.model.errors import ParseError, Span
from spyglass.model.log_stages import LogStage, Predicate
from spyglass.query.logql.ast import (
    BinaryExpr,
    Expr,
    Grouping,
    LabelReplace,
    LogExpr,
    LogRange,
    MetricExpr,
    NumberLiteral,
    RangeAggregation,
    Unwrap,
    Variants,
    VectorAggregation,
    VectorLiteral,
    VectorMatching,
)
from spyglass.query.logql.checks import (
    check_range_aggregation,
    check_selector,
    literal_operand,
    unexpected_literal,
    vector_parameter,
)
from spyglass.query.logql.cursor import Cursor, complaint
from spyglass.query.logql.parse_stages import (
    number_value,
    parse_number,
    parse_predicate,
    parse_selector,
    parse_stages,
)
from spyglass.query.logql.tokens import CONVERSIONS, END, RANGE_FUNCTIONS, VECTOR_FUNCTIONS
from spyglass.query.logql.walk import depth
from spyglass.text.regex import compile_regex

MAX_DEPTH = 120
"""Levels of a query's tree. Deeper ones are refused: evaluation is recursive, and Python's stack is not endless."""

MAX_SIZE = 131_072
"""Bytes of a query's text: upstream's limit."""

PRECEDENCE = {
    "or": 1, "and": 2, "unless": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6,
}  # fmt: skip
T = TypeVar("T")

SET_OPS = ("or", "and", "unless")


@lru_cache(maxsize=512)
def parse(text: str) -> Expr:
    """The tree of a query. Raises: ParseError with upstream's text and the span at fault."""
    if len(text.encode("utf-8", "replace")) >= MAX_SIZE:
        raise complaint(f"input size too long ({len(text.encode('utf-8', 'replace'))} > {MAX_SIZE})")
    cursor = Cursor.over(text)
    parser = _Parser(cursor)
    try:
        expr = parser.variants() if cursor.kind == "variants" else parser.expression(0)
    except RecursionError:
        raise complaint("the query is nested too deeply") from None
    if cursor.kind != END:
        raise cursor.unexpected()
    if cursor.deferred:
        raise cursor.deferred[0]
    if depth(expr) > MAX_DEPTH:
        raise complaint(f"the query is nested too deeply: more than {MAX_DEPTH} operators inside one another")
    return expr


def parse_log(text: str) -> LogExpr:
    """A log query; metric queries are refused. Raises: ParseError."""
    expr = parse(text)
    if not isinstance(expr, LogExpr):
        raise complaint("only log selector is supported")
    return expr


class _Parser:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def expression(self, min_precedence: int) -> Expr:
        start = self.cursor.token.span.start
        left = self.primary()
        while (precedence := PRECEDENCE.get(self.cursor.kind, 0)) > min_precedence:
            op = self.cursor.take().kind
            return_bool, matching = self.modifiers()
            # `^` binds to the right: 2^3^2 is 2^(3^2).
            right = self.expression(precedence - 1 if op == "^" else precedence)
            span = self.cursor.span_from(start)
            try:
                left = _binary(op, left, right, return_bool, matching, span)
            except ParseError as err:
                self.cursor.deferred.append(err)
                left = NumberLiteral(math.nan, span)
        return left

    def primary(self) -> Expr:
        cursor = self.cursor
        start, kind = cursor.token.span.start, cursor.kind
        if kind == "(":
            cursor.take()
            inner = self.expression(0)
            cursor.expect_among_many(")")
            return inner
        if kind == "{":
            return self.log()
        if kind in RANGE_FUNCTIONS:
            return self.range_aggregation(start)
        if kind in VECTOR_FUNCTIONS:
            return self.vector_aggregation(start)
        if kind in ("NUMBER", "+", "-"):
            value = parse_number(cursor)
            return NumberLiteral(value, cursor.span_from(start))
        if kind == "vector":
            return self.vector(start)
        if kind == "label_replace":
            return self.label_replace(start)
        raise cursor.unexpected()

    def log(self) -> LogExpr:
        start = self.cursor.token.span.start
        matchers = parse_selector(self.cursor)
        stages = parse_stages(self.cursor)
        if self.cursor.accept("|"):
            # Only an unwrap is left over, and that has its place in windows alone.
            raise self.cursor.unexpected()
        log = LogExpr(matchers, stages, self.cursor.span_from(start))
        self.deferring(check_selector, log)
        return log

    def variants(self) -> Variants:
        cursor = self.cursor
        start = cursor.take().span.start
        cursor.expect("(")
        found = [self.metric()]
        while cursor.accept(","):
            found.append(self.metric())
        cursor.expect_among_many(")")
        cursor.expect("of")
        cursor.expect("(")
        window = self.window()
        cursor.expect(")")
        self.deferring(check_selector, window.log)
        return Variants(tuple(found), window, cursor.span_from(start))

    def deferring(self, check: Callable[[T], object], subject: T) -> None:
        try:
            check(subject)
        except ParseError as err:
            self.cursor.deferred.append(err)

    def metric(self) -> MetricExpr:
        start = self.cursor.token.span.start
        expr = self.expression(0)
        if isinstance(expr, LogExpr):
            # Upstream's grammar has no such sentence: it stumbles over what follows the selector.
            raise (
                self.cursor.unexpected()
                if self.cursor.kind != END
                else complaint("unexpected log query where a metric query is needed", self.cursor.span_from(start))
            )
        return expr

    # --- windows

    def range_aggregation(self, start: int) -> RangeAggregation:
        cursor = self.cursor
        op = cursor.take().kind
        cursor.expect("(")
        parameter = None
        if cursor.kind == "NUMBER":
            parameter = number_value(cursor.take().text)
            cursor.expect(",")
        elif cursor.kind not in ("{", "("):
            raise cursor.unexpected("NUMBER", "{", "(")
        window = self.window()
        cursor.expect(")")
        grouping = self.grouping() if cursor.kind in ("by", "without") else None
        node = RangeAggregation(op, window, grouping, parameter, cursor.span_from(start))
        self.deferring(check_selector, window.log)
        self.deferring(check_range_aggregation, node)
        return node

    def window(self) -> LogRange:
        """`{..} | stages | unwrap x [5m] offset 1m`, the selector perhaps in parentheses, the window perhaps before the stages."""
        cursor = self.cursor
        if cursor.kind == "(":
            return self.parenthesised_window()
        start = cursor.token.span.start
        if cursor.kind != "{":
            raise cursor.unexpected("{", "(")
        matchers = parse_selector(cursor)
        stages, unwrap = self.pipeline()
        if cursor.kind != "RANGE":
            raise cursor.unexpected(*(("RANGE", "|") if unwrap else ()))
        range_ns = cursor.take().value
        offset_ns = self.offset()
        if not stages and unwrap is None:
            stages, unwrap = self.pipeline()
        return LogRange(LogExpr(matchers, stages, cursor.span_from(start)), range_ns, unwrap, offset_ns)

    def parenthesised_window(self) -> LogRange:
        """`(selector stages) [5m]` or `(window)`."""
        cursor = self.cursor
        cursor.take()
        if cursor.kind == "(":
            inner = self.window()
            cursor.expect(")")
            return inner
        start = cursor.token.span.start
        matchers = parse_selector(cursor)
        stages, unwrap = self.pipeline()
        if cursor.kind == "RANGE":
            range_ns = cursor.take().value
            offset_ns = self.offset()
            if not stages and unwrap is None:
                stages, unwrap = self.pipeline()
            cursor.expect(")")
        else:
            if cursor.kind != ")":
                raise cursor.unexpected(*((")", "|") if unwrap else ()))
            cursor.take()
            range_ns = cursor.expect("RANGE").value
            offset_ns = self.offset()
        return LogRange(LogExpr(matchers, stages, cursor.span_from(start)), range_ns, unwrap, offset_ns)

    def pipeline(self) -> tuple[tuple[LogStage, ...], Unwrap | None]:
        stages = parse_stages(self.cursor)
        if self.cursor.kind != "|":
            return stages, None
        self.cursor.take()
        self.cursor.expect("unwrap")
        return stages, self.unwrap()

    def unwrap(self) -> Unwrap:
        cursor = self.cursor
        names = {token: name for name, token in CONVERSIONS.items()}
        token = cursor.expect("IDENTIFIER", *names)
        conversion, label = names.get(token.kind, ""), token.text
        if conversion:
            cursor.expect("(")
            label = cursor.expect("IDENTIFIER").text
            cursor.expect(")")
        filters: list[Predicate] = []
        while cursor.accept("|"):
            if cursor.kind not in ("IDENTIFIER", "("):
                raise cursor.unexpected("IDENTIFIER", "(")
            filters.append(parse_predicate(cursor))
        return Unwrap(label, conversion, tuple(filters))

    def offset(self) -> int:
        return self.cursor.expect("DURATION").value if self.cursor.accept("offset") else 0

    # --- vectors

    def vector_aggregation(self, start: int) -> VectorAggregation:
        cursor = self.cursor
        op = cursor.take().kind
        grouping = self.grouping() if cursor.kind in ("by", "without") else None
        if cursor.kind != "(":
            raise cursor.unexpected(*(("(",) if grouping else ("(", "by", "without")))
        cursor.take()
        written = None
        if cursor.kind == "NUMBER" and cursor.peek() == ",":
            written = cursor.take().text
            cursor.take()
        child = self.metric()
        cursor.expect_among_many(")")
        if grouping is None and cursor.kind in ("by", "without"):
            grouping = self.grouping()
        span = cursor.span_from(start)
        parameter = 0
        try:
            parameter = vector_parameter(op, written, span)
        except ParseError as err:
            cursor.deferred.append(err)
        if op in ("sort", "sort_desc", "approx_topk") and grouping is not None:
            cursor.deferred.append(complaint(f"grouping not allowed for {op} aggregation", span))
        if isinstance(child, NumberLiteral):
            cursor.deferred.append(literal_operand(op, span))
        return VectorAggregation(op, child, grouping, parameter, span)

    def grouping(self) -> Grouping:
        without = self.cursor.take().kind == "without"
        return Grouping(self.label_list(), without)

    def label_list(self) -> tuple[str, ...]:
        cursor = self.cursor
        cursor.expect("(")
        names: list[str] = []
        if cursor.accept(")"):
            return ()
        while True:
            if cursor.kind != "IDENTIFIER":
                raise cursor.unexpected(*(("IDENTIFIER",) if names else ("IDENTIFIER", ")")))
            names.append(cursor.take().text)
            if cursor.accept(")"):
                return tuple(names)
            cursor.expect(",", ")")

    def modifiers(self) -> tuple[bool, VectorMatching]:
        cursor = self.cursor
        return_bool = cursor.accept("bool") is not None
        token = cursor.accept("on", "ignoring")
        if token is None:
            return return_bool, VectorMatching()
        labels = self.label_list()
        card: str = "one-to-one"
        include: tuple[str, ...] = ()
        side = cursor.accept("group_left", "group_right")
        if side is not None:
            card = "many-to-one" if side.kind == "group_left" else "one-to-many"
            # `group_left (x)` may also be group_left and a parenthesised operand; upstream takes the label list.
            if cursor.kind == "(" and cursor.peek() in ("IDENTIFIER", ")"):
                include = self.label_list()
        return return_bool, VectorMatching(card, token.kind == "on", labels, include, explicit=True)

    def vector(self, start: int) -> VectorLiteral:
        self.cursor.take()
        self.cursor.expect("(")
        value = number_value(self.cursor.expect("NUMBER").text)
        self.cursor.expect(")")
        return VectorLiteral(value, self.cursor.span_from(start))

    def label_replace(self, start: int) -> LabelReplace:
        cursor = self.cursor
        cursor.take()
        cursor.expect("(")
        child = self.metric()
        texts = []
        for index in range(4):
            # Behind the expression an operator could follow as well.
            cursor.expect(",") if index else cursor.expect_among_many(",")
            texts.append(cursor.expect("STRING").text)
        cursor.expect(")")
        try:
            compile_regex(texts[3])
        except ValueError as err:
            raise complaint(f"invalid regex in label_replace: {err}", cursor.span_from(start)) from None
        if isinstance(child, NumberLiteral):
            cursor.deferred.append(literal_operand("label_replace", cursor.span_from(start)))
        return LabelReplace(child, texts[0], texts[1], texts[2], texts[3], cursor.span_from(start))


# --- binary operations


def _binary(op: str, left: Expr, right: Expr, return_bool: bool, matching: VectorMatching, span: Span) -> MetricExpr:
    if isinstance(left, LogExpr) or isinstance(right, LogExpr):
        side, bad = ("left", left) if isinstance(left, LogExpr) else ("right", right)
        kind = "*syntax.PipelineExpr" if isinstance(bad, LogExpr) and bad.stages else "*syntax.MatchersExpr"
        raise complaint(f"unexpected type for {side} leg of binary operation ({op}): {kind}", span)
    if op in SET_OPS:
        for side, leg in (("left", left), ("right", right)):
            if isinstance(leg, NumberLiteral):
                raise unexpected_literal(side, op, leg.value, span)
    if isinstance(left, NumberLiteral) and isinstance(right, NumberLiteral):
        return NumberLiteral(fold(op, left.value, right.value), span)
    if matching.card != "one-to-one" and op in SET_OPS:
        raise complaint(f"no grouping allowed for {op} operation", span)
    return BinaryExpr(op, left, right, matching, return_bool, span)


def fold(op: str, left: float, right: float) -> float:
    """A binary operation on two numbers. Division by zero gives NaN, as upstream has it; comparisons give 0 or 1."""
    return _FOLDS[op](left, right)


def _power(left: float, right: float) -> float:
    try:
        result = left**right
    except OverflowError:
        return math.inf
    except ZeroDivisionError:
        return math.inf
    return math.nan if isinstance(result, complex) else float(result)


_FOLDS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else math.nan,
    "%": lambda a, b: math.fmod(a, b) if b else math.nan,
    "^": _power,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
}
