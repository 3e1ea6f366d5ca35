"""Numbers as Go reads them (strconv), which is not quite how Python does."""

import math
import re

from spyglass.text.gostring import quote

_FLOAT = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_DIGITS, _STARTS = frozenset("0123456789"), frozenset("0123456789+-.")
_HEX = re.compile(r"[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?\d+", re.ASCII)


def parse_go_float(text: str) -> float:
    """strconv.ParseFloat(text, 64).

    Raises: ValueError with Go's text.

    >>> parse_go_float("1e2")
    100.0
    """
    try:
        value = float(text)
        # The common case, told apart from what only Python takes (blanks, underscores, other scripts' digits).
        if text[-1] in _DIGITS and text[0] in _STARTS and "_" not in text and -math.inf < value < math.inf:
            return value
    except ValueError:
        pass
    if _FLOAT.fullmatch(text):
        value = float(text)
        if math.isinf(value) and text.lower().lstrip("+-")[:3] != "inf":
            raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
        return value
    if _HEX.fullmatch(text):
        return float.fromhex(text)
    raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
