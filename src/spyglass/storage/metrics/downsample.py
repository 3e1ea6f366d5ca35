"""Write downsampled blocks: a window from samples or from finer buckets, and several blocks as one.

A window's buckets end in (start, start + length]: a sample at its very end belongs to it, although it lies in the next stripe of samples.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.protocols.files import Files
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.block_writer import StripeSource, write_block
from spyglass.storage.metrics.bucket_stripe import read_bucket_slice
from spyglass.storage.metrics.buckets import Buckets, aggregate, coarsen, merge_buckets
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.histogram_columns import HistogramColumns
from spyglass.storage.metrics.layout import Layout
from spyglass.storage.metrics.merge import Cutoffs, Part, merged_meta, read_slice, stored_histograms, unified
from spyglass.storage.metrics.ragged import merge_ragged, slice_bounds
from spyglass.storage.metrics.stripe import OnCorrupt

_SAMPLES_PER_SLICE = 8
"""A slice is so many times a chunk's samples: more makes larger chunks of buckets, and takes 30 MB more memory for each 8."""
_BUCKETS_PER_SLICE = 4
_WINDOW_META = {"level": 0, "late": False, "position": 0, "flush": 0, "order": 0, "sources": []}


@dataclass(frozen=True, slots=True)
class Work:
    """What all of these jobs need."""

    files: Files
    cache: DecodedCache
    on_corrupt: OnCorrupt
    cutoffs: Cutoffs | None = None


def write_window(
    path: Path, sources: Sequence[Block], start_ms: int, length_ms: int, layout: Layout, work: Work
) -> int:
    """The buckets of a window as a block. sources: blocks of samples, or of buckets of a divisor of the resolution.

    Of two samples at one time the earlier source's counts. Deleted samples do not, nor do those past the time that `cutoffs` give.
    Returns the size in bytes. Raises: CorruptData if a source's labels cannot be read; DiskFull, StorageError.
    """
    stop_ms = start_ms + length_ms
    names = max(sources, key=lambda block: (len(block.label_order), block.order)).label_order
    rows_of, table, before = unified(sources, names, work.cutoffs)
    parts = [
        part
        for block, rows in zip(sources, rows_of, strict=True)
        for part in _parts(block, rows, before, (start_ms + 1, stop_ms), work)
    ]
    finer = sources[0].layout.resolution_ms
    read = partial(_coarser, work=work) if finer else partial(_aggregated, span=(start_ms + 1, stop_ms), work=work)
    slices = partial(_slices, parts, partial(read, resolution_ms=layout.resolution_ms), finer=bool(finer))
    histograms = stored_histograms(sources, rows_of, before, work.on_corrupt, (start_ms + 1, stop_ms))
    return write_block(
        path,
        work.files,
        table,
        [StripeSource(start_ms, slices)],
        meta=_WINDOW_META | {"label_order": list(names), "resolution_ms": layout.resolution_ms},
        histograms=(last_histograms(columns, layout.resolution_ms) for columns in histograms),
        layout=layout,
    )


def merge_bucket_blocks(path: Path, blocks: Sequence[Block], work: Work) -> int:
    """Write the buckets of blocks of one resolution as one block. Raises: as write_window."""
    names = max(blocks, key=lambda block: (len(block.label_order), block.order)).label_order
    rows_of, table, before = unified(blocks, names, work.cutoffs)
    stripes = []
    for start in sorted({meta.start_ms for block in blocks for meta in block.stripes}):
        parts = [
            part
            for block, rows in zip(blocks, rows_of, strict=True)
            for part in _parts(block, rows, before, None, work, start_ms=start)
        ]
        if len(parts) == 1 and parts[0].whole and not parts[0].block.tombstones:
            stripes.append(StripeSource(start, lambda: (), copied=(parts[0].stripe, parts[0].row_map)))
        else:
            stripes.append(StripeSource(start, partial(_slices, parts, partial(_as_they_are, work=work), finer=True)))
    return write_block(
        path,
        work.files,
        table,
        stripes,
        meta=merged_meta(blocks, names) | {"resolution_ms": blocks[0].layout.resolution_ms},
        histograms=stored_histograms(blocks, rows_of, before, work.on_corrupt),
        layout=blocks[0].layout,
    )


