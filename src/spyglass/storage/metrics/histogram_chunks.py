"""A chunk of native histograms as bytes. Drawn in docs/formats/metrics-block.md.

Histograms that follow each other in one row with one layout are a group; a group's counts lie bucket by bucket, each bucket's counts in
order of time, so that neighbours differ by little. Whole counts are compressed as integers, others as floats.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, standalone

from spyglass.model.arrays import F64, I64
from spyglass.storage.metrics.histogram_columns import HistogramColumns, HistogramLayout
from spyglass.storage.metrics.ragged import offsets_of

_HEAD = struct.Struct("<IB3x8I")
"""Histograms, flags, sizes of the parts."""

_WHOLE = 1
_WHOLE_MAX = 2.0**53
_PCO = ChunkConfig(compression_level=8)


class BadChunk(ValueError):
    """The bytes are not a chunk."""


def encode_chunk(columns: HistogramColumns) -> bytes:
    """columns: by row and time."""
    first = np.flatnonzero(np.diff(columns.rows, prepend=columns.rows[0] - 1))
    counts = np.ascontiguousarray(columns.numbers[:, :2].T)
    buckets = columns.buckets[_bucket_order(columns.rows, columns.layout_of, columns.offsets)]
    whole = _is_whole(counts) and _is_whole(buckets)
    if whole:
        # A count is all buckets together, as a rule: what is over compresses to nothing. Overflows undo themselves.
        counts = counts.astype(np.int64)
        counts[0] -= counts[1] + _bucket_totals(columns.buckets, columns.offsets)
    parts = [
        _packed(columns.rows[first].astype(np.int32)),
        _packed(np.diff(np.append(first, columns.size)).astype(np.int32)),
        _packed(columns.times),
        _packed(columns.layout_of.astype(np.int32)),
        columns.hints.tobytes(),
        _packed(np.ascontiguousarray(columns.numbers[:, 2])),
        _packed(counts.ravel()),
        _packed(buckets.astype(np.int64) if whole else buckets),
    ]
    head = _HEAD.pack(columns.size, _WHOLE if whole else 0, *(len(part) for part in parts))
    return b"".join([head, *parts])


def decode_chunk(data: bytes, layouts: list[HistogramLayout]) -> HistogramColumns:
    """Raises: BadChunk."""
    try:
        size, flags, *sizes = _HEAD.unpack_from(data)
        ends = _HEAD.size + np.cumsum([0, *sizes])
        parts = [data[start:end] for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
        number = np.dtype(np.int64 if flags & _WHOLE else np.float64)
        rows = np.repeat(_unpacked(parts[0], np.int32), _unpacked(parts[1], np.int32)).astype(np.int64)
        layout_of = _unpacked(parts[3], np.int32).astype(np.int64)
        counts = _unpacked(parts[6], number).reshape(2, size).copy()
        sums = _unpacked(parts[5], np.float64)
        offsets = offsets_of(np.asarray([layout.size for layout in layouts], np.int64)[layout_of])
        buckets = np.empty(int(offsets[-1]))
        buckets[_bucket_order(rows, layout_of, offsets)] = _unpacked(parts[7], number)
        if flags & _WHOLE:
            counts[0] += counts[1] + _bucket_totals(buckets, offsets)
        hints = np.frombuffer(parts[4], np.uint8)
        times = _unpacked(parts[2], np.int64)
        return HistogramColumns(
            rows,
            times,
            layouts,
            layout_of,
            hints,
            np.stack([*counts.astype(np.float64), sums], axis=1),
            offsets,
            buckets,
        )
    except (struct.error, ValueError, IndexError, TypeError, RuntimeError) as err:
        raise BadChunk(str(err)) from err


def _bucket_order(rows: I64, layout_of: I64, offsets: I64) -> I64:
    """Where each number of the stored order is in `buckets`: group by group, bucket by bucket, in order of time."""
    if not len(rows):
        return np.zeros(0, np.int64)
    same = (rows[1:] == rows[:-1]) & (layout_of[1:] == layout_of[:-1])
    bounds = np.concatenate([[0], np.flatnonzero(~same) + 1, [len(rows)]])
    parts = []
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        low, high = int(offsets[start]), int(offsets[end])
        parts.append(np.arange(low, high).reshape(end - start, -1).T.ravel())
    return np.concatenate(parts)


def _bucket_totals(buckets: F64, offsets: I64) -> I64:
    """What each histogram's buckets, which are whole, come to."""
    running = np.concatenate([[0], np.cumsum(buckets.astype(np.int64))])
    totals: I64 = running[offsets[1:]] - running[offsets[:-1]]
    return totals


def _is_whole(counts: F64) -> bool:
    """Whether all are whole numbers that an integer holds exactly, -0.0 not among them."""
    with np.errstate(invalid="ignore"):
        whole = (np.abs(counts) <= _WHOLE_MAX) & (counts == np.trunc(counts))
    return bool(whole.all()) and not bool((np.signbit(counts) & (counts == 0)).any())


def _packed(values: npt.NDArray[np.generic]) -> bytes:
    data: bytes = standalone.simple_compress(np.ascontiguousarray(values), _PCO) if len(values) else b""
    return data


def _unpacked(data: bytes, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    found = standalone.simple_decompress(data) if data else None
    return np.zeros(0, dtype) if found is None else np.asarray(found, dtype)
