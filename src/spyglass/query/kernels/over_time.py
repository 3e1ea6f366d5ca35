"""The _over_time family on floats. Source: Prometheus promql/functions.go."""

from collections.abc import Callable, Iterator

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.quantiles import quantile_of_sorted
from spyglass.query.kernels.summation import kahan_add, window_sums
from spyglass.query.kernels.window_blocks import WindowBlock, window_blocks
from spyglass.query.kernels.windows import Windows

Result = tuple[F64, Mask]


def steps_through(windows: Windows) -> Iterator[tuple[Mask, F64, I64]]:
    """The windows' samples by position: which windows have one ([1,T] or [S,T]), its value [S,T], its number; oldest first."""
    count = windows.count
    for position in range(int(count.max(initial=0))):
        index = windows.lo + position
        yield count > position, windows.value_at(index), index


def sum_over_time(windows: Windows) -> Result:
    total, lost = window_sums(windows)
    return np.where(np.isinf(total), total, total + lost), windows.present


def avg_over_time(windows: Windows) -> Result:
    """The mean; where the plain sum would overflow, an incremental mean, as upstream."""
    count = windows.count
    sums, lost = window_sums(windows)
    mean: F64 = sums / count + lost / count
    overflown = np.isinf(sums) & windows.present
    if overflown.any():
        rows = np.flatnonzero(overflown.any(axis=1))
        mean[rows] = np.where(overflown[rows], _incremental_mean(windows.rows(rows)), mean[rows])
    return mean, windows.present


def _incremental_mean(windows: Windows) -> F64:
    """Upstream's path for sums that overflow: a plain sum until it would, then a running mean."""
    shape = windows.shape
    total, mean, lost = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    incremental = np.zeros(shape, bool)
    for number, (has, value, _) in enumerate(steps_through(windows), start=1):
        if number == 1:
            total = np.where(has, value, 0.0)
            continue
        new_total, new_lost = kahan_add(value, total, lost)
        turns = has & ~incremental & np.isinf(new_total)
        mean = np.where(turns, total / (number - 1), mean)
        lost = np.where(turns, lost / (number - 1), lost)
        incremental |= turns
        plain = has & ~incremental
        total = np.where(plain, new_total, total)
        share = (number - 1) / number
        new_mean, mean_lost = kahan_add(value / number, share * mean, share * lost)
        running = has & incremental
        lost = np.where(plain, new_lost, np.where(running, mean_lost, lost))
        mean = np.where(running, new_mean, mean)
    count = np.maximum(windows.count, 1)
    result: F64 = np.where(incremental, mean + lost, total / count + lost / count)
    return result


def count_over_time(windows: Windows) -> Result:
    return np.broadcast_to(windows.full_count.astype(np.float64), windows.shape), windows.present


def present_over_time(windows: Windows) -> Result:
    return np.ones(windows.shape), windows.present


def first_over_time(windows: Windows) -> Result:
    return windows.value_at(windows.lo), windows.present


def last_over_time(windows: Windows) -> Result:
    return windows.value_at(windows.hi - 1), windows.present


def _reduced(windows: Windows, reduce: "np.ufunc") -> Result:
    """A ufunc folded over each window."""
    # reduceat takes pairs of borders; between them lie stretches that nobody asked for. An empty window yields its first element.
    lo, hi = windows.flat(windows.lo).reshape(-1), windows.flat(windows.hi).reshape(-1)
    borders = np.stack([lo, hi], axis=1).reshape(-1)
    padded = np.append(windows.values, windows.values[-1])
    folded = reduce.reduceat(padded, np.minimum(borders, len(padded) - 1))[::2]
    return folded.reshape(windows.shape), windows.present


def max_over_time(windows: Windows) -> Result:
    """The largest value; NaN only where there is nothing else."""
    return _reduced(windows, np.fmax)


def min_over_time(windows: Windows) -> Result:
    return _reduced(windows, np.fmin)


