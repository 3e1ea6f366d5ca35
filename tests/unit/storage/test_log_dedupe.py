"""Entries equal in stream, time, line and metadata are stored once, wherever the first of them is."""

import random
from pathlib import Path

import pytest

from spyglass.protocols.log_store import LogEntry
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import open_log_stores
from spyglass.testing.log_store_suite import APP, T0, WORKER, read

OPTIONS = LogStoreOptions(min_free_bytes=0, hot_rows=60)


@pytest.mark.parametrize("seed", range(8))
def test_random_batches_are_a_set(tmp_path: Path, seed: int) -> None:
    """Given batches that overtake and repeat each other, in memory, in blocks and within themselves, each entry is there once."""
    rng = random.Random(seed)
    stores = open_log_stores(tmp_path, files=RealFiles(), clock=SystemClock(), options=OPTIONS)
    store = stores.store()
    expected: set[tuple[int, object, str, object]] = set()
    for number in range(40):
        streams = rng.sample([APP, WORKER], rng.randint(1, 2))
        batch = [(labels, _entries(rng, number)) for labels in streams]
        before = len(expected)
        for labels, entries in batch:
            expected |= {(e.time_ns, labels, e.line, e.metadata) for e in entries}
        assert store.append(batch) == len(expected) - before
        if number % 13 == 5:
            store.flush()
        if number % 17 == 7:
            stores.maintain(T0)
    found = read(store)
    assert len(found) == len(expected)
    assert set(found) == expected
    stores.close()


def _entries(rng: random.Random, number: int) -> list[LogEntry]:
    """Now and then times that lie before those of other batches, now and then the same lines again."""
    start = T0 + 10 * rng.randint(max(0, number - 4), number)
    times = [start + rng.randint(0, 12) for _ in range(rng.randint(1, 12))]
    if rng.random() < 0.5:
        times.sort()
    metadata = (("trace", "x"),)
    return [LogEntry(time, f'{{"n":{rng.randint(0, 2)}}}', metadata if rng.random() < 0.2 else ()) for time in times]
