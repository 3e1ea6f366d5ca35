"""Full disks, failed syncs, power loss, damaged files: what is lost is told, and nothing else is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from spyglass.model.errors import DiskFull, StorageError, StoreLocked
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.storage.metrics.stores import open_metric_stores
from spyglass.testing.clock import VirtualClock
from spyglass.testing.faulty_files import FaultyFiles
from spyglass.testing.metric_store_suite import HOUR, T0, Dump, dump, grid, metric, points, select, write

OPTIONS = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=1000)
LABELS = [metric("m", i=str(i)) for i in range(8)]


def open_store(folder: Path, files: FaultyFiles, clock: VirtualClock | None = None) -> DiskMetricStore:
    return DiskMetricStore(folder, files=files, clock=clock or VirtualClock(), options=OPTIONS)


def test_a_full_disk_refuses_and_recovers_by_itself(tmp_path: Path) -> None:
    """DiskFull stores nothing of the batch; reads go on; with space again, writes go on."""
    files, clock = FaultyFiles(RealFiles()), VirtualClock()
    store = open_store(tmp_path, files, clock)
    write(store, grid(LABELS, T0, 3))
    before = dump(select(store))
    files.space_bytes = 20
    with pytest.raises(DiskFull):
        write(store, grid(LABELS, T0 + HOUR, 1))
    assert dump(select(store)) == before
    files.space_bytes = None
    clock.advance(2)
    assert write(store, grid(LABELS, T0 + HOUR, 1)).accepted == 8
    store.close()


def test_the_free_space_floor_refuses_writes(tmp_path: Path) -> None:
    """Below the floor nothing is accepted although the disk would take it; the message says how much is free."""
    files, clock = FaultyFiles(RealFiles()), VirtualClock()
    store = open_store(tmp_path, files, clock)
    store.resolve(LABELS)
    files.space_bytes = 999
    with pytest.raises(DiskFull, match="999 bytes are free"):
        write(store, grid(LABELS, T0, 1))
    files.space_bytes = 10_000_000
    assert write(store, grid(LABELS, T0, 1)).accepted == 8
    store.close()


def test_a_flush_on_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A block that does not fit is not there; its samples stay in memory and in the journal."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0, 30))
    before = dump(select(store))
    files.space_bytes = 100
    with pytest.raises(DiskFull):
        store.flush()
    assert dump(select(store)) == before
    assert store.blocks == ()
    files.space_bytes = None
    store.flush()
    assert len(store.blocks) == 1
    assert dump(select(store)) == before
    store.close()


def test_power_loss_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    """Durable appends survive; later ones that nobody waited for may go, whole batches from the end."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0, 5), durable=True)
    kept = dump(select(store))
    write(store, grid(LABELS, T0 + HOUR, 5), durable=False)
    files.lose_power()
    again = open_store(tmp_path, files)
    assert dump(select(again)) == kept
    assert write(again, grid(LABELS, T0 + HOUR, 1)).accepted == 8
    again.close()


def test_a_lying_disk_leaves_a_store_that_opens(tmp_path: Path) -> None:
    """Where fsync lied, acknowledged samples may be gone, but what is left is a prefix, and it is served."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0, 5), durable=True)
    files.lose_syncs = True
    write(store, grid(LABELS, T0 + HOUR, 5), durable=True)
    store.flush()
    write(store, grid(LABELS, T0 + 2 * HOUR, 5), durable=True)
    files.lose_power()
    again = open_store(tmp_path, files)
    assert {len(samples) for samples in dump(select(again)).values()} == {10}
    assert write(again, grid(LABELS, T0 + 3 * HOUR, 1), durable=True).accepted == 8
    again.close()
    third = open_store(tmp_path, files)
    assert {len(samples) for samples in dump(select(third)).values()} == {11}
    third.close()


def test_a_failed_sync_is_an_error_and_writes_stop(tmp_path: Path) -> None:
    """Nothing is acknowledged that might not be there; a new process goes on."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0, 2), durable=True)
    files.fail_syncs = True
    with pytest.raises(StorageError, match="input/output error"):
        write(store, grid(LABELS, T0 + HOUR, 1), durable=True)
    with pytest.raises(StorageError, match="refuses writes"):
        write(store, grid(LABELS, T0 + 2 * HOUR, 1))
    files.fail_syncs = False
    store.close()
    again = open_store(tmp_path, files)
    assert len(points(again, "i=0")) in (2, 3)
    again.close()


