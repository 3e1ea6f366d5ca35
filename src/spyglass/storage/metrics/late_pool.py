"""Samples behind their series' newest (the out-of-order window): few, kept as they came, sorted when read."""

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.storage.metrics.ragged import Ragged, offsets_of


class LatePool:
    """Not thread-safe. Of two samples at one place the first to come stays."""

    def __init__(self) -> None:
        self._slots: list[I64] = []
        self._times: list[I64] = []
        self._values: list[F64] = []
        self.samples = 0

    def append(self, slots: I64, times: I64, values: F64) -> None:
        self._slots.append(slots)
        self._times.append(times)
        self._values.append(values)
        self.samples += len(slots)

    def slots(self) -> I64:
        """Distinct, ascending."""
        return np.unique(np.concatenate(self._slots)) if self._slots else np.zeros(0, np.int64)

    def select(self, row_of_slot: I64, start_ms: int, end_ms: int) -> Ragged:
        """As SamplePool.select."""
        if not self._slots:
            nothing = np.zeros(0, np.int64)
            return Ragged(nothing, offsets_of(nothing), nothing, np.zeros(0))
        slots, times = np.concatenate(self._slots), np.concatenate(self._times)
        rows = np.where(slots < len(row_of_slot), row_of_slot[np.minimum(slots, len(row_of_slot) - 1)], -1)
        chosen = np.flatnonzero((rows >= 0) & (times >= start_ms) & (times <= end_ms))
        order = chosen[np.lexsort((times[chosen], rows[chosen]))]
        rows, times = rows[order], times[order]
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (rows[1:] != rows[:-1]) | (times[1:] != times[:-1])
        kept, counts = np.unique(rows[fresh], return_counts=True)
        return Ragged(kept, offsets_of(counts), times[fresh], np.concatenate(self._values)[order][fresh])
