"""Files of every version of the formats are still read: tests/fixtures/formats/metrics-v1 is a tenant's folder as version 1 left it,
metrics-downsampled-v1 one of a store that downsamples; the folders v2 hold native histograms in columns.

A new version gets a new folder: run `python -m tests.unit.storage.test_metric_formats samples NEW_FOLDER` (or `downsampled`), and
leave the old ones alone.
"""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spyglass.model.labels import labels_of
from spyglass.model.samples import STALE, STALE_BITS, Exemplar, Metadata, WriteBatch
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import Downsampling, MetricStoreOptions
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
DAY = 24 * HOUR
LABELS = [metric("m", i=str(i), path="/ä/ö") for i in range(6)]
OPTIONS = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=0, out_of_order_window_ms=HOUR)


def open_store(folder: Path, options: MetricStoreOptions = OPTIONS) -> DiskMetricStore:
    return DiskMetricStore(folder, files=RealFiles(), clock=VirtualClock(), options=options)


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


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_version_is_read(tmp_path: Path, version: str) -> None:
    """Every sample, histogram, exemplar and deletion of the fixture is there, and the store takes more."""
    folder = tmp_path / "store"
    shutil.copytree(FIXTURE.with_name(f"metrics-{version}"), folder)
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


COARSE = replace(OPTIONS, retention_ms=2 * DAY, downsampling=(Downsampling(300_000, DAY), Downsampling(3_600_000, DAY)))


def make_downsampled(folder: Path) -> None:
    """A store whose past is known in buckets of both resolutions: resets, gaps, stale markers, a deletion, histograms."""
    store = open_store(folder, COARSE)
    for n in range(14 * 24):
        start = DOWNSAMPLED_START + n * HOUR
        rows = [(one, time, value % 1000) for one, time, value in grid(LABELS[:2], start, 4, 15 * MINUTE) if n % 50]
        write(store, [*rows, (metric("lone"), start + 777, STALE if n % 5 == 4 else float(n % 7))])
        ref, none = store.resolve([metric("h")]), np.zeros(0, np.int64)
        store.append(WriteBatch(none, none, np.zeros(0), ref, np.asarray([start + 5]), [histogram(1)]))
        if n % 24 == 0:
            store.maintain(0)
    store.delete([matchers("i=1")], start_ms=DOWNSAMPLED_START, end_ms=DOWNSAMPLED_START + 3 * HOUR)
    store.close()


DOWNSAMPLED_START = T0 // (4 * DAY) * 4 * DAY


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_every_downsampled_version_is_read(tmp_path: Path, version: str) -> None:
    """The buckets, markers, histograms and deletions of the fixture are there."""
    folder = tmp_path / "store"
    shutil.copytree(FIXTURE.with_name(f"metrics-downsampled-{version}"), folder)
    store = open_store(folder, COARSE)
    assert [len(level.blocks) > 0 for level in store.levels] == [True, True]
    early = (DOWNSAMPLED_START + MINUTE, DOWNSAMPLED_START + 4 * HOUR)
    kept = [len(one) for one in dump(select(store, "__name__=m", *early)).values()]
    assert kept == [13, 4]
    (lone,) = dump(select(store, "__name__=lone", DOWNSAMPLED_START, DOWNSAMPLED_START + DAY)).values()
    assert [bits == STALE_BITS for _, bits in lone] == [n % 5 == 4 for n in range(24)]
    (runs,) = select(store, "__name__=h", DOWNSAMPLED_START, DOWNSAMPLED_START + DAY).histograms
    assert runs.times.tolist() == [DOWNSAMPLED_START + n * HOUR + 5 for n in range(24)]
    assert store.stats().notes == ()
    store.close()


if __name__ == "__main__":
    {"samples": make, "downsampled": make_downsampled}[sys.argv[1]](Path(sys.argv[2]))