def test_a_torn_record_is_dropped_and_told(tmp_path: Path) -> None:
    """A process that died while writing leaves a tail that start-up cuts off."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0, 2))
    kept = dump(select(store))
    files.tear_next_at = 50
    with pytest.raises(StorageError, match="torn"):
        write(store, grid(LABELS, T0 + HOUR, 1))
    again = open_store(tmp_path, files)
    assert dump(select(again)) == kept
    assert "torn tail of 50 bytes" in again.stats().notes[0]
    again.close()


def _filled(folder: Path) -> tuple[Dump, Path]:
    """A closed store with one block of two chunks; returns what is in it, and the block."""
    store = open_store(folder, FaultyFiles(RealFiles()))
    write(store, grid([*LABELS, *(metric("n", i=str(i)) for i in range(8))], T0, 4))
    write(store, [(metric("lone"), T0 + 999, 5.0)])
    store.flush()
    found = dump(select(store))
    (block,) = store.blocks
    store.close()
    return found, block.path


def test_a_flipped_bit_anywhere_in_a_block_is_noticed(tmp_path: Path) -> None:
    """For every fifth byte of a small block: no wrong sample is ever answered; the damage is named; what was set aside is whole on disk."""
    expected, path = _filled(tmp_path)
    good = path.read_bytes()
    for offset in range(0, len(good), 5):
        bad = bytearray(good)
        bad[offset] ^= 1 << offset % 8
        path.write_bytes(bad)
        store = open_store(tmp_path, FaultyFiles(RealFiles()))
        found = dump(select(store))
        assert all(samples == expected[labels] for labels, samples in found.items()), offset
        stats = store.stats()
        assert (found == expected) or stats.corruptions > 0, offset
        if found != expected:
            assert any(str(path) in note for note in stats.notes), offset
        assert write(store, [(metric("after"), T0 + HOUR, 1.0)]).accepted == 1
        store.close()
        for left in tmp_path.rglob("*"):
            if left.is_file() and (left.suffix == ".corrupt" or left.parent.name == "wal"):
                left.unlink()
    path.write_bytes(good)


def test_a_damaged_chunk_costs_its_series_only(tmp_path: Path) -> None:
    """Other chunks of the block, other blocks and the head are served; merging leaves the chunk out and goes on."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    many = [metric("m", i=f"{i:03d}") for i in range(300)]
    write(store, grid(many, T0, 240))
    store.flush()
    write(store, grid(many, T0 + 2 * HOUR, 2))
    (block,) = store.blocks
    store.close()
    chunk_at = int(block.file.array("values/0/at")[0])
    data = bytearray(block.path.read_bytes())
    data[chunk_at + 20] ^= 8
    block.path.write_bytes(data)
    store = open_store(tmp_path, files)
    found = dump(select(store))
    whole = [labels for labels, samples in found.items() if len(samples) == 242]
    hurt = [labels for labels, samples in found.items() if len(samples) == 2]
    assert len(whole) + len(hurt) == 300
    assert 0 < len(hurt) < 300
    assert store.stats().corruptions == 1
    store.flush()
    store.merge(store.blocks)
    assert dump(select(store)) == found
    store.close()


def test_a_corrupt_checkpoint_costs_no_samples(tmp_path: Path) -> None:
    """The series come back from the blocks and the journal; the file is set aside and named."""
    expected, _ = _filled(tmp_path)
    path = tmp_path / "checkpoint"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    store = open_store(tmp_path, FaultyFiles(RealFiles()))
    assert dump(select(store)) == expected
    assert "checkpoint" in store.stats().notes[0]
    assert write(store, grid(LABELS, T0 + HOUR, 1)).accepted == 8
    store.close()


def test_leftovers_of_an_unfinished_flush_are_replayed_not_doubled(tmp_path: Path) -> None:
    """A crash between two blocks of one flush: the first is removed, its samples come from the journal."""
    files = FaultyFiles(RealFiles())
    store = open_store(tmp_path, files)
    write(store, grid(LABELS, T0 - HOUR, 30, 4 * 60_000))
    expected = dump(select(store))
    store.close()
    saved = {path: path.read_bytes() for path in (tmp_path / "wal").iterdir()}
    store = open_store(tmp_path, files)
    store.flush()
    assert len(store.blocks) == 2
    last = max(store.blocks, key=lambda block: block.number)
    store.close()
    last.path.unlink()
    (tmp_path / "checkpoint").unlink()
    for path, data in saved.items():
        path.write_bytes(data)
    again = open_store(tmp_path, files)
    assert again.blocks == ()
    assert dump(select(again)) == expected
    again.close()


def test_two_owners_of_one_directory(tmp_path: Path) -> None:
    """The second is told who has it; tenants are kept apart; both come back."""
    options = replace(OPTIONS, min_free_bytes=0)
    stores = open_metric_stores(tmp_path, files=RealFiles(), clock=VirtualClock(), options=options)
    with pytest.raises(StoreLocked):
        open_metric_stores(tmp_path, files=RealFiles(), clock=VirtualClock(), options=options)
    write(stores.store(), [(metric("a"), T0, 1.0)])
    write(stores.store("team/../x"), [(metric("b"), T0, 1.0)])
    stores.maintain(T0)
    stores.close()
    again = open_metric_stores(tmp_path, files=RealFiles(), clock=VirtualClock(), options=options)
    assert again.tenants() == ["", "team/../x"]
    assert list(dump(select(again.store("team/../x")))) == [metric("b")]
    assert list(dump(select(again.store()))) == [metric("a")]
    again.close()