def last_histograms(columns: HistogramColumns, resolution_ms: int) -> HistogramColumns:
    """Of each row and bucket the last histogram, and the stale marker behind it if one ends the bucket. columns: by row and time.

    Of a bucket of nothing but markers the first and the last.
    """
    if not columns.size:
        return columns
    buckets, places, stale = -(-columns.times // resolution_ms), np.arange(columns.size), columns.stale
    starts = np.flatnonzero(np.append(True, (np.diff(columns.rows) != 0) | (np.diff(buckets) != 0)))
    ends = np.append(starts[1:], columns.size) - 1
    lively = np.maximum.reduceat(np.where(stale, -1, places), starts)
    kept = np.zeros(columns.size, np.bool_)
    kept[ends] = True
    kept[np.where(lively >= 0, lively, starts)] = True
    return columns.take(np.flatnonzero(kept))


def _parts(
    block: Block,
    row_map: I64,
    before: I64,
    span: tuple[int, int] | None,
    work: Work,
    *,
    start_ms: int | None = None,
) -> Iterator[Part]:
    """The stripes that hold anything of the span, or the stripe of one window."""
    for number, meta in enumerate(block.stripes):
        width_ms = block.layout.resolution_ms
        if start_ms is not None and meta.start_ms != start_ms:
            continue
        if span is not None and (meta.min_ms + width_ms > span[1] or meta.max_ms + width_ms < span[0]):
            continue
        try:
            part = Part.of(block, block.stripe(number), row_map, before)
            if span is not None and (meta.max_ms > span[1] or meta.min_ms < span[0]) and len(part.rows):
                part = _cut(part, span, work.cache)
        except CorruptData as err:
            work.on_corrupt(err)
            continue
        yield part


def _cut(part: Part, span: tuple[int, int], cache: DecodedCache) -> Part:
    """The part without the series that have nothing in the span: of a stripe that only touches it few are left, mostly none."""
    inside = np.isin(part.series, part.stripe.present_between(np.sort(part.series), *span, cache))
    return replace(part, rows=part.rows[inside], series=part.series[inside], whole=False)


def _slices(
    parts: Sequence[Part], read: Callable[[Sequence[Part], int, int], Buckets | None], *, finer: bool
) -> Iterator[Buckets]:
    """read: the buckets of some rows of the parts."""
    rows = [part.rows for part in parts]
    weights = [part.stripe.lengths()[part.series] for part in parts]
    for part in parts if finer else ():
        marked = part.row_map[part.stripe.markers().rows]
        rows.append(marked[marked >= 0])
        weights.append(np.ones(len(rows[-1]), np.int64))
    if not rows:
        return
    chosen, inverse = np.unique(np.concatenate(rows), return_inverse=True)
    lengths = np.bincount(inverse, weights=np.concatenate(weights)).astype(np.int64)
    shrunk = np.maximum(lengths // (_BUCKETS_PER_SLICE if finer else _SAMPLES_PER_SLICE), 1)
    for low, high in slice_bounds(shrunk):
        found = read(parts, int(chosen[low]), int(chosen[high - 1]))
        if found is not None:
            yield found


def _aggregated(
    parts: Sequence[Part], first: int, last: int, *, resolution_ms: int, span: tuple[int, int], work: Work
) -> Buckets | None:
    pieces = [read_slice(part, first, last, work.cache, work.on_corrupt, span) for part in parts]
    merged = merge_ragged([piece for piece in pieces if len(piece.times)])
    return aggregate(merged, resolution_ms) if merged is not None else None


def _as_they_are(parts: Sequence[Part], first: int, last: int, *, work: Work) -> Buckets | None:
    found = [read_bucket_slice(part, first, last, work.cache, work.on_corrupt) for part in parts]
    return merge_buckets(found)


def _coarser(parts: Sequence[Part], first: int, last: int, *, resolution_ms: int, work: Work) -> Buckets | None:
    merged = _as_they_are(parts, first, last, work=work)
    return coarsen(merged, resolution_ms) if merged is not None else None
