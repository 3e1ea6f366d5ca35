"""Ticks: lines and bytes per stream and ten seconds, kept beside a part, so that rates over whole days read no times.

A cell is (tick, stream): tick k counts the lines with (k - 1) * 10 s < t <= k * 10 s, the same closed end as a range window has. A query
whose window ends fall on whole ticks is answered exactly; others read the times of the parts that their ends cut.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64

TICK_NS = 10_000_000_000
MIN_LINES_PER_CELL = 4
"""Sparser parts have no ticks: their times are as small."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """Cells in order of (tick, stream): tick, code, count and size [cells]."""

    tick: I64
    code: I64
    count: I64
    size: I64

    @property
    def memory_bytes(self) -> int:
        return 4 * self.tick.nbytes

    @property
    def ends_ns(self) -> I64:
        return self.tick * TICK_NS


def make_ticks(times: I64, codes: I64, sizes: I64, streams: int) -> Ticks | None:
    """None where it is not worth it. times ascending."""
    tick = -(-times // TICK_NS)
    span = int(tick[-1] - tick[0]) + 1
    if span * streams > 4 * len(times):
        return None
    cell = (tick - tick[0]) * streams + codes
    count = np.bincount(cell, minlength=span * streams)
    used = np.flatnonzero(count)
    if len(used) * MIN_LINES_PER_CELL > len(times):
        return None
    size = np.bincount(cell, weights=sizes, minlength=span * streams).astype(np.int64)
    return Ticks(tick[0] + used // streams, used % streams, count[used], size[used])


def on_ticks(bounds_ns: I64) -> bool:
    """Whether all window ends are whole ticks."""
    return not (bounds_ns % TICK_NS).any()
