"""How far the change between the first and the last sample of a window is carried on to the window's borders.

Source: Prometheus promql/functions.go (extrapolatedRate). Nearly all of it depends on times alone, so series that share their times share
it: it is worked out once per step. What a single series adds is that a counter cannot have been below zero.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64

_ROUNDING = 1 + 1e-9
"""Wider than what a product and a quotient may differ by."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Seconds, each [1,T] or [S,T]: between the first and the last sample, and what is added before and behind.

    factor: what a change is multiplied with, but for counters that were near zero.  near_zero: those whose first value is less than so
    much of their change; NaN where there are fewer than two samples.
    """

    sampled: F64
    to_start: F64
    to_end: F64
    factor: F64
    near_zero: F64

    @staticmethod
    def of(starts: I64, ends: I64, first_times: I64 | F64, last_times: I64 | F64, count: I64) -> "Margins":
        """starts, ends [T] ms of the windows; times of their first and last samples and how many they hold, [1,T] or [S,T]."""
        with np.errstate(all="ignore"):
            sampled = (last_times - first_times) / 1000
            average = sampled / (count - 1)
            threshold = average * 1.1
            to_start, to_end = (first_times - starts) / 1000, (ends - last_times) / 1000
            to_start = np.where(to_start >= threshold, average / 2, to_start)
            to_end = np.where(to_end >= threshold, average / 2, to_end)
            near_zero = np.where(count >= 2, to_start / sampled * _ROUNDING, np.nan)
            return Margins(sampled, to_start, to_end, (sampled + to_start + to_end) / sampled, near_zero)

    def carry_on(self, change: F64, first_values: F64, *, is_counter: bool) -> None:
        """Multiply each change [S,T] so that it covers its window. first_values [S,T]."""
        near: tuple[I64, ...] = ()
        if is_counter:
            # Most are not: those that are get a factor of their own.
            near = np.nonzero(first_values < change * self.near_zero)
        if not is_counter or not len(near[0]):
            change *= self.factor
            return
        own = change[near]
        sampled, to_start, to_end = (
            np.broadcast_to(part, change.shape)[near] for part in (self.sampled, self.to_start, self.to_end)
        )
        to_start = not_before_zero(to_start, sampled, first_values[near], own)
        change *= self.factor
        change[near] = own * ((sampled + to_start + to_end) / sampled)


def not_before_zero(to_start: F64, sampled: F64, first_values: F64, change: F64) -> F64:
    """A counter cannot have been negative: never extrapolate to before the point where it was zero. All of one shape."""
    to_zero = sampled * (first_values / change)
    usable = (change > 0) & (first_values >= 0) & (to_zero < to_start)
    np.copyto(to_zero, to_start, where=~usable)
    return to_zero
