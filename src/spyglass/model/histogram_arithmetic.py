"""Adding and subtracting native histograms of different layouts, and finding counter resets between them.

Schemas are brought to the coarser one, zero buckets to the wider one, custom bounds to those that both have.
Source: Prometheus model/histogram/float_histogram.go (Add, Sub, KahanAdd, reconcileZeroBuckets, DetectReset).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import FloatHistogram, ResetHint


class IncompatibleSchemas(ValueError):
    """Exponential and custom buckets cannot be combined."""


@dataclass(frozen=True, slots=True)
class Combined:
    """A result. hint_collision: one side was a counter reset, the other explicitly none. bounds_reconciled: custom bounds differed.

    lost: what the additions lost to rounding, where compensation was asked for.
    """

    histogram: FloatHistogram
    hint_collision: bool = False
    bounds_reconciled: bool = False
    lost: FloatHistogram | None = None


def add(left: FloatHistogram, right: FloatHistogram) -> Combined:
    """left + right. Raises: IncompatibleSchemas."""
    return _combine(left, right, 1.0)


def subtract(left: FloatHistogram, right: FloatHistogram) -> Combined:
    """left - right. Raises: IncompatibleSchemas."""
    return _combine(left, right, -1.0)


def add_compensated(total: FloatHistogram, addend: FloatHistogram, lost: FloatHistogram | None) -> Combined:
    """total + addend with Kahan compensation; `lost` is that of the additions before. Raises: IncompatibleSchemas."""
    if lost is not None and not _same_layout(total, lost):
        lost = _like(total, lost)
    plain = _combine(total, addend, 1.0)
    first, second = _like(plain.histogram, total), _like(plain.histogram, addend)
    before = _zeros(plain.histogram) if lost is None else _like(plain.histogram, lost)
    errors = [
        np.where(np.isinf(result), 0.0, compensation + _rounding(a, b, result))
        for a, b, result, compensation in zip(
            _vectors(first), _vectors(second), _vectors(plain.histogram), _vectors(before), strict=True
        )
    ]
    return replace(plain, lost=_from_vectors(plain.histogram, errors))


def _rounding(total: F64, addend: F64, result: F64) -> F64:
    with np.errstate(all="ignore"):
        bigger = np.abs(total) >= np.abs(addend)
        return np.where(bigger, (total - result) + addend, (addend - result) + total)


def _vectors(histogram: FloatHistogram) -> list[F64]:
    numbers = np.array([histogram.count, histogram.sum, histogram.zero_count])
    return [numbers, histogram.positive_counts, histogram.negative_counts]


def _from_vectors(layout: FloatHistogram, vectors: Sequence[F64]) -> FloatHistogram:
    count, total, zero = vectors[0].tolist()
    return replace(
        layout, count=count, sum=total, zero_count=zero, positive_counts=vectors[1], negative_counts=vectors[2]
    )


def _zeros(layout: FloatHistogram) -> FloatHistogram:
    return _from_vectors(layout, [np.zeros_like(vector) for vector in _vectors(layout)])


def _same_layout(left: FloatHistogram, right: FloatHistogram) -> bool:
    return (
        left.schema == right.schema
        and left.zero_threshold == right.zero_threshold
        and left.custom_values == right.custom_values
        and np.array_equal(left.positive_index, right.positive_index)
        and np.array_equal(left.negative_index, right.negative_index)
    )


def _like(layout: FloatHistogram, histogram: FloatHistogram) -> FloatHistogram:
    """A histogram in a layout that is at least as coarse, with buckets for everything."""
    if histogram.is_custom:
        histogram = _to_bounds(histogram, layout.custom_values)
    else:
        histogram = with_wider_zero(to_schema(histogram, layout.schema), layout.zero_threshold)
    return replace(
        histogram,
        positive_index=layout.positive_index,
        positive_counts=_spread(layout.positive_index, histogram.positive_index, histogram.positive_counts),
        negative_index=layout.negative_index,
        negative_counts=_spread(layout.negative_index, histogram.negative_index, histogram.negative_counts),
    )


def _spread(onto: I64, index: I64, counts: F64) -> F64:
    out = np.zeros(len(onto))
    place = np.searchsorted(onto, index)
    inside = place < len(onto)
    inside[inside] = onto[place[inside]] == index[inside]
    np.add.at(out, place[inside], counts[inside])
    return out


def _combine(left: FloatHistogram, right: FloatHistogram, sign: float) -> Combined:
    if left.is_custom != right.is_custom:
        raise IncompatibleSchemas("exponential and custom buckets cannot be combined")
    hint, collision = _joint_hint(left.reset_hint, right.reset_hint)
    reconciled = left.custom_values != right.custom_values
    if left.is_custom:
        if reconciled:
            bounds = tuple(sorted(set(left.custom_values) & set(right.custom_values)))
            left, right = _to_bounds(left, bounds), _to_bounds(right, bounds)
    else:
        left, right = _reconciled(left, right)
    positive_index, positive = _merged(
        left.positive_index, left.positive_counts, right.positive_index, right.positive_counts, sign
    )
    negative_index, negative = _merged(
        left.negative_index, left.negative_counts, right.negative_index, right.negative_counts, sign
    )
    with np.errstate(all="ignore"):
        result = FloatHistogram(
            left.schema,
            float(np.float64(left.count) + sign * right.count),
            float(np.float64(left.sum) + sign * right.sum),
            left.zero_threshold,
            float(np.float64(left.zero_count) + sign * right.zero_count),
            positive_index,
            positive,
            negative_index,
            negative,
            left.custom_values,
            hint,
        )
    return Combined(result, collision, reconciled)


def _joint_hint(left: ResetHint, right: ResetHint) -> tuple[ResetHint, bool]:
    """The hint of a combination, and whether the two contradict each other."""
    if left == right:
        return left, False
    if ResetHint.GAUGE in (left, right):
        return ResetHint.GAUGE, False
    return ResetHint.UNKNOWN, ResetHint.UNKNOWN not in (left, right)


def _merged(left_index: I64, left: F64, right_index: I64, right: F64, sign: float) -> tuple[I64, F64]:
    index = np.union1d(left_index, right_index)
    counts = np.zeros(len(index))
    with np.errstate(all="ignore"):
        counts[np.searchsorted(index, left_index)] += left
        counts[np.searchsorted(index, right_index)] += sign * right
    return index, counts


def to_schema(histogram: FloatHistogram, schema: int) -> FloatHistogram:
    """The same observations at a coarser (or the same) exponential schema."""
    if histogram.schema == schema:
        return histogram
    assert histogram.schema > schema, "a histogram cannot be made finer"
    shift = histogram.schema - schema
    positive_index, positive = _coarser(histogram.positive_index, histogram.positive_counts, shift)
    negative_index, negative = _coarser(histogram.negative_index, histogram.negative_counts, shift)
    return replace(
        histogram,
        schema=schema,
        positive_index=positive_index,
        positive_counts=positive,
        negative_index=negative_index,
        negative_counts=negative,
    )


def _coarser(index: I64, counts: F64, shift: int) -> tuple[I64, F64]:
    return _summed(((index - 1) >> shift) + 1, counts)


def _summed(index: I64, counts: F64) -> tuple[I64, F64]:
    distinct, place = np.unique(index, return_inverse=True)
    sums = np.zeros(len(distinct))
    np.add.at(sums, place, counts)
    return distinct.astype(np.int64), sums


def _to_bounds(histogram: FloatHistogram, bounds: tuple[float, ...]) -> FloatHistogram:
    """Custom buckets joined to those of `bounds`, which the histogram has all of."""
    if histogram.custom_values == bounds:
        return histogram
    uppers = np.array([*histogram.custom_values, np.inf])
    place = np.searchsorted(np.array(bounds), uppers)
    index, counts = _summed(place[histogram.positive_index], histogram.positive_counts)
    return replace(histogram, custom_values=bounds, positive_index=index, positive_counts=counts)


def _reconciled(left: FloatHistogram, right: FloatHistogram) -> tuple[FloatHistogram, FloatHistogram]:
    """Both with the wider zero bucket (widened further where it ends inside of a populated bucket) and the coarser schema."""
    while left.zero_threshold != right.zero_threshold:
        if left.zero_threshold > right.zero_threshold:
            right = with_wider_zero(right, left.zero_threshold)
        if right.zero_threshold > left.zero_threshold:
            left = with_wider_zero(left, right.zero_threshold)
    schema = min(left.schema, right.schema)
    left, right = to_schema(left, schema), to_schema(right, schema)
    # Coarser buckets may reach into the zero bucket; upstream drops what now lies within it.
    return left, right


def with_wider_zero(histogram: FloatHistogram, threshold: float) -> FloatHistogram:
    """The histogram with a zero bucket of at least this width; wider where that would cut a populated bucket."""
    if threshold <= histogram.zero_threshold:
        return histogram
    count, threshold = zero_count_for(histogram, threshold)
    positive = _bounds(histogram, histogram.positive_index - 1) >= threshold
    negative = _bounds(histogram, histogram.negative_index - 1) >= threshold
    return replace(
        histogram,
        zero_count=count,
        zero_threshold=threshold,
        positive_index=histogram.positive_index[positive],
        positive_counts=histogram.positive_counts[positive],
        negative_index=histogram.negative_index[negative],
        negative_counts=histogram.negative_counts[negative],
    )


def _bounds(histogram: FloatHistogram, index: I64) -> F64:
    return np.array([histogram.bound(i) for i in index.tolist()], np.float64)


def zero_count_for(histogram: FloatHistogram, threshold: float) -> tuple[float, float]:
    """Observations within +-threshold, and the threshold moved outwards to the border of a populated bucket it would cut."""
    if threshold == histogram.zero_threshold:
        return histogram.zero_count, threshold
    while True:
        count = histogram.zero_count
        for bucket in histogram.positive_buckets():
            if bucket.lower >= threshold:
                break
            count += bucket.count
            if bucket.upper > threshold:
                threshold = bucket.upper if bucket.count else threshold
                break
        moved = False
        for bucket in histogram.negative_buckets():
            if bucket.upper <= -threshold:
                break
            count += bucket.count
            if bucket.lower < -threshold:
                if bucket.count:
                    threshold, moved = -bucket.lower, True
                break
        if not moved:
            return count, threshold


def is_reset(current: FloatHistogram, before: FloatHistogram) -> bool:
    """Whether a counter was reset between the two. The hint, where it is explicit, decides."""
    if current.reset_hint is ResetHint.RESET:
        return True
    if current.reset_hint is ResetHint.NOT_RESET:
        return False
    return counts_fell(current, before)


def counts_fell(current: FloatHistogram, before: FloatHistogram) -> bool:
    """Whether any count went down, or the layout became finer, as only a new counter's does."""
    if current.count < before.count or current.is_custom != before.is_custom:
        return True
    if current.is_custom:
        return _custom_fell(current, before)
    if current.schema > before.schema or current.zero_threshold < before.zero_threshold:
        return True
    zero, threshold = zero_count_for(before, current.zero_threshold)
    if threshold != current.zero_threshold or current.zero_count < zero:
        return True
    before = with_wider_zero(to_schema(before, current.schema), current.zero_threshold)
    return _fell(
        current.positive_index, current.positive_counts, before.positive_index, before.positive_counts
    ) or _fell(current.negative_index, current.negative_counts, before.negative_index, before.negative_counts)


