"""Values as Go's fmt prints them: `%v` and the other verbs, for templates."""

import re
from collections.abc import Sequence
from typing import Any

from spyglass.text.gofloat import format_shortest
from spyglass.text.gostring import quote


class NoValue:
    """What a template gets for a missing key of a map: prints as `<no value>`."""

    __slots__ = ()


NO_VALUE = NoValue()

_VERB = re.compile(r"%([+\-# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(.)|%\Z", re.DOTALL)


def print_value(value: Any) -> str:
    """`%v`: maps as `map[k:v]` sorted by key, lists as `[a b]`, floats in shortest form, nil as `<nil>`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format_shortest(value)
    if value is None:
        return "<nil>"
    if isinstance(value, NoValue):
        return "<no value>"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{print_value(k)}:{print_value(v)}' for k, v in sorted(value.items()))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(print_value, value))}]"
    return str(value)


def format_values(template: str, values: Sequence[Any]) -> str:
    """fmt.Sprintf: verbs v s d f e g q x X t c U b o T %, with flags, width and precision; misuse is shown as Go shows it.

    >>> format_values("%5.1f|%-4s|%03d|%q", [1.25, "a", 7, "b"])
    '  1.2|a   |007|"b"'
    """
    queue = list(values)

    def replaced(match: "re.Match[str]") -> str:
        flags, width, precision, verb = match.groups()
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        size = _star(width, queue)
        digits = _star(precision, queue)
        if digits is None and "." in match.group():
            digits = 0
        if not queue:
            return f"%!{verb}(MISSING)"
        return _padded(_formatted(queue.pop(0), verb, flags, digits), flags, size, verb)

    text = _VERB.sub(replaced, template)
    if queue:
        text += f"%!(EXTRA {', '.join(f'{_type_name(v)}={print_value(v)}' for v in queue)})"
    return text


def _star(text: str | None, queue: list[Any]) -> int | None:
    if text == "*":
        return int(queue.pop(0)) if queue else None
    return int(text) if text else None


def _padded(text: str, flags: str, width: int | None, verb: str) -> str:
    if width is None or len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and verb not in "sqvT":
        sign = text[:1] if text[:1] in ("+", "-") else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _formatted(value: Any, verb: str, flags: str, digits: int | None) -> str:
    if verb == "T":
        return _type_name(value)
    if verb == "v":
        return quote(value) if "#" in flags and isinstance(value, str) else print_value(value)
    if isinstance(value, bool):
        return print_value(value) if verb == "t" else _bad(verb, value)
    if isinstance(value, int):
        return _integer(value, verb, flags)
    if isinstance(value, float):
        return _float(value, verb, flags, digits)
    if isinstance(value, list | tuple):
        return f"[{' '.join(_formatted(item, verb, flags, digits) for item in value)}]"
    return _string(value, verb, digits)


def _string(value: Any, verb: str, digits: int | None) -> str:
    text = print_value(value)
    if value is None or isinstance(value, NoValue) or verb not in "sqxX":
        return f"%!{verb}(<nil>)" if value is None else _bad(verb, value)
    if digits is not None:
        text = text[:digits]
    if verb == "q":
        return quote(text)
    if verb in "xX":
        coded = text.encode().hex()
        return coded.upper() if verb == "X" else coded
    return text


def _integer(value: int, verb: str, flags: str) -> str:
    sign = "+" if "+" in flags and value >= 0 else " " if " " in flags and value >= 0 else ""
    alternate = "#" if "#" in flags else ""
    if verb == "d":
        return f"{sign}{value}"
    if verb in "xXob":
        return sign + format(value, alternate + verb)
    if verb == "c":
        return chr(value)
    if verb == "q":
        return f"'{chr(value)}'"
    if verb == "U":
        return f"U+{value:04X}"
    return _bad(verb, value)


def _float(value: float, verb: str, flags: str, digits: int | None) -> str:
    sign = "+" if "+" in flags and value >= 0 else " " if " " in flags and value >= 0 else ""
    if verb not in "feEgGF":
        return _bad(verb, value)
    if value != value or value in (float("inf"), float("-inf")):
        return print_value(value)
    if verb in "gG" and digits is None:
        return sign + format_shortest(value)
    text = format(value, f".{6 if digits is None else digits}{verb}")
    return sign + text


def _bad(verb: str, value: Any) -> str:
    return f"%!{verb}({_type_name(value)}={print_value(value)})"


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, dict):
        return "map[string]interface {}"
    if value is None:
        return "<nil>"
    names = {str: "string", int: "int", float: "float64", list: "[]interface {}", tuple: "[]interface {}"}
    return names.get(type(value), type(value).__name__)
