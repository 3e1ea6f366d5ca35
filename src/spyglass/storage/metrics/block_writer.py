"""Write a block: the samples of many series over one or more stripes. Format: docs/formats/metrics-block.md."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from spyglass.model.arrays import I64
from spyglass.model.labels import LabelTable
from spyglass.protocols.files import Files
from spyglass.storage.metrics.column_file import ColumnFileWriter
from spyglass.storage.metrics.histogram_blocks import HistogramWriter
from spyglass.storage.metrics.histogram_columns import HistogramColumns
from spyglass.storage.metrics.label_columns import write_labels
from spyglass.storage.metrics.layout import RAW, Layout
from spyglass.storage.metrics.ragged import Ragged
from spyglass.storage.metrics.rollup_writer import RollupWriter
from spyglass.storage.metrics.stripe import Stripe
from spyglass.storage.metrics.stripe_writer import Slice, StripeSummary, StripeWriter

_WITH_HISTOGRAMS = 2
"""The version of blocks that hold native histograms."""


@dataclass(frozen=True, slots=True)
class StripeSource:
    """A stripe to write. slices: of its series in order of block rows, each of about CHUNK_SAMPLES samples."""

    start_ms: int
    slices: Callable[[], Iterable[Slice]]
    copied: "tuple[Stripe, I64] | None" = None
    """A stripe to copy as it is, and the new row of each of its block's rows; slices are then not asked for."""


def write_block(
    path: Path,
    files: Files,
    table: LabelTable,
    stripes: Iterable[StripeSource],
    *,
    meta: Mapping[str, object],
    histograms: Iterable[HistogramColumns] = (),
    layout: Layout = RAW,
    rollup_share: int = 0,
) -> int:
    """Publish a block under `path`, all or nothing; memory is bounded by a chunk and the label table. Returns its size.

    meta: what else belongs into the block's description (see docs/formats). histograms: by row and time, also from one to the next.
    rollup_share: see MetricStoreOptions. Late samples have no rollups: what they lie between is not here.
    Raises: DiskFull, StorageError.
    """
    some = (columns for columns in histograms if columns.size)
    first = list(islice(some, 1))
    writer = ColumnFileWriter(layout.magic, _WITH_HISTOGRAMS if first else 1)
    share = 0 if meta["late"] else rollup_share
    files.write_atomic(path, _block_bytes(writer, table, stripes, meta, chain(first, some), layout, share))
    return writer.offset


def _block_bytes(
    writer: ColumnFileWriter,
    table: LabelTable,
    stripes: Iterable[StripeSource],
    meta: Mapping[str, object],
    histograms: Iterable[HistogramColumns],
    layout: Layout,
    rollup_share: int,
) -> Iterator[bytes]:
    yield writer.start()
    native = HistogramWriter(writer)
    for columns in histograms:
        yield from native.add(columns)
    summaries: list[StripeSummary] = []
    for source in stripes:
        stripe = StripeWriter(writer, layout, len(summaries), source.start_ms)
        beside = RollupWriter(writer, len(summaries), source.start_ms, rollup_share) if rollup_share else None
        yield from _stripe_bytes(source, stripe, beside)
        if stripe.summary.samples or (layout.resolution_ms and native.count):
            # A window of histograms only: the stripe says that it was downsampled.
            yield from stripe.finish()
            if beside is not None:
                yield from beside.finish()
            summaries.append(stripe.summary)
    if native.count:
        yield from native.finish()
    yield from write_labels(writer, table)
    times = [native.min_ms, native.max_ms] if native.count else []
    yield writer.finish(
        {
            **meta,
            "series": table.size,
            "samples": sum(s.samples for s in summaries) + native.count,
            "min_ms": min([*(s.min_ms for s in summaries if s.samples), *times], default=0),
            "max_ms": max([*(s.max_ms for s in summaries if s.samples), *times], default=0),
            "histogram_range": times or None,
            "stripes": [[s.start_ms, s.min_ms, s.max_ms, s.samples, s.series] for s in summaries],
        }
    )


def _stripe_bytes(source: StripeSource, stripe: StripeWriter, beside: RollupWriter | None) -> Iterator[bytes]:
    if source.copied is not None:
        yield from stripe.copy(*source.copied)
        if beside is not None:
            yield from beside.copy(*source.copied)
        return
    for piece in source.slices():
        yield from stripe.add(piece)
        if beside is not None:
            assert isinstance(piece, Ragged), "rollups are of samples"
            yield from beside.add(piece)
