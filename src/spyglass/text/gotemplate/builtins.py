"""The functions that every template has: and, eq, len, index, printf ..."""

from collections.abc import Mapping
from typing import Any

from spyglass.text.goformat import NO_VALUE, NoValue, format_values, print_value
from spyglass.text.gotemplate.run import Function
from spyglass.text.gotemplate.values import StringMap, kind_of, truth, type_name


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise ValueError("missing argument for comparison")
    return any(_same(first, other) for other in others)


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None or isinstance(left, NoValue) or isinstance(right, NoValue):
        return (left is None or isinstance(left, NoValue)) and (right is None or isinstance(right, NoValue))
    kind = kind_of(left)
    if kind != kind_of(right):
        raise ValueError("incompatible types for comparison")
    if not kind:
        raise ValueError("non-comparable type")
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    kind = kind_of(left)
    if not kind or kind == "bool" or not kind_of(right):
        raise ValueError("invalid type for comparison")
    if kind != kind_of(right):
        raise ValueError("incompatible types for comparison")
    return bool(left < right)


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, list | tuple | dict):
        return len(value)
    raise ValueError(f"len of type {type_name(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, "" if isinstance(value, StringMap) else NO_VALUE)
            continue
        if not isinstance(value, str | list | tuple):
            raise ValueError(f"can't index item of type {type_name(value)}")
        if not isinstance(key, int) or isinstance(key, bool):
            raise ValueError(f"cannot index slice/array with type {type_name(key)}")
        items: Any = value.encode() if isinstance(value, str) else value
        if not 0 <= key < len(items):
            raise ValueError(f"index out of range: {key}")
        value = items[key]
    return value


def _slice(value: Any, *bounds: int) -> Any:
    if not isinstance(value, str | list | tuple):
        raise ValueError(f"can't slice item of type {type_name(value)}")
    items: Any = value.encode() if isinstance(value, str) else value
    low = bounds[0] if bounds else 0
    high = bounds[1] if len(bounds) > 1 else len(items)
    if not 0 <= low <= high <= len(items):
        raise ValueError(f"index out of range: {max(low, high)}")
    part = items[low:high]
    return part.decode("utf-8", "replace") if isinstance(value, str) else part


def _not(value: Any) -> bool:
    return not truth(value)


def _html(*values: Any) -> str:
    text = "".join(map(print_value, values))
    for plain, escaped in (
        ("&", "&amp;"),
        ("'", "&#39;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&#34;"),
        ("\0", "\ufffd"),
    ):
        text = text.replace(plain, escaped)
    return text


_JS = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "<": "\\u003C", ">": "\\u003E", "&": "\\u0026", "=": "\\u003D",
}  # fmt: skip


def _js(*values: Any) -> str:
    text = "".join(map(print_value, values))
    return "".join(_JS.get(char) or (f"\\u{ord(char):04X}" if ord(char) < 32 else char) for char in text)


def _urlquery(*values: Any) -> str:
    return quote_query("".join(map(print_value, values)))


def quote_query(text: str) -> str:
    """Go's url.QueryEscape."""
    safe = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
    return "".join(
        chr(byte) if byte in safe else "+" if byte == 32 else f"%{byte:02X}" for byte in text.encode("utf-8", "replace")
    )


def _printed(*values: Any) -> str:
    """fmt.Sprint: spaces between operands where neither is a string."""
    parts: list[str] = []
    for i, value in enumerate(values):
        if i and not isinstance(value, str) and not isinstance(values[i - 1], str):
            parts.append(" ")
        parts.append(print_value(value))
    return "".join(parts)


def _unreached(*_: Any) -> Any:
    raise AssertionError("and/or are compiled, never called")


def _printf(template: str, *values: Any) -> str:
    return format_values(template, values)


def _call(function: Any, *_arguments: Any) -> Any:
    """Nothing that a template can get hold of is a function."""
    raise ValueError(f"non-function of type {type_name(function)}")


BUILTINS: Mapping[str, Function] = {
    "and": _unreached,
    "or": _unreached,
    "not": _not,
    "eq": _eq,
    "ne": lambda left, right: not _same(left, right),
    "lt": _less,
    "le": lambda left, right: _less(left, right) or _same(left, right),
    "gt": lambda left, right: not (_less(left, right) or _same(left, right)),
    "ge": lambda left, right: not _less(left, right),
    "call": _call,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _printed,
    "printf": _printf,
    "println": lambda *values: " ".join(map(print_value, values)) + "\n",
    "html": _html,
    "js": _js,
    "urlquery": _urlquery,
}
