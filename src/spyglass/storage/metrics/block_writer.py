"""Write a block: the samples of many series over one or more stripes. Format: docs/formats/metrics-block.md.

A *stripe* is one window of time (`block_range_ms`). Its series are rows of the block's label table; their values are cut
into chunks of many series, each chunk compressed as one; series that were scraped together share one *time vector*.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from spyglass.model.arrays import I64
from spyglass.model.labels import LabelTable
from spyglass.model.samples import is_stale
from spyglass.protocols.files import Files
from spyglass.storage.metrics.column_file import ColumnFileWriter
from spyglass.storage.metrics.label_columns import write_labels
from spyglass.storage.metrics.ragged import CHUNK_SAMPLES, Ragged, vector_keys
from spyglass.storage.metrics.stripe import Stripe

MAGIC = b"SPYBLOCK"
_PCO = ChunkConfig(compression_level=8)

HistogramRow = tuple[int, int, object]
"""(row, time_ms, JSON-ready histogram)."""


@dataclass(slots=True)
class ChunkTable:
    """Where the chunks of one column of one stripe are. first: the item that each chunk begins with."""

    first: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    crc: list[int] = field(default_factory=list)
    stale: list[bool] = field(default_factory=list)
    items: int = 0

    def note(self, items: int, at: int, data: bytes, *, stale: bool = False) -> None:
        self.first.append(self.items)
        self.at.append(at)
        self.size.append(len(data))
        self.crc.append(zlib.crc32(data))
        self.stale.append(stale)
        self.items += items


@dataclass(slots=True)
class StripeSummary:
    start_ms: int
    min_ms: int = 2**62
    max_ms: int = -(2**62)
    samples: int = 0
    series: int = 0


class StripeWriter:
    """Encodes one stripe. `add` slices of series in order of their rows, then `finish`."""

    def __init__(self, writer: ColumnFileWriter, number: int, start_ms: int) -> None:
        self._writer, self._number = writer, number
        self.summary = StripeSummary(start_ms)
        self._values, self._times = ChunkTable(), ChunkTable()
        self._rows: list[I64] = []
        self._vector_of: list[I64] = []
        self._vector_ids: dict[int, int] = {}
        self._pending: list[I64] = []
        self._pending_samples = 0
        self._lengths: list[int] = []

    def add(self, ragged: Ragged) -> Iterator[bytes]:
        """Write one chunk. Every series has samples; rows ascend, also from call to call."""
        data = compressed(ragged.values)
        self._values.note(len(ragged.rows), self._writer.offset, data, stale=bool(is_stale(ragged.values).any()))
        yield self._writer.raw(data)
        self._rows.append(ragged.rows)
        self._vector_of.append(self._vectors(ragged))
        summary = self.summary
        summary.min_ms = min(summary.min_ms, int(ragged.times.min()))
        summary.max_ms = max(summary.max_ms, int(ragged.times.max()))
        summary.samples += len(ragged.times)
        summary.series += len(ragged.rows)
        if self._pending_samples >= CHUNK_SAMPLES:
            yield self._flush_times()

    def copy(self, stripe: Stripe, rows: I64) -> Iterator[bytes]:
        """Take over a whole stripe of another block without decoding its values. rows: its series' rows here, in the stripe's order."""
        for source, table in ((stripe.times, self._times), (stripe.values, self._values)):
            for chunk in range(len(source.first)):
                first, stop = source.item_range(chunk)
                data = source.raw(chunk)
                stale = source is stripe.values and stripe.stale(chunk)
                table.note(stop - first, self._writer.offset, data, stale=stale)
                yield self._writer.raw(data)
        self._rows.append(rows)
        self._vector_of.append(stripe.vector_of.astype(np.int64))
        self._lengths = stripe.vector_lengths.tolist()
        self.summary.samples = int(stripe.lengths().sum())
        self.summary.series = len(rows)
        self.summary.min_ms, self.summary.max_ms = stripe.min_ms, stripe.max_ms

    def finish(self) -> Iterator[bytes]:
        if self._pending:
            yield self._flush_times()
        writer, n = self._writer, self._number
        yield writer.array(f"rows/{n}", np.concatenate(self._rows).astype(np.int32))
        yield writer.array(f"vector_of/{n}", np.concatenate(self._vector_of).astype(np.int32))
        yield writer.array(f"lengths/{n}", np.asarray(self._lengths, np.int32))
        for name, table in (("times", self._times), ("values", self._values)):
            yield writer.array(f"{name}/{n}/first", np.asarray(table.first, np.int32))
            yield writer.array(f"{name}/{n}/at", np.asarray(table.at, np.int64))
            yield writer.array(f"{name}/{n}/size", np.asarray(table.size, np.int32))
            yield writer.array(f"{name}/{n}/crc", np.asarray(table.crc, np.uint32))
        yield writer.array(f"values/{n}/stale", np.asarray(self._values.stale, np.uint8))

    def _vectors(self, ragged: Ragged) -> I64:
        """The number of each series' time vector, noting the vectors that are new."""
        keys, first, inverse = np.unique(vector_keys(ragged), return_index=True, return_inverse=True)
        ids = np.empty(len(keys), np.int64)
        for at, (key, series) in enumerate(zip(keys.tolist(), first.tolist(), strict=True)):
            known = self._vector_ids.get(key)
            if known is None:
                known = self._vector_ids[key] = len(self._vector_ids)
                self._note_vector(ragged.times[ragged.offsets[series] : ragged.offsets[series + 1]])
            ids[at] = known
        return ids[inverse]

    def _note_vector(self, times: I64) -> None:
        self._pending.append(times)
        self._pending_samples += len(times)
        self._lengths.append(len(times))

    def _flush_times(self) -> bytes:
        data = compressed(np.concatenate(self._pending))
        self._times.note(len(self._pending), self._writer.offset, data)
        self._pending, self._pending_samples = [], 0
        return self._writer.raw(data)


