"""Native histograms in a block: written in chunks, found again by row and time. Format: docs/formats/metrics-block.md."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.storage.metrics.column_file import ColumnFile, ColumnFileWriter
from spyglass.storage.metrics.histogram_chunks import BadChunk, decode_chunk, encode_chunk
from spyglass.storage.metrics.histogram_codec import decode_histogram
from spyglass.storage.metrics.histogram_columns import (
    NO_HISTOGRAMS,
    HistogramColumns,
    HistogramLayout,
    LayoutKey,
    columns_of,
    joined,
    ordered,
)
from spyglass.storage.metrics.stripe import OnCorrupt

CHUNK_NUMBERS = 65_536
"""Counts in a chunk, about: 500 KiB decoded. Larger chunks compress a little better and make reading one series dearer."""

_TABLES = ("first_row", "last_row", "min_ms", "max_ms", "size", "at", "bytes", "crc")


@dataclass(slots=True)
class HistogramWriter:
    """Encodes a block's histograms. `add` them by row and time, then `finish`. count, min_ms, max_ms: of all of them."""

    writer: ColumnFileWriter
    count: int = 0
    min_ms: int = 2**62
    max_ms: int = -(2**62)
    _tables: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in _TABLES})
    _layouts: dict[LayoutKey, tuple[int, HistogramLayout]] = field(default_factory=dict)

    def add(self, columns: HistogramColumns) -> Iterator[bytes]:
        """Rows and times ascend, also from call to call."""
        renamed = np.zeros(len(columns.layouts), np.int64)
        for at in np.unique(columns.layout_of).tolist():
            renamed[at] = self._number(columns.layouts[at])
        for start, end in _chunk_bounds(columns.offsets):
            part = columns.take(np.arange(start, end))
            part = replace(part, layouts=(), layout_of=renamed[part.layout_of])
            data = encode_chunk(part)
            self._note(part, data)
            yield self.writer.raw(data)

    def finish(self) -> Iterator[bytes]:
        for name, values in self._tables.items():
            yield self.writer.array(f"histograms/{name}", np.asarray(values, np.int64))
        yield self.writer.json("histograms/layouts", [_layout_json(layout) for _, layout in self._layouts.values()])

    def _number(self, layout: HistogramLayout) -> int:
        return self._layouts.setdefault(layout.key(), (len(self._layouts), layout))[0]

    def _note(self, part: HistogramColumns, data: bytes) -> None:
        low, high = int(part.times.min()), int(part.times.max())
        self.count += part.size
        self.min_ms, self.max_ms = min(self.min_ms, low), max(self.max_ms, high)
        found = (part.rows[0], part.rows[-1], low, high, part.size, self.writer.offset, len(data), zlib.crc32(data))
        for name, value in zip(_TABLES, found, strict=True):
            self._tables[name].append(int(value))


def _chunk_bounds(offsets: I64) -> Iterator[tuple[int, int]]:
    """Cut histograms into neighbours of about CHUNK_NUMBERS counts; those without buckets count too."""
    weights = np.cumsum(np.diff(offsets) + 4)
    start = 0
    while start < len(weights):
        before = int(weights[start - 1]) if start else 0
        end = max(int(np.searchsorted(weights, before + CHUNK_NUMBERS, side="right")), start + 1)
        yield start, end
        start = end


