"""Put the pieces of an answer end to end, so that a query gets one tile for all series that share their times, however many blocks
the time range spans.

Values are decoded straight into their place in the final matrix: nothing is held twice.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask
from spyglass.model.samples import SampleRuns, SampleTile
from spyglass.storage.metrics.ragged import TILE_SERIES_MIN, Ragged, gather_index, offsets_of

Fill = Callable[[I64, F64], I64]
"""(which of the tile's series [s], out [s,N] float64 with contiguous rows) -> the places in it that could not be read."""


@dataclass(frozen=True, slots=True)
class PendingTile:
    """A tile that is not decoded yet. rows [S], times [N] as in SampleTile."""

    rows: I64
    times: I64
    fill: Fill
    may_be_stale: bool
    weights: I64 | None = None

    def tile(self) -> SampleTile:
        """Decoded."""
        return _decoded(self.rows, [(self, np.arange(len(self.rows)))])


Piece = SampleTile | SampleRuns
LazyPiece = SampleTile | SampleRuns | PendingTile


def sample_count(piece: LazyPiece) -> int:
    """How many samples a piece holds or will hold."""
    return len(piece.times) if isinstance(piece, SampleRuns) else len(piece.times) * len(piece.rows)


def value_bytes(piece: LazyPiece) -> int:
    """What its values take once they are decoded, and its times where every series has its own."""
    return 8 * sample_count(piece) + (8 * len(piece.times) if isinstance(piece, SampleRuns) else 0)


def join(found: Sequence[LazyPiece], size: int) -> list[Piece]:
    """Pieces of which no two hold the same series. size: rows of the selection.

    found: in order of time for each series, disjoint. Series whose times agree everywhere share a tile, the others are runs.
    """
    if len(found) == 1:
        return [found[0].tile() if isinstance(found[0], PendingTile) else found[0]]
    keys, in_runs = _signatures(found, size)
    unique, first, group_of = np.unique(keys, return_index=True, return_inverse=True)
    group_of[in_runs] = -1
    members_of = _members(group_of, len(unique))
    joined: list[Piece] = []
    rest = in_runs.copy()
    for group, members in enumerate(members_of):
        if len(members) >= TILE_SERIES_MIN and keys[first[group]]:
            joined.append(_joined_tile(members, found, size))
        else:
            rest[members] = True
    rows = np.flatnonzero(rest)
    runs = _joined_runs(rows, found, size) if len(rows) else None
    return [*joined, runs] if runs is not None and len(runs.times) else joined


def _signatures(found: Sequence[LazyPiece], size: int) -> tuple[U64, Mask]:
    """Per row a word that tells which tiles it is in, 0 for none; and which rows are in runs."""
    keys = np.zeros(size, np.uint64)
    in_runs = np.zeros(size, np.bool_)
    for number, piece in enumerate(found):
        if isinstance(piece, SampleRuns):
            in_runs[piece.rows] = True
        else:
            word = (keys[piece.rows] ^ np.uint64(number + 1)) * np.uint64(0x9E3779B97F4A7C15)
            keys[piece.rows] = word ^ word >> np.uint64(29)
    return keys, in_runs


def _members(group_of: I64, groups: int) -> list[I64]:
    """The rows of each group, ascending."""
    order = np.argsort(group_of, kind="stable")
    bounds = np.searchsorted(group_of[order], np.arange(groups + 1))
    return [order[bounds[n] : bounds[n + 1]] for n in range(groups)]


def _joined_tile(members: I64, found: Sequence[LazyPiece], size: int) -> SampleTile:
    parts = []
    for piece in found:
        if not isinstance(piece, SampleRuns):
            places = _places(piece.rows, members, size)
            if places[0] >= 0:
                parts.append((piece, places))
    if len(parts) == 1 and isinstance(parts[0][0], SampleTile) and len(members) == len(parts[0][0].rows):
        return parts[0][0]
    return _decoded(members, parts)


def _decoded(members: I64, parts: Sequence[tuple[SampleTile | PendingTile, I64]]) -> SampleTile:
    """One tile of the parts end to end: (piece, where each of the members is in it)."""
    times = parts[0][0].times if len(parts) == 1 else np.concatenate([piece.times for piece, _ in parts])
    values = np.empty((len(members), len(times)))
    present: Mask | None = None
    at = 0
    for piece, places in parts:
        stretch = slice(at, at + len(piece.times))
        at = stretch.stop
        if isinstance(piece, SampleTile):
            values[:, stretch] = piece.values[places]
            continue
        failed = piece.fill(places, values[:, stretch])
        if len(failed):
            present = np.ones(values.shape, np.bool_) if present is None else present
            present[failed, stretch] = False
    if present is not None:
        there = present.any(axis=1)
        members, values, present = members[there], values[there], present[there]
    stale = any(piece.may_be_stale for piece, _ in parts)
    return SampleTile(members, times, values, present, stale, _end_to_end([piece for piece, _ in parts]))


def _joined_runs(rows: I64, found: Sequence[LazyPiece], size: int) -> SampleRuns:
    """The samples of some rows as runs: each piece's go where they belong, no sorting."""
    parts = [_part(piece, rows, size) for piece in found]
    counts = np.zeros((len(parts), len(rows)), np.int64)
    for number, part in enumerate(parts):
        counts[number, part.rows] = np.diff(part.offsets)
    offsets = offsets_of(counts.sum(axis=0))
    begins = offsets[:-1] + np.cumsum(counts, axis=0) - counts
    times = np.empty(int(offsets[-1]), np.int64)
    values = np.empty(int(offsets[-1]))
    weights = np.ones(len(times), np.int64) if any(piece.weights is not None for piece in found) else None
    for number, part in enumerate(parts):
        index = gather_index(begins[number, part.rows], np.diff(part.offsets))
        times[index], values[index] = part.times, part.values
        if weights is not None and part.weights is not None:
            weights[index] = part.weights
    kept = np.flatnonzero(np.diff(offsets))
    offsets = offsets if len(kept) == len(rows) else offsets_of(np.diff(offsets)[kept])
    stale = any(piece.may_be_stale for piece in found)
    return SampleRuns(rows[kept], offsets, times, values, stale, weights)


def _end_to_end(found: Sequence[SampleTile | PendingTile]) -> I64 | None:
    """The weights of tiles put end to end."""
    if all(piece.weights is None for piece in found):
        return None
    ones = np.ones(max(len(piece.times) for piece in found), np.int64)
    return np.concatenate([ones[: len(p.times)] if p.weights is None else p.weights for p in found])


def _part(piece: LazyPiece, rows: I64, size: int) -> SampleRuns:
    """The piece's samples of the rows; its rows are places among `rows`."""
    places = _places(piece.rows, rows, size)
    inside = np.flatnonzero(places >= 0)
    places = places[inside]
    if isinstance(piece, SampleRuns):
        lengths = np.diff(piece.offsets)[places]
        index = gather_index(piece.offsets[:-1][places], lengths)
        weights = None if piece.weights is None else piece.weights[index]
        return SampleRuns(inside, offsets_of(lengths), piece.times[index], piece.values[index], weights=weights)
    if isinstance(piece, PendingTile):
        piece = _decoded(inside, [(piece, places)])
        inside, places = piece.rows, np.arange(len(piece.rows))
    present = _rows_of_mask(piece.present, places)
    ragged = as_ragged(SampleTile(inside, piece.times, piece.values[places], present))
    weights = None if piece.weights is None else np.tile(piece.weights, len(inside))
    weights = weights if weights is None or present is None else weights[present.reshape(-1)]
    return SampleRuns(ragged.rows, ragged.offsets, ragged.times, ragged.values, weights=weights)


def as_ragged(piece: Piece) -> Ragged:
    """Times written out for every series; absent samples left out."""
    if isinstance(piece, SampleRuns):
        return Ragged(piece.rows, piece.offsets, piece.times, piece.values)
    count, length = piece.values.shape
    times = np.tile(piece.times, count)
    if piece.present is None:
        return Ragged(piece.rows, offsets_of(np.full(count, length, np.int64)), times, piece.values.reshape(-1))
    kept = piece.present.reshape(-1)
    lengths = piece.present.sum(axis=1, dtype=np.int64)
    return Ragged(piece.rows, offsets_of(lengths), times[kept], piece.values.reshape(-1)[kept])


def _rows_of_mask(mask: Mask | None, rows: I64) -> Mask | None:
    return None if mask is None else mask[rows]


def _places(rows: I64, wanted: I64, size: int) -> I64:
    """Where each wanted row is in `rows`, -1 where it is not."""
    place = np.full(size, -1, np.int64)
    place[rows] = np.arange(len(rows))
    return place[wanted]
