"""Blocks are cut behind the back of appends: what waits, what does not, and what a failure or a crash leaves."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from spyglass.model.errors import DiskFull
from spyglass.protocols.log_store import LogEntry
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.store import OVERFULL, DiskLogStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.faulty_files import FaultyFiles
from spyglass.testing.log_store_suite import APP, T0, entry, read

OPTIONS = LogStoreOptions(min_free_bytes=0, hot_rows=100)


class Cutter(Executor):
    """Does what was submitted when it is told to."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":  # noqa: ARG002
        self._waiting.append(fn)
        return Future()

    def work(self) -> int:
        """Returns how many calls there were."""
        calls, self._waiting = self._waiting, []
        for call in calls:
            call()
        return len(calls)


@pytest.fixture
def cutter() -> Cutter:
    return Cutter()


@pytest.fixture
def files() -> FaultyFiles:
    return FaultyFiles(RealFiles())


Opened = Callable[[], DiskLogStore]


@pytest.fixture
def opened(tmp_path: Path, files: FaultyFiles, cutter: Cutter) -> Iterator[Opened]:
    """Opens the one store, closing what was open before."""
    current: list[DiskLogStore] = []

    def reopen() -> DiskLogStore:
        if current:
            current.pop().close()
        cache = ColumnCache(1 << 20)
        current.append(
            DiskLogStore(tmp_path, files=files, clock=VirtualClock(), options=OPTIONS, cache=cache, cutter=cutter)
        )
        return current[0]

    yield reopen
    current.pop().close()


def batch(number: int) -> list[LogEntry]:
    """A hundred lines."""
    return [entry(line, f'{{"number":{line},"level":"info"}}') for line in range(number * 100, number * 100 + 100)]


def test_an_append_does_not_wait_for_the_block(opened: Opened, cutter: Cutter) -> None:
    """Given a hot part that an append fills, when it returns, then there is no block yet, and each line is there once, as after it."""
    store = opened()
    store.append([(APP, batch(0))])
    assert store.blocks.all == ()
    assert len(read(store)) == 100
    assert cutter.work() == 1
    assert len(store.blocks.all) == 1
    assert len(read(store)) == 100


def test_lines_are_taken_while_a_block_is_cut(opened: Opened, cutter: Cutter) -> None:
    """What comes after the sealed part is not in its block, and still there once the journal has let the block's lines go."""
    store = opened()
    store.append([(APP, batch(0))])
    store.append([(APP, batch(1)[:50])])
    cutter.work()
    assert [block.rows for block in store.blocks.all] == [100]
    assert len(read(store)) == 150
    assert len(read(opened())) == 150


def test_who_fills_the_next_hot_part_waits(opened: Opened, cutter: Cutter) -> None:
    """Memory holds two parts at most: the append that fills the second returns once the first is a block."""
    store = opened()
    store.append([(APP, batch(0))])
    returned = threading.Event()

    def fill() -> None:
        store.append([(APP, batch(1))])
        returned.set()

    writer = threading.Thread(target=fill)
    writer.start()
    while len(read(store)) < 200:
        # The lines can be read before their append returns.
        pass
    assert not returned.is_set()
    assert cutter.work() == 1
    writer.join()
    assert cutter.work() == 1
    assert [block.rows for block in store.blocks.all] == [100, 100]
    assert len(read(store)) == 200


def test_closing_does_not_wait_for_blocks(opened: Opened, cutter: Cutter) -> None:
    """A part that waits for its block when the store closes is read from the journal by the next start."""
    store = opened()
    store.append([(APP, batch(0))])
    store = opened()
    assert cutter.work() == 1
    assert len(read(store)) == 100


def test_a_full_disk_is_told_in_the_end(opened: Opened, cutter: Cutter, files: FaultyFiles) -> None:
    """While no block can be written lines stay in memory, up to a bound; once there is space, all of them become blocks."""
    store = opened()
    files.fail_atomic = True
    for number in range(OVERFULL - 1):
        store.append([(APP, batch(number))])
        assert cutter.work() == 1
    with pytest.raises(DiskFull):
        store.append([(APP, batch(OVERFULL - 1))])
    assert len(read(store)) == OVERFULL * 100
    files.fail_atomic = False
    store.flush()
    assert sum(block.rows for block in store.blocks.all) == OVERFULL * 100
    assert len(read(store)) == OVERFULL * 100


def test_a_failed_block_is_not_tried_with_every_append(opened: Opened, cutter: Cutter, files: FaultyFiles) -> None:
    """It is tried again once another part is full, and by maintenance."""
    store = opened()
    files.fail_atomic = True
    store.append([(APP, batch(0))])
    assert cutter.work() == 1
    store.append([(APP, batch(1)[:50])])
    assert cutter.work() == 0
    with pytest.raises(DiskFull):
        store.maintain(T0)
    files.fail_atomic = False
    store.maintain(T0)
    assert [block.rows for block in store.blocks.all] == [150]
    store.append([(APP, batch(2))])
    assert cutter.work() == 1
    assert len(read(store)) == 250


def test_a_block_never_knows_more_than_the_journal(opened: Opened, cutter: Cutter, files: FaultyFiles) -> None:
    """Lines nobody waited for are synced before they become a block: after a power cut the next ones take no place that is taken."""
    store = opened()
    store.append([(APP, batch(0))], durable=False)
    cutter.work()
    files.lose_syncs = True
    store.close()
    files.lose_power()
    files.lose_syncs = False
    store = opened()
    store.append([(APP, batch(1)[:10])])
    assert len(read(opened())) == 110


def test_a_lost_journal_loses_no_later_lines(opened: Opened, cutter: Cutter, tmp_path: Path) -> None:
    """Given blocks whose journal was removed, lines that are appended then survive the next start."""
    store = opened()
    store.append([(APP, batch(0))])
    cutter.work()
    store.close()
    for segment in (tmp_path / "journal").glob("*.journal"):
        segment.unlink()
    store = opened()
    store.append([(APP, batch(1)[:10])])
    assert len(read(opened())) == 110
