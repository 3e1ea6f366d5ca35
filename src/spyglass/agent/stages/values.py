"""Extracted values as text and as numbers, the way upstream's stages read them."""

from typing import Any

from spyglass.text.gofloat import format_float
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
