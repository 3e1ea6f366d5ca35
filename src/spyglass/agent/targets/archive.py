"""A compressed file (gz, bz2, z): read once from its beginning to its end; it is not followed.

The position counts lines, as Promtail's does, since offsets in a compressed file cannot be sought.
"""

import bz2
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from spyglass.agent.buffer import Chunk
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.positions import Position, Positions
from spyglass.agent.targets.source import Feeder
from spyglass.agent.targets.stamps import Stamps
from spyglass.config.promtail import DecompressionConfig

LINES_PER_READ = 2000

_SUFFIXES = {"gz": (".gz", ".tgz"), "bz2": (".bz2",), "z": (".z",)}


def compression_of(path: str, config: DecompressionConfig) -> str:
    """gz, bz2 or z, where decompression is on and the name says that the file is compressed; else ""."""
    if not config.enabled:
        return ""
    lower = path.lower()
    return next((kind for kind, suffixes in _SUFFIXES.items() if lower.endswith(suffixes)), "")


class ArchiveFile:
    """One compressed file, with the same calls as a followed one."""

    def __init__(
        self,
        path: str,
        shown: str,
        labels: Mapping[str, str],
        *,
        kind: str,
        config: DecompressionConfig,
        pipeline: Callable[[], Pipeline],
        stamps: Stamps,
        positions: Positions,
        encoding: str = "",
    ) -> None:
        self.path, self.shown = path, shown
        self.labels = {**labels, "filename": shown}
        self.problem = ""
        self.read_to = 0
        self._kind = config.format or kind
        self._feeder = Feeder(shown, self.labels, pipeline(), stamps)
        self._encoding, self._delay_ns = encoding or "utf-8", config.initial_delay
        self._begin_ns: int | None = None
        self._lines: Iterator[str] | None = None
        self._finished = False
        known = positions.get(shown)
        self._count = known.offset if known else 0

    @property
    def is_done(self) -> bool:
        return self._finished and not os.path.exists(self.path)

    @property
    def size(self) -> int:
        return self.read_to

    def poll(self, now_ns: int) -> list[Chunk]:
        """The next lines. Raises OSError, EOFError or zlib.error where the file is damaged: it is not tried again."""
        self._begin_ns = now_ns if self._begin_ns is None else self._begin_ns
        if self._finished or now_ns - self._begin_ns < self._delay_ns:
            return []
        try:
            return self._next()
        except (OSError, EOFError, zlib.error):
            self._finished = True
            raise

    def stop(self) -> list[Chunk]:
        chunk = self._feeder.flush(everything=True)
        return [chunk] if chunk else []

    def _next(self) -> list[Chunk]:
        if self._lines is None:
            self._lines = _lines(self.path, self._kind, self._encoding)
            next(islice(self._lines, self._count, self._count), None)
        texts = list(islice(self._lines, LINES_PER_READ))
        if not texts:
            self._finished = True
            return self.stop()
        starts = list(range(self._count, self._count + len(texts)))
        self._count = self.read_to = self._count + len(texts)
        return [self._feeder.feed(texts, starts, Position(self._count))]


def _lines(path: str, kind: str, encoding: str) -> Iterator[str]:
    """The lines, without newline or carriage return."""
    with _open(path, kind) as binary, io.TextIOWrapper(binary, encoding, "replace", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n").removesuffix("\r")


def _open(path: str, kind: str) -> gzip.GzipFile | bz2.BZ2File | io.BytesIO:
    if kind == "gz":
        return gzip.open(path, "rb")
    if kind == "bz2":
        return bz2.open(path, "rb")
    return io.BytesIO(zlib.decompress(Path(path).read_bytes()))
