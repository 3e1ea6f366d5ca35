"""Range aggregations over single events (log lines, values in them): arrays in, arrays out.

N events sorted by (series, time), windows (e - range, e] at the step ends e_0, e_0 + step, ... (nanoseconds). Unlike samples,
events of one series may share a time, and no step is guaranteed.

Shapes: series_ids [N] in 0..S-1, times [N] ns, values [N]; low, high [S,T]: the window's events are [low, high) of the sorted N.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spyglass.model.arrays import F64, I64, Mask

MAX_EXPANDED = 4_000_000
"""Window elements laid out at once by kernels that need them so; more go in several rounds."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Where each series' windows lie in the sorted events."""

    low: I64
    high: I64
    range_ns: int
    ends: I64

    @property
    def counts(self) -> I64:
        return self.high - self.low


def order_events(series_ids: I64, times: I64) -> I64:
    """The permutation [N] that sorts by series, then time; events of one time keep their order."""
    return np.lexsort((times, series_ids))


def find_windows(
    series_ids: I64, times: I64, *, series: int, first_end_ns: int, step_ns: int, steps: int, range_ns: int
) -> Windows:
    """Window bounds [S,T] of sorted events, in O(N + S*T).

    An event at t enters with the first end >= t and leaves with the first end >= t + range; counting entries and leavings per
    (series, step) and summing along the steps gives the bounds.
    """
    step = max(step_ns, 1)
    enters = np.clip(-((first_end_ns - times) // step), 0, steps)
    leaves = np.clip(-((first_end_ns - times - range_ns) // step), 0, steps)
    width = steps + 1
    entered = np.bincount(series_ids * width + enters, minlength=series * width).reshape(series, width)
    left = np.bincount(series_ids * width + leaves, minlength=series * width).reshape(series, width)
    starts = np.zeros(series, np.int64)
    np.cumsum(entered.sum(axis=1)[:-1], out=starts[1:])
    high = starts[:, None] + np.cumsum(entered[:, :steps], axis=1)
    low = starts[:, None] + np.cumsum(left[:, :steps], axis=1)
    ends = first_end_ns + step * np.arange(steps, dtype=np.int64)
    return Windows(low, high, range_ns, ends)


def reduce_windows(ufunc: np.ufunc, values: F64, windows: Windows) -> F64:
    """`ufunc.reduce` over each window [S,T]; 0 where it is empty."""
    low, high = windows.low.ravel(), windows.high.ravel()
    filled = high > low
    result = np.zeros(low.size)
    if filled.any():
        # reduceat takes pairs [low, high); the padding makes high == N a valid index.
        bounds = np.stack((low[filled], high[filled]), axis=1).ravel()
        padded = np.append(values, 0.0)
        result[filled] = ufunc.reduceat(padded, bounds)[::2]
    return result.reshape(windows.low.shape)


def sum_windows(values: F64, windows: Windows) -> F64:
    return reduce_windows(np.add, values, windows)


def mean_windows(values: F64, windows: Windows) -> F64:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sum_windows(values, windows) / windows.counts


def min_windows(values: F64, windows: Windows) -> F64:
    """NaN only where all are."""
    return reduce_windows(np.fmin, values, windows)


def max_windows(values: F64, windows: Windows) -> F64:
    return reduce_windows(np.fmax, values, windows)


def first_windows(values: F64, windows: Windows) -> F64:
    return _picked(values, windows.low, windows)


def last_windows(values: F64, windows: Windows) -> F64:
    return _picked(values, windows.high - 1, windows)


def _picked(values: F64, places: I64, windows: Windows) -> F64:
    if not values.size:
        return np.zeros(places.shape)
    picked = np.where(windows.counts > 0, values[np.clip(places, 0, values.size - 1)], 0.0)
    return picked.astype(np.float64)


def variance_windows(values: F64, windows: Windows) -> F64:
    """Population variance, around each window's own mean."""
    means = mean_windows(values, windows).ravel()

    def of_part(window_ids: I64, part: F64, windows_in_part: slice) -> F64:
        deviations = (part - means[window_ids]) ** 2
        size = windows_in_part.stop - windows_in_part.start
        sums: F64 = np.bincount(window_ids - windows_in_part.start, deviations, size).astype(np.float64)
        return sums

    with np.errstate(invalid="ignore", divide="ignore"):
        return _by_parts(values, windows, of_part) / windows.counts


def quantile_windows(values: F64, windows: Windows, q: float) -> F64:
    """Linear between the two nearest; q below 0 gives -Inf, above 1 +Inf."""
    if not 0 <= q <= 1:
        outside = np.nan if np.isnan(q) else -np.inf if q < 0 else np.inf
        return np.full(windows.low.shape, outside)
    counts = windows.counts.ravel()

    def of_part(window_ids: I64, part: F64, windows_in_part: slice) -> F64:
        ordered = part[np.lexsort((part, window_ids))]
        sizes = counts[windows_in_part]
        starts = np.cumsum(sizes) - sizes
        rank = q * np.maximum(sizes - 1, 0)
        lower = np.floor(rank).astype(np.int64)
        upper = np.minimum(lower + 1, np.maximum(sizes - 1, 0))
        weight = rank - lower
        last = max(ordered.size - 1, 0)
        at_lower = ordered[np.clip(starts + lower, 0, last)]
        at_upper = ordered[np.clip(starts + upper, 0, last)]
        mixed: F64 = at_lower * (1 - weight) + at_upper * weight
        return mixed

    return _by_parts(values, windows, of_part)


Part = Callable[[I64, F64, slice], F64]


def _by_parts(values: F64, windows: Windows, of_part: Part) -> F64:
    """Run a kernel on windows laid out element by element, MAX_EXPANDED at a time."""
    result = np.zeros(windows.low.size)
    for part in _parts(windows.counts.ravel()):
        low, counts = windows.low.ravel()[part], windows.counts.ravel()[part]
        total = int(counts.sum())
        if not total:
            continue
        window_ids = np.repeat(np.arange(part.start, part.stop), counts)
        offsets = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        result[part] = of_part(window_ids, values[np.repeat(low, counts) + offsets], part)
    return result.reshape(windows.low.shape)


def _parts(counts: I64) -> Iterator[slice]:
    """Runs of windows with about MAX_EXPANDED elements each."""
    if not counts.size:
        return
    rounds = np.cumsum(counts) // MAX_EXPANDED
    cuts = np.flatnonzero(np.diff(rounds)) + 1
    bounds = [0, *cuts.tolist(), counts.size]
    for start, stop in pairwise(bounds):
        yield slice(start, stop)


def counter_rate_windows(values: F64, times: I64, series_ids: I64, windows: Windows) -> tuple[F64, Mask]:
    """Per-second increase of a counter, extrapolated to the window as Prometheus' rate does.

    Returns: values and present [S,T]; one event alone gives 0, as in Loki.
    """
    counts = windows.counts
    drops = np.zeros(values.size)
    if values.size > 1:
        same = series_ids[1:] == series_ids[:-1]
        fell = same & (values[1:] < values[:-1])
        drops[1:][fell] = values[:-1][fell]
    # The drop into a window's first event happened before the window.
    after_first = Windows(np.minimum(windows.low + 1, windows.high), windows.high, windows.range_ns, windows.ends)
    first, last = first_windows(values, windows), last_windows(values, windows)
    increase = last - first + sum_windows(drops, after_first)
    first_s = _picked(times / 1e9, windows.low, windows)
    last_s = _picked(times / 1e9, windows.high - 1, windows)
    end_s = windows.ends / 1e9
    range_s = windows.range_ns / 1e9
    with np.errstate(invalid="ignore", divide="ignore"):
        sampled = last_s - first_s
        average = sampled / np.maximum(counts - 1, 1)
        to_start = first_s - (end_s - range_s)
        to_end = end_s - last_s
        to_zero = sampled * (first / increase)
        to_start = np.where((increase > 0) & (first >= 0) & (to_zero < to_start), to_zero, to_start)
        threshold = average * 1.1
        reach = sampled + np.where(to_start < threshold, to_start, average / 2)
        reach = reach + np.where(to_end < threshold, to_end, average / 2)
        rate = increase * (reach / sampled) / range_s
    present: Mask = counts > 0
    return np.where((counts > 1) & (sampled > 0), rate, 0.0), present
