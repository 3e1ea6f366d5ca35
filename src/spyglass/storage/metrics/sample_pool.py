"""Samples of the head before they become a part: pages of K samples, each page one series'.

    page_slot [P]      whose page it is          page_times [P,K] ms
    page_fill [P]      samples in it             page_values [P,K]
    previous [P]       the page that its series filled before, -1 where there is none
    open_page [slots]  the page that a series writes to, -1 where it has none

An append is a handful of numpy operations whatever mix of series it brings: scrapes, remote writes and single samples take the
same path, and which series share their times is found out when they are read. All memory is reserved at once and touched as it is
filled, so an idle pool costs nothing. Not thread-safe: the store locks. A frozen pool is only read.
"""

from collections.abc import Iterator

import numpy as np

from spyglass.model.arrays import F64, I32, I64, Mask
from spyglass.model.samples import SampleRuns, SampleTile, is_stale
from spyglass.storage.metrics.page_chains import Pages, read_pages
from spyglass.storage.metrics.ragged import Ragged, gather_index, keep_where, offsets_of, slice_bounds

_PAGE_MAX, _PAGE_MIN = 32, 4


class SamplePool:
    """Room for about `samples` samples of about `series` series."""

    def __init__(self, samples: int, series: int) -> None:
        self._k = _page_size(samples, series)
        self._pages = max(samples // self._k, 1) + series
        self._used = 0
        self._slot: I32 = np.empty(self._pages, np.int32)
        self._fill: I32 = np.zeros(self._pages, np.int32)
        self._previous: I32 = np.empty(self._pages, np.int32)
        self._times: I64 = np.empty((self._pages, self._k), np.int64)
        self._values: F64 = np.empty((self._pages, self._k), np.float64)
        self._open: I32 = np.full(max(series * 2, 64), -1, np.int32)
        self.min_ms, self.max_ms = 2**62, -(2**62)
        self.samples = 0
        self.may_be_stale = False
        """Whether a stale marker was ever appended."""

    def has_room(self, count: int) -> bool:
        """Whether any batch of so many samples fits: in the worst case each needs a page."""
        return self._used + count <= self._pages

    @property
    def used_pages(self) -> int:
        return self._used

    def append(self, slots: I64, times: I64, values: F64) -> None:
        """Add samples, each newer than all of its series before it. A slot may occur several times, in order of time."""
        self._reserve_slots(int(slots.max()) + 1)
        position = self._place_distinct(slots) if _distinct(slots) else self._place_repeated(slots)
        self._times.reshape(-1)[position] = times
        self._values.reshape(-1)[position] = values
        self.samples += len(slots)
        self.may_be_stale = self.may_be_stale or bool(is_stale(values).any())
        self.min_ms = min(self.min_ms, int(times.min()))
        self.max_ms = max(self.max_ms, int(times.max()))

    def slots(self) -> I64:
        """Slots that have samples, distinct, ascending."""
        return np.unique(self._slot[: self._used]).astype(np.int64)

    def windows(self, range_ms: int) -> list[int]:
        """The starts of the windows of `range_ms` that hold samples."""
        if self.min_ms // range_ms == self.max_ms // range_ms:
            return [self.min_ms // range_ms * range_ms]
        there = np.arange(self._k) < self._fill[: self._used, None]
        return [int(start) * range_ms for start in np.unique(self._times[: self._used][there] // range_ms)]

    def slices(self, row_of_slot: I64, start_ms: int, end_ms: int) -> Iterator[Ragged]:
        """As `select`, a slice of about CHUNK_SAMPLES samples at a time, in order of rows."""
        pages = self._pages_between(start_ms, end_ms)
        # With a million series these columns are what a flush costs in memory, hence int32.
        rows = _rows_of(row_of_slot, self._slot[pages]).astype(np.int32)
        order = np.argsort(rows, kind="stable").astype(np.int32)
        pages, rows = pages[order], rows[order]
        del order
        _, first = np.unique(rows, return_index=True)
        lengths = np.add.reduceat(self._fill[pages], first, dtype=np.int64) if len(first) else first
        bounds = np.append(first, len(pages))
        for low, high in slice_bounds(lengths):
            part = slice(bounds[low], bounds[high])
            yield self._gather(pages[part].astype(np.int64), rows[part].astype(np.int64), start_ms, end_ms)

    def _pages_between(self, start_ms: int, end_ms: int) -> I32:
        count = self._used
        if start_ms <= self.min_ms and end_ms >= self.max_ms:
            return np.arange(count, dtype=np.int32)
        early_enough = self._times[:count, 0] <= end_ms
        return np.flatnonzero(
            early_enough & (self._times[np.arange(count), self._fill[:count] - 1] >= start_ms)
        ).astype(np.int32)

    def select(self, slots: I64, start_ms: int, end_ms: int) -> list[SampleTile | SampleRuns]:
        """The samples of distinct slots in [start_ms, end_ms], as copies. Rows are places in `slots`."""
        if start_ms > self.max_ms or end_ms < self.min_ms:
            return []
        pages = Pages(self._fill, self._times, self._values, self._previous, self._open)
        return read_pages(pages, slots, start_ms, end_ms, may_be_stale=self.may_be_stale)

    def _gather(self, pages: I64, page_rows: I64, start_ms: int, end_ms: int) -> Ragged:
        fill = self._fill[pages].astype(np.int64)
        index = gather_index(pages * self._k, fill)
        rows, first = np.unique(page_rows, return_index=True)
        lengths = np.add.reduceat(fill, first) if len(first) else np.zeros(0, np.int64)
        ragged = Ragged(rows, offsets_of(lengths), self._times.reshape(-1)[index], self._values.reshape(-1)[index])
        if start_ms <= self.min_ms and end_ms >= self.max_ms:
            return ragged
        return keep_where(ragged, (ragged.times >= start_ms) & (ragged.times <= end_ms))

    def has_samples(self, row_of_slot: I64, start_ms: int, end_ms: int) -> I64:
        """The rows (not distinct) that have a sample in the range. row_of_slot as in `select`; no sample is copied."""
        count = self._used
        rows = _rows_of(row_of_slot, self._slot[:count])
        first, last = self._times[:count, 0], self._times[np.arange(count), self._fill[:count] - 1]
        near = (rows >= 0) & (first <= end_ms) & (last >= start_ms)
        sure = near & ((first >= start_ms) | (last <= end_ms))
        # Left are pages that begin before the range and end behind it.
        spanning = np.flatnonzero(near & ~sure)
        times = self._times[spanning]
        inside = (times >= start_ms) & (times <= end_ms) & (np.arange(self._k) < self._fill[spanning, None])
        return np.concatenate([rows[sure], rows[spanning[inside.any(axis=1)]]])

    def _place_distinct(self, slots: I64) -> I64:
        """Flat positions for one sample per slot."""
        pages = self._open[slots]
        need = (pages < 0) | (self._fill[pages] >= self._k)
        if need.any():
            pages = self._add_pages(slots, pages, need)
        position = pages.astype(np.int64) * self._k + self._fill[pages]
        self._fill[pages] += 1
        return position

    def _add_pages(self, slots: I64, pages: I32, need: Mask) -> I32:
        wanting = slots[need]
        fresh = np.arange(self._used, self._used + len(wanting), dtype=np.int32)
        self._used += len(wanting)
        self._slot[fresh] = wanting
        self._previous[fresh] = self._open[wanting]
        self._open[wanting] = fresh
        pages[need] = fresh
        return pages

    def _place_repeated(self, slots: I64) -> I64:
        """Flat positions where slots repeat: each slot's samples fill its open page and then as many new ones as they need."""
        order = np.argsort(slots, kind="stable")
        ordered = slots[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        owners, counts = ordered[starts], np.diff(np.append(starts, len(slots)))
        pages = self._open[owners].astype(np.int64)
        fill = np.where(pages >= 0, self._fill[pages], self._k)
        room = self._k - fill
        base = self._add_pages_for(owners, pages, counts, room)
        rank = np.arange(len(slots)) - np.repeat(starts, counts)
        behind = rank - np.repeat(room, counts)
        in_open = np.repeat(pages * self._k + fill, counts) + rank
        position = np.empty(len(slots), np.int64)
        position[order] = np.where(behind < 0, in_open, np.repeat(base * self._k, counts) + behind)
        return position

    def _add_pages_for(self, owners: I64, pages: I64, counts: I64, room: I64) -> I64:
        """Take `counts` samples for each owner into account. Returns the first new page of each (unused where none is needed)."""
        extra = np.maximum(counts - room, 0)
        fresh = -(-extra // self._k)
        base: I64 = self._used + np.cumsum(fresh) - fresh
        total = int(fresh.sum())
        self._slot[self._used : self._used + total] = np.repeat(owners, fresh)
        self._fill[self._used : self._used + total] = self._k
        self._previous[self._used : self._used + total] = np.arange(self._used, self._used + total) - 1
        self._used += total
        has = fresh > 0
        self._previous[base[has]] = pages[has]
        last = base[has] + fresh[has] - 1
        self._fill[last] = extra[has] - (fresh[has] - 1) * self._k
        had = pages >= 0
        self._fill[pages[had]] += np.minimum(counts, room)[had].astype(np.int32)
        self._open[owners[has]] = last
        return base

    def _reserve_slots(self, wanted: int) -> None:
        if wanted > len(self._open):
            longer = np.full(max(wanted, len(self._open) * 2), -1, np.int32)
            longer[: len(self._open)] = self._open
            self._open = longer


def _distinct(slots: I64) -> bool:
    """Whether no slot occurs twice. Ascending order, the usual case, is seen without sorting."""
    if len(slots) < 2 or (slots[1:] > slots[:-1]).all():
        return True
    seen = np.zeros(int(slots.max()) + 1, np.bool_)
    seen[slots] = True
    return int(np.count_nonzero(seen)) == len(slots)


def _rows_of(row_of_slot: I64, slots: I32) -> I64:
    if not len(row_of_slot):
        return np.full(len(slots), -1, np.int64)
    rows = row_of_slot[np.minimum(slots, len(row_of_slot) - 1)]
    rows[slots >= len(row_of_slot)] = -1
    return rows


def _page_size(samples: int, series: int) -> int:
    """Pages fill half on average: many series want short pages, or the pool would be mostly holes."""
    size = _PAGE_MAX
    while size > _PAGE_MIN and series * size > samples // 4:
        size //= 2
    return size
