"""Native histograms as JSON with the sparse buckets: in the journal, and in blocks of version 1.

    [schema, count, sum, zero_threshold, zero_count, positive_index, positive_counts, negative_index, negative_counts, custom_values, hint]

Floats that JSON cannot hold (NaN with its bits, infinities) are written as {"b": bits}.
"""

import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.samples import HistogramRuns
from spyglass.storage.metrics.ragged import offsets_of

Encoded = list[Any]


def encode_histogram(histogram: object) -> Encoded:
    """JSON-ready. The programmer's mistake if it is no FloatHistogram."""
    assert isinstance(histogram, FloatHistogram), "only FloatHistogram can be stored"
    h = histogram
    return [
        h.schema,
        _number(h.count),
        _number(h.sum),
        _number(h.zero_threshold),
        _number(h.zero_count),
        h.positive_index.tolist(),
        [_number(c) for c in h.positive_counts.tolist()],
        h.negative_index.tolist(),
        [_number(c) for c in h.negative_counts.tolist()],
        [_number(c) for c in h.custom_values],
        int(h.reset_hint),
    ]


def histogram_bits(encoded: Encoded) -> int:
    """64 bits that stand for the histogram where a float has its bits: to tell whether a sample is the same as the last."""
    return int.from_bytes(blake2b(orjson.dumps(encoded), digest_size=8).digest(), "little")


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


def _number(value: float) -> object:
    if value - value == 0:
        return value
    return {"b": struct.unpack("<Q", struct.pack("<d", value))[0]}


def _float(value: Any) -> float:
    if isinstance(value, dict):
        number: float = struct.unpack("<d", struct.pack("<Q", value["b"]))[0]
        return number
    return float(value)
