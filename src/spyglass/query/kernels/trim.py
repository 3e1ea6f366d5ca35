"""`histogram </ limit` and `histogram >/ limit`: keep what was observed below, or above, a limit.

Within the bucket that the limit cuts, observations are taken to be spread as for quantiles: exponentially, or linearly in custom
and zero buckets. Where something was removed, the sum is estimated anew from the middles of what is left.
Source: Prometheus promql/engine.go, trimHistogram.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from spyglass.model.histograms import Bucket, FloatHistogram

Kept = tuple[float, float]
"""How many observations stay, and the value that stands for each of them."""


def trimmed(histogram: FloatHistogram, limit: float, *, below: bool) -> FloatHistogram:
    """The part below (`</`) or above (`>/`) the limit."""
    if math.isnan(limit):
        limit = -math.inf if below else math.inf
    keep = _keep_custom if histogram.is_custom else _keep_exponential
    positive = _kept(histogram.positive_buckets(), lambda b: keep(b, limit, below))
    negative = _kept(histogram.negative_buckets(), lambda b: _keep_exponential(b, limit, below))
    zero = _keep_linear(_zero_bucket(histogram), limit, below)
    everything = (
        [k for k, _ in positive] == histogram.positive_counts.tolist()
        and [k for k, _ in negative] == histogram.negative_counts.tolist()
        and zero[0] == histogram.zero_count
    )
    if everything:
        return histogram.compacted()
    parts = [zero, *positive, *negative]
    return replace(
        histogram,
        count=sum(count for count, _ in parts),
        sum=sum(count * middle for count, middle in parts if count != 0),
        zero_count=zero[0],
        positive_counts=np.array([count for count, _ in positive]),
        negative_counts=np.array([count for count, _ in negative]),
    ).compacted()


def _kept(buckets: Iterable[Bucket], keep: Callable[[Bucket], Kept]) -> list[Kept]:
    return [keep(bucket) if bucket.count != 0 else (bucket.count, 0.0) for bucket in buckets]


def _zero_bucket(histogram: FloatHistogram) -> Bucket:
    """The zero bucket, one-sided where all other observations are on one side of it."""
    lower, upper = -histogram.zero_threshold, histogram.zero_threshold
    if len(histogram.negative_index) == 0 and len(histogram.positive_index) > 0:
        lower = 0.0
    elif len(histogram.positive_index) == 0 and len(histogram.negative_index) > 0:
        upper = 0.0
    return Bucket(lower, upper, histogram.zero_count, True, True)


def _part(bucket: Bucket, limit: float, below: bool) -> tuple[float, float]:
    """The stretch of a finite bucket on the right side of the limit; empty where the first is not below the second."""
    return (bucket.lower, min(limit, bucket.upper)) if below else (max(limit, bucket.lower), bucket.upper)


def _keep_linear(bucket: Bucket, limit: float, below: bool) -> Kept:
    low, high = _part(bucket, limit, below)
    if (low, high) == (bucket.lower, bucket.upper):
        return bucket.count, (low + high) / 2
    if low >= high:
        return 0.0, 0.0
    return bucket.count * ((high - low) / (bucket.upper - bucket.lower)), (low + high) / 2


def _keep_exponential(bucket: Bucket, limit: float, below: bool) -> Kept:
    low, high = _part(bucket, limit, below)
    if low >= high:
        return 0.0, 0.0
    middle = math.copysign(math.sqrt(low * high), high if high != 0 else low)
    if (low, high) == (bucket.lower, bucket.upper):
        return bucket.count, middle
    width = math.log2(abs(bucket.upper)) - math.log2(abs(bucket.lower))
    return bucket.count * ((math.log2(abs(high)) - math.log2(abs(low))) / width), middle


def _keep_custom(bucket: Bucket, limit: float, below: bool) -> Kept:
    """Buckets without end know one bound only: nothing is known of how observations are spread in them."""
    if not math.isinf(bucket.lower) and not math.isinf(bucket.upper):
        return _keep_linear(bucket, limit, below)
    if math.isinf(limit):
        all_of_it = (limit > 0) == below
        return (bucket.count, _stand_in(bucket)) if all_of_it else (0.0, 0.0)
    if math.isinf(bucket.lower) and math.isinf(bucket.upper):
        return 0.0, 0.0
    if math.isinf(bucket.upper):
        return (0.0, 0.0) if below else (bucket.count, max(bucket.lower, limit))
    return _keep_lowest(bucket, limit, below)


def _stand_in(bucket: Bucket) -> float:
    if math.isinf(bucket.lower):
        return 0.0 if math.isinf(bucket.upper) else bucket.upper / 2 if bucket.upper > 0 else bucket.upper
    return bucket.lower


def _keep_lowest(bucket: Bucket, limit: float, below: bool) -> Kept:
    """The bucket down to -Inf: it starts at zero where it reaches above it, but may hold anything below a negative limit."""
    upper = bucket.upper
    if upper <= 0:
        return (bucket.count, min(limit, upper)) if below else (0.0, 0.0)
    if limit < 0:
        return 0.0, 0.0
    return _keep_linear(Bucket(0.0, upper, bucket.count, False, True), limit, below)
