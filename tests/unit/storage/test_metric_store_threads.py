"""Writers, readers and housekeeping at once: no answer ever has a gap, a double, or half a batch."""

import threading
from pathlib import Path

import numpy as np

from spyglass.model.samples import WriteBatch
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import T0, dump, metric, select

_WRITERS, _SERIES, _SCRAPES = 3, 8, 250


def test_reads_are_consistent_while_everything_happens(tmp_path: Path) -> None:
    """Each reader sees every batch whole, in order from the first on, while parts are flushed and merged under it."""
    options = MetricStoreOptions(retention_ms=0, sync_interval_s=0.01, head_samples=1500, min_free_bytes=0)
    store = DiskMetricStore(tmp_path, files=RealFiles(), clock=VirtualClock(), options=options)
    failures: list[BaseException] = []
    done = threading.Event()

    def guarded(work: "object", *arguments: object) -> None:
        try:
            assert callable(work)
            work(*arguments)
        except BaseException as err:
            failures.append(err)
            done.set()

    def writer(number: int) -> None:
        labels = [metric("m", writer=str(number), i=str(i)) for i in range(_SERIES)]
        for scrape in range(_SCRAPES):
            refs = store.resolve(labels)
            times = np.full(_SERIES, T0 + scrape * 60_000)
            outcome = store.append(WriteBatch(refs, times, np.full(_SERIES, float(scrape))), durable=scrape % 10 == 0)
            assert outcome.accepted == _SERIES, outcome
            # Nobody may run far ahead: behind the newest by an hour is too old.
            turn.wait()

    def reader(number: int) -> None:
        while not done.is_set():
            found = dump(select(store, f"writer={number}"))
            counts = {len(samples) for samples in found.values()}
            assert len(counts) <= 1, "half a batch was seen"
            for samples in found.values():
                assert [(time - T0) // 60_000 for time, _ in samples] == list(range(len(samples))), "a gap or a double"

    def keeper() -> None:
        while not done.is_set():
            store.maintain(0)
            store.flush()
            if len(store.blocks) > 4:
                store.merge(store.blocks[:2])

    turn = threading.Barrier(_WRITERS)
    writers = [threading.Thread(target=guarded, args=(writer, n)) for n in range(_WRITERS)]
    others = [threading.Thread(target=guarded, args=(reader, n)) for n in range(_WRITERS)]
    others.append(threading.Thread(target=guarded, args=(keeper,)))
    for thread in (*writers, *others):
        thread.start()
    for thread in writers:
        thread.join(60)
        if failures:
            turn.abort()
    done.set()
    for thread in others:
        thread.join(60)
    real = [err for err in failures if not isinstance(err, threading.BrokenBarrierError)]
    assert real == []
    assert {len(samples) for samples in dump(select(store)).values()} == {_SCRAPES}
    store.close()
