"""Read a block of a Prometheus data directory: index, chunks, tombstones.

Source: Prometheus tsdb/docs/format (index.md v2, chunks.md, tombstones.md). Nothing is verified beyond what reading needs; a block that
cannot be understood raises PrometheusBlockError.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from spyglass.formats.prometheus_chunks import XOR
from spyglass.formats.prometheus_histogram_chunk import HistogramChunkError, decode_histogram_chunk
from spyglass.formats.prometheus_xor import XorError, decode_xor_chunk
from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels, labels_of

_INDEX_MAGIC, _CHUNKS_MAGIC, _TOMBSTONES_MAGIC = 0xBAAAD700, 0x85BD40DD, 0x0130BA30


class PrometheusBlockError(ValueError):
    """The block is damaged, or of a version that is not known; names the file."""


@dataclass(frozen=True, slots=True)
class ChunkMeta:
    """Times are closed on both ends. ref: segment number << 32 | offset in it."""

    min_ms: int
    max_ms: int
    ref: int


@dataclass(slots=True)
class StoredSeries:
    """One series: its chunks in order of time, and the stretches [(min, max)] that were deleted."""

    labels: Labels
    chunks: list[ChunkMeta]
    deleted: list[tuple[int, int]] = field(default_factory=list)


class PrometheusBlock:
    """An opened block. `series` is in the index's order (by labels). Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        deleted = _read_tombstones(folder / "tombstones")
        self.series = list(_read_index(folder / "index", deleted))
        self._segments = [path for path in sorted((folder / "chunks").iterdir()) if path.name.isdigit()]
        self._open: tuple[int, bytes] = (-1, b"")

    def samples(self, series: StoredSeries, start_ms: int, end_ms: int) -> tuple[I64, F64]:
        """The float samples in [start_ms, end_ms], ascending. Raises: PrometheusBlockError."""
        times, values = [np.zeros(0, np.int64)], [np.zeros(0)]
        for chunk in series.chunks:
            if chunk.min_ms <= end_ms and chunk.max_ms >= start_ms:
                encoding, data = self._chunk(chunk.ref)
                if encoding == XOR:
                    some_times, some_values = self._floats(chunk.ref, data)
                    times.append(some_times)
                    values.append(some_values)
        all_times, all_values = np.concatenate(times), np.concatenate(values)
        keep = (all_times >= start_ms) & (all_times <= end_ms)
        for low, high in series.deleted:
            keep &= (all_times < low) | (all_times > high)
        # Overlapping chunks of one series hold the same samples.
        unique, first = np.unique(all_times[keep], return_index=True)
        return unique, all_values[keep][first]

    def histograms(self, series: StoredSeries) -> list[tuple[int, FloatHistogram]]:
        """All native histograms (time in ms, histogram), ascending. Raises: PrometheusBlockError."""
        found: dict[int, FloatHistogram] = {}
        for chunk in series.chunks:
            encoding, data = self._chunk(chunk.ref)
            if encoding == XOR:
                continue
            try:
                for time_ms, histogram in decode_histogram_chunk(data, encoding):
                    if not any(low <= time_ms <= high for low, high in series.deleted):
                        found.setdefault(time_ms, histogram)
            except HistogramChunkError as err:
                raise PrometheusBlockError(f"{self.folder}: chunk {chunk.ref:#x}: {err}") from err
        return sorted(found.items())

    def _chunk(self, ref: int) -> tuple[int, bytes]:
        """(encoding, data)."""
        segment = self._segment(ref >> 32)
        length, at = _uvarint(segment, ref & 0xFFFFFFFF)
        return segment[at], segment[at + 1 : at + 1 + length]

    def _floats(self, ref: int, data: bytes) -> tuple[I64, F64]:
        try:
            return decode_xor_chunk(data)
        except XorError as err:
            raise PrometheusBlockError(f"{self.folder}: chunk {ref:#x}: {err}") from err

    def _segment(self, number: int) -> bytes:
        if self._open[0] != number:
            if number >= len(self._segments):
                raise PrometheusBlockError(f"{self.folder}/chunks: segment {number + 1} is missing")
            data = self._segments[number].read_bytes()
            if len(data) < 8 or struct.unpack_from(">I", data)[0] != _CHUNKS_MAGIC:
                raise PrometheusBlockError(f"{self._segments[number]}: not a segment of chunks")
            self._open = (number, data)
        return self._open[1]


