"""Puts series on a regular grid. Source: the behaviour of Grafana's resample expression."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import BudgetExceeded, ExecutionError
from spyglass.query.expressions.reduce import REDUCERS, reduced
from spyglass.query.expressions.values import Value

DOWNSAMPLERS = REDUCERS - {"count", "median"}
UPSAMPLERS = ("pad", "backfilling", "fillna")
MAX_POINTS = 100_000
"""Per series: finer windows would only fill memory, no screen shows them."""


def resample(
    values: Sequence[Value], *, window_ms: int, downsampler: str, upsampler: str, start_ms: int, end_ms: int
) -> list[Value]:
    """One value at start_ms, start_ms + window_ms, ... up to end_ms (included), of the points of the window (t - window_ms, t].

    Several points are reduced by downsampler; where there is none, upsampler says what stands there: the last before (pad), the
    next (backfilling), nothing (fillna). Raises: ExecutionError, BudgetExceeded.
    """
    if end_ms - start_ms < window_ms:
        raise ExecutionError("the time range is shorter than the window: there is nothing to resample")
    if (end_ms - start_ms) // window_ms >= MAX_POINTS:
        raise BudgetExceeded(f"a window of {window_ms} ms makes more than {MAX_POINTS} points of this range")
    if any(value.kind != "series" for value in values):
        raise ExecutionError("only series can be resampled")
    return [_resampled(value, window_ms, downsampler, upsampler, start_ms, end_ms) for value in values]


def _resampled(value: Value, window_ms: int, downsampler: str, upsampler: str, start_ms: int, end_ms: int) -> Value:
    grid = np.arange(start_ms, end_ms + 1, window_ms, dtype=np.int64)
    # The first window is everything up to its time: as upstream, points before the range count there.
    ends = np.searchsorted(value.times, grid, side="right")
    begins = np.concatenate(([0], ends[:-1]))
    values, present = np.full(len(grid), np.nan), np.zeros(len(grid), np.bool_)
    one = ends - begins == 1
    values[one], present[one] = value.values[ends[one] - 1], value.present[ends[one] - 1]
    for at in np.flatnonzero(ends - begins > 1):
        part = slice(begins[at], ends[at])
        result = reduced(value.values[part], value.present[part], downsampler)
        values[at], present[at] = (np.nan, False) if result is None else (result, True)
    empty = ends == begins
    if upsampler == "pad":
        _fill(value, values, present, empty & (ends > 0), ends - 1)
    elif upsampler == "backfilling":
        _fill(value, values, present, empty & (ends < len(value.times)), ends)
    return Value("series", values, present, value.labels, grid)


def _fill(value: Value, values: F64, present: Mask, where: Mask, source: I64) -> None:
    values[where], present[where] = value.values[source[where]], value.present[source[where]]
