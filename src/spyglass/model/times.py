"""Points in time and the grid of evaluation steps. Metrics count milliseconds, logs nanoseconds, both since 1970 UTC."""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64

NS_PER_MS = 1_000_000
MS_PER_S = 1_000


@dataclass(frozen=True, slots=True)
class StepGrid:
    """Evaluation times start, start+step, ... up to and including end. An instant query has one step.

    `step_ms` is 0 only for an instant (start == end).
    """

    start_ms: int
    end_ms: int
    step_ms: int

    @property
    def count(self) -> int:
        if self.step_ms == 0:
            return 1
        return (self.end_ms - self.start_ms) // self.step_ms + 1

    def times(self) -> I64:
        """All evaluation times [T] in ms."""
        return self.start_ms + self.step_ms * np.arange(self.count, dtype=np.int64)

    @staticmethod
    def instant(time_ms: int) -> "StepGrid":
        return StepGrid(time_ms, time_ms, 0)
