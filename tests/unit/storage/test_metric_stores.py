"""Every metric store passes the one suite."""

from dataclasses import replace
from pathlib import Path

import pytest

from spyglass.protocols.metric_store import MetricStore
from spyglass.storage.files import RealFiles
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.start_timestamps import FOLDER, StartTimestampStore
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import Harness, MetricStoreSuite

OPTIONS = MetricStoreOptions(sync_interval_s=60, retention_ms=0)


class MemoryHarness:
    def __init__(self) -> None:
        self.store: MetricStore = MemoryMetricStore()

    def settle(self) -> MetricStore:
        return self.store


class DiskHarness:
    """A store on disk; settling leaves the head as it is."""

    def __init__(self, folder: Path, options: MetricStoreOptions = OPTIONS) -> None:
        self._folder, self._options = folder, options
        self.disk = self._open()

    @property
    def store(self) -> MetricStore:
        return self.disk

    def settle(self) -> MetricStore:
        return self.disk

    def _open(self) -> DiskMetricStore:
        return DiskMetricStore(self._folder, files=RealFiles(), clock=VirtualClock(), options=self._options)

    def reopen(self) -> None:
        self.disk.close()
        self.disk = self._open()


class ReopenedHarness(DiskHarness):
    def settle(self) -> MetricStore:
        self.reopen()
        return self.disk


class StartedHarness:
    """A store with its start timestamps beside it; opened again by settling."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, folder / FOLDER)
        self.store: MetricStore = self._open()

    def settle(self) -> MetricStore:
        self.store.close()
        self.store = self._open()
        return self.store

    def _open(self) -> MetricStore:
        files, clock = RealFiles(), VirtualClock()
        samples, starts = (DiskMetricStore(one, files=files, clock=clock, options=OPTIONS) for one in self._folders)
        return StartTimestampStore(samples, starts)


class TestWithStartTimestamps(MetricStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return StartedHarness(tmp_path)


class TestMemory(MetricStoreSuite):
    @pytest.fixture
    def harness(self) -> Harness:
        return MemoryHarness()


class TestFreshHead(MetricStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return DiskHarness(tmp_path)


class TestReopened(MetricStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return ReopenedHarness(tmp_path)


class FlushedHarness(DiskHarness):
    """Everything lies in parts of the head."""

    def settle(self) -> MetricStore:
        self.disk.flush()
        return self.disk


class CompactedHarness(DiskHarness):
    """Parts are merged whenever two share a window, and the store is opened afresh."""

    def settle(self) -> MetricStore:
        self.disk.flush()
        while len(self.disk.blocks) > 1:
            self.disk.merge(self.disk.blocks)
        self.reopen()
        return self.disk


class TestFlushed(MetricStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return FlushedHarness(tmp_path)


class TestCompacted(MetricStoreSuite):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return CompactedHarness(tmp_path)


class TestTinyPool(MetricStoreSuite):
    """A head of a few samples: parts are written all the time, in the middle of appending and of replaying."""

    @pytest.fixture
    def harness(self, tmp_path: Path) -> Harness:
        return ReopenedHarness(tmp_path, replace(OPTIONS, head_samples=16))
