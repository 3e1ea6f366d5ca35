"""Retention per matcher: some series go sooner or later than the rest, and their space comes back."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.samples import WriteBatch
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.block_writer import StripeSource
from spyglass.storage.metrics.label_columns import sort_order
from spyglass.storage.metrics.options import MetricStoreOptions, RetentionRule
from spyglass.storage.metrics.ragged import Ragged
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.metric_store_suite import HOUR, MINUTE, T0, dump, grid, matchers, metric, points, select, write

START = T0 // (18 * HOUR) * 18 * HOUR
OPTIONS = MetricStoreOptions(retention_ms=0, sync_interval_s=60, min_free_bytes=0, head_samples=4000)
LABELS = [metric(name, i=str(i)) for i in range(20) for name in ("debug_m", "m")]


def rule(text: str, hours: float) -> RetentionRule:
    return RetentionRule(tuple(matchers(text)), int(hours * HOUR))


def open_store(folder: Path, *rules: RetentionRule, retention_ms: int = 0) -> DiskMetricStore:
    options = replace(OPTIONS, retention_rules=rules, retention_ms=retention_ms)
    return DiskMetricStore(folder, files=RealFiles(), clock=VirtualClock(), options=options)


def fill(store: DiskMetricStore, hours: int, start: int = START) -> None:
    """Scrape every five minutes, keeping house every half an hour."""
    for half in range(hours * 2):
        write(store, samples_of(half, start))
        store.maintain(0)


def samples_of(half: int, start: int = START) -> list[tuple[Labels, int, float]]:
    """Half an hour's samples, of values that compress badly."""
    rows = grid(LABELS, start + half * 30 * MINUTE, 6, 5 * MINUTE)
    values = np.random.default_rng(half).random(len(rows)).tolist()
    return [(labels, time, value) for (labels, time, _), value in zip(rows, values, strict=True)]


def span_hours(store: DiskMetricStore, text: str) -> float:
    times = [time for samples in dump(select(store, text)).values() for time, _ in samples]
    return (max(times) + 5 * MINUTE - min(times)) / HOUR


def test_series_of_a_rule_go_and_the_others_stay(tmp_path: Path) -> None:
    """Samples of matching series are gone a quarter of their time late at most; every other sample is still there, bit for bit."""
    store = open_store(tmp_path, rule("__name__=~debug_.*", 8))
    fill(store, 60)
    assert 8 <= span_hours(store, "__name__=debug_m") <= 8 + 2 + 2 + 0.5
    written = [row for half in range(120) for row in samples_of(half)]
    for n, one in enumerate(LABELS):
        if one[0] == ("__name__", "m"):
            wanted = [(time, value) for labels, time, value in written if labels == one]
            assert points(store, f"__name__=m i={n // 2}") == wanted
    store.close()


def test_the_space_comes_back(tmp_path: Path) -> None:
    """A store whose matching series are past their time is about as large as one that never had them, labels included."""
    whole = open_store(tmp_path / "whole")
    fill(whole, 60)
    pruned = open_store(tmp_path / "pruned", rule("__name__=debug_m", 4))
    fill(pruned, 60)
    size = {name: sum(block.size_bytes for block in store.blocks) for name, store in (("w", whole), ("p", pruned))}
    assert size["p"] < 0.65 * size["w"]
    oldest = pruned.blocks[0]
    assert "debug_m" not in oldest.labels.columns["__name__"].values
    whole.close()
    pruned.close()


def test_the_longest_rule_that_matches_counts(tmp_path: Path) -> None:
    """Two rules on one series: the longer. A rule may be longer than the retention, and for ever."""
    rules = (rule("__name__=debug_m", 4), rule("__name__=debug_m i=3", 20), rule("__name__=m i=0", 0))
    store = open_store(tmp_path, *rules, retention_ms=8 * HOUR)
    fill(store, 60)
    assert span_hours(store, "__name__=m i=0") == 60
    assert 20 <= span_hours(store, "__name__=debug_m i=3") <= 28
    assert 8 <= span_hours(store, "__name__=m i=1") <= 13
    assert 4 <= span_hours(store, "__name__=debug_m i=1") <= 9
    store.close()


