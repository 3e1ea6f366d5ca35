"""Many active series: a million of them with a few samples each, and a question to a thousand."""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from bench.compare.bodies import STEP_MS, Template, pairs_of
from bench.compare.queries import ask
from bench.compare.servers import server
from bench.compare.write import Prepared, ingest

from spyglass.formats import snappy
from spyglass.model.labels import labels_of

METRICS_PER_TARGET = 1000
TARGETS_PER_BODY = 10
SCRAPES = 4
QUERY = "metric_7"
ROUNDS = 9


def bodies(series: int, end_ms: int) -> Iterator[tuple[bytes, int]]:
    """Compressed bodies of ten targets each: a node exporter's thousand metrics, one series of each."""
    times = [end_ms - STEP_MS * back for back in range(SCRAPES, 0, -1)]
    names = [pairs_of(labels_of({"__name__": f"metric_{at}"})) for at in range(METRICS_PER_TARGET)]
    values = np.arange(METRICS_PER_TARGET * TARGETS_PER_BODY * SCRAPES, dtype=np.float64).reshape(-1, SCRAPES)
    for first in range(0, series // METRICS_PER_TARGET, TARGETS_PER_BODY):
        targets = [_target(number) for number in range(first, first + TARGETS_PER_BODY)]
        template = Template([name + target for target in targets for name in names], SCRAPES)
        yield snappy.compress(template.body(values, times)), values.size


def _target(number: int) -> bytes:
    where = {"instance": f"host-{number}:9100", "job": "node", "zone": f"z{number % 3}"}
    return pairs_of(labels_of(where))


def active(names: Sequence[str], root: Path, prepared: Prepared, end_ms: int) -> dict[str, dict[str, float]]:
    """By server, one at a time: peak memory in MB, CPU seconds per million new series, and the question's median in ms."""
    return {name: _measured(name, root, prepared, end_ms) for name in names}


def _measured(name: str, root: Path, prepared: Prepared, end_ms: int) -> dict[str, float]:
    running = server(name, root / name)
    try:
        running.start()
        written = ingest(running, prepared)
        running.settle(30, quiet_seconds=4)
        at = end_ms / 1000 - STEP_MS / 1000
        times = [ask(running, QUERY, at, at, 0) for _ in range(ROUNDS)]
        spent = written["cpu_s_per_million"] * SCRAPES
        return {
            "peak_mb": running.peak_mb(),
            "cpu_s": spent,
            "query_ms": statistics.median(times),
            "first_ms": times[0],
        }
    finally:
        running.stop()
