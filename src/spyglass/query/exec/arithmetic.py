"""Elementwise operators on floats. Source: Prometheus promql/engine.go, vectorElemBinop and scalarBinop."""

from collections.abc import Callable

import numpy as np

from spyglass.model.arrays import F64, Mask

ARITHMETIC = frozenset(("+", "-", "*", "/", "%", "^", "atan2"))
COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
TRIMS = frozenset(("</", ">/"))
SETS = frozenset(("and", "or", "unless"))

_ARITHMETIC: dict[str, Callable[[F64, F64], F64]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
_COMPARE: dict[str, Callable[[F64, F64], Mask]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def arithmetic(op: str, left: F64, right: F64, *, logql: bool = False) -> F64:
    """left op right for the arithmetic operators; shapes broadcast. logql: Loki gives NaN for x/0 and x%0."""
    with np.errstate(all="ignore"):
        result = _ARITHMETIC[op](left, right)
        if logql and op in "/%":
            return np.where(right == 0, np.nan, result)
    return result


def compare(op: str, left: F64, right: F64) -> Mask:
    """left op right for the comparisons; shapes broadcast."""
    return _COMPARE[op](left, right)
