"""Rollups: what a store answers with them is, bit for bit, what it answers without."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.downsampling import OneStore

from spyglass.model.arrays import F64
from spyglass.model.labels import Labels
from spyglass.model.samples import STALE, WriteBatch
from spyglass.model.times import StepGrid
from spyglass.protocols.metric_store import SelectHints
from spyglass.protocols.queries import MetricResult
from spyglass.query.engine import PromEngine
from spyglass.query.exec.select import sample_count
from spyglass.query.kernels.windows import Piece
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.column_file import ColumnFile
from spyglass.storage.metrics.layout import RAW
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.ragged import Ragged, offsets_of
from spyglass.storage.metrics.rollups import ROLLUP_MS, roll_up
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import HOUR, MINUTE, T0, UnlimitedBudget, histogram, matchers, metric

OPTIONS = MetricStoreOptions(
    retention_ms=0, sync_interval_s=60, min_free_bytes=0, head_samples=3_000, out_of_order_window_ms=HOUR
)
QUERIES = (
    "rate(m[5m])",
    "rate(m[5m15s])",
    "increase(m[1h])",
    "increase(m[10m30s])",
    "delta(m[10m])",
    "resets(m[20m])",
    "changes(m[20m])",
    "irate(m[5m])",
    "first_over_time(m[10m])",
    "last_over_time(m[10m])",
    "ts_of_first_over_time(m[10m])",
    "ts_of_last_over_time(m[5m])",
    "present_over_time(m[5m])",
    "count_over_time(m[15m])",
    "count_over_time(m[5m15s])",
    "first_over_time(m[5m15s])",
    "resets(m[20m15s])",
    "max_over_time(m[5m15s])",
    "last_over_time(m[15s] offset 5m)",
    "min_over_time(m[10m])",
    "max_over_time(m[15m])",
    "sum_over_time(m[5m])",
    "avg_over_time(m[5m])",
    "stddev_over_time(m[5m])",
    "m",
    "timestamp(m)",
    "m offset 10m",
    "rate(m[10m] offset 5m)",
    "rate(m[10m] offset -5m)",
    "sum by (k) (rate(m[5m]))",
    "max_over_time(rate(m[5m])[20m:5m])",
    "count_over_time(m[7m])",
    "rate(m[1m])",
    "absent(m)",
)


@dataclass(frozen=True)
class Scrapes:
    """`count` scrapes of the series [first, last), `every_ms` apart and up to `jitter_ms` off."""

    first: int
    last: int
    ahead_ms: int
    count: int
    every_ms: int
    jitter_ms: int


@dataclass(frozen=True)
class Late:
    """One sample of a series, so long ago."""

    series: int
    behind_ms: int


@dataclass(frozen=True)
class Do:
    what: str
    series: str = "1"
    start: int = 0
    end: int = 0


SERIES: list[Labels] = [metric("m", i=str(i), k="ab"[i % 2]) for i in range(14)]

_scrapes = st.builds(
    Scrapes,
    st.sampled_from([0, 0, 3, 9]),
    st.sampled_from([7, 12, 14]),
    st.sampled_from([0, 15_000, 4 * MINUTE, HOUR, 3 * HOUR]),
    st.integers(1, 120),
    st.sampled_from([15_000, 15_000, 30_000, MINUTE, 10_007]),
    st.sampled_from([0, 0, 13]),
)
_late = st.builds(Late, st.integers(0, 13), st.integers(1, 55 * MINUTE))
_deeds = st.builds(
    Do,
    st.sampled_from(["flush", "maintain", "reopen", "merge", "delete", "clean", "histogram", "corrupt"]),
    st.sampled_from(["1", "[0-5]", "1[0-3]"]),
    st.integers(-180, 0),
    st.integers(0, 90),
)
_history = st.lists(st.one_of(_scrapes, _scrapes, _scrapes, _deeds, _late), min_size=2, max_size=12)


class Values:
    """What each of SERIES is worth scrape by scrape: counters, some of which reset, gauges, constants, and odd ones."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._counters = np.zeros(5)

    def next(self) -> F64:
        random = self._random
        steps = random.poisson(2, 5) * [1.0, 1.0, 0.1, 1e15, 0.0]
        self._counters = np.where(random.random(5) < [0, 0.02, 0.3, 0.01, 0], steps, self._counters + steps)
        gauges = [float(random.poisson(3)), random.normal(0, 1), -0.0 if random.random() < 0.2 else 0.0]
        odd = [
            STALE if random.random() < 0.1 else float(random.poisson(4)),
            np.nan if random.random() < 0.1 else 1.5,
            np.inf if random.random() < 0.3 else random.normal(0, 1e300),
        ]
        return np.array([*self._counters, *gauges, *odd, 1.0, self._counters[1], random.integers(0, 2)])


