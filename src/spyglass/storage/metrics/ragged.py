"""Ragged columns: S series in compressed rows, cut to a time range and laid out as tiles where they share their times.

`offsets [S+1]`, `times [M]`, `values [M]`. Everything here is arrays in, arrays out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask
from spyglass.model.samples import SampleRuns, SampleTile

CHUNK_SAMPLES = 30_720
"""64 series of 480 samples: larger chunks compress a little worse and make reading one series dearer, smaller ones the reverse."""

TILE_SERIES_MIN = 4
"""Fewer series on one time vector than this are cheaper as runs than as a tile of their own."""


@dataclass(frozen=True, slots=True)
class Ragged:
    """rows [S]: whose series each is."""

    rows: I64
    offsets: I64
    times: I64
    values: F64

    @property
    def lengths(self) -> I64:
        return np.diff(self.offsets)


def offsets_of(lengths: I64) -> I64:
    """[S] lengths -> [S+1] offsets."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def gather_index(starts: I64, lengths: I64) -> I64:
    """Indexes of the stretches [start, start+length) one after the other.

    >>> gather_index(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    offsets = offsets_of(lengths)
    index = np.arange(offsets[-1], dtype=np.int64)
    index += np.repeat(starts - offsets[:-1], lengths)
    return index


def keep_where(ragged: Ragged, keep: Mask) -> Ragged:
    """The samples where `keep [M]`; series that lose all of theirs go."""
    if keep.all():
        return ragged
    counts = np.add.reduceat(keep, ragged.offsets[:-1], dtype=np.int64) if len(ragged.rows) else np.zeros(0, np.int64)
    # reduceat gives the next element for an empty stretch.
    counts = np.where(ragged.lengths > 0, counts, 0)
    left = counts > 0
    return Ragged(ragged.rows[left], offsets_of(counts[left]), ragged.times[keep], ragged.values[keep])


def pieces(ragged: Ragged, *, may_be_stale: bool = True) -> Iterator[SampleTile | SampleRuns]:
    """Tiles for the series that share a time vector with at least three others, runs for the rest."""
    if not len(ragged.times):
        return
    group_ids, groups = _time_groups(ragged)
    if groups == 1 and len(ragged.rows) >= TILE_SERIES_MIN:
        length = int(ragged.offsets[1])
        shape = (len(ragged.rows), length)
        yield SampleTile(ragged.rows, ragged.times[:length], ragged.values.reshape(shape), None, may_be_stale)
        return
    sizes = np.bincount(group_ids, minlength=groups)
    order = np.argsort(group_ids, kind="stable")
    bounds = offsets_of(sizes)
    for group in np.flatnonzero(sizes >= TILE_SERIES_MIN).tolist():
        members = order[bounds[group] : bounds[group + 1]]
        yield _tile(ragged, members, may_be_stale)
    rest = np.flatnonzero(sizes[group_ids] < TILE_SERIES_MIN)
    if len(rest):
        yield _runs(ragged, rest, may_be_stale)


def take(ragged: Ragged, series: I64) -> Ragged:
    """Some of the series, in the order given."""
    lengths = ragged.lengths[series]
    index = gather_index(ragged.offsets[:-1][series], lengths)
    return Ragged(ragged.rows[series], offsets_of(lengths), ragged.times[index], ragged.values[index])


def gather_rows(values: F64, starts: I64, length: int) -> F64:
    """The stretches [start, start+length) as a matrix; a view where they are neighbours."""
    count = len(starts)
    if int(starts[-1] - starts[0]) == length * (count - 1) and (np.diff(starts) == length).all():
        return values[starts[0] : starts[0] + length * count].reshape(count, length)
    matrix: F64 = values[starts[:, None] + np.arange(length)]
    return matrix


def _tile(ragged: Ragged, members: I64, may_be_stale: bool) -> SampleTile:
    starts = ragged.offsets[members]
    length = int(ragged.offsets[members[0] + 1] - starts[0])
    times = ragged.times[starts[0] : starts[0] + length]
    return SampleTile(ragged.rows[members], times, gather_rows(ragged.values, starts, length), None, may_be_stale)


def _runs(ragged: Ragged, members: I64, may_be_stale: bool) -> SampleRuns:
    if len(members) == len(ragged.rows):
        return SampleRuns(ragged.rows, ragged.offsets, ragged.times, ragged.values, may_be_stale)
    part = take(ragged, members)
    return SampleRuns(part.rows, part.offsets, part.times, part.values, may_be_stale)


def _time_groups(ragged: Ragged) -> tuple[I64, int]:
    """Number the distinct time vectors. Returns: group_ids [S], their count."""
    if alike(ragged):
        return np.zeros(len(ragged.rows), np.int64), 1
    unique, group_ids = np.unique(vector_keys(ragged), return_inverse=True)
    return group_ids.astype(np.int64), len(unique)


def vector_keys(ragged: Ragged) -> U64:
    """A word per series [S], equal where the time vectors are."""
    return stretch_keys(ragged.times, ragged.offsets)


def stretch_keys(column: I64, offsets: I64) -> U64:
    """A word per stretch [S], equal where the numbers are: 64 bits made of their count and the sum of them mixed.

    Two different vectors share a word with a chance of 2^-64: series are grouped without comparing each with each.
    """
    lengths = np.diff(offsets)
    keys = np.add.reduceat(_mixed(column), np.minimum(offsets[:-1], max(len(column) - 1, 0)))
    return np.where(lengths > 0, keys, np.uint64(0)) + _mixed(lengths)


def alike(ragged: Ragged) -> bool:
    """Whether all series, of which there is one at least, have the same times."""
    times, lengths = ragged.times, ragged.lengths
    length = int(lengths[0])
    if not length or (lengths != length).any():
        return False
    matrix = times.reshape(len(lengths), length)
    return bool((matrix[0, 0] == matrix[:, 0]).all() and (matrix == matrix[0]).all())


def _mixed(values: I64) -> U64:
    """splitmix64's finaliser: neighbouring times become unrelated words."""
    word = values.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word ^= word >> np.uint64(30)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(27)
    return word


