"""All jobs: started, reloaded and stopped here. The only door to the scraping room.

manager = ScrapeManager(stores, registry, executor=pool, clock=clock, map_address=installation.map_address)
await manager.start(config, folder)      # at once; targets come up spread over their intervals
await manager.reload(config, folder)     # jobs that did not change go on untouched
await manager.stop()
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from spyglass.config.prometheus import PrometheusConfig, ScrapeConfig
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.errors import NotFound
from spyglass.model.relabel import RelabelRule
from spyglass.model.telemetry import Registry
from spyglass.protocols.clock import Clock
from spyglass.protocols.metric_store import MetricStores
from spyglass.protocols.targets import ActiveTarget, DroppedTarget
from spyglass.scrape.loop import ScrapeLoop
from spyglass.scrape.metrics import ScrapeMetrics
from spyglass.scrape.plain import PlainFetcher
from spyglass.scrape.pool import PoolContext, ScrapePool


def unmapped(address: str) -> str:
    return address


class ScrapeManager:
    """All scraping of one tenant's prometheus.yml. Its methods belong to the event loop's thread."""

    def __init__(
        self,
        stores: MetricStores,
        registry: Registry,
        *,
        executor: Executor,
        clock: Clock,
        map_address: Callable[[str], str] = unmapped,
        ingest: MetricIngest | None = None,
        tenant: str = "",
        start_timestamps: bool = False,
    ) -> None:
        """start_timestamps: the stores keep them, so they are worth reading."""
        self._stores, self._executor, self._clock = stores, executor, clock
        self._map_address, self._tenant = map_address, tenant
        self._start_timestamps = start_timestamps
        self._ingest = ingest or MetricIngest(registry)
        self._metrics = ScrapeMetrics(registry)
        self._pools: dict[str, ScrapePool] = {}
        self._lock = asyncio.Lock()

    async def start(self, config: PrometheusConfig, folder: Path) -> None:
        """folder: what file names in the configuration are relative to."""
        await self.reload(config, folder)

    async def reload(self, config: PrometheusConfig, folder: Path) -> None:
        """Bring the jobs in line with a (valid) configuration."""
        async with self._lock:
            wanted = {job.job_name: job for job in config.jobs}
            gone = [name for name in self._pools if name not in wanted]
            await asyncio.gather(*(self._pools.pop(name).stop(mark_stale=True) for name in gone))
            if wanted:
                context = await self._context(config, folder)
                await asyncio.gather(*(self._bring(job, context) for job in wanted.values()))

    async def _bring(self, job: ScrapeConfig, context: PoolContext) -> None:
        pool = self._pools.get(job.job_name)
        if pool is None:
            self._pools[job.job_name] = pool = ScrapePool(job, context)
            await pool.start()
        elif pool.job != job:
            await pool.reload(job, context)

    async def _context(self, config: PrometheusConfig, folder: Path) -> PoolContext:
        return PoolContext(
            store=self._stores.store(self._tenant),
            ingest=self._ingest,
            metrics=self._metrics,
            executor=self._executor,
            clock=self._clock,
            folder=folder,
            open_source=partial(PlainFetcher, folder=folder, map_address=self._map_address),
            # Two servers that scrape the same targets should not do so at the same moments.
            seed=f"{socket.gethostname()} {sorted(config.external_labels.items())}",
            start_timestamps=self._start_timestamps,
        )

    async def stop(self) -> None:
        """End all loops. Series are not marked as ended: they go on after a restart."""
        async with self._lock:
            pools, self._pools = list(self._pools.values()), {}
            await asyncio.gather(*(pool.stop(mark_stale=False) for pool in pools))

    # What the targets page and the API show.

    def pool_names(self) -> list[str]:
        return sorted(self._pools)

    def relabel_rules(self, pool: str) -> Sequence[RelabelRule]:
        """The relabel_configs of a job. Raises: NotFound."""
        if pool not in self._pools:
            raise NotFound(f'scrape pool "{pool}" not found')
        return self._pools[pool].job.relabel_rules

    def targets(self, pool: str = "") -> list[ActiveTarget]:
        """Active targets, by job and URL."""
        views = [
            _view(name, loop)
            for name, scrape_pool in self._pools.items()
            if pool in ("", name)
            for loop in scrape_pool.loops.values()
        ]
        return sorted(views, key=lambda view: (view.pool, view.url, view.labels))

    def dropped(self, pool: str = "") -> list[DroppedTarget]:
        """What relabelling dropped, as many as keep_dropped_targets allows."""
        return [
            target
            for name, scrape_pool in self._pools.items()
            if pool in ("", name)
            for target in scrape_pool.dropped[: scrape_pool.job.keep_dropped_targets or None]
        ]

    def dropped_counts(self) -> dict[str, int]:
        return {name: len(pool.dropped) for name, pool in sorted(self._pools.items())}

    def problems(self) -> Sequence[str]:
        """Targets that cannot be scraped, and files of targets that cannot be read."""
        return [text for pool in self._pools.values() for text in pool.all_problems()]


def _view(name: str, loop: ScrapeLoop) -> ActiveTarget:
    target, state = loop.target, loop.state
    return ActiveTarget(
        pool=name,
        labels=target.labels,
        discovered=target.discovered,
        url=target.url,
        interval=target.interval,
        timeout=target.timeout,
        health=state.health,
        error=state.error,
        last_ns=state.last_ns,
        seconds=state.seconds,
        metadata=loop.writer.decoder.metadata,
    )
