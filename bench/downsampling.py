"""Downsampling: what it costs to make, what it takes on disk, and how much faster long ranges are.

    python -m bench.downsampling fill DIR --days 30     write one back end's samples, 15 s apart
    python -m bench.downsampling make DIR               downsample them to 5 minutes and an hour
    python -m bench.downsampling read DIR               queries over all of it: from samples, and from buckets

Each in a process of its own. Prints one JSON object. Times are CPU seconds, the least of three.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench.metric_data import BackEnd
from bench.metrics_store import HOUR_MS, STEP_MS, T0, peak_mb, rss_mb

from spyglass.model.samples import WriteBatch
from spyglass.model.times import StepGrid
from spyglass.query.engine import PromEngine
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import Downsampling, MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.storage.metrics.stores import DiskMetricStores
from spyglass.testing.metric_store_suite import UnlimitedBudget

DAY_MS = 24 * HOUR_MS
LEVELS = (Downsampling(300_000, 40 * HOUR_MS), Downsampling(HOUR_MS, 10 * DAY_MS))
QUERIES = {
    "rate, 1h windows": ("sum by (path) (rate(http_request_duration_seconds_bucket[1h]))", HOUR_MS),
    "rate, 1h windows, 10m steps": ("sum by (path) (rate(http_request_duration_seconds_bucket[1h]))", 600_000),
    "histogram_quantile": (
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[1h])))",
        HOUR_MS,
    ),
    "avg_over_time": ("avg_over_time(http_requests_in_flight[1h])", HOUR_MS),
    "max_over_time 1d": ("max_over_time(http_requests_in_flight[1d])", DAY_MS),
    "plain selector": ("sum(http_requests_in_flight)", HOUR_MS),
    "one series": ('rate(http_requests_total{path="/v1/things/7",status="200"}[1h])', HOUR_MS),
}


def open_stores(folder: Path, *, downsampled: bool) -> DiskMetricStores:
    options = MetricStoreOptions(retention_ms=0, downsampling=LEVELS if downsampled else ())
    return DiskMetricStores(folder, files=RealFiles(), clock=SystemClock(), options=options)


def store_of(stores: DiskMetricStores) -> DiskMetricStore:
    store = stores.store("")
    assert isinstance(store, DiskMetricStore)
    return store


def fill(folder: Path, days: float, endpoints: int) -> dict[str, object]:
    back_end = BackEnd(endpoints=endpoints, gauges=endpoints * 2)
    stores = open_stores(folder, downsampled=False)
    store = store_of(stores)
    refs = store.resolve(back_end.labels)
    count = int(days * DAY_MS / STEP_MS)
    for number, values in enumerate(back_end.scrapes(count, reset_every=20_000)):
        store.append(WriteBatch(refs, np.full(len(refs), T0 + number * STEP_MS), values), durable=False)
        if number % 240 == 0:
            store.maintain(0)
    store.flush()
    store.compact()
    size = sum(block.size_bytes for block in store.blocks)
    stores.close()
    return {
        "series": len(refs),
        "samples_millions": count * len(refs) / 1e6,
        "bytes_per_sample": size / count / len(refs),
    }


def make(folder: Path) -> dict[str, object]:
    stores = open_stores(folder, downsampled=True)
    store = store_of(stores)
    samples = sum(block.samples for block in store.blocks)
    sizes = {"samples": sum(block.size_bytes for block in store.blocks)}
    before_mb = rss_mb()
    began = time.process_time()
    store.downsample()
    spent = time.process_time() - began
    found: dict[str, object] = {"cpu_s_per_million_samples": spent / samples * 1e6}
    for level in store.levels:
        buckets = sum(block.samples for block in level.blocks)
        size = sizes[str(level.resolution_ms)] = sum(block.size_bytes for block in level.blocks)
        found[f"bytes_per_bucket_{level.resolution_ms}"] = size / buckets
    stores.close()
    return {**found, "disk_bytes": sizes, "rss_mb_before": before_mb, "peak_mb": peak_mb()}


def read(folder: Path) -> dict[str, object]:
    found: dict[str, dict[str, float]] = {name: {} for name in QUERIES}
    for kind in ("samples", "buckets"):
        stores = open_stores(folder, downsampled=kind == "buckets")
        low, high = store_of(stores).time_range() or (0, 0)
        grid_of = _grids(low, high)
        engine = PromEngine(stores)
        for name, (query, step_ms) in QUERIES.items():
            found[name][kind] = _least(engine, query, grid_of(step_ms))
        stores.close()
    return {"cpu_s": found, "peak_mb": peak_mb()}


def _grids(low_ms: int, high_ms: int) -> Callable[[int], StepGrid]:
    def grid(step_ms: int) -> StepGrid:
        start = -(-low_ms // DAY_MS) * DAY_MS
        return StepGrid(start, high_ms // step_ms * step_ms, step_ms)

    return grid


def _least(engine: PromEngine, query: str, grid: StepGrid) -> float:
    spent = []
    for _ in range(3):
        began = time.process_time()
        engine.range(query, grid=grid, tenant="", budget=UnlimitedBudget())
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fill", "make", "read"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--endpoints", type=int, default=40)
    options = parser.parse_args()
    if options.what == "fill":
        found = fill(options.folder, options.days, options.endpoints)
    else:
        found = (make if options.what == "make" else read)(options.folder)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
