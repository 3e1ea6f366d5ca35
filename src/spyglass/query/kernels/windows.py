"""Windows: for each series and step, the half-open range of samples that a function looks at.

Samples lie flat; a window is a pair of numbers within its series. Series of a tile share their timestamps, so their bounds are
searched once per step instead of once per series and step. Kernels take `Windows` and never see tiles or runs.

Shapes: S series, T steps, M samples, N timestamps shared by a tile.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.samples import SampleRuns, SampleTile, is_stale

_BLOCK_VALUES = 1 << 16
_BLOCK_ROWS_MIN = 16
"""Samples or results per block: some arrays of 512 kB. Smaller blocks cost calls."""


@dataclass(frozen=True, slots=True)
class Windows:
    """values [M] flat, series after series.  offsets [S+1]: series s owns values[offsets[s]:offsets[s + 1]].

    lo, hi: window (s, t) holds the samples lo <= i < hi of its series, counted from the series' first; [S,T], or [1,T] where all
    series share their times (shared). Kernels let numpy broadcast, so that what all series have in common is computed once.
    times: [M], or [N] where shared.  starts, ends [T] ms: window (s, t) covers (starts[t], ends[t]].
    eval_times [T] ms: the steps themselves, unshifted.
    """

    values: F64
    times: I64
    offsets: I64
    lo: I64
    hi: I64
    starts: I64
    ends: I64
    eval_times: I64
    shared: bool = False
    running: I64 | None = None
    """Where samples were left out (SampleTile.weights): how many are before each sample, and behind the last; [M+1], [N+1] where shared."""

    @property
    def shape(self) -> tuple[int, int]:
        """(S, T)."""
        return len(self.offsets) - 1, self.lo.shape[1]

    @property
    def count(self) -> I64:
        """Samples per window, [1,T] or [S,T]."""
        difference: I64 = self.hi - self.lo
        return difference

    @property
    def full_count(self) -> I64:
        """Samples per window with those that were left out, [1,T] or [S,T]."""
        if self.running is None:
            return self.count
        if self.shared:
            return self.running[self.hi] - self.running[self.lo]
        return self.running[self.flat(self.hi)] - self.running[self.flat(self.lo)]

    @property
    def present(self) -> Mask:
        """Which windows hold anything [S,T]."""
        return np.broadcast_to(self.count > 0, self.shape)

    @property
    def matrix(self) -> F64:
        """values as [S,N]; only where shared."""
        return self.values.reshape(len(self.offsets) - 1, -1)

    def value_at(self, index: I64) -> F64:
        """Values [S,T] of the samples with these numbers; any value where a number is none of the series'."""
        if self.shared:
            found: F64 = self.matrix.take(np.clip(index[0], 0, len(self.times) - 1), axis=1)
            return found
        return self.values[np.clip(self.flat(index), 0, len(self.values) - 1)]

    def view_at(self, index: I64) -> F64:
        """As value_at, to be read only: a view where series share their times and the numbers are evenly spaced."""
        if self.shared and len(self.times):
            columns = np.clip(index[0], 0, len(self.times) - 1)
            step = int(columns[1] - columns[0]) if len(columns) > 1 else 1
            if step > 0 and bool((columns[1:] - columns[:-1] == step).all()):
                return self.matrix[:, columns[0] : columns[-1] + 1 : step]
        return self.value_at(index)

    def time_at(self, index: I64) -> I64:
        """Times of the samples with these numbers, [1,T] or [S,T]; any time where a number is none of the series'."""
        if self.shared:
            return self.times[np.clip(index, 0, len(self.times) - 1)]
        return self.times[np.clip(self.flat(index), 0, len(self.times) - 1)]

    def flat(self, index: I64) -> I64:
        """Numbers within series as indices into values [S,T]."""
        return self.offsets[:-1, None] + index

    def stretch(self, start: int, stop: int) -> "Windows":
        """The windows of neighbouring series, as a view; only where shared."""
        length = len(self.times)
        offsets = self.offsets[: min(stop, len(self.offsets) - 1) - start + 1]
        return replace(self, values=self.values[start * length : stop * length], offsets=offsets)

    def rows(self, chosen: I64) -> "Windows":
        """The windows of some series only."""
        if self.shared:
            values = self.matrix[chosen]
            offsets = np.arange(len(chosen) + 1, dtype=np.int64) * len(self.times)
            return replace(self, values=values.reshape(-1), offsets=offsets)
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        index = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], sizes) + np.arange(offsets[-1])
        running = None if self.running is None else _running(np.diff(self.running)[index])
        return replace(
            self,
            values=self.values[index],
            times=self.times[index],
            offsets=offsets,
            lo=self.lo[chosen],
            hi=self.hi[chosen],
            running=running,
        )


