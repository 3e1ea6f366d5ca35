"""What goes first when a store is too large: what there is a coarser copy of."""

from dataclasses import replace
from pathlib import Path

from tests.support.downsampling import COARSE, DAY, HOUR, START, answers, ask, end_of, fill, open_store, samples

from spyglass.storage.metrics.store import DiskMetricStore


def sizes(store: DiskMetricStore) -> list[int]:
    """Bytes of samples, of buckets of 5 minutes, of hours."""
    return [sum(b.size_bytes for b in blocks) for blocks in (store.blocks, *(level.blocks for level in store.levels))]


def filled(folder: Path) -> list[int]:
    """A store of 10 days that keeps everything; returns its sizes, and its log's."""
    store = open_store(folder, replace(COARSE, retention_ms=0))
    fill([store], samples(10))
    store.flush()
    found = [*sizes(store), store.stats().log_bytes]
    store.close()
    return found


def test_old_samples_go_before_buckets(tmp_path: Path) -> None:
    """Given room for two thirds of the samples, the oldest third of them goes, every bucket stays, and the past is answered."""
    raw, fine, hours, log = filled(tmp_path)
    options = replace(COARSE, retention_ms=0, retention_bytes=log + raw * 2 // 3 + fine + hours)
    store = open_store(tmp_path, options)
    store.maintain(0)
    assert sizes(store)[1:] == [fine, hours]
    assert raw // 2 < sizes(store)[0] <= raw * 2 // 3
    early = answers(ask(store, "sum_over_time(temperature[1h])", START + HOUR, START + 2 * DAY, HOUR))
    assert all(all(present) for one, (_, present) in early.items() if ("n", "0") in one)
    store.close()


def test_then_fine_buckets_and_the_newest_samples_last(tmp_path: Path) -> None:
    """Given very little room, samples stay that no bucket has yet."""
    raw, fine, _, log = filled(tmp_path)
    store = open_store(tmp_path, replace(COARSE, retention_ms=0, retention_bytes=log + raw // 6))
    store.maintain(0)
    left = sizes(store)
    assert sum(left) <= raw // 6
    assert left[1] < fine
    assert max(block.max_ms for block in store.blocks) > end_of(10) - HOUR
    store.close()
