"""What was read and processed but not yet taken to be sent: bounded, in order of arrival.

Readers wait when it is full: the files are the queue, nothing is dropped because the server is away.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from spyglass.agent.entry import Entry
from spyglass.agent.positions import Position
from spyglass.protocols.clock import Clock

ENTRY_OVERHEAD = 64
"""Bytes that an entry counts beyond its line, so that a flood of empty lines is bounded too."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The outcome of one read of one source. `position` is safe once this chunk and all before it were delivered.

    position None: the source keeps none (pushed lines).  lines: how many were read, whatever became of them.
    """

    key: str
    entries: list[Entry]
    position: Position | None
    size: int
    born_ns: int
    lines: int = 0

    @staticmethod
    def of(key: str, entries: list[Entry], position: Position | None, born_ns: int, *, lines: int = 0) -> "Chunk":
        size = sum(len(entry.line) for entry in entries) + ENTRY_OVERHEAD * len(entries)
        return Chunk(key, entries, position, size, born_ns, lines)


class Buffer:
    """A queue of chunks between readers and the sender. Used from one event loop."""

    def __init__(self, clock: Clock, *, limit_bytes: int) -> None:
        self._clock = clock
        self._limit = limit_bytes
        self._chunks: deque[Chunk] = deque()
        self._size = 0
        self._came = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return self._size

    @property
    def is_empty(self) -> bool:
        return not self._chunks

    async def put(self, chunk: Chunk) -> None:
        """Add a chunk; waits while the buffer is full."""
        await self._room.wait()
        self._chunks.append(chunk)
        self._size += chunk.size
        if self._size >= self._limit:
            self._room.clear()
        self._came.set()

    async def take(self, *, batch_bytes: int, wait_ns: int) -> list[Chunk]:
        """The oldest chunks, together about `batch_bytes`: as soon as there is so much, or the oldest has waited `wait_ns`.

        Empty when the buffer was closed and holds nothing more.
        """
        while not self._closed and self._size < batch_bytes:
            remaining = self._chunks[0].born_ns + wait_ns - self._clock.monotonic_ns() if self._chunks else None
            if remaining is not None and remaining <= 0:
                break
            self._came.clear()
            await self._wait(remaining)
        return self._cut(batch_bytes)

    def close(self) -> None:
        """Let the sender take the rest without waiting."""
        self._closed = True
        self._came.set()

    def _cut(self, batch_bytes: int) -> list[Chunk]:
        taken: list[Chunk] = []
        size = 0
        while self._chunks and (not taken or size + self._chunks[0].size <= batch_bytes):
            chunk = self._chunks.popleft()
            size += chunk.size
            taken.append(chunk)
        self._size -= size
        if self._size < self._limit:
            self._room.set()
        return taken

    async def _wait(self, remaining_ns: int | None) -> None:
        """Until something came, or the time is over."""
        if remaining_ns is None:
            await self._came.wait()
            return
        came = asyncio.ensure_future(self._came.wait())
        over = asyncio.ensure_future(self._clock.sleep(remaining_ns / 1e9))
        try:
            await asyncio.wait({came, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            came.cancel()
            over.cancel()
            await asyncio.gather(came, over, return_exceptions=True)