@dataclass(frozen=True, slots=True)
class Reaches:
    """What each step looks at: (starts[t], ends[t]] [T] ms, ascending; eval_times [T]: the steps, unshifted."""

    starts: I64
    ends: I64
    eval_times: I64


Piece = SampleTile | SampleRuns


def separate(pieces: Sequence[Piece], size: int) -> list[Piece]:
    """The same samples in pieces of which no two hold the same series. size: rows in the selection."""
    pieces = [piece for piece in pieces if len(piece.rows) and len(piece.times)]
    if len(pieces) > 1:
        pieces = _joined_tiles(pieces)
    if len(pieces) <= 1:
        return list(pieces)
    counts = np.zeros(size, np.int64)
    for piece in pieces:
        counts[piece.rows] += 1
    if counts.max(initial=0) <= 1:
        return list(pieces)
    return [_merged([as_runs(piece) for piece in pieces])]


def _joined_tiles(pieces: Sequence[Piece]) -> list[Piece]:
    """Tiles of the very same series put end to end: what a store hands out that cuts time into blocks."""
    out: list[Piece] = []
    for piece in pieces:
        last = out[-1] if out else None
        if (
            isinstance(piece, SampleTile)
            and isinstance(last, SampleTile)
            and np.array_equal(piece.rows, last.rows)
            and piece.times[0] > last.times[-1]
        ):
            out[-1] = _end_to_end(last, piece)
        else:
            out.append(piece)
    return out


def _end_to_end(first: SampleTile, second: SampleTile) -> SampleTile:
    present = None
    if first.present is not None or second.present is not None:
        present = np.concatenate([_presence(first), _presence(second)], axis=1)
    return SampleTile(
        first.rows,
        np.concatenate([first.times, second.times]),
        np.concatenate([first.values, second.values], axis=1),
        present,
        first.may_be_stale or second.may_be_stale,
        joined_weights([first, second]),
    )


def joined_weights(pieces: Sequence[Piece]) -> I64 | None:
    """The weights of pieces put end to end."""
    if all(piece.weights is None for piece in pieces):
        return None
    return np.concatenate(
        [np.ones(len(piece.times), np.int64) if piece.weights is None else piece.weights for piece in pieces]
    )


def _running(weights: I64 | None) -> I64 | None:
    """As Windows.running."""
    return None if weights is None else np.concatenate([[0], np.cumsum(weights)]).astype(np.int64)


def _presence(tile: SampleTile) -> Mask:
    return np.ones(tile.values.shape, bool) if tile.present is None else tile.present


def as_runs(piece: Piece) -> SampleRuns:
    """A tile as runs; runs as they are."""
    if isinstance(piece, SampleRuns):
        return piece
    return compressed(piece, np.arange(len(piece.rows)), _presence(piece))


def compressed(tile: SampleTile, chosen: I64, kept: Mask) -> SampleRuns:
    """Runs of the chosen series of a tile with the samples that are kept [len(chosen), N]."""
    counts = kept.sum(axis=1)
    offsets = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    times = np.broadcast_to(tile.times, kept.shape)[kept]
    weights = None if tile.weights is None else np.broadcast_to(tile.weights, kept.shape)[kept]
    return SampleRuns(tile.rows[chosen], offsets, times, tile.values[chosen][kept], tile.may_be_stale, weights)


def _merged(runs: Sequence[SampleRuns]) -> SampleRuns:
    """All runs as one, each series once, its samples in order of time."""
    rows = np.concatenate([np.repeat(run.rows, np.diff(run.offsets)) for run in runs])
    times = np.concatenate([run.times for run in runs])
    values = np.concatenate([run.values for run in runs])
    order = np.lexsort((times, rows))
    rows = rows[order]
    kept, first = np.unique(rows, return_index=True)
    offsets = np.append(first, len(rows)).astype(np.int64)
    weights = joined_weights(runs)
    weights = None if weights is None else weights[order]
    return SampleRuns(kept, offsets, times[order], values[order], any(run.may_be_stale for run in runs), weights)


def without_stale(piece: Piece) -> list[Piece]:
    """The piece without stale markers: range functions do not see them. A tile may fall into full rows and runs."""
    if isinstance(piece, SampleRuns):
        return [_runs_without_stale(piece)]
    if piece.present is None and not piece.may_be_stale:
        return [piece]
    return _split_tile(piece)


