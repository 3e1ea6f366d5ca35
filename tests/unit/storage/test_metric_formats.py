"""Files of every version of the formats are still read: tests/fixtures/formats/metrics-v1 is a tenant's folder as version 1 left it.

A new version gets a new folder: run `python -m tests.unit.storage.test_metric_formats NEW_FOLDER`, and leave the old ones alone.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from spyglass.model.labels import labels_of
from spyglass.model.samples import STALE, Exemplar, Metadata, WriteBatch
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import (
    HOUR,
    MINUTE,
    T0,
    dump,
    grid,
    histogram,
    matchers,
    metric,
    plain,
    points,
    select,
    write,
)

FIXTURE = Path(__file__).parents[2] / "fixtures" / "formats" / "metrics-v1"
LABELS = [metric("m", i=str(i), path="/ä/ö") for i in range(6)]
OPTIONS = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=0, out_of_order_window_ms=HOUR)


def open_store(folder: Path) -> DiskMetricStore:
    return DiskMetricStore(folder, files=RealFiles(), clock=VirtualClock(), options=OPTIONS)


def make(folder: Path) -> None:
    """Use every part of the formats once: blocks, tombstones, late samples, histograms, checkpoint, all journal records."""
    store = open_store(folder)
    for start in (T0, T0 + HOUR):
        write(store, grid(LABELS, start, 20))
        write(store, [(metric("lone"), start + 777, STALE), (metric("lone"), start + 778, 0.25)])
        write(store, [(LABELS[0], start - 10 * MINUTE, -1.0)])
        ref = store.resolve([metric("h")])
        time = np.asarray([start + 5])
        none = np.zeros(0, np.int64)
        exemplars = [(int(ref[0]), Exemplar(labels_of({"trace_id": "abc"}), 1.5, start + 5))]
        metadata = {"m": Metadata("counter", "Help.", "seconds")}
        store.append(WriteBatch(none, none, np.zeros(0), ref, time, [histogram(1)], exemplars, metadata))
        if start == T0:
            store.delete([matchers("i=2")], start_ms=T0, end_ms=T0 + MINUTE)
    store.close()


def test_version_1_is_read(tmp_path: Path) -> None:
    """Every sample, histogram, exemplar and deletion of the fixture is there, and the store takes more."""
    folder = tmp_path / "store"
    shutil.copytree(FIXTURE, folder)
    store = open_store(folder)
    found = dump(select(store, "__name__=m"))
    assert [len(found[one]) for one in LABELS] == [42, 40, 35, 40, 40, 40]
    assert [time for time, _ in points(store, "__name__=lone")] == [
        T0 + 777,
        T0 + 778,
        T0 + HOUR + 777,
        T0 + HOUR + 778,
    ]
    (runs,) = select(store, "__name__=h").histograms
    assert [plain(one) for one in runs.values] == [plain(histogram(1))] * 2
    assert len(store.exemplars([], start_ms=T0, end_ms=T0 + 2 * HOUR)[0][1]) == 2
    assert store.metadata() == {"m": [Metadata("counter", "Help.", "seconds")]}
    assert store.stats().notes == ()
    assert write(store, grid(LABELS, T0 + 2 * HOUR, 1)).accepted == 6
    store.close()


if __name__ == "__main__":
    make(Path(sys.argv[1]))
