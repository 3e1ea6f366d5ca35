"""Scalars of files read with scalars_as_text: what a key may hold, as Go's yaml reads it."""

import re
from typing import Annotated

from pydantic import BeforeValidator

from spyglass.config.source import QuotedText
from spyglass.text.durations import parse_prometheus_duration

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_SIZE = re.compile(r"(\d+(?:\.\d+)?)(?:([KMGTPE])i?)?B")
_UNITS = {unit: 1024**power for power, unit in enumerate("KMGTPE", 1)} | {None: 1}


def parse_bool(value: object) -> object:
    """YAML 1.1's spellings; a quoted one is text."""
    if isinstance(value, str):
        if isinstance(value, QuotedText) or value not in _TRUE | _FALSE:
            raise ValueError("should be true or false")
        return value in _TRUE
    return value


def parse_count(value: object) -> object:
    """A whole number that is not negative: `10`, `1e3`, `0x10`."""
    if not isinstance(value, str):
        return value
    try:
        number = float(int(value, 0)) if re.fullmatch(r"0[xXoObB]\w+", value) else float(value)
    except ValueError:
        number = -1
    if isinstance(value, QuotedText) or number < 0 or number != int(number):
        raise ValueError("should be a whole number that is not negative")
    return int(number)


def parse_bytes(value: object) -> object:
    """`10MB`, `512KiB`, `0`: powers of 1024, and a unit is needed, as upstream has it.

    >>> parse_bytes("10MB")
    10485760
    """
    if not isinstance(value, str):
        return value
    if value == "0":
        return 0
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError("should be a size with its unit, such as 512KB, 10MB or 1GB")
    return int(float(match.group(1)) * _UNITS[match.group(2)])


def parse_duration(value: object) -> object:
    """Milliseconds of `15s`, `1h30m`."""
    return value if isinstance(value, int) else parse_prometheus_duration(str(value))


Bool = Annotated[bool, BeforeValidator(parse_bool)]
Count = Annotated[int, BeforeValidator(parse_count)]
Bytes = Annotated[int, BeforeValidator(parse_bytes)]
Duration = Annotated[int, BeforeValidator(parse_duration)]
"""Milliseconds."""
