"""What a Prometheus head held: its write-ahead log and the chunks it had mapped from disk, put together as a restart would.

Samples lie in arrays by window of time, about 20 bytes each. Source: Prometheus tsdb/head_wal.go.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spyglass.formats.prometheus_chunks import XOR
from spyglass.formats.prometheus_head_chunks import HeadChunk, read_head_chunks
from spyglass.formats.prometheus_histogram_chunk import HistogramChunkError, decode_histogram_chunk
from spyglass.formats.prometheus_wal import WalReport, read_records, wal_segments
from spyglass.formats.prometheus_wal_records import (
    ExemplarsRecord,
    HistogramsRecord,
    MetadataRecord,
    Record,
    SamplesRecord,
    SeriesRecord,
    TombstonesRecord,
    WalRecordError,
    decode_record,
)
from spyglass.formats.prometheus_xor import XorError, decode_xor_chunk
from spyglass.model.arrays import F64, I32, I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.samples import Exemplar, Metadata
from spyglass.storage.metrics.ragged import Ragged, offsets_of

Columns = tuple[I32, I64, F64]
"""rows, times, values."""


@dataclass(slots=True)
class PrometheusHead:
    """Rows are numbers of `labels`. windows: samples by start of window, in order of arrival. notes: what could not be read.

    unknown: samples of series that the log does not name.
    """

    range_ms: int
    from_ms: int
    labels: list[Labels] = field(default_factory=list)
    windows: dict[int, list[Columns]] = field(default_factory=dict)
    histograms: dict[tuple[int, int], FloatHistogram] = field(default_factory=dict)
    exemplars: list[tuple[int, Exemplar]] = field(default_factory=list)
    metadata: dict[str, Metadata] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    records: int = 0
    unknown: int = 0
    _row_of_labels: dict[Labels, int] = field(default_factory=dict)
    _row_of_ref: dict[int, int] = field(default_factory=dict)
    _rows_by_ref: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    _deleted: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def rows(self) -> I64:
        """The rows that have samples, ascending."""
        held = [np.unique(rows) for parts in self.windows.values() for rows, _, _ in parts]
        return np.unique(np.concatenate([*held, np.asarray([row for row, _ in self.histograms], np.int64)]))

    def window(self, start_ms: int, rank: I64) -> Ragged:
        """A window's samples, rows and times ascending. rank: the new row of each row. Of two at one place the first to arrive stays."""
        parts = self.windows[start_ms]
        rows = rank[np.concatenate([rows for rows, _, _ in parts])]
        times = np.concatenate([times for _, times, _ in parts])
        order = np.lexsort((times, rows))
        rows, times = rows[order], times[order]
        keep = np.append(True, (rows[1:] != rows[:-1]) | (times[1:] != times[:-1]))
        for row, spans in self._deleted.items():
            start, end = np.searchsorted(rows, [rank[row], rank[row] + 1]).tolist()
            for low, high in spans:
                first, last = np.searchsorted(times[start:end], [low, high + 1]).tolist()
                keep[start + first : start + last] = False
        held, counts = np.unique(rows[keep], return_counts=True)
        values = np.concatenate([values for _, _, values in parts])[order[keep]]
        return Ragged(held, offsets_of(counts), times[keep], values)

    # Reading.

    def note_series(self, series: list[tuple[int, Labels]]) -> None:
        for ref, labels in series:
            row = self._row_of_labels.setdefault(labels, len(self.labels))
            if row == len(self.labels):
                self.labels.append(labels)
            self._row_of_ref[ref] = row
        self._rows_by_ref = np.zeros(0, np.int64)

    def add(self, refs: I64, times: I64, values: F64) -> None:
        rows = self._rows(refs)
        known = rows >= 0
        self.unknown += int((~known).sum())
        keep = known & (times >= self.from_ms)
        self.put(rows[keep].astype(np.int32), times[keep], values[keep])

    def put(self, rows: I32, times: I64, values: F64) -> None:
        starts = times - times % self.range_ms
        for start in np.unique(starts).tolist():
            inside = starts == start
            self.windows.setdefault(start, []).append((rows[inside], times[inside], values[inside]))

    def add_histogram(self, ref: int, time_ms: int, histogram: FloatHistogram) -> None:
        row = self._row_of_ref.get(ref, -1)
        self.unknown += row < 0
        if row >= 0 and time_ms >= self.from_ms:
            self.histograms.setdefault((row, time_ms), histogram)

    def note_deleted(self, deleted: list[tuple[int, int, int]]) -> None:
        for ref, first, last in deleted:
            row = self._row_of_ref.get(ref)
            if row is not None and last >= self.from_ms:
                self._deleted.setdefault(row, []).append((first, last))

    def note_exemplars(self, exemplars: list[tuple[int, Exemplar]]) -> None:
        self.exemplars += [(self._row_of_ref[ref], one) for ref, one in exemplars if ref in self._row_of_ref]

    def note_metadata(self, metadata: list[tuple[int, Metadata]]) -> None:
        for ref, one in metadata:
            row = self._row_of_ref.get(ref)
            if row is not None:
                self.metadata[dict(self.labels[row]).get(METRIC_NAME, "")] = one

    def forget_deleted(self) -> None:
        """Drop the histograms that tombstones hide, also those that are in the log after them; `window` drops the floats."""
        for row, time_ms in list(self.histograms):
            if any(low <= time_ms <= high for low, high in self._deleted.get(row, ())):
                del self.histograms[row, time_ms]

    def _rows(self, refs: I64) -> I64:
        """-1 where a series is not known. Numbers of series are small: a table is the fastest dictionary."""
        if not len(self._rows_by_ref):
            self._rows_by_ref = _table(self._row_of_ref)
        inside = (refs >= 0) & (refs < len(self._rows_by_ref))
        return np.where(inside, self._rows_by_ref[np.where(inside, refs, 0)], -1)


