"""String literals as Go and Prometheus write them, and places in a query text.

Prometheus util/strutil.Unquote: three quotes; '"' and "'" with Go's escapes, '`' raw. May import: standard library only.
"""

from spyglass.model.errors import Span

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}
_HEX_WIDTH = {"x": 2, "u": 4, "U": 8}


def unquote(literal: str) -> str:
    r"""The value of a quoted literal, quotes included in the input.

    Bytes given with \x or octal escapes are decoded as UTF-8; invalid ones survive as surrogates (surrogateescape).
    Raises: ValueError with Go's text ("invalid syntax").

    >>> unquote('"a\\n\\x41"')
    'a\nA'
    """
    if len(literal) < 2 or literal[0] != literal[-1] or literal[0] not in "\"'`":
        raise ValueError("invalid syntax")
    quote, body = literal[0], literal[1:-1]
    if quote == "`":
        if "`" in body:
            raise ValueError("invalid syntax")
        return body
    if "\n" in body:
        raise ValueError("invalid syntax")
    if "\\" not in body:
        if quote in body:
            raise ValueError("invalid syntax")
        return body
    return _unescape(body, quote)


def _unescape(body: str, quote: str) -> str:
    out = bytearray()
    at = 0
    while at < len(body):
        char = body[at]
        if char != "\\":
            if char == quote:
                raise ValueError("invalid syntax")
            end = body.find("\\", at)
            end = len(body) if end < 0 else end
            out += body[at:end].encode("utf-8", "surrogateescape")
            at = end
            continue
        at = _escape(body, at + 1, quote, out)
    return out.decode("utf-8", "surrogateescape")


def _escape(body: str, at: int, quote: str, out: bytearray) -> int:
    """Append the value of the escape whose letter stands at `at`; returns the offset behind it."""
    letter = body[at : at + 1]
    if letter in _SIMPLE and letter:
        out.append(_SIMPLE[letter])
        return at + 1
    if letter == quote:
        out += quote.encode()
        return at + 1
    if letter in _HEX_WIDTH and letter:
        width = _HEX_WIDTH[letter]
        value = _number(body[at + 1 : at + 1 + width], width, 16)
        if letter == "x":
            out.append(value)
        else:
            if value > 0x10FFFF or 0xD800 <= value < 0xE000:
                raise ValueError("invalid syntax")
            out += chr(value).encode()
        return at + 1 + width
    value = _number(body[at : at + 3], 3, 8)
    if value > 255:
        raise ValueError("invalid syntax")
    out.append(value)
    return at + 3


def _number(digits: str, width: int, base: int) -> int:
    if len(digits) != width or not digits.isalnum():
        raise ValueError("invalid syntax")
    try:
        return int(digits, base)
    except ValueError:
        raise ValueError("invalid syntax") from None


_QUOTED = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def quote(text: str) -> str:
    r"""Go's strconv.Quote: printable characters stand for themselves, others are escaped.

    >>> quote('a"\n')
    '"a\\"\\n"'
    """
    return '"' + "".join(_QUOTED.get(char) or _shown(char) for char in text) + '"'


def _shown(char: str) -> str:
    code = ord(char)
    if char.isprintable():
        return char
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def printable(text: str) -> str:
    """The text with what is not UTF-8 in it (bytes given as escapes) replaced, as a JSON answer needs it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def line_column(text: str, span: Span) -> tuple[int, int]:
    """1-based line and column of the span's start; the column counts bytes, as upstream's does."""
    before = text[: span.start]
    line_start = before.rfind("\n") + 1
    return before.count("\n") + 1, len(before[line_start:].encode("utf-8", "surrogateescape")) + 1
