"""Reading JSON that people have edited by hand for ten years: every reader takes anything and gives the kind it promises."""

import math
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def obj(value: object) -> Json:
    """The object itself, or an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """The objects of a list; whatever else is in it is passed over."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: object, default: str = "") -> str:
    return value if isinstance(value, str) else default


def number(value: object) -> float | int | None:
    """A number, also one written as text; None for anything else.

    >>> number("1.5"), number("90%"), number(None)
    (1.5, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            return None
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return None


def whole(value: object, default: int = 0) -> int:
    """A number as an integer."""
    found = number(value)
    return default if found is None else int(found)


def regex_parts(pattern: str) -> str | None:
    """The inside of `/.../flags`, or None where it is no such thing."""
    if len(pattern) > 1 and pattern.startswith("/"):
        end = pattern.rfind("/")
        return pattern[1:end] if end > 0 else None
    return None


def set_new(target: Json, key: str, value: object) -> None:
    """Set what has a value and is not there yet."""
    if value is not None and key not in target:
        target[key] = value


def panels_of(dashboard: Json) -> Iterator[Json]:
    """Every panel, those inside collapsed rows too. The list may be changed in place, not its length."""
    for panel in objects(dashboard.get("panels")):
        yield panel
        yield from panels_of(panel)
