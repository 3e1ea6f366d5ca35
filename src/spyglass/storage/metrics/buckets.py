"""Samples in aggregates: what downsampling keeps of each series and stretch of time. Arrays in, arrays out.

A *bucket* covers (end - resolution, end], as the windows of PromQL do, so that windows at multiples of the resolution consist of whole
buckets. A stretch without a sample has no bucket. Stale markers are no samples; where one ends a bucket, it is kept beside the buckets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.samples import is_stale
from spyglass.storage.metrics.ragged import Ragged, gather_index, keep_where, offsets_of


@dataclass(frozen=True, slots=True)
class Markers:
    """Stale markers: rows [K], ascending, and times [K] ms, ascending within a row."""

    rows: I64
    times: I64


NO_MARKERS = Markers(np.zeros(0, np.int64), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of S series in compressed rows: rows [S], offsets [S+1], the others [M].

    ends: where the bucket ends, ms. first_times, last_times: of its first and last sample. lost: the values before each of its
    counter resets, added up, so that the counter's increase within it is last - first + lost. markers: those that end a bucket of
    any series, also of one without buckets here.
    """

    rows: I64
    offsets: I64
    ends: I64
    first_times: I64
    last_times: I64
    first: F64
    last: F64
    min: F64
    max: F64
    sum: F64
    count: F64
    lost: F64
    markers: Markers

    @property
    def lengths(self) -> I64:
        return np.diff(self.offsets)


TIME_COLUMNS = ("ends", "first_times", "last_times")
VALUE_COLUMNS = ("last", "first", "min", "max", "sum", "count", "lost")
COLUMNS = (*TIME_COLUMNS, *VALUE_COLUMNS)


def aggregate(samples: Ragged, resolution_ms: int) -> Buckets:
    """The buckets of raw samples (rows and times ascending), and the stale markers that end one. Sums are plain, not compensated."""
    stale = is_stale(samples.values)
    markers = NO_MARKERS
    if stale.any():
        owners = np.repeat(np.arange(len(samples.rows)), samples.lengths)
        kept = stale & ~np.append(_same(owners, bucket_ends(samples.times, resolution_ms)), False)
        markers = Markers(samples.rows[owners[kept]], samples.times[kept])
        samples = keep_where(samples, ~stale)
    owners = np.repeat(np.arange(len(samples.rows)), samples.lengths)
    times, values = samples.times, samples.values
    ends = bucket_ends(times, resolution_ms)
    begins, inside = _groups(owners, ends)
    last = np.append(begins[1:], len(times))[: len(begins)] - 1
    return Buckets(
        samples.rows,
        _offsets(owners[begins], len(samples.rows)),
        ends[begins],
        times[begins],
        times[last],
        values[begins],
        values[last],
        _folded(np.fmin, values, begins),
        _folded(np.fmax, values, begins),
        _folded(np.add, values, begins),
        np.diff(np.append(begins, len(times))).astype(np.float64),
        _folded(np.add, _lost(values, values, inside), begins),
        markers,
    )


def coarsen(fine: Buckets, resolution_ms: int) -> Buckets:
    """The buckets of a multiple of the resolution. What was lost at resets between the fine buckets is counted."""
    owners = np.repeat(np.arange(len(fine.rows)), fine.lengths)
    ends = bucket_ends(fine.ends, resolution_ms)
    begins, inside = _groups(owners, ends)
    last = np.append(begins[1:], len(ends))[: len(begins)] - 1
    buckets = Buckets(
        fine.rows,
        _offsets(owners[begins], len(fine.rows)),
        ends[begins],
        fine.first_times[begins],
        fine.last_times[last],
        fine.first[begins],
        fine.last[last],
        _folded(np.fmin, fine.min, begins),
        _folded(np.fmax, fine.max, begins),
        _folded(np.add, fine.sum, begins),
        _folded(np.add, fine.count, begins),
        _folded(np.add, fine.lost + _lost(fine.first, fine.last, inside), begins),
        NO_MARKERS,
    )
    return replace(buckets, markers=_ending(fine.markers, buckets, resolution_ms))


def _ending(markers: Markers, buckets: Buckets, resolution_ms: int) -> Markers:
    """The markers that still end a bucket: the last of its stretch, and no sample behind it."""
    ends = bucket_ends(markers.times, resolution_ms)
    is_last = ~np.append(_same(markers.rows, ends), False)[: len(ends)]
    at = _find(buckets, markers.rows, ends)
    newest = np.where(at >= 0, buckets.last_times[at] if len(buckets.ends) else -(2**62), -(2**62))
    kept = is_last & (newest < markers.times)
    return Markers(markers.rows[kept], markers.times[kept])


