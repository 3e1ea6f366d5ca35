"""Sizes as people write them: `10KB`, `1.5GiB`, `7`. Decimal units count thousands, binary ones (`KiB`) 1024s.

Source: the go-humanize library's ParseBytes, which Loki's byte filters and `bytes()` use.
"""

import re
from functools import lru_cache

_SHAPE = re.compile(r"([0-9.,]*)(.*)", re.DOTALL)
_UNITS: dict[str, int] = {"": 1, "b": 1}
for _power, _letter in enumerate("kmgtpe", start=1):
    for _suffix in ("b", ""):
        _UNITS[_letter + _suffix] = 1000**_power
        _UNITS[_letter + "i" + _suffix] = 1024**_power


@lru_cache(maxsize=8192)
def parse_bytes(text: str) -> int:
    """The number of bytes.

    Raises: ValueError with upstream's text.

    >>> parse_bytes("1.5KiB"), parse_bytes("2 MB")
    (1536, 2000000)
    """
    match = _SHAPE.fullmatch(text)
    assert match is not None, "the shape takes any text"
    number, unit = match.group(1).replace(",", ""), match.group(2).strip().lower()
    try:
        value = float(number)
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{number}": invalid syntax') from None
    scale = _UNITS.get(unit)
    if scale is None:
        raise ValueError(f"unhandled size name: {unit}")
    size = int(value * scale)
    if size >= 2**64:
        raise ValueError(f"too large: {text}")
    return size


def format_binary_bytes(size: int) -> str:
    """With the largest unit that is exact, units of 1024 under their decimal names, as Loki's messages have them.

    >>> format_binary_bytes(3 << 20), format_binary_bytes(1500), format_binary_bytes(0)
    ('3MB', '1500B', '0B')
    """
    for letter, power in (("E", 6), ("P", 5), ("T", 4), ("G", 3), ("M", 2), ("K", 1)):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power}{letter}B"
    return f"{size}B"


def format_ibytes(size: int) -> str:
    """Rounded for people, as Loki's messages about queries have sizes.

    >>> format_ibytes(500), format_ibytes(1536), format_ibytes(25 << 30)
    ('500 B', '1.5 KiB', '25 GiB')
    """
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_IEC) - 1:
        value, unit = value / 1024, unit + 1
    digits = 1 if unit and value < 10 else 0
    return f"{value:.{digits}f} {_IEC[unit]}"


_IEC = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def format_bytes(size: int) -> str:
    """The shortest exact spelling that parse_bytes reads back: `10KB`, `1536B`."""
    for letter, power in (("P", 5), ("T", 4), ("G", 3), ("M", 2), ("K", 1)):
        if size and size % 1000**power == 0:
            return f"{size // 1000**power}{letter}B"
    return f"{size}B"
