"""Write a frozen part of the head as blocks: one per window, all or nothing (see block_set.py)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import LabelTable
from spyglass.protocols.files import Files
from spyglass.storage.metrics.block_writer import StripeSource, write_block
from spyglass.storage.metrics.histogram_columns import HistogramColumns, columns_of, ordered
from spyglass.storage.metrics.label_columns import label_order, sort_order
from spyglass.storage.metrics.late_pool import LatePool
from spyglass.storage.metrics.ragged import Ragged, keep_where, slice_bounds, take
from spyglass.storage.metrics.sample_pool import SamplePool

_ONE_BLOCK_EACH_MAX = 4
_ALL_TIME = (-(2**62), 2**62)


@dataclass(slots=True)
class HeadPart:
    """What the head gathered: samples, late samples, histograms [(slot, time_ms, histogram)]. position: the journal's when frozen."""

    pool: SamplePool | None = None
    late: LatePool = field(default_factory=LatePool)
    histograms: list[tuple[int, int, FloatHistogram]] = field(default_factory=list)
    position: int = 0

    def slots(self) -> I64:
        """Every slot that has something here, ascending."""
        pool = self.pool.slots() if self.pool is not None else np.zeros(0, np.int64)
        histograms = np.asarray([slot for slot, _, _ in self.histograms], np.int64)
        return np.unique(np.concatenate([pool, self.late.slots(), histograms]))

    @property
    def samples(self) -> int:
        return (self.pool.samples if self.pool is not None else 0) + self.late.samples + len(self.histograms)

    def time_range(self) -> tuple[int, int] | None:
        """Of the in-order samples and histograms."""
        times = [time_ms for _, time_ms, _ in self.histograms]
        if self.pool is not None and self.pool.samples:
            times += [self.pool.min_ms, self.pool.max_ms]
        return (min(times), max(times)) if times else None


def write_part(
    part: HeadPart,
    slots: I64,
    table: LabelTable,
    *,
    new_path: Callable[[], Path],
    files: Files,
    range_ms: int,
    largest_ms: int,
    known_order: Sequence[str],
    rollup_share: int = 0,
) -> list[Path]:
    """Write all of a part. slots: part.slots(), table: their labels. known_order: see label_order.
    rollup_share: see write_block. Returns the paths of the blocks.

    The last block carries the journal position; a crash before it leaves blocks that start-up removes.
    """
    names = label_order(table, known_order)
    order = sort_order(table, names)
    table = table.take(order)
    row_of_slot = np.full(int(slots[-1]) + 1, -1, np.int64)
    row_of_slot[slots[order]] = np.arange(len(order))
    native = ordered(columns_of((int(row_of_slot[slot]), time_ms, h) for slot, time_ms, h in part.histograms))
    histograms = [native] if native.size else []
    jobs: list[tuple[bool, list[StripeSource], list[HistogramColumns]]] = []
    if part.late.samples:
        late = part.late.select(row_of_slot, *_ALL_TIME)
        jobs.append((True, [_late_stripe(late, start, range_ms) for start in _windows(late, range_ms)], []))
    stripes = _stripes(part.pool, row_of_slot, range_ms) if part.pool is not None and part.pool.samples else []
    groups = _grouped(stripes, largest_ms)
    jobs += [(False, group, []) for group in groups[:-1]]
    if groups or histograms:
        jobs.append((False, groups[-1] if groups else [], histograms))
    paths = []
    for number, (is_late, group, rows) in enumerate(jobs):
        paths.append(new_path())
        position = part.position if number == len(jobs) - 1 else 0
        meta = {
            "level": 0,
            "late": is_late,
            "position": position,
            "flush": part.position,
            "order": part.position,
            "label_order": names,
            "sources": [],
        }
        write_block(paths[-1], files, table, group, meta=meta, histograms=rows, rollup_share=rollup_share)
    return paths


def _stripes(pool: SamplePool, row_of_slot: I64, range_ms: int) -> list[StripeSource]:
    return [
        StripeSource(start, partial(pool.slices, row_of_slot, start, start + range_ms - 1))
        for start in pool.windows(range_ms)
    ]


def _grouped(stripes: Sequence[StripeSource], largest_ms: int) -> list[list[StripeSource]]:
    """A block for each window; a backfill over many windows gets a block for each largest range."""
    if len(stripes) <= _ONE_BLOCK_EACH_MAX:
        return [[stripe] for stripe in stripes]
    groups: dict[int, list[StripeSource]] = {}
    for stripe in stripes:
        groups.setdefault(stripe.start_ms // largest_ms, []).append(stripe)
    return list(groups.values())


def _windows(ragged: Ragged, range_ms: int) -> list[int]:
    return [int(start) * range_ms for start in np.unique(ragged.times // range_ms)]


def _late_stripe(late: Ragged, start_ms: int, range_ms: int) -> StripeSource:
    def slices() -> Iterator[Ragged]:
        inside = keep_where(late, (late.times >= start_ms) & (late.times < start_ms + range_ms))
        for low, high in slice_bounds(inside.lengths):
            yield take(inside, np.arange(low, high))

    return StripeSource(start_ms, slices)
