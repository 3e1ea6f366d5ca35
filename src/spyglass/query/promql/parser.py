"""PromQL's parser: precedence climbing over the lexer's tokens.

Why by hand: see docs/decisions/0006-hand-written-parsers.md. The grammar, loosest first (all left-associative but ^):

    expr      : expr OP modifiers expr | unary | postfix        or < and unless < comparisons < + - < * / % atan2 < unary < ^
    modifiers : [bool] [(on|ignoring) labels [(group_left|group_right) [labels]]] [fill(n) | fill_left(n) fill_right(n)]
    postfix   : atom ( "[" range "]" | "[" range ":" [step] "]" | offset DURATION | @ TIME | anchored | smoothed )*
    atom      : NUMBER | DURATION | STRING | "(" expr ")" | AGGREGATION | NAME "(" args ")" | selector

Errors carry upstream's text and position. Where upstream's generated parser names the construct it was in, that is the innermost
open one of those that have a message of their own; `_within` keeps it.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from spyglass.model.errors import ParseError, Span
from spyglass.model.labels import METRIC_NAME
from spyglass.model.matchers import Matcher
from spyglass.query.promql import ast
from spyglass.query.promql.check import check
from spyglass.query.promql.functions import FUNCTIONS
from spyglass.query.promql.lexer import tokens
from spyglass.query.promql.tokens import EXPERIMENTAL_AGGREGATORS, PARAMETERISED, SET_OPERATORS, WORDS, Token
from spyglass.query.syntax.quoting import line_column, printable, quote, unquote
from spyglass.text.durations import parse_prometheus_duration

_PRECEDENCE = {
    "or": 1, "and": 2, "unless": 2, "==": 3, "!=": 3, "<=": 3, "<": 3, ">=": 3, ">": 3, "</": 3, ">/": 3,
    "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "atan2": 5, "^": 6,
}  # fmt: skip
_UNARY = 5
_MAX_DEPTH = 200
"""Nesting beyond this is refused: Python's stack moves with it."""

