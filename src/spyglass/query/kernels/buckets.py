"""Classic histograms: cumulative bucket counts. Source: Prometheus promql/quantile.go (BucketQuantile, BucketFraction).

Shapes: G histograms of B buckets each, T steps. bounds [G,B] ascending, distinct; counts [G,B,T] cumulative.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask

_TOLERANCE = 1e-12
"""Neighbouring counts closer than this (relatively) are taken for equal: what is left of floating point errors."""


@dataclass(frozen=True, slots=True)
class Forced:
    """What had to be done to make counts monotonic. All [G,T]; lowest and highest: bounds of the buckets that were raised."""

    happened: Mask
    lowest: F64
    highest: F64
    difference: F64


def monotonic(bounds: F64, counts: F64) -> tuple[F64, Forced]:
    """Counts that never go down from one bucket to the next, and where they did.

    Differences that rounding explains are ironed out silently, in either direction.
    """
    fixed = counts.copy()
    shape = (counts.shape[0], counts.shape[2])
    happened, lowest, highest = np.zeros(shape, bool), np.full(shape, np.inf), np.full(shape, -np.inf)
    difference = np.zeros(shape)
    before = fixed[:, 0]
    for bucket in range(1, fixed.shape[1]):
        here, bound = fixed[:, bucket], bounds[:, bucket, None]
        apart = np.abs(here - before)
        rounding = (apart != 0) & (apart / (np.abs(here) + np.abs(before)) < _TOLERANCE)
        lower = (here < before) & ~rounding
        if lower.any():
            happened |= lower
            np.copyto(lowest, np.minimum(lowest, bound), where=lower)
            np.copyto(highest, np.maximum(highest, bound), where=lower)
            np.copyto(difference, np.maximum(difference, apart), where=lower)
        before = fixed[:, bucket] = np.where(rounding | lower, before, here)
    return fixed, Forced(happened, lowest, highest, difference)


def quantile(bounds: F64, counts: F64, wanted: F64) -> tuple[F64, Forced]:
    """wanted [T] -> quantiles [G,T], linear within a bucket.

    NaN without an +Inf bucket, with fewer than two buckets, without observations, for a NaN quantile; -Inf below 0, +Inf above 1.
    """
    size = bounds.shape[1]
    fixed, forced = monotonic(bounds, counts)
    total = fixed[:, -1]
    with np.errstate(all="ignore"):
        rank = wanted * total
        reached = fixed[:, :-1] >= rank[:, None] if size > 1 else np.zeros((*fixed.shape[:1], 1, fixed.shape[2]), bool)
        bucket = np.where(reached.any(axis=1), reached.argmax(axis=1), size - 1)
        result = _interpolated(bounds, fixed, bucket, rank)
    usable = np.isposinf(bounds[:, -1:]) & (size >= 2) & (total != 0)
    result = np.where(usable, result, np.nan)
    outside = (wanted < 0) | (wanted > 1) | np.isnan(wanted)
    happened = forced.happened & usable & ~outside
    result = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, result))
    return np.where(np.isnan(wanted), np.nan, result), Forced(
        happened, forced.lowest, forced.highest, forced.difference
    )


def _interpolated(bounds: F64, counts: F64, bucket: I64, rank: F64) -> F64:
    """The value at `rank [G,T]`, which lies in `bucket [G,T]`."""
    size = bounds.shape[1]
    below = np.maximum(bucket - 1, 0)
    rows = np.arange(len(bounds))[:, None]
    start = np.where(bucket > 0, bounds[rows, below], 0.0)
    end = bounds[rows, bucket]
    before = np.where(bucket > 0, np.take_along_axis(counts, below[:, None], axis=1)[:, 0], 0.0)
    inside = np.take_along_axis(counts, bucket[:, None], axis=1)[:, 0] - before
    value = start + (end - start) * ((rank - before) / inside)
    value = np.where((bucket == 0) & (bounds[:, :1] <= 0), bounds[:, :1], value)
    highest: F64 = np.where(bucket == size - 1, bounds[:, max(size - 2, 0), None], value)
    return highest


def fraction(bounds: F64, counts: F64, lower: F64, upper: F64) -> F64:
    """The share of observations between lower and upper [T] -> [G,T]."""
    total = counts[:, -1]
    with np.errstate(all="ignore"):
        share = (
            np.minimum(_rank(bounds, counts, upper), total) - np.minimum(_rank(bounds, counts, lower), total)
        ) / total
    share = np.where(lower >= upper, 0.0, share)
    usable = np.isposinf(bounds[:, -1:]) & (total != 0) & ~np.isnan(lower) & ~np.isnan(upper)
    return np.where(usable, share, np.nan)


def _rank(bounds: F64, counts: F64, value: F64) -> F64:
    """Observations up to value [T], linear within a bucket; the lowest bucket starts at 0 where its bound is positive."""
    size = bounds.shape[1]
    # The bucket whose upper bound is the first above the value; none: beyond the last.
    bucket = (bounds[:, :, None] <= value).sum(axis=1)
    at = np.minimum(bucket, size - 1)
    below = np.maximum(at - 1, 0)
    rows = np.arange(len(bounds))[:, None]
    lowest = np.where(bounds[:, :1] > 0, 0.0, -np.inf)
    start = np.where(at > 0, bounds[rows, below], lowest)
    before = np.where(at > 0, np.take_along_axis(counts, below[:, None], axis=1)[:, 0], 0.0)
    inside = np.take_along_axis(counts, at[:, None], axis=1)[:, 0] - before
    within = np.where(np.isneginf(start), 1.0, (value - start) / (bounds[rows, at] - start))
    rank = np.where(value <= start, before, before + inside * within)
    return np.where(bucket >= size, counts[:, -1], rank)
