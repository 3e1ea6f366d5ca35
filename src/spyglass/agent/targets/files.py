"""The files of one scrape config: finds them, follows them, stops when they are gone.

`poll` is synchronous and is called in turns by one thread; what it costs when nothing happens is one stat per file and
one per folder.
"""

import logging
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spyglass.agent.buffer import Chunk
from spyglass.agent.globs import find_files, matches
from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.pipeline import Pipeline
from spyglass.agent.positions import Positions
from spyglass.agent.stages.base import StageContext
from spyglass.agent.targets.archive import ArchiveFile, compression_of
from spyglass.agent.targets.discovery import FileDiscoverer, Found, MappedPattern, targets_of
from spyglass.agent.targets.followed import FollowedFile
from spyglass.agent.targets.stamps import Stamps
from spyglass.config.promtail import ScrapeConfig, StageSpec

log = logging.getLogger(__name__)

ROUND_BYTES = 4 << 20
"""How much one round over the files reads before it lets the sender have it; the next round begins behind the last file.
Bounds the memory where many files are busy."""


class FileJob:
    """Static and file_sd targets of one scrape config."""

    def __init__(
        self,
        job: ScrapeConfig,
        specs: tuple[StageSpec, ...],
        context: StageContext,
        *,
        folder: Path,
        map_path: Callable[[str], str],
        positions: Positions,
        stamps: Stamps,
        metrics: AgentMetrics,
        sync_period_ns: int,
    ) -> None:
        self.job, self.context = job, context
        self.found: list[Found] = []
        self.files: dict[tuple[str, Found], FollowedFile | ArchiveFile] = {}
        self._specs, self._map_path, self._positions = specs, map_path, positions
        self._stamps, self._metrics, self._sync_period_ns = stamps, metrics, sync_period_ns
        self._discoverer = FileDiscoverer(job, folder, map_path)
        self._rules = job.relabel_rules
        self._patterns: list[MappedPattern] = []
        self._turn = 0
        self._scan_due_ns = 0
        self._stamp: list[tuple[int, ...] | None] = []

    @property
    def problems(self) -> dict[str, str]:
        return self._discoverer.problems

    def poll(self, now_ns: int) -> list[Chunk]:
        """Look at everything once. now_ns: monotonic."""
        stamp = self._folder_stamps()
        if now_ns >= self._scan_due_ns or stamp != self._stamp:
            self._scan_due_ns = now_ns + self._sync_period_ns
            self._scan()
            # The stamp of before the scan: what came meanwhile is seen by the next one.
            self._stamp = stamp
        chunks: list[Chunk] = []
        files = list(self.files.items())
        self._turn %= max(len(files), 1)
        size = 0
        for key, file in files[self._turn :] + files[: self._turn]:
            self._turn += 1
            new = self._poll_file(file, now_ns)
            chunks.extend(new)
            size += sum(chunk.size for chunk in new)
            if file.is_done:
                del self.files[key]
                self._metrics.read_bytes.remove(file.shown)
                self._metrics.file_bytes.remove(file.shown)
            if size > ROUND_BYTES:
                break
        return chunks

    def stop(self) -> list[Chunk]:
        """What stages hold back; closes all files."""
        chunks = [chunk for file in self.files.values() for chunk in file.stop()]
        self.files.clear()
        return chunks

    def _folder_stamps(self) -> list[tuple[int, ...] | None]:
        """Changes when files come or go: then the next scan does not wait for its time."""
        return [pattern.folder_stamp() for pattern in self._patterns]

    def _poll_file(self, file: FollowedFile | ArchiveFile, now_ns: int) -> list[Chunk]:
        try:
            chunks = file.poll(now_ns)
        except (OSError, EOFError, zlib.error) as err:
            if file.problem != str(err):
                file.problem = str(err)
                log.warning("cannot read %s: %s", file.path, err)
                self._metrics.targets_failed.inc("read")
            return []
        if chunks:
            self._metrics.read_lines.inc(file.shown, by=sum(chunk.lines for chunk in chunks))
            self._metrics.read_bytes.set(file.read_to, file.shown)
            self._metrics.file_bytes.set(file.size, file.shown)
        return chunks

    def _scan(self) -> None:
        self.found = targets_of(self._discoverer, self._rules)
        self._patterns = []
        for target in self.found:
            if target.dropped:
                continue
            pattern = MappedPattern.of(target.path, self._map_path)
            self._patterns.append(pattern)
            for path in find_files(pattern.real):
                shown = pattern.shown_path(path)
                if target.exclude and matches(target.exclude, shown):
                    continue
                if (path, target) not in self.files:
                    self.files[(path, target)] = self._open(path, shown, target)
        self._let_go({(path, target) for path, target in self.files if target not in self.found})

    def _let_go(self, keys: set[tuple[str, Found]]) -> None:
        """Files of targets that discovery no longer names; a file that is merely gone ends by itself."""
        for key in keys:
            self.files.pop(key).stop()

    def _open(self, path: str, shown: str, target: Found) -> FollowedFile | ArchiveFile:
        kind = compression_of(path, self.job.decompression)
        common: dict[str, Any] = {
            "pipeline": lambda: Pipeline(self._specs, self.context),
            "stamps": self._stamps,
            "positions": self._positions,
            "encoding": self.job.encoding,
        }
        if kind:
            return ArchiveFile(path, shown, dict(target.labels), kind=kind, config=self.job.decompression, **common)
        return FollowedFile(path, shown, dict(target.labels), **common)
