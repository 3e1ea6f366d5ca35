"""A native histogram as upstream's JSON: count, sum, and every bucket with its bounds.

A bucket is [boundaries, lower, upper, count]; boundaries: 0 open on the left (lower, upper], 1 open on the right, 2 open on both,
3 closed on both. Source: Prometheus util/jsonutil MarshalHistogram, model/histogram (bucket iterators).
"""

import math

import orjson

from spyglass.model.histograms import FloatHistogram
from spyglass.text.gofloat import format_json_float

OPEN_LEFT, OPEN_RIGHT, OPEN_BOTH, CLOSED_BOTH = 0, 1, 2, 3

Bucket = tuple[int, float, float, float]


def histogram_json(histogram: FloatHistogram) -> bytes:
    answer: dict[str, object] = {
        "count": format_json_float(histogram.count),
        "sum": format_json_float(histogram.sum),
    }
    buckets = [
        [boundaries, *(format_json_float(number) for number in numbers)]
        for boundaries, *numbers in all_buckets(histogram)
        if numbers[2] != 0
    ]
    if buckets:
        answer["buckets"] = buckets
    return orjson.dumps(answer)


def all_buckets(histogram: FloatHistogram) -> list[Bucket]:
    """Ascending: negative ones, the zero bucket, positive ones."""
    negative = zip(histogram.negative_index.tolist(), histogram.negative_counts.tolist(), strict=True)
    positive = zip(histogram.positive_index.tolist(), histogram.positive_counts.tolist(), strict=True)
    buckets: list[Bucket] = []
    for index, count in reversed(list(negative)):
        lower, upper = _bounds(histogram, index)
        buckets.append((OPEN_RIGHT, -upper, -lower, count))
    if histogram.zero_count:
        edge = histogram.zero_threshold
        buckets.append((CLOSED_BOTH, -edge, edge, histogram.zero_count))
    for index, count in positive:
        lower, upper = _bounds(histogram, index)
        closed = histogram.is_custom and index == 0
        buckets.append((CLOSED_BOTH if closed and lower == -math.inf else OPEN_LEFT, lower, upper, count))
    return buckets


def _bounds(histogram: FloatHistogram, index: int) -> tuple[float, float]:
    if histogram.is_custom:
        bounds = histogram.custom_values
        lower = bounds[index - 1] if index > 0 else -math.inf
        return lower, bounds[index] if index < len(bounds) else math.inf
    return _edge(histogram.schema, index - 1), _edge(histogram.schema, index)


def _edge(schema: int, index: int) -> float:
    """The upper bound of a bucket: 2**(index * 2**-schema)."""
    exponent = index * 2.0**-schema
    if exponent >= 1024:
        # The last bucket ends at the largest float, the overflow bucket at infinity.
        return float.fromhex("0x1.fffffffffffffp+1023") if exponent == 1024 else math.inf
    return float(2.0**exponent)
