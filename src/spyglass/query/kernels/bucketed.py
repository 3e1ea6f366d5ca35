"""Range functions over buckets of downsampled samples: for windows of whole buckets they give what the samples would.

Each column of the buckets is a `Windows` of its own; all are alike but for their values. Their times are the ends of buckets.
"""

from collections.abc import Callable, Mapping

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels import over_time, rates
from spyglass.query.kernels.margins import Margins
from spyglass.query.kernels.windows import Windows

Result = tuple[F64, Mask]
Columns = Mapping[str, Windows]

CHANGES = {"rate": True, "increase": True, "delta": False}
"""Functions of a change: whether of counters."""


def apply(function: str, columns: Columns, range_ms: int) -> Result:
    """The function over the windows. values, present [S,T].

    Where a window is not range_ms long (it was widened to whole buckets), amounts are scaled to the range.
    """
    if function in CHANGES:
        return _change(columns, is_counter=CHANGES[function], is_rate=function == "rate", range_ms=range_ms)
    return _OVER_TIME[function](columns, range_ms)


def _sum(columns: Columns, range_ms: int) -> Result:
    total, present = over_time.sum_over_time(columns["sum"])
    return total * _scale(columns["sum"], range_ms), present


def _count(columns: Columns, range_ms: int) -> Result:
    return _total_count(columns["count"]) * _scale(columns["count"], range_ms), columns["count"].present


def _average(columns: Columns, _: int) -> Result:
    total, present = over_time.sum_over_time(columns["sum"])
    return total / _total_count(columns["count"]), present


def _first_time(columns: Columns, _: int) -> Result:
    times, present = over_time.first_over_time(columns["first_times"])
    return times / 1000, present


_OVER_TIME: dict[str, Callable[[Columns, int], Result]] = {
    "sum_over_time": _sum,
    "count_over_time": _count,
    "avg_over_time": _average,
    "min_over_time": lambda columns, _: over_time.min_over_time(columns["min"]),
    "max_over_time": lambda columns, _: over_time.max_over_time(columns["max"]),
    "first_over_time": lambda columns, _: over_time.first_over_time(columns["first"]),
    "ts_of_first_over_time": _first_time,
}


def _change(columns: Columns, *, is_counter: bool, is_rate: bool, range_ms: int) -> Result:
    """As rates.extrapolated, from the first and last samples of buckets and what was lost at the resets within them."""
    last = columns["last"]
    low, high = last.lo, last.hi - 1
    first_values = columns["first"].value_at(low)
    change = last.value_at(high) - first_values
    if is_counter:
        change += _lost(columns, low, high)
    count = _total_count(columns["count"])
    first_times, last_times = columns["first_times"].value_at(low), columns["last_times"].value_at(high)
    margins = Margins.of(last.starts, last.ends, first_times, last_times, count)
    margins.carry_on(change, first_values, is_counter=is_counter)
    change /= (last.ends - last.starts) / 1000
    if not is_rate:
        change *= range_ms / 1000
    return change, (count >= 2) & last.present


def _lost(columns: Columns, low: I64, high: I64) -> F64:
    """What counters lost at resets between the first and the last sample of each window [S,T]: within buckets, and between two."""
    last, first, within = columns["last"], columns["first"].values, columns["lost"].values
    base = last.offsets[:-1, None]
    total = np.zeros(last.shape)
    places = np.flatnonzero(within)
    if len(places):
        total += rates.sum_between(within[places], places, base + low - 1, base + high)
    drops = np.flatnonzero(first[1:] < last.values[:-1]) + 1
    if len(drops):
        total += rates.lost_between(last.values, drops, base + low, base + high)
    return total


def _total_count(counts: Windows) -> I64:
    """The samples of each window [S,T]. Whole numbers: differences of running sums are exact."""
    running = np.concatenate([[0], np.cumsum(counts.values, dtype=np.int64)])
    most = len(counts.values)
    found: I64 = running[np.clip(counts.flat(counts.hi), 0, most)] - running[np.clip(counts.flat(counts.lo), 0, most)]
    return found


def _scale(windows: Windows, range_ms: int) -> F64:
    """[T]: the range by the window's length."""
    scale: F64 = range_ms / np.maximum(windows.ends - windows.starts, 1)
    return scale
