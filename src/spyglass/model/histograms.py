"""Native histograms: exponential buckets (schemas -4..8) and custom buckets (schema -53). Immutable values.

Buckets are sparse: ascending indices and their counts. With an exponential schema bucket i covers (base**(i-1), base**i] for
positive values, mirrored for negative ones; base = 2**(2**-schema). With custom buckets index i covers
(custom_values[i-1], custom_values[i]], the first reaching down to -Inf and the last up to +Inf.
Arithmetic with histograms of other layouts is in model/histogram_arithmetic.py.
Source: Prometheus model/histogram/float_histogram.go.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from spyglass.model.arrays import F64, I64

CUSTOM_SCHEMA = -53
MIN_SCHEMA, MAX_SCHEMA = -4, 8
_LARGEST = 1.7976931348623157e308


class ResetHint(IntEnum):
    """What is known of the histogram as the follower of the one before. Values as in the remote write protocol."""

    UNKNOWN = 0
    RESET = 1
    NOT_RESET = 2
    GAUGE = 3


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket's bounds and count. Which bounds belong to it: see lower_inclusive and upper_inclusive."""

    lower: float
    upper: float
    count: float
    lower_inclusive: bool
    upper_inclusive: bool

    def __str__(self) -> str:
        left, right = "[" if self.lower_inclusive else "(", "]" if self.upper_inclusive else ")"
        return f"{left}{_short(self.lower)},{_short(self.upper)}{right}:{_short(self.count)}"


def _no_indices() -> I64:
    return np.zeros(0, np.int64)


def _no_counts() -> F64:
    return np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class FloatHistogram:
    """One histogram sample. The arrays belong to it and are never written to; several histograms may share them.

    positive_index, negative_index: ascending, without repetition; *_counts: as long.  A stale marker is a histogram whose sum is
    model.samples.STALE.  custom_values: upper bounds, ascending, without +Inf; empty unless schema is CUSTOM_SCHEMA.
    """

    schema: int = 0
    count: float = 0.0
    sum: float = 0.0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive_index: I64 = field(default_factory=_no_indices)
    positive_counts: F64 = field(default_factory=_no_counts)
    negative_index: I64 = field(default_factory=_no_indices)
    negative_counts: F64 = field(default_factory=_no_counts)
    custom_values: tuple[float, ...] = ()
    reset_hint: ResetHint = ResetHint.UNKNOWN

    @property
    def is_custom(self) -> bool:
        """Whether the buckets are custom (a converted classic histogram)."""
        return self.schema == CUSTOM_SCHEMA

    def with_hint(self, hint: ResetHint) -> "FloatHistogram":
        return self if hint is self.reset_hint else replace(self, reset_hint=hint)

    def scaled(self, factor: float) -> "FloatHistogram":
        """Everything that counts, times `factor`. A negative factor makes a gauge of it."""
        with np.errstate(all="ignore"):
            result = replace(
                self,
                count=float(np.multiply(self.count, factor)),
                sum=float(np.multiply(self.sum, factor)),
                zero_count=float(np.multiply(self.zero_count, factor)),
                positive_counts=self.positive_counts * factor,
                negative_counts=self.negative_counts * factor,
            )
        return result.with_hint(ResetHint.GAUGE) if factor < 0 else result

    def divided(self, divisor: float) -> "FloatHistogram":
        """Everything that counts, divided. Division by zero leaves no buckets: there is nothing to tell them apart."""
        with np.errstate(all="ignore"):
            result = replace(
                self,
                count=float(np.divide(self.count, divisor)),
                sum=float(np.divide(self.sum, divisor)),
                zero_count=float(np.divide(self.zero_count, divisor)),
                positive_counts=self.positive_counts / divisor,
                negative_counts=self.negative_counts / divisor,
            )
        if divisor == 0:
            result = replace(result, positive_index=_no_indices(), positive_counts=_no_counts())
            result = replace(result, negative_index=_no_indices(), negative_counts=_no_counts())
        return result.with_hint(ResetHint.GAUGE) if divisor < 0 else result

    def compacted(self) -> "FloatHistogram":
        """Without empty buckets."""
        positive, negative = self.positive_counts != 0, self.negative_counts != 0
        if positive.all() and negative.all():
            return self
        return replace(
            self,
            positive_index=self.positive_index[positive],
            positive_counts=self.positive_counts[positive],
            negative_index=self.negative_index[negative],
            negative_counts=self.negative_counts[negative],
        )

    def has_overflow(self) -> bool:
        """Whether any number is infinite."""
        numbers = (self.count, self.sum, self.zero_count)
        buckets = (self.positive_counts, self.negative_counts)
        return any(math.isinf(n) for n in numbers) or any(bool(np.isinf(b).any()) for b in buckets)

    def same_as(self, other: "FloatHistogram") -> bool:
        """The same layout, empty buckets included, and the same numbers; NaN equals NaN. The hint does not matter."""
        return (
            self.schema == other.schema
            and self.custom_values == other.custom_values
            and all(_same(a, b) for a, b in zip(self._numbers(), other._numbers(), strict=True))
            and np.array_equal(self.positive_index, other.positive_index)
            and np.array_equal(self.negative_index, other.negative_index)
            and np.array_equal(self.positive_counts, other.positive_counts, equal_nan=True)
            and np.array_equal(self.negative_counts, other.negative_counts, equal_nan=True)
        )

    def _numbers(self) -> tuple[float, ...]:
        return (self.count, self.sum, self.zero_threshold, self.zero_count)

    # Buckets with bounds

    def bound(self, index: int) -> float:
        """The upper bound of the positive bucket with this index."""
        if self.is_custom:
            if index < 0:
                return -math.inf
            return self.custom_values[index] if index < len(self.custom_values) else math.inf
        return exponential_bound(index, self.schema)

    def positive_buckets(self) -> Iterator[Bucket]:
        """From the lowest bucket up, empty ones included."""
        for index, count in zip(self.positive_index.tolist(), self.positive_counts.tolist(), strict=True):
            lower, upper = self.bound(index - 1), self.bound(index)
            inclusive = index == 0 if self.is_custom else lower < 0
            yield Bucket(lower, upper, count, inclusive, self.is_custom or upper > 0)

    def negative_buckets(self) -> Iterator[Bucket]:
        """From the bucket nearest to zero down, empty ones included."""
        for index, count in zip(self.negative_index.tolist(), self.negative_counts.tolist(), strict=True):
            lower, upper = -self.bound(index), -self.bound(index - 1)
            yield Bucket(lower, upper, count, lower < 0, upper > 0)

    @property
    def zero_bucket(self) -> Bucket:
        return Bucket(-self.zero_threshold, self.zero_threshold, self.zero_count, True, True)

    def all_buckets(self) -> list[Bucket]:
        """In ascending order. The zero bucket is there where it has a count, and cuts what overlaps it."""
        if self.is_custom:
            return list(self.positive_buckets())
        threshold = self.zero_threshold
        negative = [b for b in self.negative_buckets() if b.upper < 0 or threshold == 0]
        negative = [_cut(b, upper=-threshold) for b in negative if b.lower < -threshold or threshold == 0]
        positive = [_cut(b, lower=threshold) for b in self.positive_buckets() if b.upper > threshold or threshold == 0]
        zero = [self.zero_bucket] if self.zero_count != 0 else []
        return [*reversed(negative), *zero, *positive]

    def __str__(self) -> str:
        """As upstream's String(): `{count:3, sum:1.5, [-0.001,0.001]:1, (1,2]:2}`, empty buckets left out."""
        parts = [f"count:{_short(self.count)}", f"sum:{_short(self.sum)}"]
        parts += [str(b) for b in reversed(list(self.negative_buckets())) if b.count != 0]
        if self.zero_count != 0:
            parts.append(str(self.zero_bucket))
        parts += [str(b) for b in self.positive_buckets() if b.count != 0]
        return "{" + ", ".join(parts) + "}"


