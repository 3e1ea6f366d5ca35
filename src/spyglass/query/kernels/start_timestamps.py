"""rate, increase, irate and resets with start timestamps (upstream's use-start-timestamps).

A sample's start timestamp (ST, `starts [M]` ms, 0: not known) says since when its counter has been counting from zero. So a reset shows
even where the value did not fall, and where the first sample of a window began within it nothing has to be extrapolated to the left: the
counter was zero then. Source: Prometheus promql/functions.go (extrapolatedRate, instantValue, isStartTimestampReset).
"""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels import rates
from spyglass.query.kernels.margins import not_before_zero
from spyglass.query.kernels.windows import Windows


def reset_by_start(windows: Windows, starts: I64) -> Mask:
    """Where a sample's start timestamp says that its counter is another than that of the sample before [M].

    It lies behind that sample; or on it, where that one's start is known and earlier: then each sample counts for itself (deltas). A start
    at or behind its own sample says nothing.
    """
    happened = np.zeros(len(starts), bool)
    times = windows.times
    after, before = starts[1:], starts[:-1]
    valid = (after != 0) & (after < times[1:])
    delta = (after == times[:-1]) & (before != 0) & (before < times[:-1])
    happened[1:] = valid & ((after > times[:-1]) | delta)
    # Between two series nothing happens.
    happened[_firsts(windows)] = False
    return happened


def overlapping(windows: Windows, starts: I64) -> Mask:
    """Where a sample claims to count since before the sample ahead of it, and since another time than that one [M]."""
    found = np.zeros(len(starts), bool)
    after, before = starts[1:], starts[:-1]
    found[1:] = (after != 0) & (after < windows.times[:-1]) & (after != before)
    found[_firsts(windows)] = False
    return found


def extrapolated(windows: Windows, starts: I64, *, is_rate: bool, range_ms: int) -> tuple[F64, Mask]:
    """A counter's change over each window [S,T]. One sample is enough where it began within the window. windows: not shared."""
    count = windows.count
    first, last = windows.lo, windows.hi - 1
    first_values, first_times, last_times = windows.value_at(first), windows.time_at(first), windows.time_at(last)
    change = windows.value_at(last) - first_values
    dropped = np.flatnonzero(rates.fell(windows.values) | reset_by_start(windows, starts))
    change += rates.lost_between(windows.values, dropped, windows.flat(first), windows.flat(last))
    sampled = (last_times - first_times) / 1000
    average = np.where(count > 1, sampled / np.maximum(count - 1, 1), 0.0)
    threshold = average * 1.1
    begun = starts[np.clip(windows.flat(first), 0, max(len(starts) - 1, 0))]
    began_inside = (begun != 0) & (begun > windows.starts) & (begun < first_times) & (count > 0)
    to_start = (first_times - windows.starts) / 1000
    to_start = np.where(to_start >= threshold, average / 2, to_start)
    to_start = np.where(began_inside, 0.0, not_before_zero(to_start, sampled, first_values, change))
    sampled = np.where(began_inside, (last_times - begun) / 1000, sampled)
    change += np.where(began_inside, first_values, 0.0)
    to_end = (windows.ends - last_times) / 1000
    to_end = np.where(to_end >= threshold, average / 2, to_end)
    factor = np.where(sampled != 0, (sampled + to_start + to_end) / sampled, 1.0)
    if is_rate:
        factor /= range_ms / 1000
    return change * factor, (count >= 2) | ((count == 1) & began_inside)


def instant_rate(windows: Windows, starts: I64) -> tuple[F64, Mask]:
    """irate: the change between the last two samples of each window; after a reset the counter's value is its increase."""
    last, before = windows.hi - 1, windows.hi - 2
    newest, older = windows.value_at(last), windows.value_at(before)
    interval = windows.time_at(last) - windows.time_at(before)
    by_start = reset_by_start(windows, starts)[np.clip(windows.flat(last), 0, max(len(starts) - 1, 0))]
    change = np.where((newest < older) | by_start, newest, newest - older)
    return change / (interval / 1000), (windows.count >= 2) & (interval != 0)


def resets(windows: Windows, starts: I64) -> tuple[F64, Mask]:
    """How often the value went down or the counter was another."""
    return rates.transitions(windows, rates.fell(windows.values) | reset_by_start(windows, starts))


def _firsts(windows: Windows) -> I64:
    """The first sample of each series that has one."""
    firsts = windows.offsets[:-1]
    return firsts[np.diff(windows.offsets) > 0]
