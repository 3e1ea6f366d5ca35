"""Quantiles, fractions and variance of native histograms. Source: Prometheus promql/quantile.go (HistogramQuantile, HistogramFraction).

Within an exponential bucket observations are spread evenly on a logarithmic scale; in custom buckets and the zero bucket, linearly.
"""

import math
from dataclasses import replace

from spyglass.model.histograms import Bucket, FloatHistogram


def quantile(wanted: float, histogram: FloatHistogram) -> float:
    """NaN without observations or for a NaN quantile; -Inf below 0, +Inf above 1.

    Observations of NaN count as larger than everything: where the quantile falls among them it is NaN.
    """
    if wanted < 0:
        return -math.inf
    if wanted > 1:
        return math.inf
    if histogram.count == 0 or math.isnan(wanted):
        return math.nan
    forward = math.isnan(histogram.sum) or wanted < 0.5
    buckets = [bucket for bucket in histogram.all_buckets() if bucket.count != 0]
    rank = (wanted if forward else 1 - wanted) * histogram.count
    count, bucket = 0.0, Bucket(0.0, 0.0, 0.0, True, True)
    for bucket in buckets if forward else reversed(buckets):
        count += bucket.count
        if count >= rank:
            break
    if math.isnan(histogram.sum) and (count < rank or not buckets):
        return math.nan
    count = min(count, histogram.count)
    if histogram.is_custom:
        if bucket.lower == -math.inf:
            if bucket.upper <= 0:
                return bucket.upper
            bucket = replace(bucket, lower=0.0)
        elif bucket.upper == math.inf:
            return bucket.lower
    else:
        bucket = _one_sided(bucket, histogram)
    if count < rank:
        return bucket.upper
    rank = rank - (count - bucket.count) if forward else count - rank
    return _within(bucket, rank / bucket.count if bucket.count else math.nan, linear=histogram.is_custom)


def _one_sided(bucket: Bucket, histogram: FloatHistogram) -> Bucket:
    """The zero bucket, cut at zero where all other observations are on one side of it."""
    if bucket.lower <= 0 <= bucket.upper:
        if len(histogram.negative_index) == 0 and len(histogram.positive_index) > 0:
            return replace(bucket, lower=0.0)
        if len(histogram.positive_index) == 0 and len(histogram.negative_index) > 0:
            return replace(bucket, upper=0.0)
    return bucket


def _within(bucket: Bucket, fraction: float, *, linear: bool) -> float:
    if linear or bucket.lower <= 0 <= bucket.upper:
        return bucket.lower + (bucket.upper - bucket.lower) * fraction
    low, high = math.log2(abs(bucket.lower)), math.log2(abs(bucket.upper))
    if bucket.lower > 0:
        return math.pow(2.0, low + (high - low) * fraction)
    return -math.pow(2.0, high + (low - high) * (1 - fraction))


def has_nan_observations(histogram: FloatHistogram) -> bool:
    """Whether some observations are in no bucket because they were NaN."""
    if not math.isnan(histogram.sum):
        return False
    return sum(bucket.count for bucket in histogram.all_buckets()) < histogram.count


def fraction(lower: float, upper: float, histogram: FloatHistogram) -> float:
    """The share of observations between lower and upper; NaN without observations or for a NaN limit."""
    if histogram.count == 0 or math.isnan(lower) or math.isnan(upper):
        return math.nan
    if lower >= upper:
        return 0.0
    buckets = [_one_sided(b, histogram) if not histogram.is_custom else b for b in histogram.all_buckets()]
    in_buckets = sum(bucket.count for bucket in buckets)
    # NaN observations are in no bucket and belong to no fraction.
    most = in_buckets if math.isnan(histogram.sum) else histogram.count
    upper_rank = min(_rank(upper, buckets, histogram, most), most)
    return (upper_rank - min(_rank(lower, buckets, histogram, most), most)) / histogram.count


def _rank(value: float, buckets: list[Bucket], histogram: FloatHistogram, most: float) -> float:
    """Observations up to the value."""
    rank = 0.0
    for number, bucket in enumerate(buckets):
        if histogram.is_custom and number == 0 and bucket.lower == -math.inf and bucket.upper > 0:
            # As with classic histograms the lowest bucket starts at zero where it reaches above it.
            bucket = replace(bucket, lower=0.0)
        if bucket.lower >= value:
            return rank
        if bucket.upper > value:
            return rank + bucket.count * _share(value, bucket, linear=histogram.is_custom)
        rank += bucket.count
    return most


def _share(value: float, bucket: Bucket, *, linear: bool) -> float:
    if bucket.lower == -math.inf:
        return 1.0
    if bucket.upper == math.inf:
        return 0.0
    if linear or bucket.lower <= 0 <= bucket.upper:
        return (value - bucket.lower) / (bucket.upper - bucket.lower)
    low, high, at = (math.log2(abs(v)) for v in (bucket.lower, bucket.upper, value))
    return (at - low) / (high - low) if value > 0 else 1 - (at - high) / (low - high)


def variance(histogram: FloatHistogram) -> float:
    """Estimated from the buckets: geometric means stand for exponential buckets, arithmetic ones for custom buckets."""
    if histogram.count == 0:
        return math.nan
    mean = histogram.sum / histogram.count
    terms = []
    for bucket in histogram.all_buckets():
        if bucket.count == 0:
            continue
        if histogram.is_custom:
            value = (bucket.upper + bucket.lower) / 2
        elif bucket.lower <= 0 <= bucket.upper:
            value = 0.0
        else:
            value = math.copysign(math.sqrt(bucket.upper * bucket.lower), bucket.upper)
        terms.append(bucket.count * (value - mean) * (value - mean))
    if all(math.isfinite(term) for term in terms):
        return math.fsum(terms) / histogram.count
    return sum(terms) / histogram.count