def _cut(bucket: Bucket, *, lower: float = -math.inf, upper: float = math.inf) -> Bucket:
    """The part of a bucket outside of the zero bucket."""
    if bucket.lower < lower:
        return replace(bucket, lower=lower)
    return replace(bucket, upper=upper) if bucket.upper > upper else bucket


def exponential_bound(index: int, schema: int) -> float:
    """The upper bound of a positive exponential bucket: 2 ** (index * 2**-schema), the last finite one cut to the largest float."""
    if schema <= 0:
        exponent = index << -schema
        if exponent == 1024:
            return _LARGEST
        return _power(1.0, exponent)
    per_octave = 1 << schema
    octave, place = divmod(index, per_octave)
    if place == 0 and octave == 1024:
        return _LARGEST
    return _power(2.0 ** (place / per_octave), octave)


def _power(fraction: float, exponent: int) -> float:
    try:
        return math.ldexp(fraction, exponent)
    except OverflowError:
        return math.inf


def _same(left: float, right: float) -> bool:
    return left == right or (left != left and right != right)


def _short(value: float) -> str:
    """Go's %g."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    mantissa, _, exponent = text.partition("e")
    if not exponent and value != 0 and not 1e-4 <= abs(value) < 1e21:
        mantissa, _, exponent = f"{value:e}".partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not exponent:
        return mantissa
    if 0 <= int(exponent) < 21:
        return str(int(value)) if value == int(value) else mantissa
    return f"{mantissa}e{exponent[0] if exponent[0] in '+-' else '+'}{exponent.lstrip('+-').zfill(2)}"
