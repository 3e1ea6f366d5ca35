"""Native histograms: exponential buckets (schemas -4..8) and custom buckets (schema -53). Immutable values.

Buckets are sparse: ascending indices and their counts. With an exponential schema bucket i covers (base**(i-1), base**i] for
positive values, mirrored for negative ones; base = 2**(2**-schema). With custom buckets index i covers
(custom_values[i-1], custom_values[i]], the first reaching down to -Inf and the last up to +Inf.
Source: Prometheus model/histogram/float_histogram.go.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from spyglass.model.arrays import F64, I64

CUSTOM_SCHEMA = -53
MIN_SCHEMA, MAX_SCHEMA = -4, 8


class ResetHint(IntEnum):
    """What is known of the histogram as the follower of the one before. Values as in the remote write protocol."""

    UNKNOWN = 0
    RESET = 1
    NOT_RESET = 2
    GAUGE = 3


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

    def scaled(self, factor: float) -> "FloatHistogram":
        """Everything that counts, times `factor`."""
        with np.errstate(all="ignore"):
            return replace(
                self,
                count=self.count * factor,
                sum=self.sum * factor,
                zero_count=self.zero_count * factor,
                positive_counts=self.positive_counts * factor,
                negative_counts=self.negative_counts * factor,
            )
