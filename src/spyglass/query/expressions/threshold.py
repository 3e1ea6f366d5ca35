"""Compares values with limits: 1 where they pass, 0 where not; absent stays absent."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from spyglass.model.arrays import F64, Mask
from spyglass.query.expressions.values import Value

_OF_ONE: Mapping[str, Callable[[F64, float], Mask]] = {
    "gt": np.greater,
    "lt": np.less,
    "gte": np.greater_equal,
    "lte": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
_OF_TWO: Mapping[str, Callable[[F64, float, float], Mask]] = {
    "within_range": lambda v, low, high: (v > low) & (v < high),
    "outside_range": lambda v, low, high: (v < low) | (v > high),
    "within_range_included": lambda v, low, high: (v >= low) & (v <= high),
    "outside_range_included": lambda v, low, high: (v <= low) | (v >= high),
}
LIMITS = {**dict.fromkeys(_OF_ONE, 1), **dict.fromkeys(_OF_TWO, 2)}
"""Evaluator -> how many limits it takes."""


def passes(values: F64, evaluator: str, limits: Sequence[float]) -> Mask:
    """NaN passes nowhere but `ne`. The order of two limits does not matter."""
    if evaluator in _OF_ONE:
        return _OF_ONE[evaluator](values, limits[0])
    return _OF_TWO[evaluator](values, min(limits[:2]), max(limits[:2]))


def threshold(values: Sequence[Value], evaluator: str, limits: Sequence[float]) -> list[Value]:
    return [
        Value(
            value.kind,
            np.where(value.present, passes(value.values, evaluator, limits).astype(np.float64), np.nan),
            value.present,
            value.labels,
            value.times,
        )
        for value in values
    ]
