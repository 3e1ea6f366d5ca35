"""Two stores of the same samples: one keeps them all, the other only in buckets beyond a few days."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.labels import Labels
from spyglass.model.samples import STALE, WriteBatch
from spyglass.model.times import StepGrid
from spyglass.protocols.queries import MetricResult
from spyglass.query.engine import PromEngine
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import HOUR_MS, Downsampling, MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import MINUTE, UnlimitedBudget, metric

HOUR, DAY = HOUR_MS, 24 * HOUR_MS
FIVE_MINUTES = 5 * MINUTE
START = 1_700_006_400_000 // (4 * DAY) * 4 * DAY
BY_5M = Downsampling(FIVE_MINUTES, after_ms=DAY, keep_ms=9 * DAY)
BY_1H = Downsampling(HOUR, after_ms=4 * DAY)
WHOLE = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=0, head_samples=20_000)
COARSE = MetricStoreOptions(
    retention_ms=3 * DAY,
    downsampling=(BY_5M, BY_1H),
    sync_interval_s=60,
    min_free_bytes=0,
    head_samples=20_000,
    max_block_range_ms=6 * HOUR,
)


def end_of(days: float) -> int:
    """When `samples` end."""
    return START + int(days * DAY)


class OneStore:
    """`MetricStores` of one tenant."""

    def __init__(self, store: DiskMetricStore) -> None:
        self._store = store

    def store(self, tenant: str = "", *, create: bool = True) -> DiskMetricStore:  # noqa: ARG002
        return self._store

    def tenants(self) -> list[str]:
        return [""]

    def maintain(self, now_ms: int) -> None:
        self._store.maintain(now_ms)

    def close(self) -> None:
        self._store.close()


def open_store(folder: Path, options: MetricStoreOptions) -> DiskMetricStore:
    return DiskMetricStore(folder, files=RealFiles(), clock=VirtualClock(), options=options)


def ask(store: DiskMetricStore, query: str, start_ms: int, end_ms: int, step_ms: int) -> MetricResult:
    engine = PromEngine(OneStore(store))
    return engine.range(query, grid=StepGrid(start_ms, end_ms, step_ms), tenant="", budget=UnlimitedBudget())


def answers(result: MetricResult) -> dict[Labels, tuple[F64, list[bool]]]:
    """Per series the values, 0 where there is none, and where there is one."""
    frame = result.frame
    assert frame is not None
    labels = frame.labels.all_labels()
    return {
        one: (np.where(frame.present[row], frame.values[row], 0.0), frame.present[row].tolist())
        for row, one in enumerate(labels)
    }


def samples(days: float, seed: int = 1) -> list[tuple[Labels, I64, F64]]:
    """Counters that reset, gauges, gaps, stale markers, NaN, a series that comes and one that goes; on and off whole minutes."""
    random = np.random.default_rng(seed)
    found = []
    for target, phase_ms in (("a", 0), ("b", 7_123)):
        times = START + phase_ms + np.arange(int(days * DAY / MINUTE)) * MINUTE
        for n in range(6):
            steps = random.poisson(3 + n, len(times)).astype(np.float64) / (1 if n % 2 else 8)
            restarts = random.random(len(times)) < 0.002
            values = np.cumsum(steps)
            values -= np.maximum.accumulate(np.where(restarts, values, 0.0))
            kept = np.ones(len(times), bool)
            if n == 1:
                kept = random.random(len(times)) > 0.3
            if n == 2:
                kept = (times - START) % (7 * HOUR) > 3 * HOUR
                values[np.flatnonzero(np.diff(kept.astype(int)) == -1)] = STALE
            if n == 3:
                kept = times > START + days * DAY / 3
            if n == 4:
                kept = times < START + days * DAY / 2
            found.append((metric("requests_total", target=target, n=str(n)), times[kept], values[kept]))
        for n in range(4):
            values = np.round(np.cumsum(random.normal(0, 1, len(times))) + 20, 2)
            if n == 1:
                values[random.random(len(times)) < 0.01] = np.nan
            if n == 2:
                values[random.random(len(times)) < 0.2] = STALE
            found.append((metric("temperature", target=target, n=str(n)), times, values))
    return found


def fill(
    stores: Sequence[DiskMetricStore], series: Sequence[tuple[Labels, I64, F64]], *, every_ms: int = 6 * HOUR
) -> None:
    """Write the samples in order of time, keeping house every so often."""
    first = min(int(times[0]) for _, times, _ in series)
    last = max(int(times[-1]) for _, times, _ in series)
    for store in stores:
        for low in range(first // every_ms * every_ms, last + 1, every_ms):
            refs, all_times, all_values = [], [], []
            for ref, (_, times, values) in zip(store.resolve([labels for labels, _, _ in series]), series, strict=True):
                inside = (times >= low) & (times < low + every_ms)
                refs.append(np.full(int(inside.sum()), ref))
                all_times.append(times[inside])
                all_values.append(values[inside])
            store.append(
                WriteBatch(np.concatenate(refs), np.concatenate(all_times), np.concatenate(all_values)), durable=False
            )
            store.maintain(0)
