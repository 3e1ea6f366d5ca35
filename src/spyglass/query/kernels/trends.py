"""Straight lines and smoothing through windows: deriv, predict_linear, double_exponential_smoothing.

Source: Prometheus promql/functions.go (linearRegression, funcDoubleExponentialSmoothing).
"""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.over_time import steps_through
from spyglass.query.kernels.window_blocks import WindowBlock, window_blocks
from spyglass.query.kernels.windows import Windows


def linear_regression(windows: Windows, origin: I64) -> tuple[F64, F64, Mask]:
    """Slope per second and value at `origin` ([1,T] or [S,T] ms) of the least-squares line [S,T]; absent below two samples.

    Computed from distances to the means, which loses less than upstream's compensated sums of products.
    """
    slopes, intercepts = np.zeros(windows.shape), np.zeros(windows.shape)
    for block in window_blocks(windows):
        here = origin[:, block.steps] if origin.shape[0] == 1 else origin[block.rows, block.steps]
        slope, intercept = _block_regression(windows, block, here)
        slopes[block.rows, block.steps] = slope
        intercepts[block.rows, block.steps] = intercept
    return slopes, intercepts, np.broadcast_to(windows.count >= 2, windows.shape)


def _block_regression(windows: Windows, block: WindowBlock, origin: I64) -> tuple[F64, F64]:
    count = block.count
    x = block.only_inside((_times(windows, block) - origin[:, :, None]) / 1e3)
    y = block.only_inside(block.values)
    mean_x, mean_y = x.sum(axis=2) / count, y.sum(axis=2) / count
    from_x = block.only_inside(x - mean_x[:, :, None])
    from_y = block.only_inside(y - mean_y[:, :, None])
    slope = (from_x * from_y).sum(axis=2) / np.square(from_x).sum(axis=2)
    intercept = mean_y - slope * mean_x
    first = block.values[:, :, 0]
    like_first = block.values == first[:, :, None]
    constant = (like_first if block.full else ~block.inside | like_first).all(axis=2)
    level = np.where(np.isinf(first), np.nan, first)
    return np.where(constant, np.where(np.isinf(first), np.nan, 0.0), slope), np.where(constant, level, intercept)


def _times(windows: Windows, block: WindowBlock) -> I64:
    """The samples' times, [1,t,W] or [R,t,W]."""
    index = block.index if windows.shared else windows.offsets[:-1][block.rows, None, None] + block.index
    times: I64 = windows.times[np.clip(index, 0, len(windows.times) - 1)]
    return times


def deriv(windows: Windows) -> tuple[F64, Mask]:
    """The slope. Measured from the first sample, near which numbers stay small."""
    slope, _, present = linear_regression(windows, windows.time_at(windows.lo))
    return slope, present


def predict_linear(windows: Windows, seconds: F64) -> tuple[F64, Mask]:
    """seconds [T]: how far ahead of the evaluation time (which offset and @ do not shift)."""
    slope, intercept, present = linear_regression(windows, windows.eval_times[None, :])
    return slope * seconds + intercept, present


def double_exponential_smoothing(windows: Windows, smoothing: F64, trend: F64) -> tuple[F64, Mask]:
    """smoothing, trend [T]: the factors, each strictly between 0 and 1 (the caller checks)."""
    level_before = np.zeros(windows.shape)
    level = windows.value_at(windows.lo)
    slope = windows.value_at(windows.lo + 1) - level
    for number, (has, value, _) in enumerate(steps_through(windows)):
        if number == 0:
            continue
        if number > 1:
            slope = np.where(has, trend * (level - level_before) + (1 - trend) * slope, slope)
        new = smoothing * value + (1 - smoothing) * (level + slope)
        level_before = np.where(has, level, level_before)
        level = np.where(has, new, level)
    return level, np.broadcast_to(windows.count >= 2, windows.shape)
