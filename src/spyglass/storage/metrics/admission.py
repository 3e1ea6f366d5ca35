"""Which samples of a batch are taken: upstream's rules for order and age, a few vectorised comparisons.

Source: Prometheus tsdb/head_append.go (memSeries.appendable, ErrOutOfBounds) with these rules:

- too old: behind `newest - block_range / 2` and not inside the out-of-order window. An empty store takes any age.
- a sample newer than its series' last is in order. One at the same time is accepted silently if the value is the same, bit for bit,
  else a duplicate. One behind is out of order: refused, or *late* if a window is configured and the sample is inside it.

"newest" is the store's newest sample before the batch.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask


@dataclass(frozen=True, slots=True)
class AgeLimits:
    """oldest_in_order_ms: behind it is too old. oldest_late_ms: how far the out-of-order window reaches; window False: there is none."""

    oldest_in_order_ms: int
    oldest_late_ms: int
    window: bool

    @staticmethod
    def of(newest_ms: int | None, block_range_ms: int, window_ms: int) -> "AgeLimits":
        if newest_ms is None:
            return AgeLimits(-(2**62), -(2**62), window_ms > 0)
        return AgeLimits(newest_ms - block_range_ms // 2, newest_ms - window_ms, window_ms > 0)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Masks [n] over the batch. `same` are accepted but not stored."""

    store: Mask
    late: Mask
    same: Mask
    out_of_order: Mask
    too_old: Mask
    duplicate: Mask


def judge(times: I64, values: F64, last_ms: I64, last_bits: U64, limits: AgeLimits) -> Verdicts:
    """Judge samples of distinct series. last_ms [n], last_bits [n]: the newest sample of each one's series."""
    newer = times > last_ms
    in_age = times >= limits.oldest_in_order_ms
    late_age = (times >= limits.oldest_late_ms) if limits.window else np.zeros(len(times), np.bool_)
    at_last = times == last_ms
    same = at_last & (np.ascontiguousarray(values).view(np.uint64) == last_bits)
    behind = times < last_ms
    late = behind & late_age
    refused_behind = behind & ~late_age
    too_old = (newer & ~in_age & ~late_age) | (refused_behind & (~in_age | limits.window))
    return Verdicts(
        store=newer & (in_age | late_age),
        late=late,
        same=same,
        out_of_order=refused_behind & ~too_old,
        too_old=too_old,
        duplicate=at_last & ~same,
    )


def all_in_order(times: I64, last_ms: I64, limits: AgeLimits) -> bool:
    """The usual case, told in two passes: every sample is newer than its series' last and young enough."""
    return bool((times > last_ms).all()) and int(times.min()) >= limits.oldest_in_order_ms
