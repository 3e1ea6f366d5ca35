"""Sample values as text, as Go's strconv.FormatFloat(v, 'f', -1, 64) writes them: shortest digits, never an exponent."""

import math


def format_float(value: float) -> str:
    """
    >>> format_float(1e21), format_float(0.1), format_float(-0.0), format_float(float("-inf"))
    ('1000000000000000000000', '0.1', '-0', '-Inf')
    """
    if math.isfinite(value):
        return _plain(repr(value))
    if value != value:
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def _plain(text: str) -> str:
    """Python's shortest repr without an exponent and without a trailing `.0`."""
    if "e" not in text:
        return text.removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    shift = int(exponent)
    if shift < 0:
        return f"{sign}0.{'0' * (-shift - len(whole))}{whole}{fraction}"
    return f"{sign}{whole}{fraction.ljust(shift, '0')}"


def short_float(value: float) -> str:
    """Go's %g: shortest digits, with an exponent below 1e-4 and from 1e21 on.

    >>> short_float(1e21), short_float(0.5), short_float(1e-7)
    ('1e+21', '0.5', '1e-07')
    """
    if not math.isfinite(value):
        return format_float(value)
    if value == 0 or 1e-4 <= abs(value) < 1e21:
        return format_float(value)
    mantissa, _, exponent = f"{value!r}".partition("e")
    if not exponent:
        # repr writes 1e16 <= |v| with an exponent but 0.00001234 as 1.234e-05, so only tiny plain numbers come here.
        return format_float(value)
    sign = "-" if exponent.startswith("-") else "+"
    return f"{mantissa.removesuffix('.0')}e{sign}{exponent.lstrip('+-').zfill(2)}"