def _custom_fell(current: FloatHistogram, before: FloatHistogram) -> bool:
    if current.custom_values != before.custom_values:
        bounds = tuple(sorted(set(current.custom_values) & set(before.custom_values)))
        current, before = _to_bounds(current, bounds), _to_bounds(before, bounds)
    return _fell(current.positive_index, current.positive_counts, before.positive_index, before.positive_counts)


def _fell(index: I64, counts: F64, before_index: I64, before: F64) -> bool:
    """Whether any bucket of before has fewer observations now; a bucket that is gone has none."""
    here = np.zeros(len(before_index))
    place = np.searchsorted(index, before_index)
    inside = place < len(index)
    inside[inside] = index[place[inside]] == before_index[inside]
    here[inside] = counts[place[inside]]
    return bool((here < before).any())


def stored_hints(histograms: Sequence[FloatHistogram | None]) -> list[FloatHistogram | None]:
    """A series' histograms (None: a float between them) with the hints that Prometheus' storage gives back.

    Gauges stay gauges. Of a chunk's first histogram nothing is known (a reset starts a chunk), the others are no resets.
    Source: Prometheus tsdb/chunkenc/float_histogram.go.
    """
    out: list[FloatHistogram | None] = []
    before: FloatHistogram | None = None
    for histogram in histograms:
        out.append(None if histogram is None else histogram.with_hint(_stored_hint(before, histogram)))
        before = histogram
    return out


