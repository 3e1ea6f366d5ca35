"""Upstream's PromQL test scripts through the HTTP API, on a running server."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance
from tests.integration.prometheus_bench import MemoryStores, door

from spyglass.model.labels import Labels
from spyglass.query.engine import PromEngine, PromSettings
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.testing.promqltest.http_target import HttpTarget
from spyglass.testing.promqltest.runner import run_script
from spyglass.testing.promqltest.targets import Sample, write_series

SCRIPTS = sorted((CONFORMANCE / "promql").glob("*.test"))


@dataclass
class _Server:
    """A server in a thread of its own, over stores that can be emptied."""

    url: str
    stores: MemoryStores

    def clear(self) -> None:
        self.stores.by_tenant[""] = MemoryMetricStore(out_of_order_window_ms=10**15)

    def write(self, series: Sequence[tuple[Labels, Sequence[Sample]]]) -> None:
        write_series(self.stores.by_tenant[""], series)


@pytest.fixture(scope="module")
def server() -> Iterator[_Server]:
    stores = MemoryStores()
    engine = PromEngine(stores, PromSettings(delayed_names=True))
    ready, stop = threading.Event(), threading.Event()
    url: list[str] = []

    async def serve() -> None:
        async with door(stores=stores, queries=engine) as running:
            url.append(running.url)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(30), "the server did not start"
    yield _Server(url[0], stores)
    stop.set()
    thread.join(30)


@needs_conformance
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_passes_through_http(script: Path, server: _Server) -> None:
    """Every eval of the script gives what upstream says, as far as an answer's form tells."""
    target = HttpTarget(server.url, write=server.write, clear=server.clear)
    report = run_script(script.read_text(encoding="utf-8"), target)
    assert report.cases > 0
    assert not report.failures, "\n".join(report.failures)