def stdvar_over_time(windows: Windows) -> Result:
    """Population variance, in two passes: the mean, then the squares of the distances from it."""
    out = np.zeros(windows.shape)
    for block in window_blocks(windows):
        count = block.count
        mean = block.only_inside(block.values).sum(axis=2) / count
        distance = block.only_inside(block.values - mean[:, :, None])
        # What the mean lost to rounding is the mean of the distances.
        shift = distance.sum(axis=2) / count
        out[block.rows, block.steps] = np.square(distance, out=distance).sum(axis=2) / count - np.square(shift)
    return np.maximum(out, 0.0), windows.present


def stddev_over_time(windows: Windows) -> Result:
    variance, present = stdvar_over_time(windows)
    return np.sqrt(variance), present


def ts_of_first_over_time(windows: Windows) -> Result:
    return _seconds(windows, windows.lo), windows.present


def ts_of_last_over_time(windows: Windows) -> Result:
    return _seconds(windows, windows.hi - 1), windows.present


def _seconds(windows: Windows, index: I64) -> F64:
    return np.broadcast_to(windows.time_at(index) / 1000, windows.shape)


def ts_of_max_over_time(windows: Windows) -> Result:
    """The time of the newest sample that is the largest."""
    return _time_of_extreme(windows, np.greater_equal)


def ts_of_min_over_time(windows: Windows) -> Result:
    return _time_of_extreme(windows, np.less_equal)


def _time_of_extreme(windows: Windows, better: Callable[[F64, F64], Mask]) -> Result:
    best = windows.value_at(windows.lo)
    times = np.array(np.broadcast_to(windows.time_at(windows.lo), windows.shape))
    for has, value, index in steps_through(windows):
        wins = has & (better(value, best) | np.isnan(best))
        np.copyto(best, value, where=wins)
        np.copyto(times, windows.time_at(index), where=wins)
    return times / 1000, windows.present


def _sorted_block(block: WindowBlock) -> tuple[F64, I64]:
    """The windows as rows [R*t,W], each sorted with NaN first and padded with +Inf behind; and their sizes [R*t]."""
    shape = block.values.shape
    count = np.broadcast_to(block.count, shape[:2]).reshape(-1)
    if block.full and not np.isnan(block.values).any():
        return np.sort(block.values, axis=2).reshape(-1, shape[2]), count
    inside = np.broadcast_to(block.inside, shape)
    # NaN counts as smaller than everything; numpy sorts it last, so it travels as -Inf and comes back by its number.
    nans = np.isnan(block.values) & inside
    values = np.where(inside, np.where(nans, -np.inf, block.values), np.inf).reshape(-1, shape[2])
    values.sort(axis=1)
    if nans.any():
        number = nans.reshape(-1, shape[2]).sum(axis=1, keepdims=True)
        values = np.where(np.arange(shape[2]) < number, np.nan, values)
    return values, count


def quantile_over_time(windows: Windows, quantile: F64) -> Result:
    """quantile [T]: one per step."""
    out = np.zeros(windows.shape)
    for block in window_blocks(windows):
        shape = block.values.shape[:2]
        ordered, count = _sorted_block(block)
        wanted = np.broadcast_to(quantile[block.steps], shape).reshape(-1)
        out[block.rows, block.steps] = quantile_of_sorted(ordered, count, wanted).reshape(shape)
    return out, windows.present


def mad_over_time(windows: Windows) -> Result:
    """The median of the distances from the median; NaN where any value is."""
    out = np.zeros(windows.shape)
    for block in window_blocks(windows):
        shape = block.values.shape[:2]
        ordered, count = _sorted_block(block)
        half = np.full(len(count), 0.5)
        median = quantile_of_sorted(ordered, count, half)[:, None]
        inside = np.arange(ordered.shape[1]) < count[:, None]
        distance = np.abs(ordered - median)
        spoilt = (np.isnan(distance) & inside).any(axis=1)
        distance = np.where(inside, distance, np.inf)
        distance.sort(axis=1)
        found = np.where(spoilt, np.nan, quantile_of_sorted(distance, count, half))
        out[block.rows, block.steps] = found.reshape(shape)
    return out, windows.present
