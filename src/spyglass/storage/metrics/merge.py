"""Merge blocks into one: stripes that only one of them has are copied as they are, the others are decoded, merged and encoded anew.

Deleted samples do not come along, nor do those past the time that their series are kept. Memory is bounded by one slice of each source
and the label tables.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import LabelTable
from spyglass.protocols.files import Files
from spyglass.storage.metrics.assemble import SourceAnswer, unify_rows
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.block_writer import StripeSource, write_block
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.fingerprints import table_fingerprints
from spyglass.storage.metrics.histogram_columns import NO_HISTOGRAMS, HistogramColumns, joined, ordered
from spyglass.storage.metrics.label_columns import sort_order
from spyglass.storage.metrics.ragged import Ragged, keep_where, merge_ragged, offsets_of, slice_bounds, take
from spyglass.storage.metrics.stripe import OnCorrupt, Stripe

_NUMBERS_EACH = 2
"""What a histogram weighs against a sample when rows are cut into slices: about 15,000 at once."""

ALL_TIME = (-(2**62), 2**62)

Cutoffs = Callable[[LabelTable], I64]
"""[S] for the series of a table: before which time their samples are to go."""


@dataclass(frozen=True, slots=True)
class Part:
    """One source's stripe of a window. row_map: the new row of each of the block's rows.

    rows [s] ascending: the new rows of the stripe's series; series [s]: which of them it is (blocks order their series differently).
    Series whose samples here are all past their time are not among them. whole: none is.
    """

    block: Block
    stripe: Stripe
    row_map: I64
    rows: I64
    series: I64
    whole: bool

    @staticmethod
    def of(block: Block, stripe: Stripe, row_map: I64, cutoffs: I64) -> "Part":
        """row_map: -1 where the series is gone. cutoffs: by new row; a stripe goes for a series when all of it is before that."""
        rows = row_map[stripe.rows]
        stays = rows >= 0
        stays[stays] = cutoffs[rows[stays]] <= stripe.max_ms
        order = np.argsort(rows, kind="stable")
        order = order[stays[order]]
        return Part(block, stripe, row_map, rows[order], order, len(order) == len(rows))


def merge_blocks(
    path: Path,
    files: Files,
    blocks: Sequence[Block],
    *,
    cache: DecodedCache,
    on_corrupt: OnCorrupt,
    cutoffs: Cutoffs | None = None,
    rollup_share: int = 0,
) -> int:
    """Write the samples of `blocks` as one block. Where two have a sample of one series at one time, the earlier in the list wins.

    cutoffs: what is past its time does not come along, a window at a time; None: everything does. rollup_share: see write_block.
    Chunks that fail their checksum are told and left out. Returns the size in bytes.
    Raises: CorruptData if a source's labels cannot be read; DiskFull, StorageError.
    """
    # The newest block's order holds all earlier ones'.
    names = max(blocks, key=lambda block: (len(block.label_order), block.order)).label_order
    rows_of, table, before = unified(blocks, names, cutoffs)
    windows = sorted({meta.start_ms for block in blocks for meta in block.stripes})
    stripes = (_stripe_source(start, blocks, rows_of, before, cache, on_corrupt) for start in windows)
    histograms = stored_histograms(blocks, rows_of, before, on_corrupt)
    meta = merged_meta(blocks, names)
    return write_block(path, files, table, stripes, meta=meta, histograms=histograms, rollup_share=rollup_share)


def merged_meta(blocks: Sequence[Block], names: Sequence[str]) -> dict[str, object]:
    """The description of a block that is put in the place of others."""
    return {
        "level": max(block.level for block in blocks) + 1,
        "late": all(block.late for block in blocks),
        "position": max(block.position for block in blocks),
        "flush": 0,
        "label_order": list(names),
        "order": max(block.order for block in blocks),
        "sources": [block.number for block in blocks],
    }


def unified(
    blocks: Sequence[Block], names: Sequence[str], cutoffs: Cutoffs | None
) -> tuple[list[I64], LabelTable, I64]:
    """For each block the new row of each of its rows (-1: gone); the new label table, in the order of blocks; its cutoffs."""
    answers = [SourceAnswer(table_fingerprints(block.labels), block.labels) for block in blocks]
    rows_of, table = unify_rows(answers)
    before = cutoffs(table) if cutoffs is not None else np.full(table.size, ALL_TIME[0], np.int64)
    order = sort_order(table, names)
    order = order[before[order] <= max(block.max_ms for block in blocks)]
    rank = np.full(table.size, -1, np.int64)
    rank[order] = np.arange(len(order))
    return [rank[rows] for rows in rows_of], table.take(order), before[order]


def _stripe_source(
    start_ms: int,
    blocks: Sequence[Block],
    rows_of: Sequence[I64],
    before: I64,
    cache: DecodedCache,
    on_corrupt: OnCorrupt,
) -> StripeSource:
    parts: list[Part] = []
    for block, rows in zip(blocks, rows_of, strict=True):
        for number, meta in enumerate(block.stripes):
            if meta.start_ms == start_ms:
                try:
                    stripe = block.stripe(number)
                except CorruptData as err:
                    on_corrupt(err)
                    continue
                parts.append(Part.of(block, stripe, rows, before))
    if len(parts) == 1 and parts[0].whole and not parts[0].block.tombstones and not parts[0].block.late:
        return StripeSource(start_ms, lambda: (), copied=(parts[0].stripe, parts[0].row_map))
    return StripeSource(start_ms, partial(_merged_slices, [p for p in parts if len(p.rows)], cache, on_corrupt))


def _merged_slices(parts: Sequence[Part], cache: DecodedCache, on_corrupt: OnCorrupt) -> Iterator[Ragged]:
    if not parts:
        return
    rows, inverse = np.unique(np.concatenate([part.rows for part in parts]), return_inverse=True)
    weights = np.concatenate([part.stripe.lengths()[part.series] for part in parts])
    lengths = np.bincount(inverse, weights=weights).astype(np.int64)
    for low, high in slice_bounds(lengths):
        slices = [read_slice(part, int(rows[low]), int(rows[high - 1]), cache, on_corrupt) for part in parts]
        merged = merge_ragged([ragged for ragged in slices if len(ragged.times)])
        if merged is not None:
            yield merged


def read_slice(
    part: Part,
    first_row: int,
    last_row: int,
    cache: DecodedCache,
    on_corrupt: OnCorrupt,
    span: tuple[int, int] = ALL_TIME,
) -> Ragged:
    """The part's samples of the rows first_row..last_row in the closed span, without those that were deleted."""
    low, high = np.searchsorted(part.rows, [first_row, last_row + 1])
    series = np.sort(part.series[low:high])
    try:
        found = [part.stripe.read(series, *span, cache).ragged()] if len(series) else []
    except CorruptData:
        found = list(_readable(part, series, cache, on_corrupt, span))
    tombstones = part.block.tombstones
    if tombstones:
        found = [keep_where(ragged, tombstones.keep(ragged)) for ragged in found]
    ragged = merge_ragged(found)
    if ragged is None:
        nothing = np.zeros(0, np.int64)
        return Ragged(nothing, offsets_of(nothing), nothing, np.zeros(0))
    rows = part.row_map[ragged.rows]
    renamed = Ragged(rows, ragged.offsets, ragged.times, ragged.values)
    return renamed if (rows[1:] > rows[:-1]).all() else take(renamed, np.argsort(rows))


