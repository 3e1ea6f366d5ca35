"""Floats as Go's strconv prints them: the wire form of sample values, and the label values `le` and `quantile`."""

import math

import numpy as np
import numpy.typing as npt
import orjson


def format_float(value: float) -> str:
    """Go's FormatFloat(v, 'f', -1, 64): the shortest digits that read back, never an exponent.

    >>> format_float(1e21), format_float(0.5), format_float(1e-7), format_float(float("inf"))
    ('1000000000000000000000', '0.5', '0.0000001', '+Inf')
    """
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    if "e" in text:
        return _expand(text)
    return text.removesuffix(".0")


PLAIN_FROM, PLAIN_TO = 1e-4, 1e15
"""Numbers that every printer of shortest digits writes without an exponent."""


SAMPLE = 512


def format_floats(values: npt.NDArray[np.float64]) -> list[str]:
    """format_float of every value [n], equal ones once, or all at a twentieth of its cost where they differ and none needs an exponent.

    >>> format_floats(np.asarray([1.0, -0.0, 0.5, 1.0])), format_floats(np.asarray([1e21, 1.0]))
    (['1', '-0', '0.5', '1'], ['1000000000000000000000', '1'])
    """
    sizes = np.abs(values)
    if _differ(values) and bool((((sizes >= PLAIN_FROM) & (sizes < PLAIN_TO)) | (sizes == 0)).all()):
        # The digits are the shortest that read back, here as there; only the `.0` of whole numbers is one too many.
        text = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY).decode()
        return (text[1:-1] + ",").replace(".0,", ",").split(",")[:-1]
    # By their bits, so that -0 is not 0 and a NaN is like any other.
    bits, inverse = np.unique(np.ascontiguousarray(values).view(np.int64), return_inverse=True)
    texts = list(map(format_float, bits.view(np.float64).tolist()))
    return [texts[place] for place in inverse.tolist()]


def _differ(values: npt.NDArray[np.float64]) -> bool:
    """Whether most of the values are others than those before them, as far as a sample tells: counts repeat, quantiles do not."""
    sample = values[:: len(values) // SAMPLE + 1]
    return len(np.unique(sample)) * 4 > len(sample)


def _expand(text: str) -> str:
    """`1.5e-07` -> `0.00000015`: moves the point, keeps the digits."""
    sign = "-" if text[0] == "-" else ""
    mantissa, exponent = text.lstrip("-").split("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits, point = whole + fraction, len(whole) + int(exponent)
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    if point >= len(digits):
        return sign + digits + "0" * (point - len(digits))
    return f"{sign}{digits[:point]}.{digits[point:]}"


def format_shortest(value: float) -> str:
    """Go's FormatFloat(v, 'g', -1, 64): the shortest digits; an exponent below 1e-4 and from 1e+06 on.

    >>> format_shortest(1e6), format_shortest(123456789.0), format_shortest(0.00001), format_shortest(100000.0)
    ('1e+06', '1.23456789e+08', '1e-05', '100000')
    """
    if value != value or math.isinf(value) or value == 0:
        return format_float(value)
    # The digits must be repr's: rounding to as many of them may give others (5.960464477539063e-08).
    sign, text = ("-", repr(-value)) if value < 0 else ("", repr(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    power = int(exponent or 0) + (len(whole) - 1 if whole != "0" else len(digits) - len(fraction) - 1)
    if -4 <= power < 6:
        return format_float(value)
    digits = digits.rstrip("0")
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{'-' if power < 0 else '+'}{abs(power):02d}"


def format_label_float(value: float) -> str:
    """How Prometheus 3 writes `le` and `quantile`: the shortest form, with `.0` where it would look like a whole number.

    >>> format_label_float(1.0), format_label_float(0.05), format_label_float(float("inf")), format_label_float(1e6)
    ('1.0', '0.05', '+Inf', '1e+06')
    """
    text = format_shortest(value)
    return text if any(c in text for c in ".eIN") else text + ".0"


def format_json_float(value: float) -> str:
    """How Prometheus' JSON writes a sample: plain digits, with an exponent below 1e-6 and from 1e21 on.

    >>> format_json_float(1e21), format_json_float(1e-7), format_json_float(1e20), format_json_float(0.000001)
    ('1e+21', '1e-07', '100000000000000000000', '0.000001')
    """
    if value == 0 or value != value or math.isinf(value) or 1e-6 <= abs(value) < 1e21:
        return format_float(value)
    return format_shortest(value)