_DURATION_WORDS = "number, duration, step(), or range()"
_DURATION_PRECEDENCE = {"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6}
_LEGACY_NUMBER = re.compile(r"0[0-7]+$")


@dataclass(frozen=True, slots=True)
class Features:
    """Which of upstream's experimental parts are on; the fields are its --enable-feature names without `promql-`."""

    experimental_functions: bool = True
    extended_range_selectors: bool = True
    binop_fill_modifiers: bool = True


def parse(text: str, features: Features = Features()) -> ast.Expr:  # immutable
    """The checked syntax tree of a query.

    Raises: ParseError, its message `line:column: parse error: ...` as upstream's, its span the part at fault.
    """
    parser = _Parser(text, features)
    try:
        expr = parser.whole()
        check(expr, parser.fail)
    except RecursionError:
        raise ParseError(
            "1:1: parse error: the expression is nested too deeply, or a chain of operators is too long"
        ) from None
    return expr


def parse_selector(text: str) -> tuple[Matcher, ...]:
    """The matchers of a bare series selector, as `match[]` parameters hold them. Raises: ParseError."""
    parser = _Parser(text, Features())
    return parser.whole_selector().matchers


def parse_error(text: str, span: Span, message: str) -> ParseError:
    """The error with upstream's position prefix."""
    line, column = line_column(text, span)
    return ParseError(f"{line}:{column}: parse error: {message}", span=span)


class _Parser:
    def __init__(self, text: str, features: Features) -> None:
        self.text, self.features = text, features
        self.tokens = tokens(text)
        self.at = 0
        self.closing = 0
        self.depth = 0
        self.contexts: list[tuple[str, str]] = [("", "")]

    # Tokens

    @property
    def token(self) -> Token:
        token = self.tokens[self.at]
        if token.kind == "error":
            raise parse_error(self.text, Span(token.start, len(self.text)), token.text)
        return token

    def take(self) -> Token:
        token = self.token
        if token.kind != "end of input":
            self.at += 1
        if token.kind in ("number", "duration") or token.is_(")", "]", "}"):
            self.closing = token.start + len(token.text)
        return token

    def accept(self, *values: str) -> Token | None:
        return self.take() if self.token.is_(*values) else None

    def expect(self, value: str) -> Token:
        return self.accept(value) or self.unexpected()

    def fail(self, span: Span, message: str) -> ParseError:
        return parse_error(self.text, span, message)

    def unexpected(self, context: str = "", expected: str = "") -> Token:
        """Raise for the token at hand; without arguments with the innermost construct's words."""
        if not context and not expected:
            context, expected = self.contexts[-1]
        message = f"unexpected {self.token.description()}"
        message += f" in {context}" if context else ""
        message += f", expected {expected}" if expected else ""
        raise self.fail(self.token.span, message)

    @contextmanager
    def _within(self, context: str, expected: str = "") -> Iterator[None]:
        self.contexts.append((context, expected))
        yield
        self.contexts.pop()

    # Start symbols

    def whole(self) -> ast.Expr:
        if self.token.kind == "end of input":
            raise self.fail(Span(0, 0), "no expression found in input")
        expr = self.expr(0)
        if self.token.kind != "end of input":
            self.unexpected()
        return expr

    def whole_selector(self) -> ast.VectorSelector:
        if self.token.kind not in WORDS and not self.token.is_("{"):
            self.unexpected()
        selector = self.selector(self.take() if not self.token.is_("{") else None)
        if self.token.kind != "end of input":
            self.unexpected()
        return selector

    # Expressions

    def expr(self, floor: int) -> ast.Expr:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.fail(self.token.span, f"expression is nested more than {_MAX_DEPTH} levels deep")
        left = self.unary()
        while (precedence := self._binary_precedence()) > floor:
            left = self.binary(left, precedence)
        self.depth -= 1
        return left

    def _binary_precedence(self) -> int:
        token = self.token
        return _PRECEDENCE.get(token.value, 0) if token.kind == "op" else 0

    def binary(self, left: ast.Expr, precedence: int) -> ast.Expr:
        op = self.take()
        return_bool = self.accept("bool") is not None
        matching = self.matching()
        # ^ alone is right-associative.
        right = self.expr(precedence - 1 if op.value == "^" else precedence)
        if op.value in SET_OPERATORS and matching.card == "one-to-one":
            matching = replace(matching, card="many-to-many")
        span = Span(left.span.start, right.span.end)
        return ast.BinaryExpr(op.value, left, right, matching, return_bool, span)

    def unary(self) -> ast.Expr:
        sign = self.token
        if not (sign.kind == "op" and sign.value in "+-"):
            return self.postfix(self.atom())
        self.take()
        # Binds like multiplication: -2^2 is -(2^2), -a*b is (-a)*b.
        operand = self.expr(_UNARY)
        span = Span(sign.start, operand.span.end)
        if isinstance(operand, ast.NumberLiteral):
            value = -operand.value if sign.value == "-" else operand.value
            return replace(operand, value=value, span=span)
        return ast.UnaryExpr(sign.value, operand, span)

    def matching(self) -> ast.VectorMatching:
        matching = ast.VectorMatching()
        kind = self.accept("on", "ignoring")
        if kind:
            matching = replace(matching, on=kind.value == "on", labels=self.grouping())
            group = self.accept("group_left", "group_right")
            if group:
                card = "many-to-one" if group.value == "group_left" else "one-to-many"
                include = self.grouping() if self.token.is_("(") else ()
                matching = replace(matching, card=card, include=include)
        return self.fills(matching)

    def fills(self, matching: ast.VectorMatching) -> ast.VectorMatching:
        first = self.accept("fill", "fill_left", "fill_right")
        if first is None:
            return matching
        if not self.features.binop_fill_modifiers:
            raise self.fail(first.span, "binop fill modifiers are experimental and not enabled")
        value = self.fill_value()
        if first.value == "fill":
            return replace(matching, fill_left=value, fill_right=value)
        sides = {first.value: value}
        second = self.accept("fill_right" if first.value == "fill_left" else "fill_left")
        if second:
            sides[second.value] = self.fill_value()
        return replace(matching, fill_left=sides.get("fill_left"), fill_right=sides.get("fill_right"))

    def fill_value(self) -> float:
        self.expect("(")
        sign = self.accept("+", "-")
        if self.token.kind not in ("number", "duration"):
            self.unexpected()
        value = self.number(self.take()).value
        self.expect(")")
        return -value if sign and sign.value == "-" else value

    def grouping(self) -> tuple[str, ...]:
        if not self.token.is_("("):
            self.unexpected("grouping opts", '"("')
        self.take()
        names: list[str] = []
        while not self.accept(")"):
            names.append(self.grouping_label())
            if not self.token.is_(",", ")"):
                self.unexpected("grouping opts", '"," or ")"')
            self.accept(",")
        return tuple(names)

    def grouping_label(self) -> str:
        token = self.token
        if token.kind == "string":
            name = self.string(self.take())
        elif token.kind in WORDS or token.value in ("and", "or", "unless", "atan2"):
            name = self.take().text
        else:
            self.unexpected("grouping opts", "label")
        if not name:
            raise self.fail(token.span, f"invalid label name for grouping: {quote(name)}")
        return name

    # Atoms

    def atom(self) -> ast.Expr:
        token = self.token
        if token.kind in ("number", "duration"):
            return self.number(self.take())
        if token.kind == "string":
            return ast.StringLiteral(self.string(self.take()), token.span)
        if token.is_("("):
            self.take()
            inner = self.expr(0)
            end = self.expect(")")
            return ast.ParenExpr(inner, Span(token.start, end.start + 1))
        if token.is_("{"):
            return self.selector(None)
        if token.kind == "aggregator" and not self._names_a_metric():
            return self.aggregation()
        if token.kind in WORDS or (token.kind == "op" and token.value in SET_OPERATORS):
            return self.named()
        self.unexpected()
        raise AssertionError("unexpected() raises")

    def _names_a_metric(self) -> bool:
        following = self.tokens[self.at + 1]
        return not following.is_("(", "by", "without") and following.kind != "error"

    def named(self) -> ast.Expr:
        name = self.take()
        if self.token.is_("(") and name.kind in ("identifier", "preprocessor"):
            return self.call(name)
        if (
            name.kind == "keyword"
            and name.value not in ("offset", "by", "without", "anchored", "smoothed")
            and not (name.value.startswith("fill"))
        ):
            self.at -= 1
            self.unexpected()
        return self.selector(name)

    def call(self, name: Token) -> ast.Call:
        args = self.arguments()
        if name.text not in FUNCTIONS:
            raise self.fail(name.span, f"unknown function with name {quote(name.text)}")
        if FUNCTIONS[name.text].experimental and not self.features.experimental_functions:
            raise self.fail(name.span, f"function {quote(name.text)} is not enabled")
        return ast.Call(name.text, args, Span(name.start, self.closing))

    def arguments(self) -> tuple[ast.Expr, ...]:
        self.expect("(")
        if self.accept(")"):
            return ()
        args = [self.expr(0)]
        while comma := self.accept(","):
            if self.token.is_(")"):
                raise self.fail(comma.span, "trailing commas not allowed in function call args")
            args.append(self.expr(0))
        self.expect(")")
        return tuple(args)

    def aggregation(self) -> ast.AggregateExpr:
        op = self.take()
        with self._within("aggregation"):
            modifier = self.modifier()
            args = self.arguments()
            end = self.closing
        if modifier is None:
            modifier = self.modifier()
            end = self.closing if modifier else end
        without, grouping = modifier or (False, ())
        span = Span(op.start, end)
        if not args:
            raise self.fail(span, "no arguments for aggregate expression provided")
        if op.value in EXPERIMENTAL_AGGREGATORS and not self.features.experimental_functions:
            flag = "must be enabled with --enable-feature=promql-experimental-functions"
            raise self.fail(span, f"{op.value}() is experimental and {flag}")
        wanted = 2 if op.value in PARAMETERISED else 1
        if len(args) != wanted:
            raise self.fail(
                span, f"wrong number of arguments for aggregate expression provided, expected {wanted}, got {len(args)}"
            )
        return ast.AggregateExpr(op.value, args[-1], args[0] if wanted == 2 else None, grouping, without, span)

    def modifier(self) -> tuple[bool, tuple[str, ...]] | None:
        kind = self.accept("by", "without")
        return None if kind is None else (kind.value == "without", self.grouping())

    # Selectors

    def selector(self, name: Token | None) -> ast.VectorSelector:
        start = name.start if name else self.token.start
        end = name.span.end if name else start
        matchers: list[Matcher] = []
        if self.token.is_("{"):
            matchers, end = self.matchers()
        if name:
            matchers.append(Matcher.of(METRIC_NAME, "=", name.text))
        return ast.VectorSelector(name.text if name else "", tuple(matchers), Span(start, end))

    def matchers(self) -> tuple[list[Matcher], int]:
        self.expect("{")
        found: list[Matcher] = []
        while not self.token.is_("}"):
            found.append(self.matcher())
            if not self.token.is_(",", "}"):
                self.unexpected("label matching", '"," or "}"')
            self.accept(",")
        return found, self.take().start + 1

    def matcher(self) -> Matcher:
        name = self.token
        if name.kind not in ("identifier", "string"):
            self.unexpected("label matching", 'identifier or "}"')
        self.take()
        label = self.string(name) if name.kind == "string" else name.text
        if name.kind == "string" and self.token.is_(",", "}"):
            return Matcher.of(METRIC_NAME, "=", label)
        op = self.token
        if not op.is_("=", "!=", "=~", "!~"):
            self.unexpected("label matching", "label matching operator")
        self.take()
        if self.token.kind != "string":
            self.unexpected("label matching", "string")
        value = self.take()
        try:
            return Matcher.of(label, op.value, self.string(value))
        except UnicodeEncodeError:
            shown = printable(self.string(value))
            message = f"error parsing regexp: invalid UTF-8: `{shown}`"
            raise self.fail(Span(name.start, value.span.end), message) from None
        except ValueError as err:
            raise self.fail(Span(name.start, value.span.end), str(err)) from None

    # Modifiers behind an expression

    def postfix(self, expr: ast.Expr) -> ast.Expr:
        while True:
            token = self.token
            if token.is_("["):
                expr = self.brackets(expr)
            elif token.is_("offset"):
                expr = self.offset(expr)
            elif token.is_("@"):
                expr = self.at_modifier(expr)
            elif token.is_("anchored", "smoothed"):
                expr = self.extended(expr)
            else:
                return expr

    def brackets(self, expr: ast.Expr) -> ast.Expr:
        opening = self.expect("[")
        with self._within("subquery or range selector", _DURATION_WORDS):
            range_ = self.positive(self.duration(0))
        if self.accept("]"):
            return self.matrix(expr, range_, opening)
        if not self.accept(":"):
            self.unexpected("subquery or range", '":" or "]"')
        step = None
        if not self.token.is_("]"):
            with self._within("subquery selector", f'{_DURATION_WORDS[:-10]}range(), or "]"'):
                step = self.positive(self.duration(0))
        if not self.token.is_("]"):
            self.unexpected("subquery selector", '"]"')
        end = self.take()
        return ast.SubqueryExpr(expr, range_, step, Span(expr.span.start, end.start + 1))

    def matrix(self, expr: ast.Expr, range_: ast.Duration, opening: Token) -> ast.MatrixSelector:
        problem = ""
        if not isinstance(expr, ast.VectorSelector):
            problem = "ranges only allowed for vector selectors"
        elif expr.offset is not None:
            problem = "no offset modifiers allowed before range"
        elif expr.at is not None:
            problem = "no @ modifiers allowed before range"
        if problem or not isinstance(expr, ast.VectorSelector):
            raise self.fail(Span(opening.start, self.closing), problem)
        return ast.MatrixSelector(expr, range_, Span(expr.span.start, self.closing))

    def positive(self, duration: ast.Duration) -> ast.Duration:
        if isinstance(duration, ast.NumberLiteral) and duration.value <= 0:
            raise self.fail(duration.span, "duration must be greater than 0")
        return duration

    def offset(self, expr: ast.Expr) -> ast.Expr:
        self.take()
        with self._within("offset", _DURATION_WORDS):
            duration = self.offset_duration()
        return self._on_selector(
            expr,
            lambda node: replace(node, offset=duration),
            lambda node: node.offset is not None and not _is_zero(node.offset),
            "offset modifier",
            "offset may not be set multiple times",
        )

    def at_modifier(self, expr: ast.Expr) -> ast.Expr:
        self.take()
        with self._within("@", "timestamp"):
            at = self.at_time(expr)
        return self._on_selector(
            expr,
            lambda node: replace(node, at=at),
            lambda node: node.at is not None,
            "@ modifier",
            "@ <timestamp> may not be set multiple times",
        )

    def at_time(self, expr: ast.Expr) -> ast.At:
        word = self.accept("start", "end")
        if word:
            self.expect("(")
            self.expect(")")
            return "start" if word.value == "start" else "end"
        sign = self.accept("+", "-")
        if self.token.kind not in ("number", "duration"):
            self.unexpected()
        seconds = self.number(self.take()).value * (-1 if sign and sign.value == "-" else 1)
        if not math.isfinite(seconds) or abs(seconds) >= 2**63:
            shown = f"{seconds:f}" if math.isfinite(seconds) else _go_float(seconds)
            raise self.fail(expr.span, f"timestamp out of bounds for @ modifier: {shown}")
        return round(seconds * 1000)

    def _on_selector(
        self,
        expr: ast.Expr,
        change: Callable[[ast.VectorSelector], ast.VectorSelector],
        is_set: Callable[[ast.VectorSelector], bool],
        what: str,
        again: str,
    ) -> ast.Expr:
        """expr with its selector changed and its span extended to the last literal or bracket read."""
        if isinstance(expr, ast.MatrixSelector):
            if is_set(expr.selector):
                raise self.fail(expr.span, again)
            return replace(expr, selector=change(expr.selector), span=Span(expr.span.start, self.closing))
        if isinstance(expr, ast.VectorSelector | ast.SubqueryExpr):
            if is_set(expr):  # type: ignore[arg-type]  # both have the fields that is_set and change look at
                raise self.fail(expr.span, again)
            return replace(change(expr), span=Span(expr.span.start, self.closing))  # type: ignore[arg-type]
        message = f"{what} must be preceded by an instant vector selector or range vector selector or a subquery"
        raise self.fail(expr.span, message)

    def extended(self, expr: ast.Expr) -> ast.Expr:
        word = self.take().value
        if not self.features.extended_range_selectors:
            raise self.fail(expr.span, f"{word} modifier is experimental and not enabled")
        if isinstance(expr, ast.SubqueryExpr):
            raise self.fail(expr.span, f"{word} modifier is not supported for subqueries")
        selector = expr.selector if isinstance(expr, ast.MatrixSelector) else expr
        if not isinstance(selector, ast.VectorSelector):
            raise self.fail(expr.span, f"{word} modifier not implemented")
        if selector.modifier not in ("", word):
            raise self.fail(expr.span, "anchored and smoothed modifiers cannot be used together")
        changed = replace(selector, modifier=word)
        return replace(expr, selector=changed) if isinstance(expr, ast.MatrixSelector) else changed

    # Durations

    def offset_duration(self) -> ast.Duration:
        """An offset takes one signed operand: `foo offset -2^2` is `(foo offset -2)^2`. Arithmetic needs parentheses."""
        sign = self.accept("+", "-")
        operand = self.duration_atom()
        return self._signed(sign, operand) if sign else operand

    def duration(self, floor: int) -> ast.Duration:
        sign = self.accept("+", "-")
        left = self._signed(sign, self.duration(_UNARY)) if sign else self.duration_atom()
        while (precedence := self._duration_precedence()) > floor:
            op = self.take()
            right = self.duration(precedence if op.value != "^" else precedence - 1)
            if op.value in "/%" and isinstance(right, ast.NumberLiteral) and right.value == 0:
                what = "division" if op.value == "/" else "modulo"
                raise self.fail(op.span, f"{what} by zero")
            left = ast.DurationExpr(op.value, left, right, Span(left.span.start, right.span.end))
        return left

    def _duration_precedence(self) -> int:
        token = self.token
        return _DURATION_PRECEDENCE.get(token.value, 0) if token.kind == "op" else 0

    def duration_atom(self) -> ast.Duration:
        token = self.token
        if token.kind in ("number", "duration"):
            literal = self.number(self.take())
            if not abs(literal.value) <= 2**63 / 1e9:
                raise self.fail(literal.span, "duration out of range")
            return literal
        if token.is_("step", "range"):
            self.take()
            self.expect("(")
            end = self.expect(")")
            return ast.DurationExpr(token.value, None, None, Span(token.start, end.start + 1))
        if token.is_("min", "max") or (token.kind == "identifier" and token.text.lower() in ("min_of", "max_of")):
            return self.duration_choice(self.take())
        if token.is_("("):
            return self.duration_group(self.take())
        self.unexpected()
        raise AssertionError("unexpected() raises")

    def duration_choice(self, word: Token) -> ast.DurationExpr:
        self.expect("(")
        left = self.duration(0)
        self.expect(",")
        right = self.duration(0)
        end = self.expect(")")
        return ast.DurationExpr(word.text.lower(), left, right, Span(word.start, end.start + 1))

    def duration_group(self, opening: Token) -> ast.DurationExpr:
        inner = self.duration(0)
        end = self.expect(")")
        if isinstance(inner, ast.DurationExpr):
            return replace(inner, wrapped=True)
        return ast.DurationExpr("+", None, inner, Span(opening.start, end.start + 1), wrapped=True)

    def _signed(self, sign: Token, operand: ast.Duration) -> ast.Duration:
        span = Span(sign.start, operand.span.end)
        if isinstance(operand, ast.NumberLiteral):
            return replace(operand, value=-operand.value if sign.value == "-" else operand.value, span=span)
        return operand if sign.value == "+" else ast.DurationExpr("-", None, operand, span)

    # Literals

    def number(self, token: Token) -> ast.NumberLiteral:
        if token.kind == "duration":
            try:
                return ast.NumberLiteral(parse_prometheus_duration(token.text) / 1000, token.span, duration=True)
            except ValueError as err:
                raise self.fail(token.span, str(err)) from None
        return ast.NumberLiteral(_number(token.text), token.span)

    def string(self, token: Token) -> str:
        try:
            return unquote(token.text)
        except ValueError as err:
            raise self.fail(token.span, f"error unquoting string {quote(token.text)}: {err}") from None


def _number(text: str) -> float:
    """Go's ParseInt with base 0, then ParseFloat: 0x1F, 0o17 as 017, 1_000, 1e3, Inf, NaN.

    >>> _number("0x10"), _number("010"), _number("1_000.5")
    (16.0, 8.0, 1000.5)
    """
    plain = text.replace("_", "")
    if plain[:2].lower() == "0x":
        return float(int(plain, 16))
    if _LEGACY_NUMBER.match(plain):
        return float(int(plain, 8))
    return float(plain)


def _go_float(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _is_zero(duration: ast.Duration) -> bool:
    return isinstance(duration, ast.NumberLiteral) and duration.value == 0