def _stored_hint(before: FloatHistogram | None, histogram: FloatHistogram) -> ResetHint:
    if histogram.reset_hint is ResetHint.GAUGE:
        return ResetHint.GAUGE
    if before is None or ResetHint.RESET is histogram.reset_hint or before.reset_hint is ResetHint.GAUGE:
        return ResetHint.UNKNOWN
    return ResetHint.NOT_RESET if _same_chunk(before, histogram) else ResetHint.UNKNOWN


def detected_hints(histograms: Sequence[FloatHistogram]) -> list[FloatHistogram]:
    """A series' histograms with unknown hints found out by comparing neighbours; of the first nothing can be known.

    Source: Prometheus promql/histogram_stats_iterator.go.
    """
    out: list[FloatHistogram] = []
    for at, histogram in enumerate(histograms):
        hint = histogram.reset_hint
        if hint is ResetHint.UNKNOWN and at > 0:
            hint = ResetHint.RESET if counts_fell(histogram, histograms[at - 1]) else ResetHint.NOT_RESET
        out.append(histogram.with_hint(hint))
    return out


def _same_chunk(before: FloatHistogram, after: FloatHistogram) -> bool:
    """Whether one chunk can hold both: the same layout, no reset between them, and the first is no stale marker."""
    same_layout = before.schema == after.schema and before.zero_threshold == after.zero_threshold
    return same_layout and before.sum == before.sum and not counts_fell(after, before)
