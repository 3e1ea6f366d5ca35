"""Random histories on the real store and on the oracle: every answer is the same."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.labels import Labels
from spyglass.storage.files import RealFiles
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import HOUR, MINUTE, T0, dump, matchers, metric, select, write

SERIES: list[Labels] = [metric(name, i=str(i), j=str(i * 7 % 4), k="xyz"[i % 3 :]) for name in "ab" for i in range(6)]
SELECTORS = ["", "__name__=a", "i=~[0-3]", "i!=2", "__name__=b i=~1|5"]


@dataclass(frozen=True)
class Scrape:
    """Series [first, last) at one time, `times` after each other."""

    first: int
    last: int
    ahead_ms: int
    times: int


@dataclass(frozen=True)
class Single:
    series: int
    ahead_ms: int
    value: float


@dataclass(frozen=True)
class Do:
    what: str
    start: int = 0
    end: int = 0


_ahead = st.sampled_from(
    [0, 1, 15_000, MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, -1, -15_000, -10 * MINUTE, -40 * MINUTE, -2 * HOUR]
)
_values = st.sampled_from([0.0, 1.0, float("nan"), float("inf")])
_scrapes = st.builds(Scrape, st.integers(0, 6), st.integers(6, 12), _ahead, st.integers(1, 30))
_singles = st.builds(Single, st.integers(0, 11), _ahead, _values)
_deeds = st.builds(
    Do,
    st.sampled_from(["flush", "maintain", "reopen", "merge", "delete", "clean"]),
    st.integers(-90, 90),
    st.integers(0, 90),
)
_history = st.lists(st.one_of(_scrapes, _scrapes, _singles, _deeds), min_size=1, max_size=14)


class Pair:
    """The store under test and the oracle, given the same."""

    def __init__(self, folder: Path, window_ms: int) -> None:
        self._folder = folder
        self._options = MetricStoreOptions(
            retention_ms=0, sync_interval_s=60, head_samples=200, out_of_order_window_ms=window_ms
        )
        self.disk = self._open()
        self.memory = MemoryMetricStore(out_of_order_window_ms=window_ms)
        self.now_ms = T0

    def _open(self) -> DiskMetricStore:
        return DiskMetricStore(self._folder, files=RealFiles(), clock=VirtualClock(), options=self._options)

    def run(self, step: Scrape | Single | Do) -> None:
        if isinstance(step, Do):
            self._do(step)
            return
        self.now_ms += max(step.ahead_ms, 0)
        start = self.now_ms + min(step.ahead_ms, 0)
        if isinstance(step, Single):
            self.write([(SERIES[step.series], start, step.value)])
            return
        for turn in range(step.times):
            self.write([(labels, start + turn * 15_000, float(turn)) for labels in SERIES[step.first : step.last]])
        self.now_ms = max(self.now_ms, start + (step.times - 1) * 15_000)

    def write(self, samples: list[tuple[Labels, int, float]]) -> None:
        expected, actual = write(self.memory, samples), write(self.disk, samples)
        assert actual.accepted == expected.accepted
        for name in ("unknown", "out_of_order", "too_old", "duplicate"):
            assert np.array_equal(getattr(actual, name), getattr(expected, name)), name

    def _do(self, step: Do) -> None:
        if step.what == "flush":
            self.disk.flush()
        elif step.what == "maintain":
            self.disk.maintain(self.now_ms)
        elif step.what == "clean":
            self.disk.clean_tombstones()
        elif step.what == "merge":
            if len(self.disk.blocks) > 1:
                self.disk.merge(self.disk.blocks)
        elif step.what == "delete":
            start = self.now_ms + step.start * MINUTE
            for store in (self.disk, self.memory):
                store.delete([matchers("i=~1|2|3")], start_ms=start, end_ms=start + step.end * MINUTE)
        else:
            self.disk.close()
            self.disk = self._open()

    def check(self) -> None:
        for text in SELECTORS:
            for start, end in ((-(2**60), 2**60), (self.now_ms - 10 * MINUTE, self.now_ms), (T0, T0 + HOUR)):
                expected = dump(select(self.memory, text, start, end))
                assert dump(select(self.disk, text, start, end)) == expected


@contextmanager
def pair(window_ms: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        both = Pair(Path(folder), window_ms)
        try:
            yield both
        finally:
            both.disk.close()


@settings(max_examples=35)
@given(_history)
def test_any_history_reads_as_in_the_oracle(history: list[Scrape | Single | Do]) -> None:
    """Scrapes, stragglers, flushes, merges, deletions and restarts in any order."""
    with pair(0) as both:
        for step in history:
            both.run(step)
            if isinstance(step, Do):
                both.check()
        both.check()


@settings(max_examples=35)
@given(_history)
def test_any_history_with_an_out_of_order_window(history: list[Scrape | Single | Do]) -> None:
    """The same with samples up to half an hour late taken."""
    with pair(30 * MINUTE) as both:
        for step in history:
            both.run(step)
            if isinstance(step, Do):
                both.check()
        both.check()
