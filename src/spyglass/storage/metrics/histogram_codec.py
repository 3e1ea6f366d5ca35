"""Native histograms as JSON with the sparse buckets: in blocks of version 1, and in journals written before there were columns.

    [schema, count, sum, zero_threshold, zero_count, positive_index, positive_counts, negative_index, negative_counts, custom_values, hint]

Floats that JSON cannot hold (NaN with its bits, infinities) are written as {"b": bits}.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.samples import HistogramRuns
from spyglass.storage.metrics.ragged import offsets_of

_FIXED = struct.Struct("<ii3I4d")


def histogram_bits(histogram: FloatHistogram) -> int:
    """64 bits that stand for the histogram where a float has its bits: to tell whether a sample is the same as the last."""
    h = histogram
    sizes = len(h.positive_index), len(h.negative_index), len(h.custom_values)
    digest = blake2b(
        _FIXED.pack(h.schema, h.reset_hint, *sizes, h.count, h.sum, h.zero_threshold, h.zero_count), digest_size=8
    )
    for part in (h.positive_index, h.positive_counts, h.negative_index, h.negative_counts, np.asarray(h.custom_values)):
        digest.update(part.tobytes())
    return int.from_bytes(digest.digest(), "little")


def decode_rows(items: object) -> tuple[I64, I64, list[FloatHistogram]]:
    """`[[reference, time, histogram], ...]` of an older journal. Returns: references [n], times [n], histograms."""
    assert isinstance(items, list)
    refs, times = (np.asarray([item[at] for item in items], np.int64) for at in (0, 1))
    return refs, times, [decode_histogram(encoded) for _, _, encoded in items]


def decode_histogram(encoded: Sequence[Any]) -> FloatHistogram:
    schema, count, total, threshold, zero, p_index, p_counts, n_index, n_counts, custom, hint = encoded
    return FloatHistogram(
        schema=schema,
        count=_float(count),
        sum=_float(total),
        zero_threshold=_float(threshold),
        zero_count=_float(zero),
        positive_index=np.asarray(p_index, np.int64),
        positive_counts=np.asarray([_float(c) for c in p_counts], np.float64),
        negative_index=np.asarray(n_index, np.int64),
        negative_counts=np.asarray([_float(c) for c in n_counts], np.float64),
        custom_values=tuple(_float(c) for c in custom),
        reset_hint=ResetHint(hint),
    )


def histogram_runs(items: Iterable[tuple[int, int, FloatHistogram]]) -> list[HistogramRuns]:
    """(row, time_ms, histogram) in any order -> one HistogramRuns, or nothing. The first of two at one place wins."""
    unique: dict[tuple[int, int], FloatHistogram] = {}
    for row, time_ms, histogram in items:
        unique.setdefault((row, time_ms), histogram)
    if not unique:
        return []
    keys = sorted(unique)
    rows, counts = np.unique([row for row, _ in keys], return_counts=True)
    values = np.empty(len(keys), object)
    values[:] = [unique[key] for key in keys]
    times = np.asarray([time_ms for _, time_ms in keys], np.int64)
    return [HistogramRuns(rows.astype(np.int64), offsets_of(counts), times, values)]


def _float(value: Any) -> float:
    if isinstance(value, dict):
        number: float = struct.unpack("<d", struct.pack("<Q", value["b"]))[0]
        return number
    return float(value)
