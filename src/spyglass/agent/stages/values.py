"""Extracted values as text and as numbers, the way upstream's stages read them."""

import json
from typing import Any

from spyglass.text.gofloat import format_float, format_json_float
from spyglass.text.gonumbers import parse_go_float


def text_of(value: Any) -> str | None:
    """The value as text; None for what has none (a JSON null). Numbers never get an exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_float(value)
    return None


def number_of(value: Any) -> float | None:
    """The value as a number; None for what is none."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    try:
        return parse_go_float(value) if isinstance(value, str) else None
    except ValueError:
        return None


_ESCAPED = {ord("&"): "\\u0026", ord("<"): "\\u003c", ord(">"): "\\u003e", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def quoted_json(text: str) -> str:
    """A JSON string as Go writes it: `<`, `>` and `&` escaped."""
    return json.dumps(text, ensure_ascii=False).translate(_ESCAPED)


def go_json(value: Any) -> str:
    """Compact JSON as Go writes what it has read: all numbers are floats, keys sorted.

    >>> go_json({"b": [1.0, True, None], "a": "<x>"})
    '{"a":"\\\\u003cx\\\\u003e","b":[1,true,null]}'
    """
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted_json(key)}:{go_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(go_json, value)) + "]"
    if isinstance(value, str):
        return quoted_json(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return format_json_float(float(value))
