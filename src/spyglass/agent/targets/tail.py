"""One file that is followed: reads whole lines from where it stands, sees rotation, truncation and deletion.

Synchronous. The offset is always that of a line's beginning; a last line without its newline is read again when it has grown,
and counts as a line only when the file will not grow any more (rotated or deleted). With an encoding of two bytes a unit, offsets
are of bytes all the same.
"""

import codecs
import os
import zlib
from dataclasses import dataclass

from spyglass.agent.positions import Position

READ_BYTES = 256 << 10
"""How much of a file is read at once. Larger: fewer calls, more memory for each file and longer pauses between files."""

LINE_BYTES = 64 << 20
"""A line that is longer is cut in pieces of this size."""

HEAD_BYTES = 256
"""First bytes that identify a file's content."""


@dataclass(frozen=True, slots=True)
class Lines:
    """n whole lines: where each begins in the file, and its text without the newline. next: where the line after them begins."""

    starts: list[int]
    texts: list[str]
    next: int


class Tail:
    """An open file. Raises OSError where it cannot be opened."""

    def __init__(self, path: str, position: Position | None, *, encoding: str = "") -> None:
        self.path = path
        self._codec = codecs.lookup(encoding or "utf-8").name
        self._newline = "\n".encode(self._codec if self._codec not in ("utf-16", "utf-32") else self._codec + "-le")
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(self._fd)
        self.device, self.inode, self.size = status.st_dev, status.st_ino, status.st_size
        self._seen = -1
        self._head: tuple[int, int] = (0, 0)
        self.offset = self._resume(position)

    def _resume(self, position: Position | None) -> int:
        """Where to begin: the known offset, if it is in this file and the file still has it."""
        if position is None or position.offset > self.size:
            return 0
        if position.head_size and self._head_crc(position.head_size) != position.head_crc:
            return 0
        self._head = (position.head_size, position.head_crc)
        return position.offset

    def position(self, offset: int) -> Position:
        """A position in this file."""
        return Position(offset, self.device, self.inode, *self._head)

    @property
    def identity(self) -> tuple[int, int]:
        return self.device, self.inode

    @property
    def is_read(self) -> bool:
        """Whether everything that was there at the last look has been read, up to an unfinished line."""
        return self._seen == self.size

    def look(self, size: int | None = None) -> bool:
        """Whether there is something new to read. Notices truncation: reading then begins again at 0.

        size: the file's, where the caller has just asked for it.
        """
        self.size = os.fstat(self._fd).st_size if size is None else size
        if self.size == self._seen:
            return False
        if self.size < self.offset or not self._head_holds():
            self.offset, self._head, self._seen = 0, (0, 0), -1
        return self.size > self.offset

    def read(self, *, last: bool = False) -> Lines:
        """Up to READ_BYTES of whole lines (more, where one line is longer). last: the file will not grow any more."""
        size = READ_BYTES
        while True:
            data = os.pread(self._fd, size, self.offset)
            cut = self._cut(data)
            if cut or len(data) < size or size >= LINE_BYTES:
                break
            size = min(size * 4, LINE_BYTES)
        at_end = len(data) < size
        if at_end:
            self._seen = max(self.offset + len(data), self.size)
        if (last and at_end and cut < len(data)) or (cut == 0 and size >= LINE_BYTES and not at_end):
            cut = len(data)
        lines = self._lines(data[:cut])
        self._note_head(lines.next)
        self.offset = lines.next
        return lines

    def close(self) -> None:
        os.close(self._fd)

    def _cut(self, data: bytes) -> int:
        """The length of the whole lines in `data`."""
        width = len(self._newline)
        end = len(data)
        while (at := data.rfind(self._newline, 0, end)) >= 0:
            if at % width == 0:
                return at + width
            end = at + width - 1
        return 0

    def _lines(self, data: bytes) -> Lines:
        if not data:
            return Lines([], [], self.offset)
        starts, texts, at, width = [], [], self.offset, len(self._newline)
        for raw in self._split(data):
            starts.append(at)
            texts.append(raw.decode(self._codec, "replace"))
            at += len(raw) + width
        if self.offset == 0 and texts:
            texts[0] = texts[0].removeprefix("\ufeff")
        return Lines(starts, texts, self.offset + len(data))

    def _split(self, data: bytes) -> list[bytes]:
        """The lines' bytes; a last piece without newline is a line."""
        pieces = data.split(self._newline) if len(self._newline) == 1 else self._split_wide(data)
        if pieces and not pieces[-1]:
            pieces.pop()
        return pieces

    def _split_wide(self, data: bytes) -> list[bytes]:
        width, pieces, begin, at = len(self._newline), [], 0, -1
        while (at := data.find(self._newline, at + 1)) >= 0:
            if at % width == 0:
                pieces.append(data[begin:at])
                begin = at + width
        return [*pieces, data[begin:]]

    def _note_head(self, read_to: int) -> None:
        """Remember a checksum of the first bytes once they have been read; it grows up to HEAD_BYTES."""
        size = min(read_to, HEAD_BYTES)
        if size > self._head[0]:
            self._head = (size, self._head_crc(size))

    def _head_holds(self) -> bool:
        size, crc = self._head
        return size == 0 or self._head_crc(size) == crc

    def _head_crc(self, size: int) -> int:
        return zlib.crc32(os.pread(self._fd, size, 0))
