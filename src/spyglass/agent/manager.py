"""The agent: builds everything from one Promtail file, owns every task, starts, reloads and stops it."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp

from spyglass.agent.batch import client_name
from spyglass.agent.buffer import Buffer, Chunk
from spyglass.agent.client import PushClient, SessionFactory
from spyglass.agent.inspect import InspectedStage
from spyglass.agent.metrics import AgentMetrics
from spyglass.agent.pipeline import Pipeline, check_pipelines
from spyglass.agent.positions import Positions
from spyglass.agent.sender import Sender
from spyglass.agent.stages import line_size
from spyglass.agent.stages.base import StageContext
from spyglass.agent.targets.docker import DockerJob
from spyglass.agent.targets.files import FileJob
from spyglass.agent.targets.stamps import Stamps
from spyglass.agent.targets.stdin import StdinJob, stdin_labels
from spyglass.config.promtail import LimitsConfig, PromtailFile, StageSpec
from spyglass.config.promtail_stages import LimitStage
from spyglass.model.telemetry import Registry
from spyglass.protocols.clock import Clock

log = logging.getLogger(__name__)

BUFFERED_BATCHES = 4
"""How many batches may wait for the sender before reading pauses. More: more memory while the server is away, nothing else."""

FLUSH_SECONDS = 5.0
"""How long `stop` waits for the last batch; what has not left by then is on disk and leaves at the next start."""


def _same(text: str) -> str:
    return text


class AgentManager:
    """Reads what the file says and pushes it where the file says.

    map_path, map_url: names inside containers -> names on this machine.  registry: where the promtail_* metrics go.
    client: what delivers batches. inspect: gets a text of what each stage changed. stdin: read standard input, and nothing else.
    """

    def __init__(
        self,
        config: PromtailFile,
        *,
        clock: Clock,
        map_path: Callable[[str], str] = _same,
        map_url: Callable[[str], str] = _same,
        session_factory: SessionFactory = aiohttp.ClientSession,
        registry: Registry | None = None,
        client: type[PushClient] = PushClient,
        inspect: Callable[[str], None] | None = None,
        stdin: bool = False,
    ) -> None:
        self.config = config
        self.registry = registry or Registry()
        self.metrics = AgentMetrics(self.registry)
        self.jobs: list[FileJob] = []
        self.docker_jobs: list[DockerJob] = []
        self.clients: list[PushClient] = []
        self.positions: Positions | None = None
        self.failure = ""
        self._clock, self._map_path, self._map_url = clock, map_path, map_url
        self._session_factory, self._client = session_factory, client
        self._inspect, self._stdin = inspect, stdin
        self._session: aiohttp.ClientSession | None = None
        self._buffer: Buffer | None = None
        self._sender: Sender | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._sending: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._polling = threading.Lock()
        self.metrics.buffered_bytes.track(lambda: float(self._buffer.size if self._buffer else 0))

    @property
    def is_ready(self) -> bool:
        """Running, and able to read its positions; also while the server is away."""
        return bool(self._sending) and not self.failure

    @property
    def problem(self) -> str:
        """What keeps it from working although it runs: a disk that takes no positions. "" where nothing does."""
        return self.failure or (self._sender.problem if self._sender else "")

    async def start(self, *, ended: Callable[[], None] = lambda: None) -> None:
        """Begin to read and send. ended: called when standard input is over and was taken to be sent.

        Raises: ConfigError for positions that cannot be used, OSError for certificates.
        """
        assert not self._sending, "the agent is running already"
        self._check(self.config)
        self.failure = ""
        self._stopping.clear()
        self.metrics.forget_custom()
        settings = self.config.config
        positions = Positions(
            Path(self._map_path(settings.positions.filename)), ignore_invalid=settings.positions.ignore_invalid_yaml
        )
        await asyncio.to_thread(positions.load)
        self.clients = [
            self._client(
                client_name(client, index),
                client,
                self._map_url(client.url),
                folder=self.config.folder,
                clock=self._clock,
                metrics=self.metrics,
            )
            for index, client in enumerate(settings.all_clients)
        ]
        self.positions = positions
        self._session = self._session_factory()
        batch = max((client.batchsize for client in settings.all_clients), default=1 << 20)
        self._buffer = Buffer(self._clock, limit_bytes=BUFFERED_BATCHES * batch)
        self._sender = Sender(
            self._buffer,
            self.clients,
            positions,
            self._session,
            clock=self._clock,
            sync_period_ns=settings.positions.sync_period,
        )
        if not self._stdin:
            self._build_jobs(positions)
        self._sending = [self._spawn(self._sender.run()), self._spawn(self._sender.keep_settled())]
        self._readers = [self._spawn(self._read_files())]
        self._readers.extend(self._spawn(job.run(self._buffer.put)) for job in self.docker_jobs)
        if self._stdin:
            self._readers.append(self._spawn(self._read_stdin(self._buffer, ended)))
        for warning in self.config.warnings:
            log.warning("%s", warning)

    async def stop(self) -> None:
        """Stop reading, send what can be sent within FLUSH_SECONDS, write the positions."""
        self._stopping.set()
        await _cancel(self._readers[1:])
        finished = bool(self._readers) and await self._finishes(self._readers[0])
        self._readers = []
        if self._buffer is not None and self._sending:
            await self._drain(self._buffer, flush=finished)
        await _cancel(self._sending)
        self._sending = []
        if self._session is not None:
            await self._session.close()
            self._session = None
        self.jobs, self.docker_jobs = [], []

    async def reload(self, config: PromtailFile) -> None:
        """Go on with another file; positions and metrics stay. Raises ConfigError before anything is stopped."""
        self._check(config)
        await self.stop()
        self.config = config
        await self.start()

    def _check(self, config: PromtailFile) -> None:
        check_pipelines(config, AgentMetrics(Registry()), self._clock.now_ns)

    async def _finishes(self, reading: "asyncio.Task[None]") -> bool:
        """Let the reader hand over what it has read. False where the buffer had no room for it: it is read again."""
        await asyncio.wait({reading}, timeout=FLUSH_SECONDS)
        finished = reading.done()
        await _cancel([reading])
        return finished

    async def _drain(self, buffer: Buffer, *, flush: bool) -> None:
        """Send the rest. flush: with what stages hold; not where lines before those were left behind."""
        sending = self._sending[0]
        held = await asyncio.to_thread(self._close_files)
        chunks = held if flush else []

        async def rest() -> None:
            for chunk in chunks:
                await buffer.put(chunk)
            buffer.close()
            await asyncio.shield(sending)

        flushing = asyncio.ensure_future(rest())
        await asyncio.wait({flushing, sending}, timeout=FLUSH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            log.warning("the last lines could not be sent; they are sent at the next start")
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)

    def _build_jobs(self, positions: Positions) -> None:
        settings = self.config.config
        stamps = Stamps(self._clock.now_ns)
        before, behind = _limits(settings.limits_config)
        shared: dict[Any, Any] = {}
        for job, stages in zip(settings.scrape_configs, self.config.pipelines, strict=True):
            specs = (*before, *stages, *behind)
            context = self._context(job.job_name, shared)
            if job.static_configs or job.file_sd_configs:
                self.jobs.append(
                    FileJob(
                        job,
                        specs,
                        context,
                        folder=self.config.folder,
                        map_path=self._map_path,
                        positions=positions,
                        stamps=stamps,
                        metrics=self.metrics,
                        sync_period_ns=settings.target_config.sync_period,
                    )
                )
            for docker in job.docker_sd_configs:
                self.docker_jobs.append(
                    DockerJob(
                        job,
                        docker,
                        specs,
                        context,
                        folder=self.config.folder,
                        map_path=self._map_path,
                        positions=positions,
                        clock=self._clock,
                        metrics=self.metrics,
                    )
                )

    def _context(self, job: str, shared: dict[Any, Any]) -> StageContext:
        context = StageContext(self.metrics, self._clock.now_ns, self._clock.monotonic_ns, job=job, shared=shared)
        if self._inspect is not None:
            out = self._inspect
            context.wrap = lambda name, stage: InspectedStage(name, stage, out)
        return context

    async def _read_stdin(self, buffer: Buffer, ended: Callable[[], None]) -> None:
        settings = self.config.config
        before, behind = _limits(settings.limits_config)
        jobs = settings.scrape_configs
        if len(jobs) > 1:
            log.warning("standard input goes through the first scrape config; the other %d are left out", len(jobs) - 1)
        stages = self.config.pipelines[0] if jobs else ()
        context = self._context(jobs[0].job_name if jobs else "stdin", {})
        pipeline = Pipeline((*before, *stages, *behind), context)
        await StdinJob(stdin_labels(jobs[0] if jobs else None), pipeline).run(buffer.put)
        while not buffer.is_empty:
            await self._clock.sleep(0.05)
        ended()

    async def _read_files(self) -> None:
        """Look at every file in turns; pause only when none had anything new."""
        assert self._buffer is not None, "start() made the buffer"
        watch = self.config.config.global_.file_watch_config
        idle_s = watch.min_poll_frequency / 1e9
        while self.jobs and not self._stopping.is_set():
            chunks = await asyncio.to_thread(self._poll_files)
            for chunk in chunks:
                await self._buffer.put(chunk)
            pause_s = max((job.context.delay_s for job in self.jobs), default=0.0)
            if pause_s:
                for job in self.jobs:
                    job.context.delay_s = 0.0
                await self._pause(pause_s)
            if chunks:
                idle_s = watch.min_poll_frequency / 1e9
                continue
            await self._pause(idle_s)
            idle_s = min(idle_s * 2, max(watch.max_poll_frequency, watch.min_poll_frequency) / 1e9)

    def _close_files(self) -> list[Chunk]:
        with self._polling:
            return [chunk for job in self.jobs for chunk in job.stop()]

    async def _pause(self, seconds: float) -> None:
        """Until the time is over, or the agent is to stop."""
        waiting = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._stopping.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def _poll_files(self) -> list[Chunk]:
        now_ns = self._clock.monotonic_ns()
        with self._polling:
            chunks = [chunk for job in self.jobs for chunk in job.poll(now_ns)]
        self.metrics.files_active.set(sum(len(job.files) for job in self.jobs))
        self.metrics.targets_active.set(sum(not t.dropped for job in self.jobs for t in job.found))
        return chunks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that dies is a mistake of ours: say so loudly, and stop being ready."""
        if not task.cancelled() and (err := task.exception()) is not None:
            self.failure = f"{type(err).__name__}: {err}"
            log.error("the agent stopped: %s", self.failure, exc_info=err)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _limits(limits: LimitsConfig) -> tuple[tuple[StageSpec, ...], tuple[StageSpec, ...]]:
    """limits_config as stages in front of and behind every pipeline; all pipelines share the one rate."""
    before: tuple[StageSpec, ...] = ()
    if limits.readline_rate_enabled:
        rate = LimitStage(rate=limits.readline_rate, burst=limits.readline_burst, drop=limits.readline_rate_drop)
        before = (StageSpec("limit", rate),)
    return before, (StageSpec(line_size.NAME, limits),) if limits.max_line_size else ()