def _readable(
    part: Part, series: I64, cache: DecodedCache, on_corrupt: OnCorrupt, span: tuple[int, int]
) -> Iterator[Ragged]:
    for some in part.stripe.by_chunk(series):
        try:
            yield part.stripe.read(some, *span, cache).ragged()
        except CorruptData as err:
            on_corrupt(err)


def stored_histograms(
    blocks: Sequence[Block],
    rows_of: Sequence[I64],
    before: I64,
    on_corrupt: OnCorrupt,
    span: tuple[int, int] = ALL_TIME,
) -> Iterator[HistogramColumns]:
    """The histograms of all blocks in the closed span, some new rows at a time; of two at one place the earlier block's."""
    weights = np.zeros(len(before), np.int64)
    for block, row_map in zip(blocks, rows_of, strict=True):
        counts = _histogram_counts(block, on_corrupt)
        kept = row_map >= 0
        np.add.at(weights, row_map[kept], counts[kept])
    held = np.flatnonzero(weights)
    for low, high in slice_bounds(weights[held] * _NUMBERS_EACH):
        first, last = int(held[low]), int(held[high - 1])
        parts = [
            _histogram_slice(block, row_map, (first, last), before, on_corrupt, span)
            for block, row_map in zip(blocks, rows_of, strict=True)
        ]
        yield ordered(joined(parts))


def _histogram_counts(block: Block, on_corrupt: OnCorrupt) -> I64:
    try:
        return block.native.counts(block.series)
    except CorruptData as err:
        on_corrupt(err)
        return np.zeros(block.series, np.int64)


def _histogram_slice(
    block: Block, row_map: I64, new_rows: tuple[int, int], before: I64, on_corrupt: OnCorrupt, span: tuple[int, int]
) -> HistogramColumns:
    """The block's histograms of the new rows in the closed range."""
    rows = np.flatnonzero((row_map >= new_rows[0]) & (row_map <= new_rows[1]))
    try:
        found = block.histograms(rows, *span, on_corrupt) if len(rows) else NO_HISTOGRAMS
    except CorruptData:
        # Told when they were counted.
        return NO_HISTOGRAMS
    found = found.with_rows(row_map[found.rows])
    return found.take(np.flatnonzero(found.times >= before[found.rows]))