def _find(buckets: Buckets, rows: I64, ends: I64) -> I64:
    """The bucket of each (row, end), -1 where there is none."""
    if not len(buckets.ends) or not len(rows):
        return np.full(len(rows), -1, np.int64)
    low = min(int(buckets.ends.min()), int(ends.min()))
    width = max(int(buckets.ends.max()), int(ends.max())) - low + 1
    keys = np.repeat(buckets.rows, buckets.lengths) * width + (buckets.ends - low)
    sought = rows * width + (ends - low)
    at = np.minimum(np.searchsorted(keys, sought), len(keys) - 1)
    return np.where(keys[at] == sought, at, -1)


def bucket_ends(times: I64, resolution_ms: int) -> I64:
    """The end of the bucket that each time is in.

    >>> bucket_ends(np.array([1, 300_000, 300_001]), 300_000).tolist()
    [300000, 300000, 600000]
    """
    return -(-times // resolution_ms) * resolution_ms


def keep_buckets(buckets: Buckets, keep: Mask) -> Buckets:
    """The buckets where `keep [M]`, and all markers; series that lose all of their buckets go."""
    if keep.all():
        return buckets
    owners = np.repeat(np.arange(len(buckets.rows)), buckets.lengths)[keep]
    counts = np.bincount(owners, minlength=len(buckets.rows))
    left = counts > 0
    return _with(buckets, buckets.rows[left], offsets_of(counts[left]), keep, buckets.markers)


def with_rows(buckets: Buckets, row_map: I64) -> Buckets:
    """The same with other row numbers, ascending again. row_map: for each row its new number, -1 where the series goes."""
    markers = renumbered(buckets.markers, row_map)
    rows = row_map[buckets.rows]
    series = np.argsort(rows, kind="stable")
    series = series[rows[series] >= 0]
    lengths = buckets.lengths[series]
    index = gather_index(buckets.offsets[:-1][series], lengths)
    return _with(buckets, rows[series], offsets_of(lengths), index, markers)


def renumbered(markers: Markers, row_map: I64) -> Markers:
    """As with_rows."""
    rows = row_map[markers.rows]
    order = np.lexsort((markers.times, rows))
    order = order[rows[order] >= 0]
    return Markers(rows[order], markers.times[order])


def merge_buckets(parts: Sequence[Buckets]) -> Buckets | None:
    """One of all, rows and ends ascending; of two at one place the earlier part's stays. None: there are none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    markers = _merged_markers([part.markers for part in parts])
    rows = np.concatenate([np.repeat(part.rows, part.lengths) for part in parts])
    ends = np.concatenate([part.ends for part in parts])
    order = np.lexsort((ends, rows))
    order = order[np.concatenate([[True], ~_same(rows[order], ends[order])])] if len(order) else order
    kept, counts = np.unique(rows[order], return_counts=True)
    columns = {name: np.concatenate([getattr(part, name) for part in parts])[order] for name in COLUMNS}
    return Buckets(kept, offsets_of(counts), **columns, markers=markers)


def _merged_markers(parts: Sequence[Markers]) -> Markers:
    rows = np.concatenate([part.rows for part in parts])
    times = np.concatenate([part.times for part in parts])
    order = np.lexsort((times, rows))
    order = order[np.concatenate([[True], ~_same(rows[order], times[order])])] if len(order) else order
    return Markers(rows[order], times[order])


def _with(buckets: Buckets, rows: I64, offsets: I64, index: I64 | Mask, markers: Markers) -> Buckets:
    columns = {name: getattr(buckets, name)[index] for name in COLUMNS}
    return Buckets(rows, offsets, **columns, markers=markers)


def _same(owners: I64, ends: I64) -> Mask:
    """[M-1]: where neighbours are in one bucket."""
    same: Mask = (owners[1:] == owners[:-1]) & (ends[1:] == ends[:-1])
    return same


def _groups(owners: I64, ends: I64) -> tuple[I64, Mask]:
    """Where each bucket begins, and which items have a neighbour before them in theirs [M]."""
    if not len(ends):
        return np.zeros(0, np.int64), np.zeros(0, np.bool_)
    inside = np.concatenate([[False], _same(owners, ends)])
    return np.flatnonzero(~inside), inside


def _lost(first: F64, last: F64, inside: Mask) -> F64:
    """[M]: the value before the item where the counter fell to it. inside: the items that are compared with the one before."""
    lost = np.zeros(len(first))
    drops = np.flatnonzero(inside[1:] & (first[1:] < last[:-1])) + 1
    lost[drops] = last[drops - 1]
    return lost


def _folded(fold: np.ufunc, values: F64, begins: I64) -> F64:
    folded: F64 = fold.reduceat(values, begins) if len(begins) else np.zeros(0)
    return folded


def _offsets(owners: I64, series: int) -> I64:
    return offsets_of(np.bincount(owners, minlength=series))
