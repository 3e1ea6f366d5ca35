"""What a native histogram must be to be stored: what upstream's storage refuses is refused here, in its words.

Source: Prometheus model/histogram, FloatHistogram.Validate. As there, the number of observations is not held against the buckets:
sums of floats need not agree.
"""

import math
from itertools import pairwise

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram
from spyglass.model.samples import is_stale_histogram

SCHEMA_MIN, SCHEMA_MAX = -4, 8


def histogram_problem(histogram: FloatHistogram) -> str:
    """Why it is refused; "" where it is sound. A stale marker is sound whatever else it holds."""
    if is_stale_histogram(histogram):
        return ""
    problem = _custom_problem(histogram) if histogram.schema == CUSTOM_SCHEMA else _exponential_problem(histogram)
    return (
        problem
        or _side("negative", histogram.negative_index, histogram.negative_counts)
        or _side("positive", histogram.positive_index, histogram.positive_counts)
    )


def _exponential_problem(histogram: FloatHistogram) -> str:
    if not SCHEMA_MIN <= histogram.schema <= SCHEMA_MAX:
        return (
            f"schema {histogram.schema}: histogram has an invalid schema, which must be between {SCHEMA_MIN} and {SCHEMA_MAX} "
            f"for exponential buckets, or {CUSTOM_SCHEMA} for custom buckets"
        )
    if histogram.custom_values:
        return "histogram with exponential schema must not have custom bounds"
    return ""


def _custom_problem(histogram: FloatHistogram) -> str:
    bounds = histogram.custom_values
    for before, bound in pairwise(bounds):
        if bound <= before:
            return f"previous bound is {before:f} and current is {bound:f}: histogram custom bounds must be in strictly increasing order"
    if bounds and math.isinf(bounds[-1]):
        return f"last bound is {bounds[-1]:f}: histogram custom bounds must be finite"
    if histogram.zero_count or histogram.zero_threshold:
        return "custom buckets: must have zero count and zero threshold of 0"
    if len(histogram.negative_index):
        return "custom buckets: must not have negative spans"
    index = histogram.positive_index
    if len(index) and int(index.min()) < 0:
        return "custom buckets: histogram has a span whose offset is negative"
    span = int(index.max()) + 1 if len(index) else 0
    if span > len(bounds) + 1:
        return (
            f"only {len(bounds)} custom bounds defined which is insufficient to cover total span length of {span}: "
            "histogram custom bounds are too few"
        )
    return ""


def _side(name: str, index: I64, counts: F64) -> str:
    steps = np.flatnonzero(np.diff(index) <= 0)
    if len(steps):
        return f"{name} side: bucket number {int(steps[0]) + 2}: histogram has a span whose offset is negative"
    below = np.flatnonzero(counts < 0)
    if len(below):
        at = int(below[0])
        text = f"bucket number {at + 1} has observation count of {counts[at]:g}"
        return f"{name} side: {text}: histogram has a bucket whose observation count is negative"
    return ""
