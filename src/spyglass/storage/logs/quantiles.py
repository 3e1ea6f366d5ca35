"""Quantiles of numbers per group and window, by sorting.

Numbers come in order of time, so that those of a window are a run of rows. Each number's window, group and rank among all numbers make
one integer, and sorting those integers puts every cell's numbers side by side in order. Interpolation as upstream: rank q * (n - 1),
linear between neighbours. A window that no later number can be in is settled at once and its numbers are let go: what is sorted at a
time then fits the processor's cache, and 32 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spyglass.model.arrays import F64, I32, I64

Keys = npt.NDArray[Any]
"""uint32, or int64 where that does not hold them."""

MAX_COPIES = 32
"""Windows that one number may be in. More: more memory; beyond, the caller scans."""
CLOSE_TOGETHER = 1 << 24
"""Whole numbers that span less are their own rank."""
MAX_SHORT_KEY = 2**32 - 1
"""Cells times ranks that fit 32 bits."""
SETTLE_AT = 1 << 16
"""Numbers that may wait before finished windows are settled. More: fewer, larger sorts, and more memory."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Numbers in order of window: counts[i] of them in window first + i. local [n]: codes into numbers, the groups."""

    first: int
    counts: I64
    local: I64
    numbers: I64
    values: F64 | I32

    def split(self, window: int) -> "tuple[_Piece, _Piece]":
        """Those of the windows before `window`, and the others."""
        at = min(max(window - self.first, 0), len(self.counts))
        row = int(self.counts[:at].sum())
        head = replace(self, counts=self.counts[:at], local=self.local[:row], values=self.values[:row])
        tail = replace(
            self, first=self.first + at, counts=self.counts[at:], local=self.local[row:], values=self.values[row:]
        )
        return head, tail


@dataclass(slots=True)
class Events:
    """Numbers that wait for their windows to be settled, and the answers of those that are."""

    steps: I64
    range_ns: int
    q: float
    _pieces: list[_Piece] = field(default_factory=list)
    _settled: list[tuple[I64, I64, F64]] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        return sum(len(piece.values) for piece in self._pieces)

    def add(self, local: I64, numbers: I64, times: I64, values: F64 | I64) -> bool:
        """Row i is of group numbers[local[i]]; local of any integer type; times ascending.

        False where windows overlap too much, or a number is not finite (NaN as an answer is not `no answer`).
        """
        if np.isnan(self.q) or (values.dtype == np.float64 and not np.isfinite(values).all()):
            return False
        # The rows of window (t - range, t], for each step t.
        low = np.searchsorted(times, self.steps - self.range_ns, side="right")
        high = np.searchsorted(times, self.steps, side="right")
        used = np.flatnonzero(high > low)
        if not len(used):
            return True
        first, behind = int(used[0]), int(used[-1]) + 1
        low, high = low[first:behind], high[first:behind]
        if int((high - low).sum()) > MAX_COPIES * len(times):
            return False
        rows = _rows_of(low, high)
        self._pieces.append(_Piece(first, high - low, local[rows], numbers, _narrow(values[rows])))
        return True

    def settle(self, before_ns: int | None) -> None:
        """Answer the windows that end before this time (None: all): no later number may be older than it."""
        open_window = len(self.steps) if before_ns is None else int(np.searchsorted(self.steps, before_ns, side="left"))
        split = [piece.split(open_window) for piece in self._pieces]
        self._pieces = [rest for _, rest in split if len(rest.values)]
        done = [piece for piece, _ in split if len(piece.values)]
        if done:
            self._settled.append(_answers(done, self.q))

    def quantiles(self, groups: int) -> F64:
        """[G,T], NaN where a window is empty."""
        self.settle(None)
        out = np.full((groups, len(self.steps)), np.nan)
        for of_group, window, answers in self._settled:
            out[of_group, window] = answers
        return out


def _rows_of(low: I64, high: I64) -> slice | I64:
    """The rows low[i]..high[i] of all windows i, one window after the other; a slice where they touch, which copies nothing."""
    if (low[1:] == high[:-1]).all():
        return slice(int(low[0]), int(high[-1]))
    counts = high - low
    starts = np.cumsum(counts) - counts
    rows: I64 = np.repeat(low - starts, counts) + np.arange(int(counts.sum()))
    return rows


def _narrow(values: F64 | I64) -> F64 | I32:
    """Whole numbers as 32-bit integers: half the memory, and their own rank. Integers are columns of such as fit."""
    if values.dtype != np.float64:
        return values.astype(np.int32, copy=False)
    whole = (values == np.floor(values)).all() and (np.abs(values) < 2**31).all() and not np.signbit(values).any()
    return values.astype(np.int32) if whole else values.astype(np.float64, copy=False)


def _answers(pieces: Sequence[_Piece], q: float) -> tuple[I64, I64, F64]:
    """(group, window, quantile) of each cell that has numbers."""
    ranks, levels, low, span = _ranked(pieces)
    first = min(piece.first for piece in pieces)
    windows = max(piece.first + len(piece.counts) for piece in pieces) - first
    groups = 1 + max(int(piece.numbers.max()) for piece in pieces)
    # Half the bytes sort in half the time.
    key: Keys = np.empty(sum(map(len, ranks)), np.uint32 if windows * groups * span <= MAX_SHORT_KEY else np.int64)
    at = 0
    for piece, rank in zip(pieces, ranks, strict=True):
        out = key[at : at + len(rank)]
        at += len(rank)
        # Unsigned sums wrap, so that the lowest number is taken off once per window and not once per number.
        of_window = (piece.first - first + np.arange(len(piece.counts))) * (groups * span) - low
        np.copyto(out, rank, casting="unsafe")
        out += np.repeat(of_window.astype(key.dtype), piece.counts)
        out += (piece.numbers * span).astype(key.dtype).take(piece.local)
    key.sort()
    cell = key // span
    starts = np.flatnonzero(np.concatenate(([True], cell[1:] != cell[:-1])))
    window, group = np.divmod(cell[starts].astype(np.int64), groups)
    sizes = np.diff(np.append(starts, len(cell)))
    return group, window + first, _interpolated(key, span, low, levels, starts, sizes, q)


def _ranked(pieces: Sequence[_Piece]) -> tuple[Sequence[I64 | I32], F64 | None, int, int]:
    """(ranks of each piece's numbers, plus low; the numbers by rank, None where they are ranks + low; low; how many ranks)."""
    low = min(float(piece.values.min()) for piece in pieces)
    high = max(float(piece.values.max()) for piece in pieces)
    if high - low < CLOSE_TOGETHER and all(piece.values.dtype == np.int32 for piece in pieces):
        return [piece.values for piece in pieces], None, int(low), int(high - low) + 1  # type: ignore[misc]  # seen above
    joined = np.concatenate([piece.values.astype(np.float64, copy=False) for piece in pieces])
    levels, rank = np.unique(joined, return_inverse=True)
    ends = np.cumsum([len(piece.values) for piece in pieces])
    return np.split(rank, ends[:-1]), levels, 0, len(levels)


def _interpolated(key: Keys, span: int, low: float, levels: F64 | None, starts: I64, sizes: I64, q: float) -> F64:
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
