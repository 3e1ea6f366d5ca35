"""What is in no block yet: the hot part, which takes lines, and at most one sealed part, whose block is being written.

Not thread-safe: the store's lock guards it. What it hands out is replaced, never changed, so that readers may keep it.
"""

from dataclasses import dataclass

from spyglass.model.labels import Labels
from spyglass.storage.logs.hot import Hot, Segment
from spyglass.storage.logs.rows import Rows


@dataclass(frozen=True, slots=True)
class Sealed:
    """Takes no lines any more. position: the journal before it is in this part or in blocks."""

    segments: tuple[Segment, ...]
    position: int


class Recent:
    """A line moves from hot to sealed, and from there into a block: it is in exactly one of them whenever the lock is free."""

    def __init__(self) -> None:
        self.hot = Hot()
        self.sealed: Sealed | None = None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """In order of arrival."""
        return (*(self.sealed.segments if self.sealed else ()), *self.hot.segments)

    def streams(self) -> set[Labels]:
        return {labels for segment in self.segments for labels in segment.rows.streams}

    def add(self, rows: Rows, first_seq: int, now_ns: int) -> None:
        self.hot.add(rows, first_seq, now_ns)

    def seal(self, position: int) -> None:
        """The hot part takes no more; a new one begins. position: the journal's end."""
        assert self.sealed is None, "one part at a time becomes a block"
        assert self.hot.rows, "there is something to seal"
        self.sealed, self.hot = Sealed(self.hot.segments, position), Hot()

    def replace_sealed(self, segment: Segment) -> None:
        """The same lines in one segment, which is shredded: readers need not do it again, and the others can go."""
        assert self.sealed is not None, "it is being made a block"
        self.sealed = Sealed((segment,), self.sealed.position)

    def drop_sealed(self) -> None:
        """Its block is there."""
        self.sealed = None

    def thaw(self, now_ns: int) -> None:
        """There will be no block: the lines are hot again."""
        thawed = Hot()
        for segment in self.segments:
            thawed.add(segment.rows, segment.first_seq, now_ns)
        self.hot, self.sealed = thawed, None
