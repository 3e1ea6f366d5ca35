"""The hot part: what arrived lately, in memory, queryable at once. The journal holds the same lines for after a crash.

Appends become segments; small segments are merged like the digits of a binary counter, so there are few of them and each line is
copied a logarithmic number of times. A segment is shredded when a query first looks at it.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64
from spyglass.storage.logs.part import MemoryPart
from spyglass.storage.logs.rows import Rows
from spyglass.storage.logs.shred import TemplateMemory, outline, shred

SEALED_ROWS = 4096
"""A segment of this size is merged no more. Larger: fewer segments a query looks at, more lines to shred again after an append."""


class Segment:
    """Rows that arrived one after the other, the first of them with the number first_seq."""

    def __init__(self, rows: Rows, first_seq: int) -> None:
        self.rows, self.first_seq = rows, first_seq
        self.min_ns, self.max_ns = int(rows.times.min()), int(rows.times.max())
        self._lock = threading.Lock()
        self._parts: list[MemoryPart] | None = None
        self._outline: MemoryPart | None = None

    @property
    def size(self) -> int:
        return self.rows.size

    def seqs(self) -> I64:
        return np.arange(self.first_seq, self.first_seq + self.size)

    def parts(self, memory: TemplateMemory) -> list[MemoryPart]:
        """Shredded once, by whoever asks first."""
        with self._lock:
            if self._parts is None:
                self._outline = None
                self._parts = shred(self.rows, self.seqs(), memory, least=1)
            return self._parts

    def shredded(self, memory: TemplateMemory) -> list[MemoryPart]:
        """Parts as a block has them: without templates that few lines have. Who queries meanwhile shares them."""
        with self._lock:
            self._outline, self._parts = None, shred(self.rows, self.seqs(), memory)
            return self._parts

    def outlines(self) -> list[MemoryPart]:
        """Parts for questions that do not look into lines: whole lines, where nobody has shredded them yet."""
        with self._lock:
            if self._parts is not None:
                return self._parts
            if self._outline is None:
                self._outline = outline(self.rows, self.seqs())
            return [self._outline]


@dataclass(slots=True)
class Hot:
    """Not thread-safe: the store's lock guards it. `segments` is replaced, never changed, so that readers may keep it."""

    segments: tuple[Segment, ...] = ()
    rows: int = 0
    bytes: int = 0
    since_ns: int = 0
    """When the oldest of it arrived."""

    def add(self, rows: Rows, first_seq: int, now_ns: int) -> None:
        if not self.rows:
            self.since_ns = now_ns
        segments = [*self.segments, Segment(rows, first_seq)]
        tail = len(segments) - 1
        while tail > 0 and segments[tail - 1].size < SEALED_ROWS:
            if segments[tail - 1].size > 2 * sum(segment.size for segment in segments[tail:]):
                break
            tail -= 1
        if tail < len(segments) - 1:
            segments[tail:] = [join(segments[tail:])]
        self.segments = tuple(segments)
        self.rows += rows.size
        self.bytes += rows.memory_bytes


def join(segments: Sequence[Segment], *, padding: int = 0) -> Segment:
    """One segment of several that follow each other. padding: see Rows.concat."""
    return Segment(Rows.concat([segment.rows for segment in segments], padding=padding), segments[0].first_seq)


def overlapping(segments: Sequence[Segment], start_ns: int, end_ns: int) -> list[Segment]:
    """Those that may have rows with start_ns <= t < end_ns."""
    return [segment for segment in segments if segment.min_ns < end_ns and segment.max_ns >= start_ns]
