"""The _over_time family on floats. Source: Prometheus promql/functions.go."""

from collections.abc import Callable, Iterator

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.quantiles import quantile_of_sorted
from spyglass.query.kernels.summation import kahan_add
from spyglass.query.kernels.windows import Windows

Result = tuple[F64, Mask]


def steps_through(windows: Windows) -> Iterator[tuple[Mask, F64, I64]]:
    """The windows' samples by position: (which windows have one [S,T], its value, its flat index), oldest first."""
    count = windows.count
    for position in range(int(count.max(initial=0))):
        index = windows.clipped(windows.lo + position)
        yield count > position, windows.values[index], index


def sum_over_time(windows: Windows) -> Result:
    total, lost = np.zeros(windows.lo.shape), np.zeros(windows.lo.shape)
    for has, value, _ in steps_through(windows):
        new_total, new_lost = kahan_add(value, total, lost)
        np.copyto(total, new_total, where=has)
        np.copyto(lost, new_lost, where=has)
    return np.where(np.isinf(total), total, total + lost), windows.count > 0


def avg_over_time(windows: Windows) -> Result:
    """The mean; where the plain sum would overflow, an incremental mean, as upstream."""
    count = windows.count
    sums, lost = np.zeros(count.shape), np.zeros(count.shape)
    overflown = np.zeros(count.shape, bool)
    for has, value, _ in steps_through(windows):
        new_total, new_lost = kahan_add(value, sums, lost)
        overflown |= has & np.isinf(new_total)
        np.copyto(sums, new_total, where=has)
        np.copyto(lost, new_lost, where=has)
    with np.errstate(all="ignore"):
        mean = sums / count + lost / count
    if overflown.any():
        mean = np.where(overflown, _incremental_mean(windows), mean)
    return mean, count > 0


def _incremental_mean(windows: Windows) -> F64:
    """Upstream's path for sums that overflow: a plain sum until it would, then a running mean."""
    shape = windows.lo.shape
    total, mean, lost = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    incremental = np.zeros(shape, bool)
    with np.errstate(all="ignore"):
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
    count = windows.count
    return count.astype(np.float64), count > 0


def present_over_time(windows: Windows) -> Result:
    return np.ones(windows.lo.shape), windows.count > 0


def first_over_time(windows: Windows) -> Result:
    return windows.values[windows.clipped(windows.lo)], windows.count > 0


def last_over_time(windows: Windows) -> Result:
    return windows.values[windows.clipped(windows.hi - 1)], windows.count > 0


def _reduced(windows: Windows, reduce: "np.ufunc") -> Result:
    """A ufunc folded over each window."""
    present = windows.count > 0
    if windows.values.size == 0:
        return np.zeros(present.shape), present
    # reduceat takes pairs of borders; between them lie stretches that nobody asked for. An empty window yields its first element.
    borders = np.stack([windows.lo.reshape(-1), windows.hi.reshape(-1)], axis=1).reshape(-1)
    padded = np.append(windows.values, windows.values[-1])
    with np.errstate(all="ignore"):
        folded = reduce.reduceat(padded, np.minimum(borders, len(padded) - 1))[::2]
    return folded.reshape(present.shape), present


def max_over_time(windows: Windows) -> Result:
    """The largest value; NaN only where there is nothing else."""
    return _reduced(windows, np.fmax)


def min_over_time(windows: Windows) -> Result:
    return _reduced(windows, np.fmin)


def stdvar_over_time(windows: Windows) -> Result:
    """Population variance, Welford's method with compensated sums."""
    shape = windows.lo.shape
    mean, mean_lost, aux, aux_lost = (np.zeros(shape) for _ in range(4))
    with np.errstate(all="ignore"):
        for number, (has, value, _) in enumerate(steps_through(windows), start=1):
            delta = value - (mean + mean_lost)
            new_mean, new_mean_lost = kahan_add(delta / number, mean, mean_lost)
            new_aux, new_aux_lost = kahan_add(delta * (value - (new_mean + new_mean_lost)), aux, aux_lost)
            for old, new in ((mean, new_mean), (mean_lost, new_mean_lost), (aux, new_aux), (aux_lost, new_aux_lost)):
                np.copyto(old, new, where=has)
        return (aux + aux_lost) / windows.count, windows.count > 0


def stddev_over_time(windows: Windows) -> Result:
    variance, present = stdvar_over_time(windows)
    with np.errstate(all="ignore"):
        return np.sqrt(variance), present


def ts_of_first_over_time(windows: Windows) -> Result:
    return _seconds(windows, windows.lo), windows.count > 0


def ts_of_last_over_time(windows: Windows) -> Result:
    return _seconds(windows, windows.hi - 1), windows.count > 0


def _seconds(windows: Windows, index: I64) -> F64:
    if windows.values.size == 0:
        return np.zeros(index.shape)
    inside = np.where(windows.count > 0, index, windows.row_starts[:, None] if windows.row_starts is not None else 0)
    return windows.time_of(inside) / 1000


def ts_of_max_over_time(windows: Windows) -> Result:
    """The time of the newest sample that is the largest."""
    return _time_of_extreme(windows, np.greater_equal)


def ts_of_min_over_time(windows: Windows) -> Result:
    return _time_of_extreme(windows, np.less_equal)


def _time_of_extreme(windows: Windows, better: Callable[[F64, F64], Mask]) -> Result:
    best = windows.values[windows.clipped(windows.lo)]
    where = windows.lo.copy()
    for has, value, index in steps_through(windows):
        wins = has & (better(value, best) | np.isnan(best))
        np.copyto(best, value, where=wins)
        np.copyto(where, index, where=wins)
    return _seconds(windows, where), windows.count > 0


def _sorted_windows(windows: Windows) -> F64:
    """The windows' values [S*T, W], each sorted with NaN first and padded with +Inf behind; W the largest window."""
    count = windows.count.reshape(-1, 1)
    width = max(int(count.max(initial=0)), 1)
    positions = np.arange(width)
    index = windows.clipped(windows.lo.reshape(-1, 1) + positions)
    values = windows.values[index]
    inside = positions < count
    # NaN counts as smaller than everything; numpy sorts it last, so it travels as -Inf and comes back by its number.
    nans = np.isnan(values) & inside
    values = np.where(inside, np.where(nans, -np.inf, values), np.inf)
    values.sort(axis=1)
    return np.where(positions < nans.sum(axis=1, keepdims=True), np.nan, values)


def quantile_over_time(windows: Windows, quantile: F64) -> Result:
    """quantile [T]: one per step."""
    present = windows.count > 0
    if windows.values.size == 0:
        return np.zeros(present.shape), present
    wanted = np.broadcast_to(quantile, present.shape).reshape(-1)
    found = quantile_of_sorted(_sorted_windows(windows), windows.count.reshape(-1), wanted)
    return found.reshape(present.shape), present


def mad_over_time(windows: Windows) -> Result:
    """The median of the distances from the median; NaN where any value is."""
    present = windows.count > 0
    if windows.values.size == 0:
        return np.zeros(present.shape), present
    count = windows.count.reshape(-1)
    half = np.full(len(count), 0.5)
    ordered = _sorted_windows(windows)
    median = quantile_of_sorted(ordered, count, half)[:, None]
    inside = np.arange(ordered.shape[1]) < count[:, None]
    with np.errstate(all="ignore"):
        distance = np.abs(ordered - median)
    spoilt = (np.isnan(distance) & inside).any(axis=1)
    distance = np.where(inside, distance, np.inf)
    distance.sort(axis=1)
    found = np.where(spoilt, np.nan, quantile_of_sorted(distance, count, half))
    return found.reshape(present.shape), present