class StoredHistograms:
    """The histograms of an open block. Thread-safe: tables are read once, or twice at worst."""

    def __init__(self, file: ColumnFile) -> None:
        self._file = file
        self._tables: dict[str, I64] | None = None
        self._layouts: list[HistogramLayout] = []

    def counts(self, series: int) -> I64:
        """About how many histograms each row has [S]: a chunk's are spread over its rows. Not less than one where there is one.

        Raises: CorruptData.
        """
        if "histograms" in self._file:
            return np.bincount(self._version_1().rows, minlength=series)
        out = np.zeros(series, np.int64)
        tables = self._read_tables()
        for first, last, size in zip(
            *(tables[name].tolist() for name in ("first_row", "last_row", "size")), strict=True
        ):
            out[first : last + 1] += -(-size // (last - first + 1))
        return out

    def read(self, rows: I64 | None, start_ms: int, end_ms: int, on_corrupt: OnCorrupt) -> HistogramColumns:
        """Those of some rows (ascending; None: of all) in the closed range, by row and time; damaged chunks are told and left out.

        Raises: CorruptData where the tables cannot be read.
        """
        if "histograms" in self._file:
            return _chosen(self._version_1(), rows, start_ms, end_ms)
        parts = []
        for number in self._chunks_of(rows, start_ms, end_ms):
            try:
                parts.append(_chosen(self._chunk(number), rows, start_ms, end_ms))
            except CorruptData as err:
                on_corrupt(err)
        return joined(parts) if parts else NO_HISTOGRAMS

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """(first row, last row, newest ms) of each chunk. Raises: CorruptData."""
        if "histograms" in self._file:
            columns = self._version_1()
            yield from zip(columns.rows.tolist(), columns.rows.tolist(), columns.times.tolist(), strict=True)
            return
        tables = self._read_tables()
        yield from zip(*(tables[name].tolist() for name in ("first_row", "last_row", "max_ms")), strict=True)

    def _chunks_of(self, rows: I64 | None, start_ms: int, end_ms: int) -> list[int]:
        tables = self._read_tables()
        wanted = (tables["max_ms"] >= start_ms) & (tables["min_ms"] <= end_ms)
        if rows is not None:
            low = np.searchsorted(rows, tables["first_row"])
            wanted &= low < np.searchsorted(rows, tables["last_row"], side="right")
        return np.flatnonzero(wanted).tolist()

    def _chunk(self, number: int) -> HistogramColumns:
        tables = self._read_tables()
        at, size, crc = (int(tables[name][number]) for name in ("at", "bytes", "crc"))
        try:
            return decode_chunk(self._file.read(at, size, crc), self._layouts)
        except BadChunk as err:
            raise self._file.corrupt(f"the histograms at offset {at}: {err}") from err

    def _read_tables(self) -> dict[str, I64]:
        if self._tables is None:
            if "histograms/at" not in self._file:
                return {name: np.zeros(0, np.int64) for name in _TABLES}
            self._layouts = [_layout_of(one) for one in self._file.json("histograms/layouts")]
            self._tables = {name: self._file.array(f"histograms/{name}") for name in _TABLES}
        return self._tables

    def _version_1(self) -> HistogramColumns:
        """All in one JSON column."""
        rows = self._file.json("histograms")
        return ordered(columns_of((row, time_ms, decode_histogram(encoded)) for row, time_ms, encoded in rows))


def _chosen(columns: HistogramColumns, rows: I64 | None, start_ms: int, end_ms: int) -> HistogramColumns:
    keep = (columns.times >= start_ms) & (columns.times <= end_ms)
    if rows is not None:
        keep &= np.isin(columns.rows, rows)
    return columns if keep.all() else columns.take(np.flatnonzero(keep))


def _layout_json(layout: HistogramLayout) -> list[object]:
    """[schema, bits of the zero threshold, positive indices, negative indices, bits of the custom bounds]; indices as [first, steps...]."""
    return [
        layout.schema,
        _bits(layout.zero_threshold),
        np.diff(layout.positive, prepend=0).tolist(),
        np.diff(layout.negative, prepend=0).tolist(),
        [_bits(bound) for bound in layout.custom_values],
    ]


def _layout_of(value: Any) -> HistogramLayout:
    schema, threshold, positive, negative, bounds = value
    return HistogramLayout(
        schema,
        _double(threshold),
        np.cumsum(np.asarray(positive, np.int64)),
        np.cumsum(np.asarray(negative, np.int64)),
        tuple(_double(bound) for bound in bounds),
    )


def _bits(value: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return bits


def _double(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value
