"""Every log store passes the one suite."""

from pathlib import Path

import pytest

from spyglass.protocols.log_store import LogStore
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.store import DiskLogStore
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.storage.memory_logs import MemoryLogStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.log_store_suite import Harness, LogStoreSuite

OPTIONS = LogStoreOptions(min_free_bytes=0)
SMALL_BLOCKS = LogStoreOptions(min_free_bytes=0, hot_rows=500)


class MemoryHarness:
    def __init__(self) -> None:
        self.store: LogStore = MemoryLogStore()

    def settle(self) -> LogStore:
        return self.store


class DiskHarness:
    """A store on disk; settling leaves the hot part as it is."""

    def __init__(self, folder: Path, options: LogStoreOptions = OPTIONS) -> None:
        self._folder, self._options = folder, options
        self.clock = VirtualClock()
        self.stores = self._open()

    @property
    def store(self) -> LogStore:
        return self.disk

    @property
    def disk(self) -> DiskLogStore:
        return self.stores.store()

    def settle(self) -> LogStore:
        return self.disk

    def _open(self) -> DiskLogStores:
        return open_log_stores(self._folder, files=RealFiles(), clock=self.clock, options=self._options)

    def reopen(self) -> None:
        self.stores.close()
        self.stores = self._open()


class BlocksHarness(DiskHarness):
    """Settling writes the hot part to a block."""

    def settle(self) -> LogStore:
        self.disk.flush()
        return self.disk


class CompactedHarness(DiskHarness):
    """Settling writes a block and merges all blocks."""

    def settle(self) -> LogStore:
        self.disk.flush()
        self.disk.compact_all()
        return self.disk


class ReopenedHarness(DiskHarness):
    """Settling closes the store and opens it again: everything comes from the journal."""

    def settle(self) -> LogStore:
        self.reopen()
        return self.disk


class ReopenedBlocksHarness(DiskHarness):
    """Settling writes a block, then closes and opens the store."""

    def settle(self) -> LogStore:
        self.disk.flush()
        self.reopen()
        return self.disk


class TestMemory(LogStoreSuite):
    @pytest.fixture
    def harness(self) -> Harness:
        return MemoryHarness()


class TestHot(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return DiskHarness(tmp_path)


class TestBlocks(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return BlocksHarness(tmp_path)


class TestSmallBlocks(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return BlocksHarness(tmp_path, SMALL_BLOCKS)


class TestCompacted(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return CompactedHarness(tmp_path, SMALL_BLOCKS)


class TestReopened(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return ReopenedHarness(tmp_path)


class TestReopenedBlocks(LogStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return ReopenedBlocksHarness(tmp_path)
