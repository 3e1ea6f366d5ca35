"""Encode one stripe of a block: a window of time.

Its series are rows of the block's label table; their values are cut into chunks of many series, each chunk compressed as one; series
that were scraped together share one *time vector*.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from spyglass.model.arrays import I64
from spyglass.model.samples import is_stale
from spyglass.storage.metrics.buckets import NO_MARKERS, Buckets, Markers, bucket_ends, renumbered
from spyglass.storage.metrics.column_file import ColumnFileWriter
from spyglass.storage.metrics.layout import Layout
from spyglass.storage.metrics.ragged import CHUNK_SAMPLES, stretch_keys
from spyglass.storage.metrics.stripe import Stripe, stripe_key

_PCO = ChunkConfig(compression_level=8)
_NOTHING = np.zeros(0, np.int64)


class Slice(Protocol):
    """Items of neighbouring series, rows ascending. The columns of the block's layout are its attributes; every series has items."""

    @property
    def rows(self) -> I64: ...

    @property
    def offsets(self) -> I64: ...


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
    """min_ms, max_ms: of the samples, or of where buckets begin."""

    start_ms: int
    min_ms: int = 2**62
    max_ms: int = -(2**62)
    samples: int = 0
    series: int = 0


class StripeWriter:
    """`add` slices of series in order of their rows, then `finish`; or `copy` a whole stripe, then `finish`. kind: as of Stripe."""

    def __init__(self, writer: ColumnFileWriter, layout: Layout, number: int, start_ms: int, kind: str = "") -> None:
        self._writer, self._layout, self._key = writer, layout, stripe_key(number, kind)
        self.summary = StripeSummary(start_ms)
        self._values = {name: ChunkTable() for name in layout.values}
        self._times = {name: ChunkTable() for name in layout.times}
        self._rows: list[I64] = [_NOTHING]
        self._vector_of: list[I64] = [_NOTHING]
        self._vector_ids: dict[int, int] = {}
        self._pending: list[list[I64]] = []
        self._pending_items = 0
        self._lengths: list[int] = []
        self._markers: list[Markers] = [NO_MARKERS]

    def add(self, piece: Slice) -> Iterator[bytes]:
        """Write a chunk of each column of values. Rows ascend, also from call to call."""
        if isinstance(piece, Buckets) and len(piece.markers.rows):
            self._markers.append(piece.markers)
            self._note_items(bucket_ends(piece.markers.times, self._layout.resolution_ms))
        times: I64 = getattr(piece, self._layout.times[0])
        if not len(times):
            return
        yield from self._add_values(piece)
        self._rows.append(piece.rows)
        self._vector_of.append(self._vectors(piece))
        self._note_items(times)
        self.summary.series += len(piece.rows)
        if self._pending_items >= CHUNK_SAMPLES:
            yield from self._flush_times()

    def _note_items(self, times: I64) -> None:
        summary, width_ms = self.summary, self._layout.resolution_ms
        summary.min_ms = min(summary.min_ms, int(times.min()) - width_ms)
        summary.max_ms = max(summary.max_ms, int(times.max()) - width_ms)
        summary.samples += len(times)

    def _add_values(self, piece: Slice) -> Iterator[bytes]:
        """Columns that come out alike (the smallest value of a counter is its first) share their bytes."""
        written: dict[bytes, int] = {}
        for name, table in self._values.items():
            values = getattr(piece, name)
            data = compressed(values)
            stale = self._layout.stale and bool(is_stale(values).any())
            at = written.setdefault(data, self._writer.offset)
            table.note(len(piece.rows), at, data, stale=stale)
            if at == self._writer.offset:
                yield self._writer.raw(data)

    def copy(self, stripe: Stripe, row_map: I64) -> Iterator[bytes]:
        """Take over a whole stripe of another block without decoding its values. row_map: the new row of each of that block's."""
        rows = row_map[stripe.rows]
        moved: dict[int, int] = {}
        for name, table in (*self._times.items(), *self._values.items()):
            source = stripe.column(name)
            for chunk in range(len(source.first)):
                first, stop = source.item_range(chunk)
                data = source.raw(chunk)
                stale = name in self._values and stripe.stale(chunk)
                at = moved.setdefault(source.offset(chunk), self._writer.offset)
                table.note(stop - first, at, data, stale=stale)
                if at == self._writer.offset:
                    yield self._writer.raw(data)
        self._rows.append(rows)
        self._vector_of.append(stripe.vector_of.astype(np.int64))
        self._lengths = stripe.vector_lengths.tolist()
        markers = stripe.markers()
        if len(markers.rows):
            self._markers.append(renumbered(markers, row_map))
        self.summary.samples = int(stripe.lengths().sum()) + len(markers.rows)
        self.summary.series = len(rows)
        self.summary.min_ms, self.summary.max_ms = stripe.min_ms, stripe.max_ms

    def finish(self) -> Iterator[bytes]:
        if self._pending:
            yield from self._flush_times()
        writer, n = self._writer, self._key
        yield writer.array(f"rows/{n}", np.concatenate(self._rows).astype(np.int32))
        yield writer.array(f"vector_of/{n}", np.concatenate(self._vector_of).astype(np.int32))
        yield writer.array(f"lengths/{n}", np.asarray(self._lengths, np.int32))
        for name, table in (*self._times.items(), *self._values.items()):
            yield writer.array(f"{name}/{n}/first", np.asarray(table.first, np.int32))
            yield writer.array(f"{name}/{n}/at", np.asarray(table.at, np.int64))
            yield writer.array(f"{name}/{n}/size", np.asarray(table.size, np.int32))
            yield writer.array(f"{name}/{n}/crc", np.asarray(table.crc, np.uint32))
        if self._layout.resolution_ms:
            yield writer.array(f"markers/{n}/rows", np.concatenate([m.rows for m in self._markers]).astype(np.int32))
            yield writer.array(f"markers/{n}/times", np.concatenate([m.times for m in self._markers]))
        if self._layout.stale:
            yield writer.array(f"values/{n}/stale", np.asarray(self._values["values"].stale, np.uint8))

    def _vectors(self, piece: Slice) -> I64:
        """The number of each series' time vector, noting the vectors that are new."""
        columns = [getattr(piece, name) for name in self._layout.times]
        words = stretch_keys(columns[0], piece.offsets)
        for column in columns[1:]:
            words = words * np.uint64(31) + stretch_keys(column, piece.offsets)
        keys, first, inverse = np.unique(words, return_index=True, return_inverse=True)
        ids = np.empty(len(keys), np.int64)
        for at, (key, series) in enumerate(zip(keys.tolist(), first.tolist(), strict=True)):
            known = self._vector_ids.get(key)
            if known is None:
                known = self._vector_ids[key] = len(self._vector_ids)
                self._note_vector([column[piece.offsets[series] : piece.offsets[series + 1]] for column in columns])
            ids[at] = known
        return ids[inverse]

    def _note_vector(self, columns: list[I64]) -> None:
        self._pending.append(columns)
        self._pending_items += len(columns[0])
        self._lengths.append(len(columns[0]))

    def _flush_times(self) -> Iterator[bytes]:
        for number, table in enumerate(self._times.values()):
            data = compressed(np.concatenate([columns[number] for columns in self._pending]))
            table.note(len(self._pending), self._writer.offset, data)
            yield self._writer.raw(data)
        self._pending, self._pending_items = [], 0


def compressed(values: npt.NDArray[Any]) -> bytes:
    data: bytes = standalone.simple_compress(np.ascontiguousarray(values), _PCO)
    return data
