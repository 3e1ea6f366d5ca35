"""Housekeeping: windows are closed and merged, the old goes, idle series are forgotten, copies open."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from spyglass.model.errors import NotFound
from spyglass.model.samples import WriteBatch
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.storage.metrics.stores import open_metric_stores
from spyglass.testing.clock import VirtualClock
from spyglass.testing.faulty_files import FaultyFiles
from spyglass.testing.metric_store_suite import HOUR, MINUTE, T0, dump, grid, matchers, metric, points, select, write

WINDOW = 2 * HOUR
START = T0 // (18 * HOUR) * 18 * HOUR
OPTIONS = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=0, head_samples=4000)
LABELS = [metric("m", i=str(i)) for i in range(10)]


def open_store(
    folder: Path, options: MetricStoreOptions = OPTIONS, clock: VirtualClock | None = None
) -> DiskMetricStore:
    return DiskMetricStore(folder, files=RealFiles(), clock=clock or VirtualClock(), options=options)


def fill(store: DiskMetricStore, hours: float, start: int = START) -> None:
    """Scrape every minute, keeping house every quarter of an hour."""
    for minute in range(0, int(hours * 60), 15):
        write(store, grid(LABELS, start + minute * MINUTE, 15, MINUTE))
        store.maintain(0)


def test_windows_become_blocks_and_blocks_become_larger_ones(tmp_path: Path) -> None:
    """After a day the past lies in a few blocks that do not overlap, and reads as it was written."""
    store = open_store(tmp_path)
    fill(store, 26)
    spans = [(block.min_ms, block.max_ms) for block in store.blocks]
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert len(spans) <= 6
    assert max(high - low for low, high in spans) > 17 * HOUR
    found = dump(select(store))
    assert {len(samples) for samples in found.values()} == {26 * 60}
    assert store.stats().log_bytes < 400_000
    store.close()


def test_old_blocks_go_with_time(tmp_path: Path) -> None:
    """Whole blocks older than the retention before the newest sample are removed, the rest stays."""
    store = open_store(tmp_path, replace(OPTIONS, retention_ms=6 * HOUR))
    fill(store, 20)
    low, high = store.time_range() or (0, 0)
    assert 5 * HOUR < high - low <= 9 * HOUR
    assert len(list((tmp_path / "blocks").glob("*.block"))) == len(store.blocks)
    store.close()


def test_a_clock_that_jumps_deletes_nothing(tmp_path: Path) -> None:
    """Ages are told by samples: a wall clock a year ahead keeps all data."""
    clock = VirtualClock()
    store = open_store(tmp_path, replace(OPTIONS, retention_ms=6 * HOUR), clock)
    fill(store, 4)
    clock.jump(365 * 86400)
    store.maintain(clock.now_ms())
    assert {len(samples) for samples in dump(select(store)).values()} == {240}
    store.close()


def test_old_blocks_go_with_size(tmp_path: Path) -> None:
    """Above the size cap the oldest blocks go until the rest fits."""
    store = open_store(tmp_path, replace(OPTIONS, retention_bytes=90_000))
    fill(store, 48)
    assert sum(block.size_bytes for block in store.blocks) < 90_000
    _, high = store.time_range() or (0, 0)
    assert high == START + 48 * HOUR - MINUTE
    assert store.time_range() != (START, high)
    store.close()


def test_old_blocks_go_when_the_disk_runs_short(tmp_path: Path) -> None:
    """Below retention_free_bytes the oldest blocks go, as many as give the missing space."""
    files = FaultyFiles(RealFiles())
    options = replace(OPTIONS, retention_free_bytes=1_000_000)
    store = DiskMetricStore(tmp_path, files=files, clock=VirtualClock(), options=options)
    fill(store, 20)
    oldest, *kept = store.blocks
    files.space_bytes = 1_000_000 - oldest.size_bytes
    store.maintain(0)
    assert store.blocks == tuple(kept)
    store.close()


def test_idle_series_are_forgotten_and_their_references_unknown(tmp_path: Path) -> None:
    """A series without samples for a window leaves the head; its reference is refused, and resolving it again works."""
    store = open_store(tmp_path)
    refs = store.resolve([metric("gone"), *LABELS])
    store.append(WriteBatch(refs[:1], np.asarray([START]), np.ones(1)), durable=False)
    fill(store, 6)
    assert store.stats().series_active == 10
    outcome = store.append(WriteBatch(refs[:1], np.asarray([START + 6 * HOUR]), np.ones(1)), durable=False)
    assert outcome.unknown.tolist() == [0]
    again = store.resolve([metric("gone"), metric("another")])
    assert not set(again.tolist()) & set(refs.tolist())
    store.append(WriteBatch(again[:1], np.asarray([START + 6 * HOUR]), np.ones(1)), durable=False)
    store.close()
    store = open_store(tmp_path)
    assert points(store, "__name__=gone") == [(START, 1.0), (START + 6 * HOUR, 1.0)]
    assert store.append(WriteBatch(refs[:1], np.asarray([START + 7 * HOUR]), np.ones(1))).unknown.tolist() == [0]
    store.close()


def test_churn_leaves_nothing_behind(tmp_path: Path) -> None:
    """Series that are replaced every hour for days: slots and dictionaries stay as small as one window's."""
    store = open_store(tmp_path)
    sizes = []
    for hour in range(72):
        labels = [metric("m", pod=f"pod-{hour}-{n}") for n in range(20)]
        write(store, grid(labels, START + hour * HOUR, 4, 15 * MINUTE))
        store.maintain(0)
        sizes.append((store.head_slots, store.head_values))
    assert max(slots for slots, _ in sizes) <= 20 * 8
    assert max(values for _, values in sizes[24:]) <= 2 * max(values for _, values in sizes[:24])
    assert len(dump(select(store, "pod=pod-3-7"))) == 1
    store.close()