def slice_bounds(lengths: I64) -> list[tuple[int, int]]:
    """Cut series of these lengths into neighbours of about CHUNK_SAMPLES samples: [start, stop) of each slice."""
    ends = np.cumsum(lengths)
    bounds, start = [], 0
    while start < len(lengths):
        before = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, before + CHUNK_SAMPLES, side="right"))
        stop = max(stop, start + 1)
        bounds.append((start, stop))
        start = stop
    return bounds


def merge_ragged(parts: Sequence[Ragged]) -> Ragged | None:
    """One Ragged of all samples, rows and times ascending; of two at one place the earlier part's stays. None: there are none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    side_by_side = _side_by_side(parts)
    if side_by_side is not None:
        return side_by_side
    rows = np.concatenate([np.repeat(part.rows, part.lengths) for part in parts])
    times = np.concatenate([part.times for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(rows, kind="stable")
    ordered_rows, ordered_times = rows[order], times[order]
    same_row = ordered_rows[1:] == ordered_rows[:-1]
    if (same_row & (ordered_times[1:] <= ordered_times[:-1])).any():
        order = np.lexsort((times, rows))
        ordered_rows, ordered_times = rows[order], times[order]
        same_row = ordered_rows[1:] == ordered_rows[:-1]
        keep = np.concatenate(([True], ~(same_row & (ordered_times[1:] == ordered_times[:-1]))))
        order, ordered_rows = order[keep], ordered_rows[keep]
        ordered_times = ordered_times[keep]
    kept_rows, counts = np.unique(ordered_rows, return_counts=True)
    return Ragged(kept_rows, offsets_of(counts), ordered_times, values[order])


def _side_by_side(parts: Sequence[Ragged]) -> Ragged | None:
    """The usual case: the same series in each part, equally many samples, one part after the other in time."""
    first = parts[0]
    count = len(first.rows)
    for before, part in pairwise(parts):
        same_rows = len(part.rows) == count and bool((part.rows == first.rows).all())
        if not same_rows or int(before.times.max()) >= int(part.times.min()):
            return None
    if any((part.lengths != part.offsets[1]).any() for part in parts):
        return None
    times = np.concatenate([part.times.reshape(count, -1) for part in parts], axis=1)
    values = np.concatenate([part.values.reshape(count, -1) for part in parts], axis=1)
    lengths = np.full(count, times.shape[1], np.int64)
    return Ragged(first.rows, offsets_of(lengths), times.reshape(-1), values.reshape(-1))