class Pair:
    """The same samples in a store that keeps rollups of everything, and in one that keeps none."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folders = {0: folder / "without", 1: folder / "with"}
        self.stores = {share: self._open(share) for share in self._folders}
        self._values = Values(seed)
        self._random = np.random.default_rng(seed)
        self.now_ms = T0

    def _open(self, share: int) -> DiskMetricStore:
        options = replace(OPTIONS, rollup_share=share)
        return DiskMetricStore(self._folders[share], files=RealFiles(), clock=VirtualClock(), options=options)

    def run(self, step: Scrapes | Late | Do) -> None:
        if isinstance(step, Do):
            for share in self.stores:
                self._do(share, step)
            return
        if isinstance(step, Late):
            self._write([step.series], [self.now_ms - step.behind_ms], [float(self._random.integers(9))])
            return
        self.now_ms += step.ahead_ms
        chosen = range(step.first, step.last)
        for _ in range(step.count):
            at = self.now_ms + int(self._random.integers(step.jitter_ms + 1))
            self._write(chosen, [at] * len(chosen), self._values.next()[step.first : step.last])
            self.now_ms += step.every_ms

    def _write(self, chosen: "range | list[int]", times: list[int], values: "F64 | list[float]") -> None:
        for store in self.stores.values():
            refs = store.resolve([SERIES[n] for n in chosen])
            store.append(WriteBatch(refs, np.array(times, np.int64), np.array(values)), durable=False)

    def _do(self, share: int, step: Do) -> None:
        store = self.stores[share]
        if step.what == "flush":
            store.flush()
        elif step.what == "maintain":
            store.maintain(self.now_ms)
        elif step.what == "clean":
            store.clean_tombstones()
        elif step.what == "merge":
            if len(store.blocks) > 1:
                store.merge(store.blocks)
        elif step.what == "delete":
            start = self.now_ms + step.start * MINUTE
            store.delete([matchers(f"i=~{step.series}")], start_ms=start, end_ms=start + step.end * MINUTE)
        elif step.what == "histogram":
            ref, at = store.resolve([SERIES[3]]), np.array([self.now_ms + 1])
            none = np.zeros(0, np.int64)
            store.append(WriteBatch(none, none, np.zeros(0), ref, at, [histogram(2)]), durable=False)
        elif step.what == "corrupt":
            for block in store.blocks if share else ():
                spoil_rollups(block.path)
        else:
            store.close()
            self.stores[share] = self._open(share)

    def check(self) -> None:
        """Every query over the whole of the past, and over an hour of it."""
        end = self.now_ms // ROLLUP_MS * ROLLUP_MS + ROLLUP_MS
        for grid in (
            StepGrid(T0 // ROLLUP_MS * ROLLUP_MS, end, ROLLUP_MS),
            StepGrid(end - HOUR, end, 2 * ROLLUP_MS),
            StepGrid.instant(end - ROLLUP_MS),
            StepGrid(end - 2 * HOUR + 1000, end, ROLLUP_MS),
        ):
            for query in QUERIES:
                without, with_rollups = (ask(store, query, grid) for store in self.stores.values())
                assert with_rollups.warnings == without.warnings
                assert with_rollups.infos == without.infos
                assert with_rollups.stats.samples == without.stats.samples, (query, grid)
                assert list(bits(with_rollups).items()) == list(bits(without).items()), (query, grid)


def ask(store: DiskMetricStore, query: str, grid: StepGrid) -> MetricResult:
    engine = PromEngine(OneStore(store))
    return engine.range(query, grid=grid, tenant="", budget=UnlimitedBudget())


def bits(result: MetricResult) -> dict[Labels, list[object]]:
    """Per series the bits of each value, or None where there is none; histograms as they print."""
    frame = result.frame
    assert frame is not None
    found: dict[Labels, list[object]] = {}
    for row, labels in enumerate(frame.labels.all_labels()):
        words = np.where(np.isnan(frame.values[row]), np.nan, frame.values[row]).view(np.int64).tolist()
        hists = [None] * len(words) if frame.histograms is None else frame.histograms[row].tolist()
        there = frame.present[row].tolist()
        if any(there):
            found[labels] = [
                (word if one is None else str(one)) if is_there else None
                for word, one, is_there in zip(words, hists, there, strict=True)
            ]
    return found


def spoil_rollups(path: Path) -> int:
    """Flip a byte in a chunk of each rollup of a block; returns in how many."""
    file, spoilt = ColumnFile(path, RAW.magic), 0
    data = bytearray(path.read_bytes())
    for name in [one for one in file.names() if one.split("/")[-1] == "at" and one.count("/") == 3]:
        data[int(file.array(name)[0]) + 3] ^= 0x40
        spoilt += 1
    path.write_bytes(data)
    return spoilt


@contextmanager
def pair(seed: int) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        both = Pair(Path(folder), seed)
        try:
            yield both
        finally:
            for store in both.stores.values():
                store.close()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), _history)
def test_any_history_answers_as_without_rollups(seed: int, history: list[Scrapes | Late | Do]) -> None:
    """Counters with resets, gauges, gaps, stale markers, late samples, histograms; flushes, merges, deletions, restarts."""
    with pair(seed) as both:
        for step in history:
            both.run(step)
        both.check()


def counters(series: int, scrapes: int, every_ms: int = 15_000, first_ms: int = T0 // ROLLUP_MS * ROLLUP_MS) -> Ragged:
    """Series that grow by one every scrape, the nth from n on."""
    times = first_ms + np.arange(scrapes, dtype=np.int64) * every_ms
    values = np.arange(series, dtype=np.float64)[:, None] + np.arange(scrapes)
    offsets = offsets_of(np.full(series, scrapes, np.int64))
    return Ragged(np.arange(series), offsets, np.tile(times, series), values.reshape(-1))


def test_edges_are_the_first_and_the_last_sample_of_each_bucket() -> None:
    """A bucket is (end - 5m, end]: the scrape at its start belongs to the one before."""
    start = T0 // ROLLUP_MS * ROLLUP_MS
    edges, spans = roll_up(counters(1, 41, first_ms=start), share=4)
    assert (edges.times - start).tolist() == [0, 15_000, 300_000, 315_000, 600_000]
    assert edges.values.tolist() == [0.0, 1.0, 20.0, 21.0, 40.0]
    assert edges.weights.tolist() == [1, 19, 1, 19, 1]
    assert len(spans.rows) == 0


def test_both_sides_of_a_fall_are_kept() -> None:
    """What a counter lost at a reset is the value before it, wherever in a bucket that is."""
    samples = counters(1, 40)
    samples.values[7:] -= 7.0
    edges, _ = roll_up(samples, share=4)
    assert edges.values.tolist() == [0.0, 1.0, 6.0, 0.0, 13.0, 14.0, 32.0]
    assert edges.weights.tolist() == [1, 5, 1, 13, 1, 18, 1]


def test_a_series_that_falls_often_has_spans() -> None:
    """Of a gauge the last sample of each bucket is kept, and its smallest and largest value beside."""
    samples = counters(2, 41)
    samples.values[41:] = np.tile([1.0, 5.0, -3.0], 14)[:41]
    edges, spans = roll_up(samples, share=4)
    assert edges.rows.tolist() == [0]
    assert spans.rows.tolist() == [1]
    assert spans.last.tolist() == [1.0, -3.0, 5.0]
    assert spans.min.tolist() == [1.0, -3.0, -3.0]
    assert spans.max.tolist() == [1.0, 5.0, 5.0]
    assert spans.weights.tolist() == [1, 20, 20]


@pytest.mark.parametrize("odd", [STALE, float("nan"), -0.0])
def test_a_series_with_an_odd_value_has_no_rollup(odd: float) -> None:
    """Stale markers, NaN and negative zeros: the samples answer; the neighbours have theirs."""
    samples = counters(3, 80)
    samples.values[100] = odd
    edges, spans = roll_up(samples, share=4)
    assert edges.rows.tolist() == [0, 2]
    assert len(spans.rows) == 0


def test_a_series_of_few_samples_has_no_rollup() -> None:
    """Where most would be kept, rollups take room and save no time."""
    edges, spans = roll_up(counters(2, 60, every_ms=MINUTE), share=4)
    assert len(edges.rows) == len(spans.rows) == 0
    assert len(roll_up(counters(2, 60, every_ms=MINUTE), share=2)[0].rows) == 2


def filled(folder: Path, *, hours: int = 5, share: int = 4) -> DiskMetricStore:
    """Twelve counters and a gauge, scraped every 15 s, in blocks."""
    store = open_store(folder, share)
    refs = store.resolve([metric("m", i=str(i)) for i in range(13)])
    start = T0 // HOUR * HOUR
    for number in range(hours * 240):
        values = np.append(np.arange(12.0) + number, number % 3)
        store.append(WriteBatch(refs, np.full(13, start + number * 15_000), values), durable=False)
    store.flush()
    store.compact()
    return store


def open_store(folder: Path, share: int = 4) -> DiskMetricStore:
    return DiskMetricStore(
        folder, files=RealFiles(), clock=VirtualClock(), options=replace(OPTIONS, rollup_share=share)
    )


def scan(
    store: DiskMetricStore, function: str, *, step_ms: int = ROLLUP_MS, off_ms: int = 0, over_ms: int = 0
) -> list[Piece]:
    """The pieces of a selection of four hours in steps of 5 minutes, and of what its first window has beyond 5 minutes."""
    start = T0 // HOUR * HOUR + off_ms
    hints = SelectHints(step_ms=step_ms, range_ms=ROLLUP_MS + over_ms, function=function, aggregates=True)
    found = store.select(
        matchers("__name__=m"),
        start_ms=start - over_ms + 1,
        end_ms=start + 4 * HOUR,
        hints=hints,
        budget=UnlimitedBudget(),
    )
    return list(found.pieces)


def values_of(found: list[Piece]) -> int:
    return sum(piece.values.size for piece in found)


def test_rollups_stand_in_for_samples(tmp_path: Path) -> None:
    """A tenth of the values is read, and they say for how many they stand."""
    store = filled(tmp_path)
    assert values_of(scan(store, "stddev_over_time")) == 13 * 960
    found = scan(store, "last_over_time")
    assert values_of(found) < 13 * 960 / 8
    assert sum(sample_count(piece) for piece in found) == 13 * 960
    store.close()


@pytest.mark.parametrize(
    ("function", "step_ms", "off_ms"),
    [("irate", ROLLUP_MS, 0), ("rate", MINUTE, 0), ("rate", ROLLUP_MS, 15_000), ("sum_over_time", ROLLUP_MS, 0)],
)
def test_windows_that_cut_buckets_are_answered_from_samples(
    tmp_path: Path, function: str, step_ms: int, off_ms: int
) -> None:
    """Other functions, other steps, borders beside the grid."""
    store = filled(tmp_path)
    assert values_of(scan(store, function, step_ms=step_ms, off_ms=off_ms)) == 13 * 960
    store.close()


def test_windows_may_begin_a_scrape_before_a_bucket(tmp_path: Path) -> None:
    """As `[$__rate_interval]` does: the one sample there is the last of a bucket, and is kept. Two scrapes before, one of them is not."""
    store = filled(tmp_path)
    assert values_of(scan(store, "rate")) < 13 * 960 / 5
    assert values_of(scan(store, "rate", over_ms=15_000)) < 13 * 960 / 5
    assert values_of(scan(store, "rate", over_ms=15_001)) > 13 * 960
    store.close()


def test_a_damaged_rollup_is_told_and_its_samples_answer(tmp_path: Path) -> None:
    """Nothing is missing from the answer; the damage is counted and named, once."""
    store = filled(tmp_path)
    grid = StepGrid(T0 // HOUR * HOUR, T0 // HOUR * HOUR + 5 * HOUR, ROLLUP_MS)
    expected = bits(ask(store, "rate(m[5m])", grid))
    assert sum(spoil_rollups(block.path) for block in store.blocks) > 0
    store.close()
    store = open_store(tmp_path)
    for _ in range(2):
        assert bits(ask(store, "rate(m[5m])", grid)) == expected
    assert store.stats().corruptions == len(store.blocks)
    assert all("checksum" in note for note in store.stats().notes)
    store.close()


def test_a_damaged_rollup_does_not_come_along_into_a_merged_block(tmp_path: Path) -> None:
    """Stripes are copied without it."""
    store = filled(tmp_path, hours=3)
    assert sum(spoil_rollups(block.path) for block in store.blocks) > 0
    store.merge(store.blocks)
    assert values_of(scan(store, "rate")) > 0
    assert store.stats().corruptions == 0
    store.close()


def test_deleted_samples_are_not_answered_by_rollups(tmp_path: Path) -> None:
    """From the deletion on, and after the block was written anew."""
    store = filled(tmp_path)
    start = T0 // HOUR * HOUR
    store.delete([matchers("i=3")], start_ms=start + HOUR, end_ms=start + 2 * HOUR)
    grid = StepGrid(start + HOUR + ROLLUP_MS, start + 2 * HOUR, ROLLUP_MS)
    assert metric("m", i="3") not in bits(ask(store, "m", grid))
    store.clean_tombstones()
    assert metric("m", i="3") not in bits(ask(store, "m", grid))
    assert values_of(scan(store, "last_over_time")) < 13 * 960 / 8
    store.close()


def test_late_samples_keep_rollups_only_from_where_they_lie(tmp_path: Path) -> None:
    """The stripe with a late sample is read whole and merged, the others are not."""
    store = filled(tmp_path)
    ref, start = store.resolve([metric("m", i="5")]), T0 // HOUR * HOUR
    before = values_of(scan(store, "rate"))
    store.append(WriteBatch(ref, np.array([start + 4 * HOUR + 1]), np.array([1.0])), durable=False)
    assert values_of(scan(store, "rate")) == before
    store.append(WriteBatch(ref, np.array([start + 4 * HOUR - 1]), np.array([1.0])), durable=False)
    found = scan(store, "rate")
    assert before < values_of(found) < 13 * 960 / 2 + before
    assert sum(sample_count(piece) for piece in found) == 13 * 960 + 1
    store.close()
