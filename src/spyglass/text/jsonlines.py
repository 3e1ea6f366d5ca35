"""JSON objects in log lines: flattening to labels, path expressions, and a reader that forgives what Loki forgives.

Numbers keep the spelling of the line (`1.50`, `1e3`, 20 digits), of a repeated key the first counts, what follows the object is
ignored, and of a broken object the fields before the break count. So the decoder is the standard library's with numbers left
as text and objects as pairs; only lines that it refuses are read by `scan_object`, slowly.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

NOT_JSON = "Value is no JSON object"
_UNCLOSED_OBJECT = "Value looks like object, but can't find closing '}' symbol"
_MALFORMED = "Malformed JSON error"

_SPACE = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[^ \t\n\r,}\]:]+")
_NO_LABEL = re.compile("[\ufffd\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_BAD_NAME = re.compile(r"[^a-zA-Z0-9_]")


class JsonProblem(ValueError):
    """The text is not what it should be; the message is for `__error_details__`."""


class Raw(str):
    """The source text of a value that is neither string nor null: a number, a boolean, an object, an array."""

    __slots__ = ()


def _refuse(constant: str) -> Any:
    raise JsonProblem(f"Unknown value type: {constant}")


def _pairs(pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple(pairs)


_decoder: Any = json.JSONDecoder(
    parse_float=str, parse_int=str, parse_constant=_refuse, object_pairs_hook=_pairs, strict=False
)
_decode: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once

Pairs = tuple[tuple[str, Any], ...]
"""A decoded object: (key, value) with value str (strings and numbers), bool, None, list, or Pairs."""


def decode_object(line: str) -> tuple[Pairs, str]:
    """The object that a line starts with, and what was wrong ("" if nothing): then the fields before the break.

    >>> decode_object('{"a": 1.50, "a": 2} tail')
    ((('a', '1.50'), ('a', '2')), '')
    """
    start = 0 if line[:1] == "{" else _skip(line, 0)
    if line[start : start + 1] != "{":
        return (), NOT_JSON
    try:
        value, _ = _decode(line, start)
        return value, ""
    except (ValueError, StopIteration, RecursionError):
        return _salvaged(line, start)


def _salvaged(line: str, start: int) -> tuple[Pairs, str]:
    found: list[tuple[str, Any]] = []
    try:
        for key, value in scan_object(line, start):
            found.append((key, _relaxed(value, found, key)))
    except JsonProblem as problem:
        return tuple(found), str(problem)
    return tuple(found), ""


def _relaxed(value: "str | Raw | None", found: list[tuple[str, Any]], key: str) -> Any:
    """A scanned value in the decoder's terms. A broken inner object leaves its good fields in `found`."""
    if not isinstance(value, Raw):
        return value
    if value in ("true", "false"):
        return value == "true"
    if value.startswith("["):
        return []
    if value.startswith("{"):
        inner, problem = decode_object(value)
        if problem:
            found.append((key, inner))
            raise JsonProblem(problem)
        return inner
    return str(value)


def flatten(pairs: Pairs, prefix: str = "") -> Iterator[tuple[str, str]]:
    """(label name, text) of every scalar, names joined with `_` and made valid; arrays and nulls are left out.

    >>> list(flatten(decode_object('{"a": {"b-c": true}, "1x": "y", "z": [1]}')[0]))
    [('a_b_c', 'true'), ('_1x', 'y')]
    """
    for key, value in pairs:
        kind = value.__class__
        if kind is str:
            name = nested_name(prefix, key)
            if name:
                yield name, value
        elif kind is tuple:
            yield from flatten(value, nested_name(prefix, key))
        elif kind is bool:
            name = nested_name(prefix, key)
            if name:
                yield name, "true" if value else "false"


@lru_cache(maxsize=65536)
def nested_name(prefix: str, key: str) -> str:
    """`prefix_key` with every character that a label name cannot hold as `_`."""
    if not prefix:
        return sanitize_name(key)
    return f"{prefix}_{_BAD_NAME.sub('_', key.strip())}"


@lru_cache(maxsize=65536)
def sanitize_name(key: str) -> str:
    """A valid label name: bad characters become `_`, a leading digit gets one in front; "" stays "".

    >>> sanitize_name("1 é-x")
    '_1___x'
    """
    key = key.strip()
    if not key:
        return ""
    name = _BAD_NAME.sub("_", key)
    return f"_{name}" if name[0].isdigit() else name


def clean_text(text: str) -> str:
    """The text with a blank for every U+FFFD and lone surrogate, which no label may hold."""
    return text if text.isascii() else _NO_LABEL.sub(" ", text)


# --- the forgiving reader -------------------------------------------------------------------------------------------------


