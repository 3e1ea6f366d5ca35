"""A path that is followed through rotation: the file there now, and predecessors that were renamed while they were read.

A renamed file is read on for a while, since its writer may not have noticed yet. After a restart it is found again by
its inode in the same folder, under whatever name.
"""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spyglass.agent.buffer import Chunk
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.positions import GONE, Position, Positions, retired_key, retired_of
from spyglass.agent.targets.source import Feeder
from spyglass.agent.targets.stamps import Stamps
from spyglass.agent.targets.tail import Tail

log = logging.getLogger(__name__)

RETIRE_NS = 3 * 10**9
"""How long a renamed or deleted file must have been quiet before it is closed. Longer: late lines of slow writers are
kept; a deleted file's space is freed later."""


@dataclass(slots=True)
class _Reading:
    """A file that is open, its lines' way, and when it last gave something."""

    tail: Tail
    feeder: Feeder
    quiet_since_ns: int


class FollowedFile:
    """Reads one path. Synchronous; every call returns chunks that are to be queued in order.

    path: on this machine.  shown: as the configuration names it: the `filename` label and the positions' key.
    """

    def __init__(
        self,
        path: str,
        shown: str,
        labels: Mapping[str, str],
        *,
        pipeline: Callable[[], Pipeline],
        stamps: Stamps,
        positions: Positions,
        encoding: str = "",
    ) -> None:
        self.path, self.shown = path, shown
        self.labels = {**labels, "filename": shown}
        self.problem = ""
        self._pipeline, self._stamps, self._encoding = pipeline, stamps, encoding
        self._retired: list[_Reading] = []
        self._current: _Reading | None = None
        self._gone = False
        self._begin(positions)

    @property
    def is_done(self) -> bool:
        """Whether the file is gone and everything of it has been read."""
        return self._gone and self._current is None and not self._retired

    @property
    def read_to(self) -> int:
        return self._current.tail.offset if self._current else 0

    @property
    def size(self) -> int:
        return self._current.tail.size if self._current else 0

    def poll(self, now_ns: int) -> list[Chunk]:
        """Look once: at most one read of each file that has something new. now_ns: monotonic."""
        chunks: list[Chunk] = []
        size = self._check_identity(now_ns, chunks)
        for reading in list(self._retired):
            self._poll_retired(reading, now_ns, chunks)
        if self._current is not None:
            self._read(self._current, now_ns, chunks, size=size)
        return chunks

    def stop(self) -> list[Chunk]:
        """What stages still hold; closes the files."""
        chunks = []
        for reading in [*self._retired, *([self._current] if self._current else [])]:
            if (chunk := reading.feeder.flush(everything=True)) is not None:
                chunks.append(chunk)
            reading.tail.close()
        self._retired, self._current = [], None
        return chunks

    # --- the life of a file

    def _begin(self, positions: Positions) -> None:
        """Open the file and its renamed predecessors as the positions say."""
        retired = dict(retired_of(positions, self.shown))
        known = positions.get(self.shown)
        tail = self._open(known)
        if known is not None and known.inode and tail is not None and tail.inode != known.inode:
            # It was rotated while nobody looked.
            retired.setdefault(retired_key(self.shown, known.inode), known)
            tail.offset = 0
        for key, position in retired.items():
            if tail is None or position.inode != tail.inode:
                self._resume_retired(key, position)
        if tail is not None:
            self._current = _Reading(tail, self._feeder(self.shown), 0)

    def _open(self, position: Position | None) -> Tail | None:
        try:
            return Tail(self.path, position, encoding=self._encoding)
        except OSError as err:
            if self.problem != str(err):
                self.problem = str(err)
                log.warning("cannot read %s: %s", self.path, err.strerror)
            return None

    def _feeder(self, key: str) -> Feeder:
        return Feeder(key, self.labels, self._pipeline(), self._stamps)

    def _resume_retired(self, key: str, position: Position) -> None:
        path = _path_of_inode(os.path.dirname(self.path), position)
        if path is None:
            log.warning("%s was rotated and removed before it was read to its end", self.shown)
            return
        try:
            tail = Tail(path, position, encoding=self._encoding)
        except OSError as err:
            log.warning("cannot read the rest of %s: %s", self.shown, err.strerror)
            return
        if tail.offset != position.offset:
            # The inode has a new owner.
            tail.close()
            return
        self._retired.append(_Reading(tail, self._feeder(key), 0))

    def _check_identity(self, now_ns: int, chunks: list[Chunk]) -> int | None:
        """Has another file taken the path, or none? Returns the size of the file there now."""
        try:
            status: os.stat_result | None = os.stat(self.path)
        except OSError:
            status = None
        there = (status.st_dev, status.st_ino) if status else None
        self._gone = there is None
        if self._current is not None and there != self._current.tail.identity:
            self._retire(self._current, now_ns, chunks)
            self._current = None
            if there is None:
                chunks.append(Chunk.of(self.shown, [], GONE, now_ns))
        if self._current is None and there is not None and (tail := self._open(None)) is not None:
            self._current = _Reading(tail, self._feeder(self.shown), now_ns)
            chunks.append(self._current.feeder.feed([], [], tail.position(0)))
        return status.st_size if status else None

    def _retire(self, reading: _Reading, now_ns: int, chunks: list[Chunk]) -> None:
        """From now on its position has a key of its own."""
        reading.feeder.key = retired_key(self.shown, reading.tail.inode)
        reading.quiet_since_ns = now_ns
        self._retired.append(reading)
        chunks.append(reading.feeder.feed([], [], reading.tail.position(reading.tail.offset)))

    def _poll_retired(self, reading: _Reading, now_ns: int, chunks: list[Chunk]) -> None:
        if self._read(reading, now_ns, chunks):
            return
        if now_ns - reading.quiet_since_ns < RETIRE_NS:
            return
        self._read(reading, now_ns, chunks, last=True)
        if (chunk := reading.feeder.flush(everything=True)) is not None:
            chunks.append(chunk)
        chunks.append(Chunk.of(reading.feeder.key, [], GONE, now_ns))
        reading.tail.close()
        self._retired.remove(reading)

    def _read(
        self, reading: _Reading, now_ns: int, chunks: list[Chunk], *, last: bool = False, size: int | None = None
    ) -> bool:
        """One read, and what stages have held long enough. Returns whether there were lines."""
        tail, feeder = reading.tail, reading.feeder
        found = False
        if tail.look(size) or last:
            lines = tail.read(last=last)
            found = bool(lines.texts)
            if found:
                reading.quiet_since_ns = now_ns
                chunks.append(feeder.feed(lines.texts, lines.starts, tail.position(lines.next)))
        if (chunk := feeder.flush()) is not None:
            chunks.append(chunk)
        return found


def _path_of_inode(folder: str, position: Position) -> str | None:
    """The file in `folder` that the position is in, whatever its name is now."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.inode() == position.inode and entry.is_file(follow_symlinks=False):
                    return entry.path
    except OSError:
        return None
    return None