def is_prometheus_block(folder: Path) -> bool:
    """Whether a folder of a data directory is a block: it holds meta.json, index and chunks."""
    return all((folder / name).exists() for name in ("meta.json", "index", "chunks"))


def in_order_end_ms(folder: Path) -> int | None:
    """Where the block's in-order samples end (exclusive); None for a block of late samples, or one that does not say.

    What the write-ahead log holds of the time before is in blocks, or was deleted from them.
    """
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        late = "from-out-of-order" in (meta.get("compaction", {}).get("hints") or ())
        return None if late else int(meta["maxTime"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_index(path: Path, deleted: dict[int, list[tuple[int, int]]]) -> Iterator[StoredSeries]:
    data = path.read_bytes()
    if len(data) < 57 or struct.unpack_from(">I", data)[0] != _INDEX_MAGIC or data[4] != 2:
        raise PrometheusBlockError(f"{path}: not an index of version 2")
    try:
        yield from _read_all_series(data, deleted)
    except (IndexError, struct.error, ValueError) as err:
        raise PrometheusBlockError(f"{path}: the index is damaged: {err}") from err


def _read_all_series(data: bytes, deleted: dict[int, list[tuple[int, int]]]) -> Iterator[StoredSeries]:
    contents = struct.unpack_from(">6Q", data, len(data) - 52)
    symbols = _read_symbols(data, contents[0])
    end = min(offset for offset in (*contents[2:], len(data) - 52) if offset > contents[1])
    # Each entry begins at a multiple of 16.
    at = -(-contents[1] // 16) * 16
    while at + 16 <= end:
        length, start = _uvarint(data, at)
        if length == 0:
            break
        series = _read_series(data, start, symbols)
        series.deleted = deleted.get(at // 16, [])
        yield series
        at = -(-(start + length + 4) // 16) * 16


def _read_symbols(data: bytes, offset: int) -> list[str]:
    (count,) = struct.unpack_from(">I", data, offset + 4)
    symbols, at = [], offset + 8
    for _ in range(count):
        length, at = _uvarint(data, at)
        symbols.append(data[at : at + length].decode("utf-8", "replace"))
        at += length
    return symbols


def _read_series(data: bytes, at: int, symbols: list[str]) -> StoredSeries:
    count, at = _uvarint(data, at)
    pairs = []
    for _ in range(count):
        name, at = _uvarint(data, at)
        value, at = _uvarint(data, at)
        pairs.append((symbols[name], symbols[value]))
    count, at = _uvarint(data, at)
    chunks: list[ChunkMeta] = []
    for number in range(count):
        if number == 0:
            low, at = _varint(data, at)
            span, at = _uvarint(data, at)
            ref, at = _uvarint(data, at)
        else:
            gap, at = _uvarint(data, at)
            span, at = _uvarint(data, at)
            step, at = _varint(data, at)
            low, ref = chunks[-1].max_ms + gap, chunks[-1].ref + step
        chunks.append(ChunkMeta(low, low + span, ref))
    return StoredSeries(labels_of(pairs), chunks)


def _read_tombstones(path: Path) -> dict[int, list[tuple[int, int]]]:
    """By series reference (offset in the index / 16). A file that is not there means that nothing was deleted."""
    found: dict[int, list[tuple[int, int]]] = {}
    data = path.read_bytes() if path.exists() else b""
    if len(data) <= 9:
        return found
    if struct.unpack_from(">I", data)[0] != _TOMBSTONES_MAGIC or data[4] != 1:
        raise PrometheusBlockError(f"{path}: not tombstones of version 1")
    at = 5
    while at < len(data) - 4:
        ref, at = _uvarint(data, at)
        low, at = _varint(data, at)
        high, at = _varint(data, at)
        found.setdefault(ref, []).append((low, high))
    return found


def _uvarint(data: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        at += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, at
        shift += 7


def _varint(data: bytes, at: int) -> tuple[int, int]:
    found, at = _uvarint(data, at)
    return found >> 1 ^ -(found & 1), at