def scan_object(line: str, start: int) -> Iterator[tuple[str, "str | Raw | None"]]:
    """(key, value) of the object at `start`, one by one: strings unescaped, null as None, all else as Raw text.

    What lies inside arrays and objects is not looked at. Raises: JsonProblem where the text breaks off.
    """
    at = _skip(line, start)
    if line[at : at + 1] != "{":
        raise JsonProblem(_MALFORMED)
    at = _skip(line, at + 1)
    if line[at : at + 1] == "}":
        return
    while True:
        if line[at : at + 1] != '"':
            raise JsonProblem(_UNCLOSED_OBJECT if at >= len(line) else _MALFORMED)
        end = _string_end(line, at)
        key = _unescaped(line[at:end])
        at = _skip(line, end)
        if line[at : at + 1] != ":":
            raise JsonProblem(_MALFORMED)
        at = _skip(line, at + 1)
        end = value_end(line, at)
        yield key, _value(line[at:end])
        at = _skip(line, end)
        mark = line[at : at + 1]
        if mark == "}":
            return
        if mark != ",":
            raise JsonProblem(_UNCLOSED_OBJECT if not mark else _MALFORMED)
        at = _skip(line, at + 1)


def scan_array(line: str, start: int) -> Iterator["str | Raw | None"]:
    """The values of the array at `start`. Raises: JsonProblem."""
    at = _skip(line, start + 1)
    if line[at : at + 1] == "]":
        return
    while True:
        end = value_end(line, at)
        yield _value(line[at:end])
        at = _skip(line, end)
        mark = line[at : at + 1]
        if mark == "]":
            return
        if mark != ",":
            raise JsonProblem(_MALFORMED)
        at = _skip(line, at + 1)


def _value(text: str) -> "str | Raw | None":
    if text.startswith('"'):
        return _unescaped(text)
    if text == "null":
        return None
    if text[0] in "{[-0123456789" or text in ("true", "false"):
        return Raw(text)
    raise JsonProblem("Unknown value type")


def value_end(line: str, at: int) -> int:
    """Where the value at `at` ends. Raises: JsonProblem where it does not."""
    mark = line[at : at + 1]
    if mark == '"':
        return _string_end(line, at)
    if mark in ("{", "["):
        return _block_end(line, at)
    match = _WORD.match(line, at)
    if match is None:
        raise JsonProblem(_MALFORMED)
    return match.end()


def _block_end(line: str, at: int) -> int:
    depth, size = 0, len(line)
    kind = "object" if line[at] == "{" else "array"
    while at < size:
        char = line[at]
        if char == '"':
            at = _string_end(line, at)
            continue
        if char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    raise JsonProblem(f"Value looks like {kind}, but can't find closing '{'}' if kind == 'object' else ']'}' symbol")


def _string_end(line: str, at: int) -> int:
    end = at + 1
    while True:
        end = line.find('"', end)
        if end < 0:
            raise JsonProblem("Value is string, but can't find closing '\"' symbol")
        slashes = 0
        while line[end - 1 - slashes] == "\\":
            slashes += 1
        if slashes % 2 == 0:
            return end + 1
        end += 1


def _unescaped(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        text, _ = _decode(quoted, 0)
    except (ValueError, StopIteration):
        return ""
    return str(text)


def unescape_raw(text: str) -> str:
    """Raw text with its escapes resolved as if it were one string: what Loki makes of arrays."""
    return _ESCAPE.sub(lambda match: _unescaped(f'"{match.group()}"'), text) if "\\" in text else text


def _skip(line: str, at: int) -> int:
    match = _SPACE.match(line, at)
    return match.end() if match else at


# --- path expressions -----------------------------------------------------------------------------------------------------

Path = tuple[str | int, ...]

_STEP = re.compile(r"\.?([a-zA-Z_][a-zA-Z0-9_]*)|\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


@lru_cache(maxsize=1024)
def parse_path(text: str) -> Path:
    """`a.b[0]["c d"]` as ("a", "b", 0, "c d").

    Raises: ValueError.
    """
    path: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        bad = match is None or (match.group(1) and (match.group().startswith(".") != bool(path)))
        if match is None or bad:
            raise ValueError(f"syntax error: unexpected {text[at]!r} in path")
        field, index, quoted = match.groups()
        path.append(field if field else int(index) if index else quoted.replace('\\"', '"').replace("\\\\", "\\"))
        at = match.end()
    if not path:
        raise ValueError("syntax error: unexpected end of path")
    return tuple(path)


def at_path(line: str, path: Path) -> "str | Raw | None":
    """The value at `path`: strings unescaped, null as "", everything else as it is spelled; None where there is none.

    >>> at_path('{"a": {"b": [1, {"c": "x"}]}}', ("a", "b"))
    '[1, {"c": "x"}]'
    """
    text = line
    value: str | Raw | None = Raw(line)
    for step in path:
        if not isinstance(value, Raw):
            return None
        text = value
        value = _step(text, step)
        if value is None:
            return None
    return value


def _step(text: str, step: str | int) -> "str | Raw | None":
    start = _skip(text, 0)
    mark = text[start : start + 1]
    try:
        if isinstance(step, str):
            if mark != "{":
                return None
            for key, value in scan_object(text, start):
                if key == step:
                    return "" if value is None else value
        elif mark == "[":
            for index, value in enumerate(scan_array(text, start)):
                if index == step:
                    return "" if value is None else value
    except JsonProblem:
        return None
    return None
