"""Take over a Prometheus data directory: each of its blocks becomes one of ours. Its own files are only read.

The write-ahead log (the newest two or three hours) is not read: stop Prometheus after `POST /api/v1/admin/tsdb/snapshot` and import the
snapshot, which holds the head as a block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.formats.prometheus_block import PrometheusBlock, PrometheusBlockError, StoredSeries, is_prometheus_block
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import StorageError
from spyglass.model.labels import LabelTable
from spyglass.storage.metrics.block_writer import StripeSource
from spyglass.storage.metrics.label_columns import label_order, sort_order
from spyglass.storage.metrics.ragged import CHUNK_SAMPLES, Ragged, offsets_of
from spyglass.storage.metrics.store import DiskMetricStore


@dataclass(slots=True)
class ImportReport:
    """samples: floats stored. histogram_chunks: native histogram chunks that were left out. notes: blocks that could not be read."""

    blocks: int = 0
    series: int = 0
    samples: int = 0
    histogram_chunks: int = 0
    notes: list[str] = field(default_factory=list)


def import_prometheus(
    folder: Path, store: DiskMetricStore, *, progress: Callable[[str], None] = lambda _: None
) -> ImportReport:
    """Import all blocks below `folder`. Samples that are in the store already stay as they are.

    A block that cannot be read is named in the report, and the others are imported; the same folder may be imported again.
    Raises: StorageError where the folder has no blocks; DiskFull.
    """
    blocks = sorted(path for path in folder.iterdir() if path.is_dir() and is_prometheus_block(path))
    if not blocks:
        raise StorageError(f"{folder} holds no Prometheus blocks (folders with meta.json, index and chunks)")
    report = ImportReport()
    for path in blocks:
        try:
            _import_block(path, store, report)
            progress(f"{path.name}: {report.samples} samples so far")
        except (PrometheusBlockError, OSError) as err:
            report.notes.append(str(err))
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
    report.samples += store.add_block(table.take(order), stripes, names, (low * range_ms, (high + 1) * range_ms - 1))
    report.blocks += 1
    report.series += len(held)
    report.histogram_chunks += block.histogram_chunks


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
