"""A Prometheus door over real HTTP, on the memory store and the real engine, for the tests beside this file."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
import uvicorn
from starlette.routing import BaseRoute

from spyglass.api.bridge import QueryBridge
from spyglass.api.prometheus.app import create_prometheus_app
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.ingest.metrics import MetricIngest
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.errors import NotFound
from spyglass.model.labels import labels_of
from spyglass.model.samples import WriteBatch
from spyglass.model.telemetry import Registry
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine
from spyglass.scrape.manager import ScrapeManager
from spyglass.storage.clock import SystemClock
from spyglass.storage.memory_metrics import MemoryMetricStore


class MemoryStores:
    """A MetricStores in memory."""

    def __init__(self) -> None:
        self.by_tenant: dict[str, MemoryMetricStore] = {"": MemoryMetricStore(out_of_order_window_ms=10**15)}

    def store(self, tenant: str = "", *, create: bool = True) -> MemoryMetricStore:
        if tenant not in self.by_tenant and not create:
            raise NotFound(f"no tenant {tenant!r}")
        return self.by_tenant.setdefault(tenant, MemoryMetricStore(out_of_order_window_ms=10**15))

    def tenants(self) -> list[str]:
        return sorted(self.by_tenant)

    def maintain(self, now_ms: int) -> None: ...
    def close(self) -> None: ...


@dataclass
class Door:
    """A running server. url: without a slash at the end."""

    url: str
    client: httpx.AsyncClient
    stores: MemoryStores
    manager: ScrapeManager
    registry: Registry
    routes: Sequence[BaseRoute]

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> httpx.Response:
        return await self.client.get(self.url + path, params=params)

    async def data(self, path: str, **params: Any) -> Any:
        answer = (await self.get(path, params)).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def put(self, samples: Mapping[str, tuple[int, float]], *, name: str = "m", tenant: str = "") -> None:
        """Store one sample per series: the label `s` -> (time in ms, value)."""
        store = self.stores.store(tenant)
        refs = store.resolve([labels_of({"__name__": name, "s": s}) for s in samples])
        times = np.array([t for t, _ in samples.values()], np.int64)
        store.append(WriteBatch(refs, times, np.array([v for _, v in samples.values()])))


@asynccontextmanager
async def door(**changes: Any) -> AsyncIterator[Door]:
    """Serve on a free port. changes: fields of PrometheusDeps."""
    stores, registry, clock = MemoryStores(), Registry(), SystemClock()
    pool = ThreadPoolExecutor(2)
    queries, writes = QueryBridge(workers=2), QueryBridge(workers=2)
    ingest = MetricIngest(registry)
    manager = ScrapeManager(stores, registry, executor=pool, clock=clock, ingest=ingest)
    deps = PrometheusDeps(
        queries=PromEngine(stores),
        stores=stores,
        targets=manager,
        ingest=ingest,
        bridge=queries,
        ingest_bridge=writes,
        clock=clock,
        budget=lambda seconds: QueryBudget(timeout_seconds=seconds),
        registry=registry,
        started_ns=time.time_ns(),
        version="0.1.0",
        remote_write_enabled=True,
        remote_write=RemoteWriteIngest(ingest),
    )
    app = create_prometheus_app(replace(deps, **changes))
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off", ws="none")
    )
    serving = asyncio.create_task(server.serve())
    async with httpx.AsyncClient() as client:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Door(f"http://127.0.0.1:{port}", client, stores, manager, registry, app.routes)
        finally:
            await manager.stop()
            server.should_exit = True
            await serving
            queries.close()
            writes.close()
            pool.shutdown()


async def until(server: Door, query: str) -> list[dict[str, Any]]:
    """The result of an instant query once there is one."""
    async with asyncio.timeout(20):
        while True:
            rows: list[dict[str, Any]] = (await server.data("/api/v1/query", query=query))["result"]
            if rows:
                return rows
            await asyncio.sleep(0.05)