def test_the_series_limit_refuses_new_series_and_keeps_the_old(tmp_path: Path) -> None:
    """Above max_series a reference is -1, which append reports as unknown; known series go on."""
    store = open_store(tmp_path, replace(OPTIONS, max_series=10))
    known = store.resolve(LABELS)
    refs = store.resolve([LABELS[0], metric("new")])
    assert refs.tolist() == [known[0], -1]
    outcome = store.append(WriteBatch(refs, np.full(2, T0), np.ones(2)), durable=False)
    assert (outcome.accepted, outcome.unknown.tolist()) == (1, [1])
    store.close()


def test_a_snapshot_opens_as_a_store(tmp_path: Path) -> None:
    """A snapshot holds what was there at that moment, deletions included, and does not change later."""
    store = open_store(tmp_path)
    write(store, grid(LABELS, START, 30))
    store.delete([matchers("i=3")], start_ms=START, end_ms=START + MINUTE)
    name = store.snapshot()
    expected = dump(select(store))
    write(store, grid(LABELS, START + HOUR, 30))
    store.flush()
    store.clean_tombstones()
    store.close()
    copy = open_store(tmp_path / "snapshots" / name)
    assert dump(select(copy)) == expected
    assert write(copy, grid(LABELS, START + HOUR, 1)).accepted == 10
    copy.close()


def test_a_snapshot_without_the_head(tmp_path: Path) -> None:
    """skip_head copies blocks only."""
    store = open_store(tmp_path)
    write(store, grid(LABELS, START, 5))
    store.flush()
    write(store, grid(LABELS, START + HOUR, 5))
    name = store.snapshot(skip_head=True)
    store.close()
    copy = open_store(tmp_path / "snapshots" / name)
    assert {len(samples) for samples in dump(select(copy)).values()} == {5}
    copy.close()


def test_late_samples_are_merged_when_their_window_is_closed(tmp_path: Path) -> None:
    """With an out-of-order window late samples are read at once, and end up in ordinary blocks."""
    store = open_store(tmp_path, replace(OPTIONS, out_of_order_window_ms=HOUR))
    one = metric("one")
    for minute in range(0, 600, 10):
        write(store, [(one, START + minute * MINUTE, 1.0)])
        write(store, [(one, START + (minute - 15) * MINUTE, 2.0)])
        assert len(points(store, "", START, START + minute * MINUTE)) >= minute // 10
        store.maintain(0)
    store.flush()
    store.maintain(0)
    found = points(store)
    assert len(found) == 120
    assert sum(value for _, value in found) == 60 + 2 * 60
    assert sum(block.late for block in store.blocks) <= 1
    store.close()


def test_a_batch_larger_than_a_record(tmp_path: Path) -> None:
    """More samples at once than the head or a record of the journal holds: all are there, also after a restart."""
    store = open_store(tmp_path)
    refs = store.resolve([metric("m", i=str(i)) for i in range(4)])
    count = 200_000
    times = np.tile(START + np.arange(count) * 10, 4)
    outcome = store.append(WriteBatch(np.repeat(refs, count), times, np.arange(4.0 * count)), durable=False)
    assert outcome.accepted == 4 * count
    store.close()
    store = open_store(tmp_path)
    (piece,) = select(store).pieces
    assert piece.values.shape == (4, count)
    assert piece.values[3, -1] == 4 * count - 1
    store.close()


def test_tenants_are_opened_on_demand(tmp_path: Path) -> None:
    """A tenant without data is NotFound unless created."""
    stores = open_metric_stores(tmp_path, files=RealFiles(), clock=VirtualClock(), options=OPTIONS)
    with pytest.raises(NotFound):
        stores.store("nobody", create=False)
    assert stores.tenants() == [""]
    stores.close()
