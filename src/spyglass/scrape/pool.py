"""One job: its discovery, its targets, and a loop for each."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from spyglass.config.prometheus import ScrapeConfig
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.labels import Labels
from spyglass.protocols.clock import Clock
from spyglass.protocols.metric_store import MetricWriter
from spyglass.protocols.targets import DroppedTarget
from spyglass.scrape.body import BodySource
from spyglass.scrape.discovery.file import CHECK_SECONDS, FileTargets
from spyglass.scrape.discovery.static import static_targets
from spyglass.scrape.loop import ScrapeLoop
from spyglass.scrape.metrics import ScrapeMetrics
from spyglass.scrape.target import Target, build_target
from spyglass.scrape.writer import TargetWriter

log = logging.getLogger(__name__)
TargetKey = tuple[Labels, str]


@dataclass(frozen=True, slots=True)
class PoolContext:
    """What every pool needs from the outside. open_source: makes a job's HTTP client. start_timestamps: the store keeps them."""

    store: MetricWriter
    ingest: MetricIngest
    metrics: ScrapeMetrics
    executor: Executor
    clock: Clock
    folder: Path
    open_source: Callable[[ScrapeConfig], BodySource]
    seed: str
    start_timestamps: bool = False


class ScrapePool:
    """All targets of one scrape_configs entry."""

    def __init__(self, job: ScrapeConfig, context: PoolContext) -> None:
        self.job, self._context = job, context
        self.loops: dict[TargetKey, ScrapeLoop] = {}
        self.dropped: list[DroppedTarget] = []
        self.problems: list[str] = []
        self._source = context.open_source(job)
        self._files = self._new_files()
        self._watcher: asyncio.Task[None] | None = None

    def _new_files(self) -> list[FileTargets]:
        return [FileTargets(config, self._context.folder) for config in self.job.file_sd_configs]

    async def start(self) -> None:
        for files in self._files:
            files.read()
        await self._sync()
        self._watch()

    async def reload(self, job: ScrapeConfig, context: PoolContext) -> None:
        """Go on with a changed job: targets that stay keep what is known of their series."""
        await self._stop_watching()
        old_loops, old_source = self.loops, self._source
        self.job, self._context, self.loops = job, context, {}
        self._source, self._files = context.open_source(job), self._new_files()
        for files in self._files:
            files.read()
        wanted = self._targets()
        await asyncio.gather(*(loop.stop(mark_stale=key not in wanted) for key, loop in old_loops.items()))
        await old_source.close()
        for key, target in wanted.items():
            self._add(key, target, old_loops.get(key))
        self._limit()
        self._watch()

    async def stop(self, *, mark_stale: bool) -> None:
        """mark_stale: the job is gone from the configuration; else the process ends, and series go on after a restart."""
        await self._stop_watching()
        await asyncio.gather(*(loop.stop(mark_stale=mark_stale) for loop in self.loops.values()))
        self._context.metrics.targets.remove(self.job.job_name)
        await self._source.close()

    def all_problems(self) -> list[str]:
        """Targets that cannot be scraped, and files of targets that cannot be read."""
        return [*self.problems, *(error for files in self._files for error in files.errors.values())]

    async def _sync(self) -> None:
        """Bring the loops in line with what discovery says."""
        wanted = self._targets()
        gone = [key for key in self.loops if key not in wanted]
        await asyncio.gather(*(self.loops.pop(key).stop(mark_stale=True) for key in gone))
        for key, target in wanted.items():
            if key not in self.loops:
                self._add(key, target, None)
        self._limit()

    def _targets(self) -> dict[TargetKey, Target]:
        """What discovery found, relabelled. A target that cannot be scraped is reported and left out."""
        found = static_targets(self.job) + [labels for files in self._files for labels in files.targets()]
        rules = self.job.relabel_rules
        wanted: dict[TargetKey, Target] = {}
        self.dropped, self.problems = [], []
        for labels in found:
            try:
                target = build_target(labels, self.job, rules)
            except ValueError as err:
                problem = f"target {labels.get('__address__', '')!r} of job {self.job.job_name!r}: {err}"
                self.problems.append(problem)
                log.warning("%s", problem)
                continue
            if isinstance(target, DroppedTarget):
                self.dropped.append(target)
            else:
                wanted.setdefault(target.key, target)
        return wanted

    def _add(self, key: TargetKey, target: Target, predecessor: ScrapeLoop | None) -> None:
        context = self._context
        writer = TargetWriter(
            context.store, context.ingest, target.labels, self.job, start_timestamps=context.start_timestamps
        )
        if predecessor is not None:
            writer.inherit(predecessor.writer)
        loop = ScrapeLoop(
            target,
            writer,
            self._source,
            fallback=self.job.fallback_scrape_protocol,
            clock=context.clock,
            pool=context.executor,
            metrics=context.metrics,
            seed=context.seed,
        )
        if predecessor is not None:
            loop.state = predecessor.state
        self.loops[key] = loop
        loop.start()

    def _limit(self) -> None:
        """target_limit: past it every scrape of the job fails, as upstream has it."""
        limit, count = self.job.target_limit or 0, len(self.loops)
        error = f"target_limit exceeded (number of targets: {count}, limit: {limit})" if limit and count > limit else ""
        for loop in self.loops.values():
            loop.forced_error = error
        self._context.metrics.targets.set(count, self.job.job_name)

    def _watch(self) -> None:
        if self._files:
            self._watcher = asyncio.create_task(self._watch_files(), name=f"file discovery of {self.job.job_name}")

    async def _watch_files(self) -> None:
        while True:
            await self._context.clock.sleep(CHECK_SECONDS)
            # Reading a changed file of targets takes milliseconds and is rare: no thread for it.
            changed = [files.read() for files in self._files]
            if any(changed):
                await self._sync()

    async def _stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
