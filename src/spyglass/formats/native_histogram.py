"""Native histograms as Prometheus puts them on the wire: prompb.Histogram of remote write 1.0 and 2.0 and remote read.

Integer histograms hold bucket counts as deltas, float ones as they are; spans say which bucket indices the counts belong to.
"""

import numpy as np

from spyglass.formats import wire
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram, ResetHint

BUCKETS_MAX = 100_000
"""One histogram's buckets: a few bytes of spans could otherwise ask for any amount of memory."""

_DOUBLES = {2: "count", 3: "sum", 5: "zero_threshold", 7: "zero_count"}
_WHOLES = {1: "count", 6: "zero_count"}


class _Parts:
    """The fields as read."""

    def __init__(self) -> None:
        self.numbers = {"count": 0.0, "sum": 0.0, "zero_threshold": 0.0, "zero_count": 0.0}
        self.schema = 0
        self.spans: dict[int, list[tuple[int, int]]] = {8: [], 11: []}
        self.deltas: dict[int, list[int]] = {9: [], 12: []}
        self.counts: dict[int, list[float]] = {10: [], 13: []}
        self.hint = 0
        self.time_ms = 0
        self.custom: list[float] = []


def decode_histogram(data: bytes) -> tuple[int, FloatHistogram]:
    """(time in ms, histogram). Raises: MalformedBody."""
    parts = _Parts()
    for number, kind, value in wire.fields(data):
        _field(parts, number, kind, value)
    negative_index, negative = bucket_columns(parts.spans[8], parts.deltas[9], parts.counts[10])
    positive_index, positive = bucket_columns(parts.spans[11], parts.deltas[12], parts.counts[13])
    return parts.time_ms, FloatHistogram(
        schema=parts.schema,
        count=parts.numbers["count"],
        sum=parts.numbers["sum"],
        zero_threshold=parts.numbers["zero_threshold"],
        zero_count=parts.numbers["zero_count"],
        positive_index=positive_index,
        positive_counts=positive,
        negative_index=negative_index,
        negative_counts=negative,
        custom_values=tuple(parts.custom),
        reset_hint=ResetHint(parts.hint) if parts.hint <= 3 else ResetHint.UNKNOWN,
    )


def _field(parts: _Parts, number: int, kind: int, value: int | bytes) -> None:
    if number in _DOUBLES:
        parts.numbers[_DOUBLES[number]] = wire.double(value)
    elif number in _WHOLES:
        parts.numbers[_WHOLES[number]] = float(wire.whole(value))
    elif number == 4:
        parts.schema = wire.zigzag(wire.whole(value))
    elif number in parts.spans:
        parts.spans[number].append(read_span(wire.message(value)))
    elif number in parts.deltas:
        parts.deltas[number].extend(map(wire.zigzag, wire.packed_varints(kind, value)))
    elif number in parts.counts:
        parts.counts[number].extend(wire.packed_doubles(kind, value))
    elif number == 14:
        parts.hint = wire.whole(value)
    elif number == 15:
        parts.time_ms = wire.signed(value)
    elif number == 16:
        parts.custom.extend(wire.packed_doubles(kind, value))


def read_span(data: bytes) -> tuple[int, int]:
    """(offset, length) of a BucketSpan."""
    offset = length = 0
    for number, _, value in wire.fields(data):
        if number == 1:
            offset = wire.zigzag(wire.whole(value))
        elif number == 2:
            length = wire.whole(value)
    return offset, length


def bucket_columns(spans: list[tuple[int, int]], deltas: list[int], counts: list[float]) -> tuple[I64, F64]:
    """Bucket indices and counts. Raises: MalformedBody."""
    index = bucket_index(spans)
    values = np.asarray(counts, np.float64)
    if deltas:
        values = np.cumsum(np.asarray(deltas, np.int64)).astype(np.float64)
    if len(values) != len(index):
        raise MalformedBody(
            f"histogram: spans need {len(index)} buckets, have {len(values)} buckets: histogram spans specify different "
            "number of buckets than provided"
        )
    return index, values


def bucket_index(spans: list[tuple[int, int]]) -> I64:
    """The indices of spans (offset, length): the first span's offset is an index, a later one a gap. Raises: MalformedBody."""
    if sum(length for _, length in spans) > BUCKETS_MAX:
        raise MalformedBody(f"a histogram has more than {BUCKETS_MAX} buckets")
    index: list[int] = []
    at = 0
    for offset, length in spans:
        at += offset
        index.extend(range(at, at + length))
        at += length
    if index and (min(index) < -(2**31) or max(index) > 2**31):
        raise MalformedBody("a bucket's index is out of range")
    return np.asarray(index, np.int64)


def encode_histogram(histogram: FloatHistogram, time_ms: int) -> bytes:
    """A float histogram on the wire."""
    out = [
        wire.put_double(2, histogram.count),
        wire.put_double(3, histogram.sum),
        wire.put_zigzag(4, histogram.schema),
        wire.put_double(5, histogram.zero_threshold),
        wire.put_double(7, histogram.zero_count),
        *(wire.put_bytes(8, span) for span in _spans(histogram.negative_index)),
        wire.put_packed_doubles(10, histogram.negative_counts.tolist()),
        *(wire.put_bytes(11, span) for span in _spans(histogram.positive_index)),
        wire.put_packed_doubles(13, histogram.positive_counts.tolist()),
        wire.put_int(14, int(histogram.reset_hint)),
        wire.put_int(15, time_ms),
        wire.put_packed_doubles(16, histogram.custom_values),
    ]
    return b"".join(out)


def _spans(index: I64) -> list[bytes]:
    return [wire.put_zigzag(1, offset) + wire.put_int(2, length) for offset, length in spans_of(index)]


def spans_of(index: I64) -> list[tuple[int, int]]:
    """Runs of neighbouring indices as (offset, length); see bucket_index."""
    if not len(index):
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(index) != 1) + 1])
    ends = np.append(starts[1:], len(index))
    spans, after = [], 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        first = int(index[start])
        spans.append((first - after, end - start))
        after = first + end - start
    return spans
