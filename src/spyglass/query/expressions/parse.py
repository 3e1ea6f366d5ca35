"""The language of math expressions.

    or       = and {"||" and}
    and      = compare {"&&" compare}
    compare  = sum {("==" | "!=" | ">" | ">=" | "<" | "<=") sum}
    sum      = product {("+" | "-") product}
    product  = power {("*" | "/" | "%") power}
    power    = factor {"**" factor}
    factor   = number | "$" ref | "${" ref "}" | function "(" [or {"," or}] ")" | "(" or ")" | ("!" | "-") factor

All operators associate to the left. Source: Grafana's documentation of math expressions.
"""

import re

from spyglass.model.errors import ParseError, Span
from spyglass.query.expressions.ast import Binary, Call, Node, Num, Ref, Unary

MAX_LENGTH = 10_000
"""Characters. Longer ones are no formulas that a person wrote."""
MAX_DEPTH = 100
"""Parentheses, functions and signs inside one another; bounds the stack."""
FUNCTIONS = {
    **dict.fromkeys(("abs", "log", "round", "ceil", "floor", "is_nan", "is_inf", "is_null", "is_number"), 1),
    **dict.fromkeys(("nan", "inf", "infn", "null"), 0),
}
"""Name -> number of arguments."""
LEVELS = (("||",), ("&&",), ("==", "!=", ">=", "<=", ">", "<"), ("+", "-"), ("*", "/", "%"), ("**",))

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|\$\{(?P<braced>[^}]+)\}|\$(?P<ref>[A-Za-z_]\w*)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|\|\||&&|==|!=|>=|<=|[-+*/%<>!(),]))"
)


def parse(text: str) -> Node:
    """Raises: ParseError, with the place."""
    if len(text) > MAX_LENGTH:
        raise ParseError(f"a math expression of {len(text)} characters is longer than {MAX_LENGTH}")
    parser = _Parser(text)
    node = parser.level(0, 0)
    if parser.kind:
        raise parser.error(f"unexpected {parser.token!r}")
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self._text, self._next = text, 0
        self.advance()

    def advance(self) -> None:
        """Read one token; kind "" at the end."""
        self.kind, self.token, self._start = "", "", self._next
        rest = self._text[self._next :]
        if not rest.strip():
            self._start = len(self._text)
            return
        match = _TOKEN.match(self._text, self._next)
        if match is None:
            self._start = len(self._text) - len(rest.lstrip())
            raise self.error(f"unexpected {self._text[self._start]!r}")
        self.kind = match.lastgroup or ""
        self.token, self._start, self._next = match[self.kind], match.start(self.kind), match.end()

    def error(self, message: str) -> ParseError:
        span = Span(self._start, self._start + max(len(self.token), 1))
        _, column = span.line_column(self._text)
        where = f"at character {column}" if self._start < len(self._text) else "at the end"
        return ParseError(f"{message} {where} of {self._text!r}", span=span)

    def level(self, level: int, depth: int) -> Node:
        if level == len(LEVELS):
            return self._factor(depth)
        node = self.level(level + 1, depth)
        while self.kind == "operator" and self.token in LEVELS[level]:
            operator = self.token
            self.advance()
            node = Binary(operator, node, self.level(level + 1, depth))
        return node

    def _factor(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} things inside one another")
        kind, token = self.kind, self.token
        if kind == "number":
            self.advance()
            return Num(float(int(token, 16)) if token[:2].lower() == "0x" else float(token))
        if kind in ("ref", "braced"):
            self.advance()
            return Ref(token)
        if kind == "name":
            return self._call(depth)
        if kind == "operator" and token in ("!", "-"):
            self.advance()
            return Unary(token, self._factor(depth + 1))
        if kind == "operator" and token == "(":
            self.advance()
            node = self.level(0, depth + 1)
            self._expect(")")
            return node
        raise self.error(f"unexpected {token!r}" if kind else "something is missing")

    def _call(self, depth: int) -> Node:
        name = self.token
        if name not in FUNCTIONS:
            raise self.error(f"there is no function {name!r} (there are: {', '.join(sorted(FUNCTIONS))});")
        self.advance()
        self._expect("(")
        arguments: list[Node] = []
        while not (self.kind == "operator" and self.token == ")"):
            if arguments:
                self._expect(",")
            arguments.append(self.level(0, depth + 1))
        if len(arguments) != FUNCTIONS[name]:
            raise self.error(f"{name} takes {FUNCTIONS[name]} arguments, not {len(arguments)};")
        self.advance()
        return Call(name, tuple(arguments))

    def _expect(self, operator: str) -> None:
        if self.kind != "operator" or self.token != operator:
            raise self.error(f"expected {operator!r}, not {self.token or 'the end'!r}")
        self.advance()
