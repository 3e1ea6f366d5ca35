"""rate, increase, delta and their instant relatives. Source: Prometheus promql/functions.go (extrapolatedRate, instantValue).

Counter resets are found once per sample, not once per window: a prefix sum of what was lost at each reset turns a window's
correction into a difference of two of its entries.
"""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.windows import Windows


def extrapolated(windows: Windows, *, is_counter: bool, is_rate: bool, range_ms: int) -> tuple[F64, Mask]:
    """The change over each window, extrapolated to its borders. values [S,T]; absent with fewer than two samples."""
    count = windows.count
    present = count >= 2
    first, last = windows.clipped(windows.lo), windows.clipped(windows.hi - 1)
    first_values = windows.values[first]
    change = windows.values[last] - first_values
    if is_counter:
        correction = reset_correction(windows, first, last)
        if correction is not None:
            change += correction
    first_times, last_times = windows.time_of(first), windows.time_of(last)
    with np.errstate(all="ignore"):
        sampled = (last_times - first_times) / 1000
        average = sampled / (count - 1)
        to_start = (first_times - windows.starts) / 1000
        to_end = (windows.ends - last_times) / 1000
        threshold = average * 1.1
        to_start = np.where(to_start >= threshold, average / 2, to_start)
        if is_counter:
            # A counter cannot have been negative: never extrapolate to before the point where it was zero.
            to_zero = sampled * (first_values / change)
            usable = (change > 0) & (first_values >= 0) & (to_zero < to_start)
            to_start = np.where(usable, to_zero, to_start)
        to_end = np.where(to_end >= threshold, average / 2, to_end)
        factor = (sampled + to_start + to_end) / sampled
        if is_rate:
            factor /= range_ms / 1000
        change *= factor
    return change, present


def reset_correction(windows: Windows, first: I64, last: I64) -> F64 | None:
    """What counters lost at resets between the samples first and last [S,T], or None where no counter was ever reset."""
    drops = reset_points(windows.values)
    if len(drops) == 0:
        return None
    # lost[i]: sum over the resets at or before sample i, kept sparse: one entry a reset.
    lost = np.concatenate([[0.0], np.cumsum(windows.values[drops - 1])])
    upto_last = np.searchsorted(drops, last, side="right")
    upto_first = np.searchsorted(drops, first, side="right")
    difference: F64 = lost[upto_last] - lost[upto_first]
    return difference


def reset_points(values: F64) -> I64:
    """Indices i with values[i] < values[i - 1], ascending. Borders between series count too; no window spans one."""
    return np.flatnonzero(values[1:] < values[:-1]) + 1


def instant_change(windows: Windows, *, is_rate: bool) -> tuple[F64, Mask]:
    """idelta and irate: the change between the last two samples of each window."""
    last = windows.clipped(windows.hi - 1)
    before = windows.clipped(windows.hi - 2)
    newest, older = windows.values[last], windows.values[before]
    interval = (
        windows.time_of(last) - windows.time_of(before) if windows.values.size else np.zeros(last.shape, np.int64)
    )
    present = (windows.count >= 2) & (interval != 0)
    with np.errstate(all="ignore"):
        if not is_rate:
            return newest - older, present
        # After a reset the counter's value is its increase.
        change = np.where(newest < older, newest, newest - older)
        return change / (interval / 1000), present


def transitions(windows: Windows, happened: Mask) -> tuple[F64, Mask]:
    """How often something happened between neighbours inside each window. happened [M]: between sample i - 1 and i."""
    points = np.flatnonzero(happened)
    first, last = windows.lo, windows.hi - 1
    counted = np.searchsorted(points, last, side="right") - np.searchsorted(points, first, side="right")
    return counted.astype(np.float64), windows.count > 0


def resets(windows: Windows) -> tuple[F64, Mask]:
    """How often the value went down."""
    return transitions(windows, fell(windows.values))


def changes(windows: Windows) -> tuple[F64, Mask]:
    """How often the value changed; NaN to NaN is no change."""
    return transitions(windows, differed(windows.values))


def fell(values: F64) -> Mask:
    """Where a value is lower than the one before [M]."""
    happened = np.zeros(len(values), bool)
    happened[1:] = values[1:] < values[:-1]
    return happened


def differed(values: F64) -> Mask:
    """Where a value is another than the one before [M]; NaN is like NaN."""
    happened = np.zeros(len(values), bool)
    happened[1:] = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return happened