def _runs_without_stale(runs: SampleRuns) -> SampleRuns:
    if not runs.may_be_stale:
        return runs
    stale = is_stale(runs.values)
    if not stale.any():
        return runs
    dropped = np.concatenate([[0], np.cumsum(stale)])
    kept = ~stale
    weights = None if runs.weights is None else runs.weights[kept]
    offsets = runs.offsets - dropped[runs.offsets]
    return SampleRuns(runs.rows, offsets, runs.times[kept], runs.values[kept], False, weights)


def _split_tile(tile: SampleTile) -> list[Piece]:
    """Rows without a gap stay a tile (a view where all are), the others become runs."""
    kept = _presence(tile)
    if tile.may_be_stale:
        kept = kept & ~is_stale(tile.values)
    full = kept.all(axis=1)
    if full.all():
        return [SampleTile(tile.rows, tile.times, tile.values, None, False, tile.weights)]
    gapped = np.flatnonzero(~full)
    runs = compressed(tile, gapped, kept[gapped])
    pieces: list[Piece] = [replace(runs, may_be_stale=False)]
    if full.any():
        chosen = np.flatnonzero(full)
        pieces.insert(0, SampleTile(tile.rows[chosen], tile.times, tile.values[chosen], None, False, tile.weights))
    return pieces


def row_blocks(windows: Windows) -> Iterator[tuple[slice, Windows]]:
    """Windows of series that share their times in blocks of series (views), small enough that what a kernel makes of one stays in the
    cache; others as a whole. With which series each block holds."""
    series, steps = windows.shape
    if not windows.shared:
        yield slice(0, series), windows
        return
    rows_at_once = max(_BLOCK_VALUES // max(steps, len(windows.times)), _BLOCK_ROWS_MIN)
    if rows_at_once >= series:
        yield slice(0, series), windows
        return
    for start in range(0, series, rows_at_once):
        stop = min(start + rows_at_once, series)
        yield slice(start, stop), windows.stretch(start, stop)


def windows_of(piece: Piece, reaches: Reaches) -> Windows:
    """The windows of a piece. A tile must have no gaps (see without_stale)."""
    if isinstance(piece, SampleTile):
        return _tile_windows(piece, reaches)
    return _run_windows(piece, reaches)


def _tile_windows(tile: SampleTile, reaches: Reaches) -> Windows:
    assert tile.present is None, "a tile with gaps has no shared bounds"
    lo = np.searchsorted(tile.times, reaches.starts, side="right")
    hi = np.searchsorted(tile.times, reaches.ends, side="right")
    offsets = np.arange(len(tile.rows) + 1, dtype=np.int64) * len(tile.times)
    times = reaches.starts, reaches.ends, reaches.eval_times
    running = _running(tile.weights)
    return Windows(
        tile.values.reshape(-1), tile.times, offsets, lo[None, :], hi[None, :], *times, shared=True, running=running
    )


def _run_windows(runs: SampleRuns, reaches: Reaches) -> Windows:
    first, index = runs.offsets[:-1, None], RunIndex.of(runs)
    lo, hi = index.after(reaches.starts) - first, index.after(reaches.ends) - first
    times = reaches.starts, reaches.ends, reaches.eval_times
    return Windows(runs.values, runs.times, runs.offsets, lo, hi, *times, running=_running(runs.weights))


def run_bounds(runs: SampleRuns, limits: I64) -> I64:
    """For each series and limit the flat index [S,T] of its first sample later than the limit."""
    return RunIndex.of(runs).after(limits)


@dataclass(frozen=True, slots=True)
class RunIndex:
    """Series and time packed into one ascending key [M], so that one binary search per (series, limit) does for all series at once.

    oldest, width: key = series * width + (time - oldest).
    """

    keys: I64
    series: int
    oldest: int
    width: int

    @staticmethod
    def of(runs: SampleRuns) -> "RunIndex":
        series = len(runs.rows)
        if len(runs.times) == 0:
            return RunIndex(runs.times, series, 0, 1)
        oldest, newest = int(runs.times.min()), int(runs.times.max())
        width = newest - oldest + 2
        shift = np.arange(series, dtype=np.int64) * width - oldest
        return RunIndex(runs.times + np.repeat(shift, np.diff(runs.offsets)), series, oldest, width)

    def after(self, limits: I64) -> I64:
        """The flat index [S,T] of each series' first sample later than each limit [T]."""
        sought = np.clip(limits - self.oldest, -1, self.width - 2)
        needles = np.arange(self.series, dtype=np.int64)[:, None] * self.width + sought
        found: I64 = np.searchsorted(self.keys, needles.reshape(-1), side="right").reshape(needles.shape)
        return found
