"""Scraping one target, for ever: when, how long, and what became of it."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from spyglass.model.errors import IngestError, StorageError, Unavailable
from spyglass.protocols.clock import Clock
from spyglass.scrape.body import BodySource, Fetched, FetchFailed
from spyglass.scrape.content import BodyKind, body_kind
from spyglass.scrape.metrics import ScrapeMetrics
from spyglass.scrape.target import Target
from spyglass.scrape.writer import Prepared, ScrapeReport, TargetWriter

log = logging.getLogger(__name__)

NS_PER_MS = 1_000_000
ALIGN_TOLERANCE_MS_MAX = 20
"""A scrape that starts so little late is stamped with its planned time: equal gaps compress better, and targets of one pool share
their timestamps. Upstream's flag has 2 ms; our loop wakes up a little later than Go's timers do."""


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """What the targets page shows. health: unknown, up or down. last_ns 0: never scraped."""

    health: str = "unknown"
    error: str = ""
    last_ns: int = 0
    seconds: float = 0.0


class ScrapeLoop:
    """One target's scraping. Started and stopped by its pool."""

    def __init__(
        self,
        target: Target,
        writer: TargetWriter,
        source: BodySource,
        *,
        fallback: str,
        clock: Clock,
        pool: Executor,
        metrics: ScrapeMetrics,
        seed: str = "",
    ) -> None:
        self.target, self.writer = target, writer
        self.state = TargetHealth()
        self.forced_error = ""
        self._source, self._fallback, self._clock, self._pool = source, fallback, clock, pool
        self._metrics, self._seed = metrics, seed
        self._task: asyncio.Task[None] | None = None
        self._working: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"scrape {self.target.url}")

    async def stop(self, *, mark_stale: bool) -> None:
        """Stop scraping. mark_stale: the target is gone for good, so its series end now."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._working is not None and not self._working.done():
            # The thread cannot be stopped: what it stores must not meet what comes next.
            await asyncio.wait([self._working])
        if mark_stale:
            time_ms = self._clock.now_ns() // NS_PER_MS
            await self._in_pool(self.writer.end, time_ms)

    async def _run(self) -> None:
        planned_ns = self._first_ns()
        interval_ns = self.target.interval_ms * NS_PER_MS
        while True:
            wait_ns = planned_ns - self._clock.now_ns()
            if wait_ns > 0:
                await self._clock.sleep(wait_ns / 1e9)
            now_ns = self._clock.now_ns()
            if abs(now_ns - planned_ns) > interval_ns:
                # The machine slept, or its clock was set: go on from here.
                planned_ns = self._first_ns()
                continue
            # A scrape in progress is not torn by a stop: what was fetched is stored whole.
            await self.scrape(self._stamp_ms(now_ns, planned_ns))
            planned_ns += interval_ns
            if self._clock.now_ns() >= planned_ns + interval_ns:
                missed = (self._clock.now_ns() - planned_ns) // interval_ns
                planned_ns += missed * interval_ns

    def _first_ns(self) -> int:
        """The next time at this target's own place in the interval, so that targets do not all come at once."""
        interval_ns = self.target.interval_ms * NS_PER_MS
        digest = hashlib.blake2b(repr((self.target.key, self._seed)).encode(), digest_size=8).digest()
        offset_ns = int.from_bytes(digest, "big") % interval_ns // NS_PER_MS * NS_PER_MS
        now_ns = self._clock.now_ns()
        start_ns = now_ns - now_ns % interval_ns + offset_ns
        return start_ns if start_ns >= now_ns else start_ns + interval_ns

    def _stamp_ms(self, now_ns: int, planned_ns: int) -> int:
        tolerance_ms = min(self.target.interval_ms // 100, ALIGN_TOLERANCE_MS_MAX)
        late = 0 <= now_ns - planned_ns <= tolerance_ms * NS_PER_MS
        return (planned_ns if late else now_ns) // NS_PER_MS

    async def scrape(self, time_ms: int) -> None:
        """One scrape, stamped time_ms. Never raises but for cancellation: what goes wrong is on the targets page."""
        started_ns = self._clock.monotonic_ns()
        last_ns = self._clock.now_ns()
        fetched: Fetched | None = None
        try:
            if self.forced_error:
                raise FetchFailed(self.forced_error)
            fetched = await self._source.fetch(self.target)
            kind = body_kind(fetched.content_type, self._fallback)
            await asyncio.shield(self._in_pool(self._store, fetched, kind, time_ms, started_ns))
            error = ""
        except (FetchFailed, IngestError, StorageError, Unavailable) as err:
            error = str(err)
            report = ScrapeReport(error, self._seconds(started_ns), body_bytes=len(fetched.body) if fetched else 0)
            error = await self._failed(report, time_ms)
        except Exception as err:
            # A mistake of ours must not end the loop unseen: it stands on the targets page until it is gone.
            log.exception("scrape of %s", self.target.url)
            error = f"internal error: {err!r}"
        seconds = self._seconds(started_ns)
        self.state = TargetHealth("down" if error else "up", error, last_ns, seconds)
        self._metrics.finished(error, self.target.interval, seconds)

    def _store(self, fetched: Fetched, kind: BodyKind, time_ms: int, started_ns: int) -> None:
        prepared: Prepared = self.writer.prepare(fetched.body, kind=kind, time_ms=time_ms)
        report = ScrapeReport(
            "", self._seconds(started_ns), prepared.scraped, prepared.kept, prepared.added, len(fetched.body)
        )
        outcome = self.writer.commit(prepared, report, time_ms)
        self._metrics.refused(outcome)

    async def _failed(self, report: ScrapeReport, time_ms: int) -> str:
        try:
            await asyncio.shield(self._in_pool(self.writer.fail, report, time_ms))
        except (StorageError, Unavailable) as err:
            return f"{report.error}; {err}" if str(err) != report.error else report.error
        return report.error

    def _seconds(self, started_ns: int) -> float:
        return (self._clock.monotonic_ns() - started_ns) / 1e9

    async def _in_pool(self, call: Callable[..., None], *args: object) -> None:
        self._working = asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args))
        await self._working
