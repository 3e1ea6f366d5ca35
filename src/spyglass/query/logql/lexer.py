"""Text to tokens, with upstream's messages and positions. Source: Go's text/scanner and Loki's use of it."""

import re
from dataclasses import dataclass, field

from spyglass.model.errors import ParseError, Span
from spyglass.query.logql.tokens import CALLS, CONVERSIONS, END, OPERATORS_1, OPERATORS_2, STRAY, WORDS, Token
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration, parse_prometheus_duration
from spyglass.text.gostring import quote, unquote

_SKIP = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_STRING = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_RAW = re.compile(r"`[^`]*`")
_BAD_ESCAPE = re.compile(r"\\(?![abfnrtv\\\"0-7xuU])")
_DURATION_TAIL = re.compile(r"[\d.nuµmshdwy]+")
_BYTES_TAIL = re.compile(r"[\d.BikKMGTP]+")
_FLAG = re.compile(r"--[^\W\d-]+(?:-[^\W\d]+)*")
_CALL = re.compile(r"\s*(?:\(|(?:by|without)\s*\()", re.IGNORECASE)

FLAGS = frozenset({"--strict", "--keep-empty"})


def problem(message: str, line: int, column: int, span: Span) -> ParseError:
    return ParseError(f"parse error at line {line}, col {column}: {message}", span=span)


def tokenize(text: str) -> list[Token]:
    """All tokens, the last of kind `$end`. Raises: ParseError."""
    lexer = _Lexer(text)
    while lexer.step():
        pass
    return lexer.tokens


@dataclass(slots=True)
class _Lexer:
    text: str
    at: int = 0
    tokens: list[Token] = field(default_factory=list)

    def step(self) -> bool:
        """Read one token; False after the last."""
        match = _SKIP.match(self.text, self.at)
        self.at = match.end() if match else self.at
        text, at = self.text, self.at
        if at >= len(text):
            self.add(END, "", at)
            return False
        char = text[at]
        if char.isdigit() or (char == "." and text[at + 1 : at + 2].isdigit()):
            self.number()
        elif char == "-":
            self.minus()
        elif char == '"':
            self.quoted()
        elif char == "`":
            self.raw()
        elif char == "'":
            self.char()
        elif char == "[":
            self.window()
        elif (name := _NAME.match(text, at)) is not None:
            self.name(name.group(), name.end())
        else:
            self.operator()
        return True

    def add(self, kind: str, text: str, end: int, *, value: int = 0, looked_ahead: bool = False) -> None:
        line, column = self.place(looked_ahead=looked_ahead)
        self.tokens.append(Token(kind, text, Span(self.at, end), line, column, value))
        self.at = end

    def place(self, *, looked_ahead: bool) -> tuple[int, int]:
        line, column = Span(self.at, self.at).line_column(self.text)
        return (0 if looked_ahead else line), column

    def fail(self, message: str, *, looked_ahead: bool = False) -> ParseError:
        line, column = self.place(looked_ahead=looked_ahead)
        return problem(message, line, column, Span(self.at, self.at + 1))

    def number(self) -> None:
        """A number, or (`5m`, `1.5s`) a duration, or (`10KB`) a size, as far as it can be read as one."""
        match = _NUMBER.match(self.text, self.at)
        assert match is not None, "a digit starts a number"
        end = match.end()
        for pattern, parse, kind in ((_DURATION_TAIL, parse_duration, "DURATION"), (_BYTES_TAIL, parse_bytes, "BYTES")):
            tail = pattern.match(self.text, end)
            if tail is None:
                continue
            try:
                value = parse(self.text[self.at : tail.end()])
            except ValueError:
                continue
            self.add(kind, self.text[self.at : tail.end()], tail.end(), value=value, looked_ahead=True)
            return
        self.add("NUMBER", match.group(), end)

    def minus(self) -> None:
        flag = _FLAG.match(self.text, self.at)
        if flag is not None and flag.group() in FLAGS:
            self.add("PARSER_FLAG", flag.group(), flag.end(), looked_ahead=True)
            return
        tail = _DURATION_TAIL.match(self.text, self.at + 1)
        if tail is not None:
            try:
                value = parse_duration(self.text[self.at : tail.end()])
            except ValueError:
                pass
            else:
                self.add("DURATION", self.text[self.at : tail.end()], tail.end(), value=value, looked_ahead=True)
                return
        self.add("-", "-", self.at + 1)

    def quoted(self) -> None:
        match = _STRING.match(self.text, self.at)
        if match is None:
            raise self.fail("literal not terminated")
        try:
            value = unquote(match.group())
        except ValueError as err:
            raise self.fail("invalid char escape" if _BAD_ESCAPE.search(match.group()) else str(err)) from None
        self.add("STRING", value, match.end())

    def raw(self) -> None:
        match = _RAW.match(self.text, self.at)
        if match is None:
            raise self.fail("literal not terminated")
        self.add("STRING", match.group()[1:-1], match.end())

    def char(self) -> None:
        """'x' is Go's character literal, which the grammar has no use for."""
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise self.fail("literal not terminated")
        if end - self.at != 2:
            raise self.fail("invalid char literal")
        self.add(STRAY, self.text[self.at : end + 1], end + 1)

    def window(self) -> None:
        """`[5m]`, as one token."""
        end = self.text.find("]", self.at)
        if end < 0:
            raise self.fail("missing closing ']' in duration", looked_ahead=True)
        body = self.text[self.at + 1 : end]
        try:
            value = parse_prometheus_duration(body) * 1_000_000
        except ValueError:
            raise self.fail(_duration_problem(body), looked_ahead=True) from None
        self.add("RANGE", body, end + 1, value=value, looked_ahead=True)

    def name(self, name: str, end: int) -> None:
        word = name.lower()
        if word in CALLS and _CALL.match(self.text, end):
            self.add(CONVERSIONS.get(word, word), name, end)
        elif word in WORDS:
            self.add(word, name, end)
        else:
            self.add("IDENTIFIER", name, end)

    def operator(self) -> None:
        pair = self.text[self.at : self.at + 2]
        if pair in OPERATORS_2:
            self.add(pair, pair, self.at + 2, looked_ahead=True)
            return
        char = self.text[self.at]
        self.add(char if char in OPERATORS_1 else STRAY, char, self.at + 1)


def parse_duration(text: str) -> int:
    """Nanoseconds of a Prometheus duration or, failing that, of a Go duration. Raises: ValueError."""
    try:
        return parse_prometheus_duration(text) * 1_000_000
    except ValueError:
        return parse_go_duration(text)


def _duration_problem(text: str) -> str:
    """What prometheus/common says of a bad duration."""
    quoted = quote(text)
    match = re.match(r"(\d+)([^\d]*)", text)
    if not text:
        return "empty duration string"
    if match is None or not match.group(2):
        return f"not a valid duration string: {quoted}"
    for found in re.finditer(r"(\d+)([^\d]+)", text):
        unit = found.group(2)
        if unit not in ("y", "w", "d", "h", "m", "s", "ms"):
            return f"unknown unit {quote(unit)} in duration {quoted}"
    return f"not a valid duration string: {quoted}"
