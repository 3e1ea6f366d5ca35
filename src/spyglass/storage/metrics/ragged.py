"""Ragged columns: S series in compressed rows, cut to a time range and laid out as tiles where they share their times.

`offsets [S+1]`, `times [M]`, `values [M]`. Everything here is arrays in, arrays out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask
from spyglass.model.samples import SampleRuns, SampleTile

_TILE_SERIES_MIN = 4
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


def pieces(ragged: Ragged) -> Iterator[SampleTile | SampleRuns]:
    """Tiles for the series that share a time vector with at least three others, runs for the rest."""
    if not len(ragged.times):
        return
    group_ids, groups = _time_groups(ragged)
    if groups == 1 and len(ragged.rows) >= _TILE_SERIES_MIN:
        length = int(ragged.offsets[1])
        shape = (len(ragged.rows), length)
        yield SampleTile(ragged.rows, ragged.times[:length], ragged.values.reshape(shape))
        return
    sizes = np.bincount(group_ids, minlength=groups)
    order = np.argsort(group_ids, kind="stable")
    bounds = offsets_of(sizes)
    for group in np.flatnonzero(sizes >= _TILE_SERIES_MIN).tolist():
        members = order[bounds[group] : bounds[group + 1]]
        yield _tile(ragged, members)
    rest = np.flatnonzero(sizes[group_ids] < _TILE_SERIES_MIN)
    if len(rest):
        yield _runs(ragged, rest)


def take(ragged: Ragged, series: I64) -> Ragged:
    """Some of the series, in the order given."""
    lengths = ragged.lengths[series]
    index = gather_index(ragged.offsets[:-1][series], lengths)
    return Ragged(ragged.rows[series], offsets_of(lengths), ragged.times[index], ragged.values[index])


def _tile(ragged: Ragged, members: I64) -> SampleTile:
    starts = ragged.offsets[members]
    length = int(ragged.offsets[members[0] + 1] - starts[0])
    times = ragged.times[starts[0] : starts[0] + length]
    if int(starts[-1] - starts[0]) == length * (len(members) - 1):
        # Neighbours: a view will do.
        values = ragged.values[starts[0] : starts[0] + length * len(members)].reshape(len(members), length)
    else:
        values = ragged.values[starts[:, None] + np.arange(length)]
    return SampleTile(ragged.rows[members], times, values)


def _runs(ragged: Ragged, members: I64) -> SampleRuns:
    if len(members) == len(ragged.rows):
        return SampleRuns(ragged.rows, ragged.offsets, ragged.times, ragged.values)
    part = take(ragged, members)
    return SampleRuns(part.rows, part.offsets, part.times, part.values)


def _time_groups(ragged: Ragged) -> tuple[I64, int]:
    """Number the distinct time vectors. Returns: group_ids [S], their count.

    A vector is known by its length and the sum of its mixed times: 64 bits that do not depend on chance alone, so series are
    grouped without comparing each with each.
    """
    lengths = ragged.lengths
    if _all_equal_rows(ragged.times, lengths):
        return np.zeros(len(lengths), np.int64), 1
    keys = np.add.reduceat(_mixed(ragged.times), np.minimum(ragged.offsets[:-1], len(ragged.times) - 1))
    keys = np.where(lengths > 0, keys, 0) + _mixed(lengths)
    unique, group_ids = np.unique(keys, return_inverse=True)
    return group_ids.astype(np.int64), len(unique)


def _all_equal_rows(times: I64, lengths: I64) -> bool:
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
