"""The journal's record of native histograms: the columns of a batch. Format: docs/formats/metrics-wal.md.

    0  kind (6)                  4  n u32, histograms      8  l u32, layouts      12  b u32, bucket counts
    then zstd of: references i64[n], times i64[n], numbers f64[n,3], counts f64[b], layout of each u32[n], hints u8[n], layouts

A layout is schema i32, the numbers of positive and negative buckets and of custom bounds u32 each, zero threshold f64, then the buckets'
indexes i64 and the bounds f64. All is little-endian. What histograms have in common is written once, so a batch of many costs little more
than its counts.
"""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import zstandard

from spyglass.model.errors import CorruptData
from spyglass.model.histograms import CUSTOM_SCHEMA, MAX_SCHEMA, MIN_SCHEMA, ResetHint
from spyglass.storage.metrics.histogram_columns import HistogramColumns, HistogramLayout
from spyglass.storage.metrics.ragged import offsets_of

HISTOGRAM_COLUMNS = 6

_HEAD = struct.Struct("<BxxxIII")
_LAYOUT = struct.Struct("<iIIId")
_RECORD_BYTES_MAX = 256 << 20


def encode_histograms(columns: HistogramColumns) -> bytes:
    """columns.rows: references."""
    parts = (
        columns.rows.astype("<i8"),
        columns.times.astype("<i8"),
        columns.numbers.astype("<f8"),
        columns.buckets.astype("<f8"),
        columns.layout_of.astype("<u4"),
        columns.hints,
    )
    body = b"".join([*(part.tobytes() for part in parts), *map(_encode_layout, columns.layouts)])
    head = _HEAD.pack(HISTOGRAM_COLUMNS, columns.size, len(columns.layouts), len(columns.buckets))
    return head + zstandard.compress(body, 1)


def _encode_layout(layout: HistogramLayout) -> bytes:
    sizes = len(layout.positive), len(layout.negative), len(layout.custom_values)
    head = _LAYOUT.pack(layout.schema, *sizes, layout.zero_threshold)
    indexes = layout.positive.astype("<i8").tobytes() + layout.negative.astype("<i8").tobytes()
    return head + indexes + np.asarray(layout.custom_values, "<f8").tobytes()


def decode_histograms(record: bytes) -> HistogramColumns:
    """rows: references. Raises: CorruptData."""
    try:
        _, size, layouts, buckets = _HEAD.unpack_from(record)
        body = _Body(zstandard.decompress(memoryview(record)[_HEAD.size :], max_output_size=_RECORD_BYTES_MAX))
        refs, times = body.take("<i8", size), body.take("<i8", size)
        numbers, counts = body.take("<f8", size * 3).reshape(-1, 3), body.take("<f8", buckets)
        layout_of = body.take("<u4", size).astype(np.int64)
        hints = body.take("<u1", size)
        known = list(body.layouts(layouts))
        sizes = np.asarray([layout.size for layout in known], np.int64)
        lengths = sizes[layout_of] if size else np.zeros(0, np.int64)
    except (struct.error, zstandard.ZstdError, ValueError, IndexError) as err:
        raise CorruptData(f"a record of native histograms cannot be read: {err}") from None
    if int(lengths.sum()) != buckets or (size and int(hints.max()) > max(ResetHint)):
        raise CorruptData("a record of native histograms cannot be read: its parts do not fit together")
    return HistogramColumns(refs, times, known, layout_of, hints, numbers, offsets_of(lengths), counts)


class _Body:
    """Reads on and on. Raises ValueError and struct.error where there is no more."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, kind: str, count: int) -> Any:
        """[count] of a dtype; a view."""
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found

    def layouts(self, count: int) -> Iterator[HistogramLayout]:
        for _ in range(count):
            schema, positive, negative, custom, threshold = _LAYOUT.unpack_from(self._data, self._at)
            if schema != CUSTOM_SCHEMA and not MIN_SCHEMA <= schema <= MAX_SCHEMA:
                raise ValueError(f"schema {schema}")
            self._at += _LAYOUT.size
            indexes = self.take("<i8", positive), self.take("<i8", negative)
            yield HistogramLayout(schema, threshold, *indexes, tuple(self.take("<f8", custom).tolist()))
