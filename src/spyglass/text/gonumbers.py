"""Numbers as Go reads and prints them (strconv), which is not quite how Python does."""

import math
import re

from spyglass.text.gostring import quote

_FLOAT = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_HEX = re.compile(r"[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+", re.ASCII)


def parse_go_float(text: str) -> float:
    """strconv.ParseFloat(text, 64).

    Raises: ValueError with Go's text.

    >>> parse_go_float("1e2")
    100.0
    """
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value) and text.lower().lstrip("+-")[:3] != "inf":
            raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
        return value
    if _HEX.fullmatch(text):
        return float.fromhex(text)
    raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")


def format_go_float(value: float) -> str:
    """How fmt's %v prints a float64: the shortest digits, exponents from 1e21 and below 1e-4.

    >>> format_go_float(14.0), format_go_float(1e21), format_go_float(0.00001)
    ('14', '1e+21', '1e-05')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return _shortest(value, high=21)


def _shortest(value: float, *, high: int) -> str:
    digits, exponent, sign = _decimal(value)
    if value != 0 and not -4 <= exponent < high:
        mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
        return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return sign + _fixed(digits, exponent)


def _decimal(value: float) -> tuple[str, int, str]:
    """The shortest digits without point, the decimal exponent of the first, and the sign."""
    text = repr(abs(value))
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    mantissa, _, power = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    stripped = digits.lstrip("0")
    exponent = len(whole) - 1 - (len(digits) - len(stripped)) + int(power or 0)
    stripped = stripped.rstrip("0")
    return (stripped, exponent, sign) if stripped else ("0", 0, sign)


def _fixed(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if exponent + 1 >= len(digits):
        return digits + "0" * (exponent + 1 - len(digits))
    return f"{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
