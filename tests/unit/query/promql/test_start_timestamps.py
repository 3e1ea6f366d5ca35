"""Start timestamps in queries: resets that no value shows, counters that began within a window, and what says nothing.

In memory, in a fresh head, in blocks and after a restart.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from spyglass.protocols.metric_store import MetricStore
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine, PromSettings
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.start_timestamps import FOLDER, StartTimestampStore
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.promqltest.runner import loaded, run_script, starts_of
from spyglass.testing.promqltest.script import Load, parse_script
from spyglass.testing.promqltest.targets import EngineTarget, OneStore

SCRIPT = """
# A counter at 50 for three minutes; its process was replaced before each of the last two samples.
load 1m
    jobs_total@st   -1m -2m -30s -20s
    jobs_total       50  50   50   50

# 50 for each of the two resets, over two minutes and a millisecond to the border.
eval instant at 3m increase(jobs_total[2m1ms])
    {}  100.00083333333333

eval instant at 3m resets(jobs_total[3m1ms])
    {}  2

eval instant at 3m irate(jobs_total[2m])
    {}  0.8333333333333334

# What a subquery makes has been counting since no time.
eval instant at 3m resets(jobs_total[3m:1m])
    {}  0

eval range from 0 to 4m step 1m start_timestamp(jobs_total)
    {}  -60 -60 90 160 160

eval instant at 3m start_timestamp(jobs_total + 0)

clear

# The first increase counts: one sample, born within the window.
load 1m
    born_total{at="inside"}@st    _ _ _ -30s
    born_total{at="inside"}       _ _ _   4
    born_total{at="outside"}@st   _ _ _ -30m
    born_total{at="outside"}      _ _ _   4
    born_total{at="unknown"}      _ _ _   4
    born_total{at="border"}@st    _ _ _ -2m
    born_total{at="border"}       _ _ _   4

eval instant at 3m increase(born_total[2m])
    {at="inside"}  4

eval instant at 3m rate(born_total[2m])
    {at="inside"}  0.03333333333333333

eval instant at 3m start_timestamp(born_total)
    {at="inside"}   150
    {at="outside"}  -1620
    {at="unknown"}  0
    {at="border"}   60

clear

# Deltas: each sample began where the one before it ended. A start at or behind its own sample says nothing.
load 1m
    delta{kind="deltas"}@st   _  -1mx5
    delta{kind="deltas"}      _  7x5
    delta{kind="at"}@st       _  0x5
    delta{kind="at"}          _  7x5
    delta{kind="behind"}@st   _  1sx5
    delta{kind="behind"}      _  7x5
    delta{kind="none"}        _  7x5

eval instant at 6m increase(delta[4m])
    {kind="deltas"}  28
    {kind="at"}       0
    {kind="behind"}   0
    {kind="none"}     0

eval instant at 6m resets(delta[4m])
    {kind="deltas"}  3
    {kind="at"}      0
    {kind="behind"}  0
    {kind="none"}    0

clear

# A series without starts beside it, floats and a histogram, and a series of which only some samples have one.
load 1m
    mixed_total{s="some"}@st   _ _ -30s _ _
    mixed_total{s="some"}      5 5 5 5 5
    mixed_total{s="hist"}      {{schema:0 count:5 sum:5 buckets:[5]}}x4
    mixed_total{s="gone"}      1 2 _ stale

eval instant at 4m resets(mixed_total[5m])
    {s="some"}  1
    {s="hist"}  0
    {s="gone"}  0

eval instant at 4m start_timestamp(mixed_total{s!="some"})
    {s="hist"}  0

eval instant at 2m start_timestamp(mixed_total{s="some"})
    {s="some"}  90
"""


def disk(folder: Path) -> StartTimestampStore:
    options = MetricStoreOptions(retention_ms=0, out_of_order_window_ms=10**13, min_free_bytes=0)
    stores = [
        DiskMetricStore(path, files=RealFiles(), clock=SystemClock(), options=options)
        for path in (folder, folder / FOLDER)
    ]
    return StartTimestampStore(*stores)


def into_blocks(store: MetricStore) -> None:
    assert isinstance(store, StartTimestampStore)
    for part in store.parts:
        assert isinstance(part, DiskMetricStore)
        part.flush()
        part.compact()


@pytest.fixture(params=["memory", "head", "blocks"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineTarget]:
    numbers = count()
    makers: dict[str, Callable[[], MetricStore]] = {
        "memory": lambda: StartTimestampStore(
            MemoryMetricStore(out_of_order_window_ms=10**13), MemoryMetricStore(out_of_order_window_ms=10**13)
        ),
        "head": lambda: disk(tmp_path / str(next(numbers))),
        "blocks": lambda: disk(tmp_path / str(next(numbers))),
    }
    target = EngineTarget(makers[request.param], after_write=into_blocks if request.param == "blocks" else None)
    yield target
    target.clear()


def test_the_script_passes(target: EngineTarget) -> None:
    """Every eval gives what upstream's rules give."""
    report = run_script(SCRIPT, target)
    assert report.cases == 14
    assert not report.failures, "\n".join(report.failures)


def load(store: MetricStore, text: str) -> None:
    target = EngineTarget(lambda: store)
    for command in parse_script(text):
        assert isinstance(command, Load)
        target.write(loaded(command), starts_of(command))


BORN = "load 1m\n    born_total@st _ _ _ -30s\n    born_total _ _ _ 4\n"


def increase(store: MetricStore, *, use: bool = True) -> list[float]:
    engine = PromEngine(OneStore(store), PromSettings(start_timestamps=use))
    answer = engine.instant("increase(born_total[2m])", time_ms=180_000, tenant="", budget=QueryBudget())
    return [] if answer.frame is None else answer.frame.values.ravel().tolist()


def test_they_survive_a_restart(tmp_path: Path) -> None:
    """From the journal, and from blocks."""
    store = disk(tmp_path)
    load(store, BORN)
    store.close()
    store = disk(tmp_path)
    assert increase(store) == [4.0]
    into_blocks(store)
    store.close()
    store = disk(tmp_path)
    assert increase(store) == [4.0]
    assert increase(store, use=False) == []
    store.delete([], start_ms=0, end_ms=10**6)
    assert increase(store) == []
    store.close()


def test_whoever_does_not_use_them_sees_nothing_of_them() -> None:
    """Without the setting the same store answers as ever; a store that keeps none answers as ever with it."""
    kept = StartTimestampStore(MemoryMetricStore(), MemoryMetricStore())
    load(kept, BORN)
    plain = MemoryMetricStore()
    load(plain, BORN)
    assert increase(kept, use=False) == increase(plain) == increase(plain, use=False) == []
    assert kept.label_names([], start_ms=0, end_ms=10**6) == plain.label_names([], start_ms=0, end_ms=10**6)
    engine = PromEngine(OneStore(kept), PromSettings())
    frame = engine.instant("start_timestamp(born_total)", time_ms=180_000, tenant="", budget=QueryBudget()).frame
    assert frame is not None
    assert frame.size == 0
