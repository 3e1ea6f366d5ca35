"""rate, increase, delta and their instant relatives. Source: Prometheus promql/functions.go (extrapolatedRate, instantValue).

Counter resets are found once per sample, not once per window: a prefix sum of what was lost at each reset turns a window's
correction into a difference of two of its entries.
"""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.margins import Margins
from spyglass.query.kernels.windows import Windows


def extrapolated(
    windows: Windows, margins: Margins, *, is_counter: bool, is_rate: bool, range_ms: int
) -> tuple[F64, Mask]:
    """The change over each window, extrapolated to its borders. values [S,T]; absent with fewer than two samples.

    margins: margins_of these windows, or of ones with the same times.
    """
    first, last = windows.lo, windows.hi - 1
    first_values = windows.view_at(first)
    change = windows.view_at(last) - first_values
    if is_counter:
        add_resets(windows, first, last, change)
    margins.carry_on(change, first_values, is_counter=is_counter)
    if is_rate:
        change /= range_ms / 1000
    return change, np.broadcast_to(windows.full_count >= 2, windows.shape)


def margins_of(windows: Windows) -> Margins:
    """[1,T] where the windows share their times, else [S,T]."""
    first_times, last_times = windows.time_at(windows.lo), windows.time_at(windows.hi - 1)
    return Margins.of(windows.starts, windows.ends, first_times, last_times, windows.full_count)


def add_resets(windows: Windows, first: I64, last: I64, change: F64) -> None:
    """Add to change [S,T] what counters lost at resets between the samples first and last.

    Resets are rare: only the series that have any are looked at again, and of series that share their times only the windows.
    """
    drops = reset_points(windows.values)
    if len(drops) == 0:
        return
    owners = np.searchsorted(windows.offsets, drops, side="right") - 1
    inside = drops != windows.offsets[owners]
    drops, owners = drops[inside], owners[inside]
    if windows.shared and _add_single_resets(windows, drops, owners, (first[0], last[0]), change):
        return
    rows = np.unique(owners)
    base = windows.offsets[:-1][rows, None]
    of_rows = slice(None) if windows.shared else rows
    change[rows] += lost_between(windows.values, drops, base + first[of_rows], base + last[of_rows])


def _add_single_resets(windows: Windows, drops: I64, owners: I64, edges: tuple[I64, I64], change: F64) -> bool:
    """As add_resets where no window holds two resets; whether that is so. edges: the numbers of the first and last samples [T]."""
    numbers = drops - windows.offsets[owners]
    # A reset is in neighbouring windows: from the first whose last sample is not before it, to the last whose first one is.
    begin, end = np.searchsorted(edges[1], numbers), np.searchsorted(edges[0], numbers)
    if ((owners[1:] == owners[:-1]) & (begin[1:] < end[:-1])).any():
        return False
    lengths = np.maximum(end - begin, 0)
    offsets = np.cumsum(lengths) - lengths
    steps = np.arange(int(lengths.sum())) + np.repeat(begin - offsets, lengths)
    change[np.repeat(owners, lengths), steps] += np.repeat(windows.values[drops - 1], lengths)
    return True


def lost_between(values: F64, drops: I64, first: I64, last: I64) -> F64:
    """What was lost at the resets behind the samples `first` and up to `last` (flat indices of any one shape).

    Each window adds up its own resets: a running sum over all of them would drown small windows in the rounding of large ones.
    """
    return sum_between(values[drops - 1], drops, first, last)


def sum_between(amounts: F64, places: I64, first: I64, last: I64) -> F64:
    """The sum of the amounts [D] at ascending flat places [D] that lie behind `first` and up to `last` (flat indices of any one shape)."""
    low = np.searchsorted(places, first.reshape(-1), side="right")
    high = np.searchsorted(places, last.reshape(-1), side="right")
    total = np.zeros(low.shape)
    some = np.flatnonzero(high > low)
    if len(some):
        padded = np.append(amounts, 0.0)
        total[some] = np.add.reduceat(padded, np.stack([low[some], high[some]], axis=1).reshape(-1))[::2]
    return total.reshape(first.shape)


def reset_points(values: F64) -> I64:
    """Indices i with values[i] < values[i - 1], ascending. Borders between series count too; no window spans one."""
    return np.flatnonzero(values[1:] < values[:-1]) + 1


def instant_change(windows: Windows, *, is_rate: bool) -> tuple[F64, Mask]:
    """idelta and irate: the change between the last two samples of each window."""
    last, before = windows.hi - 1, windows.hi - 2
    newest, older = windows.value_at(last), windows.value_at(before)
    interval = windows.time_at(last) - windows.time_at(before)
    present = np.broadcast_to((windows.count >= 2) & (interval != 0), windows.shape)
    if not is_rate:
        return newest - older, present
    # After a reset the counter's value is its increase.
    change = np.where(newest < older, newest, newest - older)
    return change / (interval / 1000), present


def transitions(windows: Windows, happened: Mask) -> tuple[F64, Mask]:
    """How often something happened between neighbours inside each window. happened [M]: between sample i - 1 and i."""
    running = np.concatenate([[0], np.cumsum(happened, dtype=np.int64)])
    most = len(happened)
    upto_last = running[np.clip(windows.flat(windows.hi), 0, most)]
    upto_first = running[np.clip(windows.flat(windows.lo) + 1, 0, most)]
    return (upto_last - upto_first).astype(np.float64), windows.present


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