@dataclass(frozen=True, slots=True)
class StripeSource:
    """A stripe to write. slices: of its series in order of block rows, each of about CHUNK_SAMPLES samples."""

    start_ms: int
    slices: Callable[[], Iterable[Ragged]]
    copied: "tuple[Stripe, I64] | None" = None
    """A stripe to copy as it is, and the new row of each of its series; slices are then not asked for."""


def write_block(
    path: Path,
    files: Files,
    table: LabelTable,
    stripes: Iterable[StripeSource],
    *,
    meta: Mapping[str, object],
    histograms: Iterable[HistogramRow] = (),
) -> int:
    """Publish a block under `path`, all or nothing; memory is bounded by a chunk and the label table. Returns its size.

    meta: what else belongs into the block's description (see docs/formats). Raises: DiskFull, StorageError.
    """
    writer = ColumnFileWriter(MAGIC)
    files.write_atomic(path, _block_bytes(writer, table, stripes, meta, histograms))
    return writer.offset


def _block_bytes(
    writer: ColumnFileWriter,
    table: LabelTable,
    stripes: Iterable[StripeSource],
    meta: Mapping[str, object],
    histograms: Iterable[HistogramRow],
) -> Iterator[bytes]:
    yield writer.start()
    summaries: list[StripeSummary] = []
    for source in stripes:
        stripe = StripeWriter(writer, len(summaries), source.start_ms)
        if source.copied is not None:
            yield from stripe.copy(*source.copied)
        else:
            for ragged in source.slices():
                if len(ragged.times):
                    yield from stripe.add(ragged)
        if stripe.summary.samples:
            yield from stripe.finish()
            summaries.append(stripe.summary)
    rows = list(histograms)
    if rows:
        yield writer.json("histograms", rows)
    yield from write_labels(writer, table)
    times = [time for _, time, _ in rows]
    yield writer.finish(
        {
            **meta,
            "series": table.size,
            "samples": sum(s.samples for s in summaries) + len(rows),
            "min_ms": min([*(s.min_ms for s in summaries), *times], default=0),
            "max_ms": max([*(s.max_ms for s in summaries), *times], default=0),
            "histogram_range": [min(times), max(times)] if times else None,
            "stripes": [[s.start_ms, s.min_ms, s.max_ms, s.samples, s.series] for s in summaries],
        }
    )


def compressed(values: npt.NDArray[np.generic]) -> bytes:
    data: bytes = standalone.simple_compress(np.ascontiguousarray(values), _PCO)
    return data
