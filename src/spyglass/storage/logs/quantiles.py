"""Quantiles of numbers per group and window, by one sort.

Each number goes into every window it is in, its (group, window) and its rank among all numbers make one integer, and sorting those
integers puts every window's numbers side by side in order. Interpolation as upstream: rank q * (n - 1), linear between neighbours.
"""

import numpy as np

from spyglass.model.arrays import F64, I64

MAX_COPIES = 32
"""Windows that one number may be in. More: more memory; beyond, the caller scans."""


def quantiles(
    groups_of: I64, times: I64, values: F64, *, groups: int, steps: I64, range_ns: int, q: float
) -> F64 | None:
    """[G,T], NaN where a window is empty; None where windows overlap too much, or a number is not finite."""
    out = np.full((groups, len(steps)), np.nan)
    if not len(values):
        return out
    if np.isnan(q) or not np.isfinite(values).all():
        # NaN as an answer is not the same as no answer, which is what NaN means in `out`.
        return None
    # The windows (t - range, t] of a number: steps from the first t >= time to the last t < time + range.
    first = np.searchsorted(steps, times, side="left")
    last = np.searchsorted(steps, times + range_ns, side="left")
    copies = last - first
    if int(copies.max()) > MAX_COPIES:
        return None
    levels, rank = _ranks(values)
    keys = []
    for shift in range(int(copies.max())):
        inside = np.flatnonzero(copies > shift)
        window = groups_of[inside] * len(steps) + first[inside] + shift
        keys.append(window * len(levels) + rank[inside])
    if groups * len(steps) * len(levels) >= 2**62:
        return None
    key = np.sort(np.concatenate(keys))
    window, level = np.divmod(key, len(levels))
    starts = np.flatnonzero(np.diff(window, prepend=-1))
    sizes = np.diff(starts, append=len(window))
    out.reshape(-1)[window[starts]] = _interpolated(levels[level], starts, sizes, q)
    return out


def _ranks(values: F64) -> tuple[F64, I64]:
    """(distinct values ascending, rank of each value)."""
    low, high = float(values.min()), float(values.max())
    if high - low < 4_000_000 and (values == np.floor(values)).all():
        return np.arange(low, high + 1), (values - low).astype(np.int64)
    levels, rank = np.unique(values, return_inverse=True)
    return levels, rank


def _interpolated(values: F64, starts: I64, sizes: I64, q: float) -> F64:
    if q < 0 or q > 1:
        return np.full(len(starts), -np.inf if q < 0 else np.inf)
    place = q * (sizes - 1)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, sizes - 1)
    weight = place - np.floor(place)
    answer: F64 = values[starts + lower] * (1 - weight) + values[starts + upper] * weight
    return answer