def test_blocks_go_whole_after_the_longest_time(tmp_path: Path) -> None:
    """With rules of finite times nothing stays for ever."""
    store = open_store(tmp_path, rule("__name__=m i=0", 20), retention_ms=6 * HOUR)
    fill(store, 72)
    low, high = store.time_range() or (0, 0)
    assert high - low <= 40 * HOUR
    store.close()


def test_new_rules_apply_to_old_blocks(tmp_path: Path) -> None:
    """A store opened with a rule rewrites what it has at the next housekeeping, once; what follows rewrites nothing."""
    store = open_store(tmp_path)
    fill(store, 30)
    store.close()
    store = open_store(tmp_path, rule("__name__=debug_m", 2))
    store.maintain(0)
    assert span_hours(store, "__name__=debug_m") <= 6
    assert span_hours(store, "__name__=m") == 30
    numbers = [block.number for block in store.blocks]
    store.maintain(0)
    assert [block.number for block in store.blocks] == numbers
    store.close()
    store = open_store(tmp_path, rule("__name__=debug_m", 2))
    assert store.stats().notes == ()
    assert span_hours(store, "__name__=m") == 30
    store.close()


def test_native_histograms_obey_rules_too(tmp_path: Path) -> None:
    """Histogram samples of a matching series go, others stay."""
    store = open_store(tmp_path, rule("__name__=debug_h", 4))
    one = FloatHistogram(count=1.0, sum=1.0, zero_count=1.0)
    nothing = np.zeros(0, np.int64)
    for hour in range(30):
        refs = store.resolve([metric("debug_h"), metric("h")])
        times = np.full(2, START + hour * HOUR)
        store.append(
            WriteBatch(nothing, nothing, np.zeros(0), hist_refs=refs, hist_times=times, histograms=[one, one]),
            durable=False,
        )
        fill(store, 1, START + hour * HOUR)
    found = {
        name: sum(len(piece.times) for piece in select(store, f"__name__={name}").histograms)
        for name in ("h", "debug_h")
    }
    assert found["h"] == 30
    assert found["debug_h"] <= 9
    store.close()


def test_imported_blocks_obey_rules(tmp_path: Path) -> None:
    """Also in a store that never wrote a sample of its own: its blocks know no position of the journal."""
    names, times = ["__name__", "i"], np.arange(START, START + 24 * HOUR, 5 * MINUTE)
    table = LabelTable.from_labels(LABELS)
    table = table.take(sort_order(table, names))

    def slices(start: int) -> list[Ragged]:
        mine = times[(times >= start) & (times < start + 2 * HOUR)]
        count = table.size
        offsets = np.arange(count + 1) * len(mine)
        return [Ragged(np.arange(count), offsets, np.tile(mine, count), np.ones(count * len(mine)))]

    store = open_store(tmp_path, rule("__name__=debug_m", 4))
    starts = range(START, START + 24 * HOUR, 2 * HOUR)
    stripes = [StripeSource(start, partial(slices, start)) for start in starts]
    store.add_block(table, stripes, names, (START, START + 24 * HOUR - 1))
    assert span_hours(store, "__name__=debug_m") == 24
    store.maintain(0)
    assert span_hours(store, "__name__=debug_m") <= 7
    assert span_hours(store, "__name__=m") == 24
    store.close()


def test_a_damaged_block_stops_no_pruning(tmp_path: Path) -> None:
    """A block whose tables cannot be read is left to those who read it; the others are rewritten."""
    store = open_store(tmp_path)
    fill(store, 40)
    store.close()
    store = open_store(tmp_path, rule("__name__=debug_m", 4))
    oldest = store.blocks[0]
    content = bytearray(oldest.path.read_bytes())
    content[16 : len(content) - 2000] = bytes(len(content) - 2016)
    oldest.path.write_bytes(content)
    store.maintain(0)
    assert {len(samples) > 0 for samples in dump(select(store, "__name__=m")).values()} == {True}
    assert all(
        "debug_m" not in block.labels.columns["__name__"].values
        for block in store.blocks
        if block.max_ms < START + 30 * HOUR and block.number != oldest.number
    )
    store.close()
