"""Straight lines and smoothing through windows: deriv, predict_linear, double_exponential_smoothing.

Source: Prometheus promql/functions.go (linearRegression, funcDoubleExponentialSmoothing).
"""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.over_time import steps_through
from spyglass.query.kernels.summation import kahan_add
from spyglass.query.kernels.windows import Windows


def linear_regression(windows: Windows, origin: I64) -> tuple[F64, F64, Mask]:
    """Slope per second and value at `origin` [S,T] ms of the least-squares line; absent with fewer than two samples."""
    shape = windows.lo.shape
    sums = [np.zeros(shape) for _ in range(4)]
    losts = [np.zeros(shape) for _ in range(4)]
    first = windows.values[windows.clipped(windows.lo)]
    constant = np.ones(shape, bool)
    with np.errstate(all="ignore"):
        for has, y, index in steps_through(windows):
            constant &= ~has | (y == first)
            times = windows.time_of(np.where(has, index, windows.lo)) if has.all() else _times(windows, index, has)
            x = (times - origin) / 1e3
            for k, addend in enumerate((x, y, x * y, x * x)):
                total, lost = kahan_add(addend, sums[k], losts[k])
                np.copyto(sums[k], total, where=has)
                np.copyto(losts[k], lost, where=has)
        n = windows.count.astype(np.float64)
        sum_x, sum_y, sum_xy, sum_x2 = (total + lost for total, lost in zip(sums, losts, strict=True))
        covariance = sum_xy - sum_x * sum_y / n
        variance = sum_x2 - sum_x * sum_x / n
        slope = covariance / variance
        intercept = sum_y / n - slope * sum_x / n
    level = np.where(np.isinf(first), np.nan, first)
    slope = np.where(constant, np.where(np.isinf(first), np.nan, 0.0), slope)
    return slope, np.where(constant, level, intercept), windows.count >= 2


def _times(windows: Windows, index: I64, has: Mask) -> I64:
    """Times of the samples at index where there is one; anything elsewhere."""
    if windows.row_starts is None:
        return windows.times[windows.clipped(index)]
    inside = np.where(has, index, windows.row_starts[:, None])
    return windows.time_of(inside)


def deriv(windows: Windows) -> tuple[F64, Mask]:
    if windows.values.size == 0:
        return np.zeros(windows.lo.shape), np.zeros(windows.lo.shape, bool)
    origin = _times(windows, windows.lo, windows.count > 0)
    slope, _, present = linear_regression(windows, origin)
    return slope, present


def predict_linear(windows: Windows, seconds: F64) -> tuple[F64, Mask]:
    """seconds [T]: how far ahead of the evaluation time (which offset and @ do not shift)."""
    if windows.values.size == 0:
        return np.zeros(windows.lo.shape), np.zeros(windows.lo.shape, bool)
    origin = np.broadcast_to(windows.eval_times, windows.lo.shape)
    slope, intercept, present = linear_regression(windows, origin)
    with np.errstate(all="ignore"):
        return slope * seconds + intercept, present


def double_exponential_smoothing(windows: Windows, smoothing: F64, trend: F64) -> tuple[F64, Mask]:
    """smoothing, trend [T]: the factors, each strictly between 0 and 1 (the caller checks)."""
    shape = windows.lo.shape
    if windows.values.size == 0:
        return np.zeros(shape), np.zeros(shape, bool)
    level_before = np.zeros(shape)
    level = windows.values[windows.clipped(windows.lo)]
    slope = windows.values[windows.clipped(windows.lo + 1)] - level
    with np.errstate(all="ignore"):
        for number, (has, value, _) in enumerate(steps_through(windows)):
            if number == 0:
                continue
            if number > 1:
                slope = np.where(has, trend * (level - level_before) + (1 - trend) * slope, slope)
            new = smoothing * value + (1 - smoothing) * (level + slope)
            level_before = np.where(has, level, level_before)
            level = np.where(has, new, level)
    return level, windows.count >= 2