def _table(row_of_ref: dict[int, int]) -> I64:
    table = np.full(max(row_of_ref, default=0) + 1, -1, np.int64)
    table[np.fromiter(row_of_ref.keys(), np.int64)] = np.fromiter(row_of_ref.values(), np.int64)
    return table


def read_prometheus_head(folder: Path, *, from_ms: int, range_ms: int) -> PrometheusHead:
    """Read wal, wbl and chunks_head below `folder`. from_ms: what is older is in blocks. A torn log ends early, and a note says where."""
    head = PrometheusHead(range_ms, from_ms)
    report = WalReport()
    for record in _records(folder / "wal", report, head.notes):
        _apply(record, head)
    # What came late is in a log of its own, which names the series of the first.
    head.from_ms = -(2**62)
    for record in _records(folder / "wbl", report, head.notes):
        _apply(record, head)
    for chunk in read_head_chunks(folder / "chunks_head", head.notes):
        head.from_ms = -(2**62) if chunk.out_of_order else from_ms
        _add_chunk(chunk, head)
    head.forget_deleted()
    head.notes[:0] = report.notes
    head.records = report.records
    if head.unknown:
        head.notes.append(
            f"{folder / 'wal'}: {head.unknown} samples of series that the log does not name were left out"
        )
    return head


def _records(folder: Path, report: WalReport, notes: list[str]) -> Iterator[Record]:
    for data in read_records(wal_segments(folder), report):
        try:
            record = decode_record(data)
        except WalRecordError as err:
            notes.append(f"{folder}: {err}")
            continue
        if record is not None:
            yield record


def _apply(record: Record, head: PrometheusHead) -> None:
    match record:
        case SamplesRecord():
            head.add(record.refs, record.times, record.values)
        case SeriesRecord():
            head.note_series(record.series)
        case HistogramsRecord():
            for ref, time_ms, histogram in record.samples:
                head.add_histogram(ref, time_ms, histogram)
        case TombstonesRecord():
            head.note_deleted(record.deleted)
        case ExemplarsRecord():
            head.note_exemplars(record.exemplars)
        case MetadataRecord():
            head.note_metadata(record.metadata)


def _add_chunk(found: HeadChunk, head: PrometheusHead) -> None:
    try:
        if found.chunk.encoding == XOR:
            times, values = decode_xor_chunk(found.chunk.data)
            head.add(np.full(len(times), found.ref, np.int64), times, values)
            return
        for time_ms, histogram in decode_histogram_chunk(found.chunk.data, found.chunk.encoding):
            head.add_histogram(found.ref, time_ms, histogram)
    except (XorError, HistogramChunkError) as err:
        head.notes.append(f"a head chunk of series {found.ref}: {err}")
