"""Merging parts in order of time without holding more than what overlaps.

Backward: parts are opened newest end first; a row can go out once no unopened part ends at or after it. Forward is the mirror.
Rows of equal time go out in order of arrival (backward: the reverse).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import I32, I64
from spyglass.protocols.log_store import Direction
from spyglass.storage.logs.part import Part

SLICE_ROWS = 16384

Select = Callable[[Part], I64]
"""The rows of a part that a query wants, ascending."""


@dataclass(frozen=True, slots=True)
class Run:
    """Merged rows, in the order of the scan: row rows[i] of parts[owner[i]]."""

    parts: Sequence[Part]
    owner: I32
    rows: I64
    times: I64

    @property
    def size(self) -> int:
        return len(self.rows)


@dataclass(slots=True)
class _Pending:
    """Selected rows that may not go out yet."""

    parts: list[Part] = field(default_factory=list)
    owner: list[I32] = field(default_factory=list)
    rows: list[I64] = field(default_factory=list)
    times: list[I64] = field(default_factory=list)
    seqs: list[I64] = field(default_factory=list)

    def add(self, part: Part, rows: I64) -> None:
        self.owner.append(np.full(len(rows), len(self.parts), np.int32))
        self.parts.append(part)
        self.rows.append(rows)
        self.times.append(part.times()[rows])
        self.seqs.append(part.seqs()[rows])

    def take(self, bound: int | None, backward: bool) -> Run | None:
        """The rows strictly beyond the bound (None: all), in order; the others stay."""
        if not self.rows:
            return None
        times, seqs = np.concatenate(self.times), np.concatenate(self.seqs)
        owner, rows = np.concatenate(self.owner), np.concatenate(self.rows)
        ready = np.ones(len(times), np.bool_) if bound is None else times > bound if backward else times < bound
        run = None
        chosen = np.flatnonzero(ready)
        if len(chosen):
            if len(self.parts) > 1:
                chosen = chosen[np.lexsort((seqs[chosen], times[chosen]))]
            if backward:
                chosen = chosen[::-1]
            run = Run(tuple(self.parts), owner[chosen], rows[chosen], times[chosen])
        self._keep(np.flatnonzero(~ready), owner, rows, times, seqs)
        return run

    def _keep(self, left: I64, owner: I32, rows: I64, times: I64, seqs: I64) -> None:
        used, codes = np.unique(owner[left], return_inverse=True)
        self.parts = [self.parts[index] for index in used.tolist()]
        self.owner, self.rows = [codes.astype(np.int32)], [rows[left]]
        self.times, self.seqs = [times[left]], [seqs[left]]
        if not len(left):
            self.owner, self.rows, self.times, self.seqs = [], [], [], []


def merged(parts: Sequence[Part], select: Select, direction: Direction) -> Iterator[Run]:
    """All selected rows, in order. Parts are opened one after the other, as late as the order allows."""
    backward = direction == "backward"
    ordered = sorted(parts, key=lambda p: -p.max_ns if backward else p.min_ns)
    pending = _Pending()
    for index, part in enumerate(ordered):
        rows = select(part)
        bound = None
        if index + 1 < len(ordered):
            following = ordered[index + 1]
            bound = following.max_ns if backward else following.min_ns
        if not pending.rows:
            ready, rows = _split(part, rows, bound, backward)
            yield from _slices(part, ready, backward)
        if len(rows):
            pending.add(part, rows)
        run = pending.take(bound, backward)
        if run is not None:
            yield run


def _split(part: Part, rows: I64, bound: int | None, backward: bool) -> tuple[I64, I64]:
    """The rows of one part that may go out, and the others; as `take`, but without looking at every row."""
    if bound is None or not len(rows):
        return rows, rows[:0]
    at = int(np.searchsorted(rows, np.searchsorted(part.times(), bound, side="right" if backward else "left")))
    return (rows[at:], rows[:at]) if backward else (rows[:at], rows[at:])


def _slices(part: Part, rows: I64, backward: bool) -> Iterator[Run]:
    """The rows of one part, which are in order already, in slices: who wants a hundred lines does not wait for all."""
    rows = rows[::-1] if backward else rows
    for start in range(0, len(rows), SLICE_ROWS):
        piece = rows[start : start + SLICE_ROWS]
        yield Run((part,), np.zeros(len(piece), np.int32), piece, part.times()[piece])
