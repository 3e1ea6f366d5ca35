"""Kill a metric store's process at random and look at what it left: acknowledged samples are there, none twice, none made up.

`python -m spyglass.testing.crash DIR SEED` is the child: it appends durably, flushes and compacts all the time, and prints what was
acknowledged. `crash_round` is the parent.
"""

import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spyglass.model.samples import WriteBatch
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.metric_store_suite import T0, Dump, dump, metric, select

_SERIES = 40
_STEP_MS = 15_000
_LABELS = [metric("crash", i=f"{number:02d}") for number in range(_SERIES)]


def _open(folder: Path) -> DiskMetricStore:
    options = MetricStoreOptions(retention_ms=0, head_samples=2_000, min_free_bytes=0)
    return DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=options)


def child(folder: Path, seed: int) -> None:
    """Append scrape after scrape until killed; a line on stdout is an acknowledgement."""
    chance = random.Random(seed)
    store = _open(folder)
    span = store.time_range()
    number = 0 if span is None else (span[1] - T0) // _STEP_MS + 1
    while True:
        refs = store.resolve(_LABELS)
        times = np.full(_SERIES, T0 + number * _STEP_MS)
        outcome = store.append(WriteBatch(refs, times, np.full(_SERIES, float(number))), durable=True)
        assert outcome.accepted == _SERIES, outcome
        print(number, flush=True)
        number += 1
        if chance.random() < 0.05:
            store.maintain(0)
        if chance.random() < 0.02:
            store.flush()


@dataclass(frozen=True, slots=True)
class CrashRound:
    """What a kill left: scrapes in the store, how many of them were acknowledged, blocks, and what opening it had to repair.

    open_s: CPU seconds of opening it again.
    """

    scrapes: int
    acknowledged: int
    blocks: int
    repairs: Sequence[str]
    open_s: float


def crash_round(folder: Path, seed: int, *, most_s: float = 0.4) -> CrashRound:
    """Start a child, kill it after a random time, and check.

    Raises: AssertionError saying what is wrong, with the seed.
    """
    command = [sys.executable, "-m", "spyglass.testing.crash", str(folder), str(seed)]
    acknowledged = -1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(random.Random(seed).random() * most_s)
        process.kill()
        lines = [first, *process.stdout.readlines()]
        # The kill may have cut the last line in two.
        whole = [line for line in lines if line.endswith("\n")]
        assert whole, f"seed {seed}: the child did not start"
        acknowledged = int(whole[-1])
    began = time.process_time()
    store = _open(folder)
    open_s = time.process_time() - began
    try:
        stats = store.stats()
        scrapes = _check(dump(select(store)), acknowledged, seed)
        return CrashRound(scrapes, acknowledged + 1, stats.blocks, stats.notes, open_s)
    finally:
        store.close()


def _check(found: Dump, acknowledged: int, seed: int) -> int:
    assert set(found) == set(_LABELS), f"seed {seed}: series are missing"
    counts = {len(samples) for samples in found.values()}
    for labels, samples in found.items():
        numbers = [(time_ms - T0) // _STEP_MS for time_ms, _ in samples]
        assert numbers == list(range(len(numbers))), f"seed {seed}: {labels} has gaps or doubles"
        assert len(numbers) > acknowledged, f"seed {seed}: {labels} lost what was acknowledged"
        values = np.asarray([bits for _, bits in samples], np.uint64).view(np.float64)
        assert values.tolist() == [float(number) for number in numbers], f"seed {seed}: {labels} has wrong values"
    assert max(counts) - min(counts) == 0, f"seed {seed}: a batch was stored in part"
    return max(counts)


if __name__ == "__main__":
    child(Path(sys.argv[1]), int(sys.argv[2]))
