"""Promtail's -stdin: lines of standard input through the first scrape config's stages, until it ends.

Labels are those of its static_configs, without `__path__` and others for ourselves; without a scrape config `job="stdin"` and the host's
name. Empty lines are left out.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from spyglass.agent.buffer import Chunk
from spyglass.agent.entry import Entry
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.stages.base import StageContext
from spyglass.agent.targets.discovery import public
from spyglass.config.promtail import ScrapeConfig

Put = Callable[[Chunk], Awaitable[None]]

READ_BYTES = 1 << 16
LINE_BYTES = 1 << 20
"""A line without an end is cut here."""
KEY = "stdin"


def stdin_labels(job: ScrapeConfig | None) -> dict[str, str]:
    if job is None:
        return {"job": "stdin", "hostname": socket.gethostname()}
    return dict(public({name: value for group in job.static_configs for name, value in group.labels.items()}))


class StdinJob:
    """Reads one file descriptor to its end."""

    def __init__(self, labels: dict[str, str], pipeline: Pipeline, *, descriptor: int = 0) -> None:
        self._labels, self._pipeline, self._descriptor = labels, pipeline, descriptor

    async def run(self, put: Put) -> None:
        """Returns when the input has ended and everything in it was handed over."""
        context = self._pipeline.context
        async for lines in _lines(self._descriptor):
            await put(_chunk(self._pipeline.run(self._entries(lines)), context, len(lines)))
            if context.delay_s:
                pause_s, context.delay_s = context.delay_s, 0.0
                await asyncio.sleep(pause_s)
        await put(_chunk(self._pipeline.flush(None), context, 0))

    def _entries(self, lines: list[bytes]) -> list[Entry]:
        texts = (line.decode("utf-8", "replace").rstrip("\r\n") for line in lines)
        now_ns = self._pipeline.context.now_ns
        return [Entry(dict(self._labels), text, now_ns(), 0, dict(self._labels)) for text in texts if text]


def _chunk(entries: list[Entry], context: StageContext, lines: int) -> Chunk:
    return Chunk.of(KEY, entries, None, context.monotonic_ns(), lines=lines)


async def _lines(descriptor: int) -> AsyncIterator[list[bytes]]:
    rest = b""
    while data := await _read(descriptor):
        *lines, rest = (rest + data).split(b"\n")
        if len(rest) > LINE_BYTES:
            lines.append(rest)
            rest = b""
        if lines:
            yield lines
    if rest:
        yield [rest]


async def _read(descriptor: int) -> bytes:
    """What there is, waiting without a thread where the system can say when there is something: a thread in a read cannot be stopped."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except (PermissionError, OSError):
        # A regular file: it never keeps anybody waiting.
        return await asyncio.to_thread(os.read, descriptor, READ_BYTES)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, READ_BYTES)
