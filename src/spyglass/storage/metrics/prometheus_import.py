"""Take over a Prometheus data directory: each of its blocks becomes one of ours, and so does what its head held (write-ahead log and head
chunks). Its own files are only read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.formats.prometheus_block import (
    PrometheusBlock,
    PrometheusBlockError,
    StoredSeries,
    in_order_end_ms,
    is_prometheus_block,
)
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import StorageError
from spyglass.model.labels import LabelTable
from spyglass.model.samples import WriteBatch
from spyglass.storage.metrics.block_writer import StripeSource
from spyglass.storage.metrics.histogram_columns import columns_of
from spyglass.storage.metrics.histogram_columns import ordered as sorted_histograms
from spyglass.storage.metrics.label_columns import label_order, sort_order
from spyglass.storage.metrics.prometheus_head import PrometheusHead, read_prometheus_head
from spyglass.storage.metrics.ragged import CHUNK_SAMPLES, Ragged, offsets_of, slice_bounds, take
from spyglass.storage.metrics.store import DiskMetricStore

_ALL_PAST_MS = -(2**62)


@dataclass(slots=True)
class ImportReport:
    """samples: stored, native histograms included. histograms: how many of them are native histograms. log_records: read of the log.

    notes: what could not be read.
    """

    blocks: int = 0
    series: int = 0
    samples: int = 0
    histograms: int = 0
    log_records: int = 0
    notes: list[str] = field(default_factory=list)


def import_prometheus(
    folder: Path, store: DiskMetricStore, *, progress: Callable[[str], None] = lambda _: None
) -> ImportReport:
    """Import all blocks below `folder`, and its head. Samples that are in the store already stay as they are.

    What cannot be read is named in the report, and the rest imported; the same folder may be imported again.
    Raises: StorageError where the folder has neither blocks nor a write-ahead log; DiskFull.
    """
    blocks = sorted(path for path in folder.iterdir() if path.is_dir() and is_prometheus_block(path))
    has_head = (folder / "wal").is_dir() or (folder / "chunks_head").is_dir()
    if not blocks and not has_head:
        raise StorageError(
            f"{folder} holds no Prometheus blocks (folders with meta.json, index and chunks) and no write-ahead log (wal)"
        )
    report = ImportReport()
    for path in blocks:
        try:
            _import_block(path, store, report)
            progress(f"{path.name}: {report.samples} samples so far")
        except (PrometheusBlockError, OSError) as err:
            report.notes.append(str(err))
    if has_head:
        ends = [end for end in map(in_order_end_ms, blocks) if end is not None]
        head = read_prometheus_head(folder, from_ms=max(ends, default=_ALL_PAST_MS), range_ms=store.block_range_ms)
        _import_head(head, store, report)
        progress(f"write-ahead log: {report.samples} samples so far")
    store.compact()
    return report


def _import_block(path: Path, store: DiskMetricStore, report: ImportReport) -> None:
    block = PrometheusBlock(path)
    held = [series for series in block.series if series.chunks]
    if not held:
        return
    table = LabelTable.from_labels([series.labels for series in held])
    names = label_order(table, store.label_order)
    order = sort_order(table, names)
    ordered = [held[row] for row in order.tolist()]
    range_ms = store.block_range_ms
    low = min(series.chunks[0].min_ms for series in held) // range_ms
    high = max(chunk.max_ms for series in held for chunk in series.chunks) // range_ms
    stripes = [
        StripeSource(start, partial(_slices, block, ordered, start, start + range_ms - 1))
        for start in range(low * range_ms, (high + 1) * range_ms, range_ms)
    ]
    histograms = columns_of(
        (row, time_ms, histogram)
        for row, series in enumerate(ordered)
        for time_ms, histogram in block.histograms(series)
    )
    span = (low * range_ms, (high + 1) * range_ms - 1)
    report.samples += store.add_block(table.take(order), stripes, names, span, histograms=[histograms])
    report.blocks += 1
    report.series += len(held)
    report.histograms += histograms.size


def _slices(block: PrometheusBlock, ordered: Sequence[StoredSeries], start_ms: int, end_ms: int) -> Iterator[Ragged]:
    """The window's samples in order of rows, about a chunk at a time."""
    rows: list[int] = []
    times: list[I64] = []
    values: list[F64] = []
    held = 0
    for row, series in enumerate(ordered):
        some_times, some_values = block.samples(series, start_ms, end_ms)
        if len(some_times):
            rows.append(row)
            times.append(some_times)
            values.append(some_values)
            held += len(some_times)
        if held >= CHUNK_SAMPLES:
            yield _ragged(rows, times, values)
            rows, times, values, held = [], [], [], 0
    if rows:
        yield _ragged(rows, times, values)


def _ragged(rows: list[int], times: list[I64], values: list[F64]) -> Ragged:
    lengths = np.asarray([len(one) for one in times], np.int64)
    return Ragged(np.asarray(rows, np.int64), offsets_of(lengths), np.concatenate(times), np.concatenate(values))


def _import_head(head: PrometheusHead, store: DiskMetricStore, report: ImportReport) -> None:
    report.notes += head.notes
    report.log_records = head.records
    rows = head.rows()
    if len(rows):
        table = LabelTable.from_labels([head.labels[row] for row in rows.tolist()])
        names = label_order(table, store.label_order)
        order = sort_order(table, names)
        rank = np.full(len(head.labels), -1, np.int64)
        rank[rows[order]] = np.arange(len(order))
        stripes = [StripeSource(start, partial(_window, head, start, rank)) for start in sorted(head.windows)]
        native = sorted_histograms(
            columns_of((int(rank[row]), time_ms, h) for (row, time_ms), h in head.histograms.items())
        )
        times = [*native.times.tolist(), *head.windows, *(s + head.range_ms - 1 for s in head.windows)]
        report.samples += store.add_block(
            table.take(order), stripes, names, (min(times), max(times)), histograms=[native]
        )
        report.series += len(rows)
        report.histograms += native.size
    _import_extras(head, store)


def _window(head: PrometheusHead, start_ms: int, rank: I64) -> Iterator[Ragged]:
    window = head.window(start_ms, rank)
    for low, high in slice_bounds(window.lengths):
        yield take(window, np.arange(low, high))


def _import_extras(head: PrometheusHead, store: DiskMetricStore) -> None:
    """Exemplars, oldest first as the store wants them, and metadata."""
    if not head.exemplars and not head.metadata:
        return
    exemplars = sorted(head.exemplars, key=lambda one: one[1].time_ms)
    refs = store.resolve([head.labels[row] for row, _ in exemplars]).tolist()
    nothing = np.zeros(0, np.int64)
    store.append(
        WriteBatch(
            nothing,
            nothing,
            np.zeros(0),
            exemplars=[(ref, exemplar) for ref, (_, exemplar) in zip(refs, exemplars, strict=True) if ref >= 0],
            metadata=head.metadata,
        )
    )
