"""rate, increase, delta and their instant relatives. Source: Prometheus promql/functions.go (extrapolatedRate, instantValue).

Counter resets are found once per sample, not once per window: a prefix sum of what was lost at each reset turns a window's
correction into a difference of two of its entries.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.windows import Windows


def extrapolated(windows: Windows, *, is_counter: bool, is_rate: bool, range_ms: int) -> tuple[F64, Mask]:
    """The change over each window, extrapolated to its borders. values [S,T]; absent with fewer than two samples."""
    first, last = windows.lo, windows.hi - 1
    first_values = windows.value_at(first)
    change = windows.value_at(last) - first_values
    if is_counter:
        add_resets(windows, first, last, change)
    edges = Edges(windows.starts, windows.ends, windows.time_at(first), windows.time_at(last), first_values)
    count = windows.full_count
    change *= extrapolation(edges, count, change, is_counter=is_counter)
    if is_rate:
        change /= range_ms / 1000
    return change, np.broadcast_to(count >= 2, windows.shape)


@dataclass(frozen=True, slots=True)
class Edges:
    """Where windows and their samples begin and end: starts, ends [T] ms; times of the first and last samples; the first values [S,T]."""

    starts: I64
    ends: I64
    first_times: I64 | F64
    last_times: I64 | F64
    first_values: F64


def extrapolation(edges: Edges, count: I64, change: F64, *, is_counter: bool) -> F64:
    """What the change [S,T] between the first and the last of `count` samples is multiplied with to cover the window."""
    sampled = (edges.last_times - edges.first_times) / 1000
    average = sampled / (count - 1)
    to_start = (edges.first_times - edges.starts) / 1000
    to_end = (edges.ends - edges.last_times) / 1000
    threshold = average * 1.1
    to_start = np.where(to_start >= threshold, average / 2, to_start)
    to_end = np.where(to_end >= threshold, average / 2, to_end)
    if is_counter:
        to_start = not_before_zero(to_start, sampled, edges.first_values, change)
    factor: F64 = (sampled + to_start + to_end) / sampled
    return factor


def not_before_zero(to_start: F64, sampled: F64, first_values: F64, change: F64) -> F64:
    """A counter cannot have been negative: never extrapolate to before the point where it was zero. [S,T]"""
    to_zero = sampled * (first_values / change)
    usable = (change > 0) & (first_values >= 0) & (to_zero < to_start)
    np.copyto(to_zero, to_start, where=~usable)
    return to_zero


def add_resets(windows: Windows, first: I64, last: I64, change: F64) -> None:
    """Add to change [S,T] what counters lost at resets between the samples first and last.

    Resets are rare: only the series that have any are looked at again.
    """
    drops = reset_points(windows.values)
    if len(drops) == 0:
        return
    owners = np.searchsorted(windows.offsets, drops, side="right") - 1
    inside = drops != windows.offsets[owners]
    drops, owners = drops[inside], owners[inside]
    rows = np.unique(owners)
    base = windows.offsets[:-1][rows, None]
    of_rows = slice(None) if windows.shared else rows
    change[rows] += lost_between(windows.values, drops, base + first[of_rows], base + last[of_rows])


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
