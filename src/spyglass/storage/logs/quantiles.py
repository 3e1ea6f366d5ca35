"""Quantiles of numbers per group and window, by sorting.

Each number goes into every window it is in; its (group, window) and its rank among all numbers make one integer, and sorting those
integers puts every window's numbers side by side in order. Interpolation as upstream: rank q * (n - 1), linear between neighbours.
Numbers come in order of time, more or less: a window that no later number can be in is settled, and its numbers are let go.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from spyglass.model.arrays import F64, I32, I64

U32 = npt.NDArray[np.uint32]

MAX_COPIES = 32
"""Windows that one number may be in. More: more memory; beyond, the caller scans."""
CLOSE_TOGETHER = 1 << 24
"""Whole numbers that span less are their own rank."""
MAX_SHORT_KEY = 2**32 - 1
"""Cells times ranks that fit 32 bits."""
SETTLE_AT = 1 << 19
"""Numbers that may wait before finished windows are settled. More: fewer, larger sorts, and more memory."""


@dataclass(slots=True)
class Events:
    """Numbers with the cell (group * windows + window) they count in, and the answers of the cells that are settled."""

    steps: I64
    range_ns: int
    q: float
    waiting: int = 0
    _cells: list[I64] = field(default_factory=list)
    _values: list[F64 | I32] = field(default_factory=list)
    _settled: list[tuple[I64, F64]] = field(default_factory=list)

    def add(self, groups: I64, times: I64, values: F64 | I64) -> bool:
        """times ascending. False where windows overlap too much, or a number is not finite (NaN as an answer is not `no answer`)."""
        if np.isnan(self.q) or not np.isfinite(values).all():
            return False
        # The windows (t - range, t] of a number: steps from the first t >= time to the last t < time + range.
        first = _count_below(times, self.steps)
        copies = _count_below(times + self.range_ns, self.steps) - first
        most = int(copies.max(initial=0))
        if most > MAX_COPIES:
            return False
        narrow = _narrow(values)
        cell = groups * len(self.steps) + first
        for shift in range(most):
            inside = copies > shift
            every = bool(inside.all())
            self._cells.append((cell if every else cell[inside]) + shift)
            self._values.append(narrow if every else narrow[inside])
            self.waiting += len(self._cells[-1])
        return True

    def settle(self, before_ns: int | None) -> None:
        """Answer the windows that end before this time (None: all): no later number may be older than it."""
        if not self._cells:
            return
        cells = np.concatenate(self._cells)
        values: F64 | I32 = np.concatenate(self._values)  # type: ignore[assignment]  # whole numbers only, or at least one that is not
        self._cells, self._values = [], []
        if before_ns is not None:
            done = cells % len(self.steps) < np.searchsorted(self.steps, before_ns, side="left")
            left = ~done
            self._cells, self._values = [cells[left]], [values[left]]
            cells, values = cells[done], values[done]
        self.waiting = sum(map(len, self._cells))
        if len(cells):
            self._settled.append(_answers(cells, values, self.q))

    def quantiles(self, groups: int) -> F64:
        """[G,T], NaN where a window is empty."""
        self.settle(None)
        out = np.full((groups, len(self.steps)), np.nan)
        for cells, answers in self._settled:
            out.reshape(-1)[cells] = answers
        return out


def _count_below(times: I64, steps: I64) -> I64:
    """[n] how many steps are before each time; times ascending."""
    cuts = np.searchsorted(times, steps, side="right")
    return np.repeat(np.arange(len(steps) + 1), np.diff(np.concatenate(([0], cuts, [len(times)]))))


def _narrow(values: F64 | I64) -> F64 | I32:
    """Whole numbers as 32-bit integers: half the memory, and their own rank. Integers are columns of such as fit."""
    if values.dtype == np.int64:
        return values.astype(np.int32)
    whole = (values == np.floor(values)).all() and (np.abs(values) < 2**31).all() and not np.signbit(values).any()
    return values.astype(np.int32) if whole else values.astype(np.float64, copy=False)


def _answers(cells: I64, values: F64 | I32, q: float) -> tuple[I64, F64]:
    """(distinct cells, the quantile of each)."""
    low, high = float(values.min()), float(values.max())
    levels: F64 | None = None
    if values.dtype == np.int32 and high - low < CLOSE_TOGETHER:
        span, rank = int(high - low) + 1, values.astype(np.int64) - int(low)
    else:
        levels, rank = np.unique(values.astype(np.float64), return_inverse=True)
        span = len(levels)
    first = int(cells.min())
    key: I64 | U32 = (cells - first) * span + rank
    if (int(cells.max()) - first + 1) * span <= MAX_SHORT_KEY:
        # Half the bytes sort in half the time.
        key = key.astype(np.uint32)
    key.sort()
    cell = key // span
    starts = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1])))
    sizes = np.diff(np.append(starts, len(cell)))
    return cell[starts].astype(np.int64) + first, _interpolated(key, span, low, levels, starts, sizes, q)


def _interpolated(key: I64 | U32, span: int, low: float, levels: F64 | None, starts: I64, sizes: I64, q: float) -> F64:
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
