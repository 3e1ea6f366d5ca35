"""The admin API on a real store: deleting, cleaning, snapshots; refused where it is switched off."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.integration.prometheus_bench import door

from spyglass.model.labels import labels_of
from spyglass.model.samples import WriteBatch
from spyglass.protocols.metric_store import MetricStores
from spyglass.query.engine import PromEngine
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.stores import open_metric_stores

T = 1_700_000_000


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[MetricStores]:
    """Series a and b with samples at T, T + 10 and T + 20."""
    options = MetricStoreOptions(out_of_order_window_ms=10**13, retention_ms=0)
    found = open_metric_stores(tmp_path, files=RealFiles(), clock=SystemClock(), options=options)
    store = found.store()
    refs = store.resolve([labels_of({"__name__": "m", "s": s}) for s in "ab"])
    times = np.tile(np.array([T, T + 10, T + 20], np.int64) * 1000, 2)
    store.append(WriteBatch(np.repeat(refs, 3), times, np.arange(6.0)))
    yield found
    found.close()


async def _post(server: Any, path: str, params: dict[str, Any] | None = None) -> httpx.Response:
    response: httpx.Response = await server.client.post(server.url + path, params=params)
    return response


async def test_series_are_deleted_in_a_range(stores: MetricStores) -> None:
    """What is deleted is gone at once, here and in the store; the rest stays, also after cleaning up."""
    async with door(stores=stores, queries=PromEngine(stores), admin_enabled=True) as d:

        async def values(s: str) -> list[str]:
            query = {"query": f'm{{s="{s}"}}[1m]', "time": T + 30}
            rows = (await d.data("/api/v1/query", **query))["result"]
            return [value for row in rows for _, value in row["values"]]

        gone = await _post(
            d, "/api/v1/admin/tsdb/delete_series", {"match[]": 'm{s="a"}', "start": T + 5, "end": T + 15}
        )
        assert (gone.status_code, gone.text) == (204, "")
        assert (await values("a"), await values("b")) == (["0", "2"], ["3", "4", "5"])
        assert (await _post(d, "/api/v1/admin/tsdb/clean_tombstones")).status_code == 204
        assert (await values("a"), await values("b")) == (["0", "2"], ["3", "4", "5"])
        nothing = await _post(d, "/api/v1/admin/tsdb/delete_series")
        assert (nothing.status_code, nothing.json()["errorType"]) == (400, "bad_data")


async def test_a_snapshot_holds_everything(stores: MetricStores, tmp_path: Path) -> None:
    """Its name comes back, and a store opened on it has the samples."""
    async with door(stores=stores, queries=PromEngine(stores), admin_enabled=True) as d:
        name = (await _post(d, "/api/v1/admin/tsdb/snapshot")).json()["data"]["name"]
    [folder] = tmp_path.rglob(f"snapshots/{name}")
    assert any(folder.rglob("*.block"))


async def test_the_admin_api_is_off_unless_it_is_switched_on() -> None:
    """Upstream's text and status."""
    async with door() as d:
        for path in ("delete_series", "clean_tombstones", "snapshot"):
            refused = await _post(d, f"/api/v1/admin/tsdb/{path}")
            assert (refused.status_code, refused.json()) == (
                500,
                {"status": "error", "errorType": "unavailable", "error": "admin APIs disabled"},
            )
