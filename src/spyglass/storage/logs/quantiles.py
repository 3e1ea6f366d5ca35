"""Quantiles of numbers per group and window, by one sort.

Each number goes into every window it is in; its (group, window) and its rank among all numbers make one integer, and sorting those
integers puts every window's numbers side by side in order. Interpolation as upstream: rank q * (n - 1), linear between neighbours.
"""

from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import F64, I32, I64

MAX_COPIES = 32
"""Windows that one number may be in. More: more memory; beyond, the caller scans."""
CLOSE_TOGETHER = 1 << 24
"""Whole numbers that span less are their own rank."""


@dataclass(slots=True)
class Events:
    """Numbers with the cell (group * steps + window) they count in, one array per part."""

    cells: list[I64] = field(default_factory=list)
    values: list[F64 | I32] = field(default_factory=list)

    def add(self, groups: I64, times: I64, values: F64, steps: I64, range_ns: int) -> bool:
        """times ascending. False where windows overlap too much, or a number is not finite (NaN as an answer is not `no answer`)."""
        if not np.isfinite(values).all():
            return False
        # The windows (t - range, t] of a number: steps from the first t >= time to the last t < time + range.
        first = _count_below(times, steps)
        copies = _count_below(times + range_ns, steps) - first
        most = int(copies.max(initial=0))
        if most > MAX_COPIES:
            return False
        cell = groups * len(steps) + first
        for shift in range(most):
            inside = copies > shift
            every = bool(inside.all())
            self.cells.append((cell if every else cell[inside]) + shift)
            self.values.append(_narrow(values if every else values[inside]))
        return True

    def quantiles(self, groups: int, steps: int, q: float) -> F64 | None:
        """[G,T], NaN where a window is empty; None where the answer would be NaN or the integers too large."""
        out = np.full((groups, steps), np.nan)
        if np.isnan(q):
            return None
        if not self.cells:
            return out
        low, high = min(float(v.min()) for v in self.values), max(float(v.max()) for v in self.values)
        if all(v.dtype == np.int32 for v in self.values) and high - low < CLOSE_TOGETHER:
            span, levels = int(high - low) + 1, None
            ranks: list[I64] = [v.astype(np.int64) - int(low) for v in self.values]
        else:
            levels, rank = np.unique(np.concatenate(self.values).astype(np.float64), return_inverse=True)
            span, ranks = len(levels), [rank]
            self.cells = [np.concatenate(self.cells)]
        if groups * steps * span >= 2**62:
            return None
        key = np.concatenate([cell * span + rank for cell, rank in zip(self.cells, ranks, strict=True)])
        key.sort()
        cell = key // span
        starts = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1])))
        sizes = np.diff(np.append(starts, len(cell)))
        out.reshape(-1)[cell[starts]] = _interpolated(key, span, low, levels, starts, sizes, q)
        return out


def _count_below(times: I64, steps: I64) -> I64:
    """[n] how many steps are before each time; times ascending."""
    cuts = np.searchsorted(times, steps, side="right")
    return np.repeat(np.arange(len(steps) + 1), np.diff(np.concatenate(([0], cuts, [len(times)]))))


def _narrow(values: F64) -> F64 | I32:
    """Whole numbers as 32-bit integers: half the memory, and their own rank."""
    whole = (values == np.floor(values)).all() and (np.abs(values) < 2**31).all() and not np.signbit(values).any()
    return values.astype(np.int32) if whole else values


def _interpolated(key: I64, span: int, low: float, levels: F64 | None, starts: I64, sizes: I64, q: float) -> F64:
    if q < 0 or q > 1:
        return np.full(len(starts), -np.inf if q < 0 else np.inf)
    place = q * (sizes - 1)
    lower = np.floor(place).astype(np.int64)
    upper = np.minimum(lower + 1, sizes - 1)
    weight = place - np.floor(place)

    def at(index: I64) -> F64:
        rank = key[index] % span
        return rank.astype(np.float64) + low if levels is None else levels[rank]

    answer: F64 = at(starts + lower) * (1 - weight) + at(starts + upper) * weight
    return answer
