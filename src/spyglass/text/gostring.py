"""Go string literals: what `strconv.Quote` writes and `strconv.Unquote` reads, as LogQL and label strings use them.

Interpreted literals ("..." with escapes) and raw ones (`...`). Source: the Go language specification, string literals.
"""

import re

_ESCAPE = re.compile(r'\\(?:([abfnrtv\\"\'])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{3}))')
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}
_NAMES = {value: name for name, value in _SIMPLE.items() if name != "'"}
_QUOTABLE = re.compile(r'[\x00-\x1f\x7f-\x9f"\\\ufeff\ud800-\udfff]')


def quote(text: str) -> str:
    r"""The text as an interpreted literal; printable characters of every script stay as they are.

    >>> quote('a"b\n')
    '"a\\"b\\n"'
    """
    return '"' + _QUOTABLE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match.group()
    if char in _NAMES:
        return "\\" + _NAMES[char]
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def unquote(literal: str) -> str:
    r"""The value of a literal with its quotes. Raises ValueError("invalid syntax"), Go's text.

    >>> unquote('"caf\\u00e9"')
    'café'
    """
    if len(literal) >= 2 and literal[0] == literal[-1] == "`" and "`" not in literal[1:-1]:
        return literal[1:-1].replace("\r", "")
    if len(literal) < 2 or literal[0] != '"' or literal[-1] != '"' or "\n" in literal:
        raise ValueError("invalid syntax")
    body = literal[1:-1]
    if "\\" not in body:
        if '"' in body:
            raise ValueError("invalid syntax")
        return body
    return _unescape(body)


def _unescape(body: str) -> str:
    """Byte escapes (\\x, octal) may spell out UTF-8, so the value is put together as bytes."""
    parts: list[bytes] = []
    at = 0
    while (found := body.find("\\", at)) >= 0:
        match = _ESCAPE.match(body, found)
        if match is None or '"' in body[at:found]:
            raise ValueError("invalid syntax")
        parts.append(body[at:found].encode("utf-8", "surrogatepass"))
        parts.append(_value(match))
        at = match.end()
    if '"' in body[at:]:
        raise ValueError("invalid syntax")
    parts.append(body[at:].encode("utf-8", "surrogatepass"))
    return b"".join(parts).decode("utf-8", "replace")


def _value(match: re.Match[str]) -> bytes:
    simple, byte, short, long, octal = match.groups()
    if simple:
        return _SIMPLE[simple].encode()
    if byte or octal:
        code = int(byte, 16) if byte else int(octal, 8)
        if code > 255:
            raise ValueError("invalid syntax")
        return bytes([code])
    code = int(short or long, 16)
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError("invalid syntax")
    return chr(code).encode()
