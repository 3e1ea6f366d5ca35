"""Native histograms in the metric store: CPU per append, flush, merge and select, and bytes on disk.

    python bench/histograms_store.py [series] [hours]

Series of 24 buckets at 15 s that grow as request durations do: most buckets rise by a few, the layout grows now and then, one restart.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import WriteBatch
from spyglass.protocols.metric_store import SelectHints
from spyglass.query.budget import QueryBudget
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore

START_MS, STEP_MS = 1_699_999_200_000, 15_000


def batches(series: int, steps: int) -> Iterator[tuple[int, list[FloatHistogram]]]:
    chance = np.random.default_rng(1)
    counts = np.zeros((series, 24))
    sums = np.zeros(series)
    weights = np.exp(-((np.arange(24) - 9) ** 2) / 18) * 3
    for step in range(steps):
        if step == steps // 2:
            counts[:], sums[:] = 0, 0
        counts += chance.poisson(weights, counts.shape)
        sums += counts.sum(axis=1) * chance.random(series) * 0.01
        out = []
        for row in range(series):
            index = np.flatnonzero(counts[row])
            buckets = counts[row, index]
            out.append(FloatHistogram(3, float(buckets.sum()), float(sums[row]), 2.0**-128, 0.0, index - 20, buckets))
        yield START_MS + step * STEP_MS, out


def timed(name: str, samples: int, work: Callable[[], object]) -> None:
    began = time.process_time()
    work()
    print(f"{name:32}{(time.process_time() - began) / samples * 1e6:10.2f} us/sample")


def main() -> None:
    series, hours = int((*sys.argv, 100)[1]), float((*sys.argv, 100, 6)[2])
    steps = int(hours * 240)
    data = list(batches(series, steps))
    folder = Path(tempfile.mkdtemp())
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0, sync_interval_s=60)
    store = DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=options)
    refs = store.resolve([labels_of({"__name__": "h", "i": str(i)}) for i in range(series)])
    none = np.zeros(0, np.int64)
    half = len(data) // 2

    def append(some: list[tuple[int, list[FloatHistogram]]]) -> None:
        for time_ms, histograms in some:
            times = np.full(series, time_ms)
            store.append(WriteBatch(none, none, np.zeros(0), refs, times, histograms), durable=False)

    samples = series * steps
    timed("append", half * series, lambda: append(data[:half]))
    timed("flush", half * series, store.flush)
    append(data[half:])
    store.flush()
    before = sum(block.size_bytes for block in store.blocks)
    timed("merge", samples, lambda: store.merge(store.blocks))
    after = sum(block.size_bytes for block in store.blocks)
    print(f"{'bytes per sample':32}{before / samples:10.2f} flushed {after / samples:8.2f} merged")

    def select(name: str, start_ms: int, end_ms: int) -> int:
        matchers = [Matcher.of("__name__", "=", "h"), *([Matcher.of("i", "=", name)] if name else [])]
        found = store.select(matchers, start_ms=start_ms, end_ms=end_ms, hints=SelectHints(), budget=QueryBudget())
        return sum(len(runs.times) for runs in found.histograms)

    end = START_MS + steps * STEP_MS
    timed("select everything", samples, lambda: select("", START_MS, end))
    timed("select one series", steps, lambda: select("7", START_MS, end))
    timed("select the last 15 min", 60 * series, lambda: select("", end - 900_000, end))
    store.close()


if __name__ == "__main__":
    main()
