"""Downsampling: what a store answers from buckets is what it would answer from the samples, or said to be an estimate."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tests.support.downsampling import (
    COARSE,
    DAY,
    FIVE_MINUTES,
    HOUR,
    START,
    WHOLE,
    answers,
    ask,
    fill,
    open_store,
    samples,
)

from spyglass.model.errors import StorageError
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import LabelTable
from spyglass.model.samples import WriteBatch, is_stale
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.block_writer import StripeSource
from spyglass.storage.metrics.options import RetentionRule
from spyglass.storage.metrics.ragged import Ragged
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.clock import VirtualClock
from spyglass.testing.faulty_files import FaultyFiles
from spyglass.testing.metric_store_suite import MINUTE, dump, histogram, matchers, metric, points, select

DAYS = 14
END = START + DAYS * DAY
EXACT = (
    "sum_over_time",
    "count_over_time",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "rate",
    "increase",
    "delta",
)
GRIDS = {
    "1h": (START, END, HOUR, "1h"),
    "6h in steps of 1h": (START, END, HOUR, "6h"),
    "1d in steps of 4h": (START, END, 4 * HOUR, "1d"),
    "5m": (START + 5 * DAY + FIVE_MINUTES, START + 9 * DAY, FIVE_MINUTES, "5m"),
    "30m in steps of 10m": (START + 10 * DAY, START + 12 * DAY, 10 * MINUTE, "30m"),
}
"""Windows of whole buckets: of an hour, of five minutes, and across the borders between resolutions and samples."""


@dataclass(frozen=True, slots=True)
class Pair:
    whole: DiskMetricStore
    coarse: DiskMetricStore
    folder: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """The same samples in a store that keeps them, and in one that keeps them 3 days, 5 minutes 9 days, and hours for ever."""
    folder = tmp_path_factory.mktemp("downsampling")
    whole, coarse = open_store(folder / "whole", WHOLE), open_store(folder / "coarse", COARSE)
    fill([whole, coarse], samples(DAYS))
    yield Pair(whole, coarse, folder / "coarse")
    whole.close()
    coarse.close()


@pytest.fixture
def own(pair: Pair, tmp_path: Path) -> Iterator[DiskMetricStore]:
    """A copy of the downsampled store, to be changed."""
    store = open_copy(pair, tmp_path)
    yield store
    store.close()


class DyingFiles(FaultyFiles):
    """Files of a process that dies when a block is written and not yet renamed."""

    dies_before_renaming = False

    def write_atomic(self, path: Path, chunks: Iterable[bytes]) -> None:
        if self.dies_before_renaming:
            path.with_name(path.name + ".tmp").write_bytes(b"".join(chunks))
            raise StorageError(f"writing {path}: it died")
        super().write_atomic(path, chunks)


def open_copy(pair: Pair, tmp_path: Path) -> DiskMetricStore:
    shutil.copytree(pair.folder, tmp_path / "copy")
    return open_store(tmp_path / "copy", COARSE)


def assert_alike(pair: Pair, query: str, grid: tuple[int, int, int], store: DiskMetricStore | None = None) -> None:
    """Series, presence and values agree, and nothing is said to have been moved or estimated."""
    wanted, result = answers(ask(pair.whole, query, *grid)), ask(store or pair.coarse, query, *grid)
    found = answers(result)
    assert result.warnings == []
    assert not [info for info in result.infos if "downsampled" in info]
    assert found.keys() == wanted.keys()
    assert any(any(present) for _, present in wanted.values()), "the query finds something"
    for one in wanted:
        assert found[one][1] == wanted[one][1], one
        np.testing.assert_allclose(found[one][0], wanted[one][0], rtol=1e-9, atol=1e-9, err_msg=str(one))


def test_samples_are_gone_and_buckets_there(pair: Pair) -> None:
    """Given 3 days of samples and 9 of buckets of 5 minutes, each goes in time, by whole blocks; hours stay."""
    oldest = min(block.min_ms for block in pair.coarse.blocks)
    assert END - 3 * DAY - 12 * HOUR <= oldest <= END - 3 * DAY
    fine, hours = (level.blocks for level in pair.coarse.levels)
    assert END - 10 * DAY - HOUR <= min(block.min_ms for block in fine) <= END - 9 * DAY
    assert min(block.min_ms for block in hours) <= START


def test_blocks_of_buckets_are_listed_with_their_resolution(pair: Pair) -> None:
    """Beside those of samples, whose resolution is 0; times are where the first bucket begins and the last ends."""
    found = pair.coarse.block_infos()
    assert {info.resolution_ms for info in found} == {0, FIVE_MINUTES, HOUR}
    assert [info.min_ms for info in found] == sorted(info.min_ms for info in found)
    for resolution_ms in (FIVE_MINUTES, HOUR):
        own = [info for info in found if info.resolution_ms == resolution_ms]
        assert all((info.min_ms - 1) % resolution_ms == info.max_ms % resolution_ms == 0 for info in own)
        assert all(info.samples > 0 and info.series > 0 for info in own)
    assert {info.resolution_ms for info in pair.whole.block_infos()} == {0}


@pytest.mark.parametrize("shape", GRIDS)
@pytest.mark.parametrize("name", ["requests_total", "temperature"])
@pytest.mark.parametrize("function", EXACT)
def test_windows_of_whole_buckets_are_exact(pair: Pair, function: str, name: str, shape: str) -> None:
    """With resets, gaps, stale markers, NaN, series that come and go, scraped on the minute and off it."""
    start, end, step, window = GRIDS[shape]
    assert_alike(pair, f"{function}({name}[{window}])", (start, end, step))


@pytest.mark.parametrize("shape", GRIDS)
@pytest.mark.parametrize(
    "query",
    ["requests_total", "temperature", "timestamp(requests_total)", "absent(requests_total)"],
)
def test_instant_selections_at_ends_of_buckets_are_exact(pair: Pair, query: str, shape: str) -> None:
    """A series shows where its newest sample is within the lookback and no stale marker, as ever."""
    start, end, step, _ = GRIDS[shape]
    if query.startswith("absent"):
        assert answers(ask(pair.coarse, query, start, end, step)) == answers(ask(pair.whole, query, start, end, step))
    else:
        assert_alike(pair, query, (start, end, step))


@pytest.mark.parametrize(
    "query",
    [
        "sum by (n) (rate(requests_total[1h]))",
        "max_over_time(rate(requests_total[1h])[4h:1h])",
        "avg_over_time(temperature[1h]) - avg_over_time(temperature[1h] offset 1d)",
        "topk(2, sum_over_time(temperature[2h]))",
        f"sum_over_time(temperature[1d] @ {(START + 4 * DAY) // 1000})",
    ],
)
def test_what_is_built_on_windows_is_exact_too(pair: Pair, query: str) -> None:
    """Aggregations, subqueries, offsets and @ look at the same windows."""
    assert_alike(pair, query, (START + 2 * DAY, END, HOUR))


@pytest.mark.parametrize("step_ms", [7 * MINUTE, 90_000])
@pytest.mark.parametrize(
    "query", ["rate(requests_total[7m])", "temperature", "quantile_over_time(0.9, temperature[11m])"]
)
def test_while_samples_are_kept_they_answer(pair: Pair, query: str, step_ms: int) -> None:
    """Windows that are no whole buckets get the very same answers as without downsampling, as long as there are samples."""
    grid = (END - 3 * DAY + HOUR + 1234, END - 2 * DAY, step_ms)
    wanted, found = (answers(ask(store, query, *grid)) for store in (pair.whole, pair.coarse))
    assert found.keys() == wanted.keys()
    for one in wanted:
        np.testing.assert_array_equal(found[one], wanted[one])


def test_no_jump_at_the_border_to_samples(pair: Pair) -> None:
    """A sum over half a day, in odd steps across the border: at most a bucket's samples are more than the range has."""
    grid = (END - 4 * DAY + 1234, END - 2 * DAY, 11 * MINUTE)
    query = 'count_over_time(requests_total{n="0", target="b"}[12h])'
    (counts, present), *_ = answers(ask(pair.coarse, query, *grid)).values()
    assert all(present)
    assert set(np.round(np.abs(counts - 720), 6) <= 5) == {True}
    result = ask(pair.coarse, query, *grid)
    assert result.infos == [
        "PromQL info: samples are downsampled to 5m and 1h: steps and ranges there were moved to multiples of it (1:1)"
    ]


def test_a_step_amid_buckets_stands_for_the_last_end(pair: Pair) -> None:
    """At 07:40 of a day known by the hour a series has the value of 07:00."""
    at = START + 2 * DAY + 7 * HOUR
    late = ask(pair.coarse, "requests_total", at + 40 * MINUTE, at + 40 * MINUTE, HOUR)
    wanted = answers(ask(pair.whole, "requests_total", at, at, HOUR))
    assert {one: v.tolist() for one, (v, _) in answers(late).items()} == {
        one: v.tolist() for one, (v, _) in wanted.items()
    }


def test_a_range_below_the_resolution_is_widened_and_scaled(pair: Pair) -> None:
    """increase(x[5m]) where there are hours only: the hour's increase, a twelfth of it; the rate is the hour's."""
    grid = (START + 2 * DAY, START + 3 * DAY, HOUR)
    query = 'increase(requests_total{n="0"}[5m])'
    hour = answers(ask(pair.whole, query.replace("5m", "1h"), *grid))
    found = answers(ask(pair.coarse, query, *grid))
    assert found.keys() == hour.keys()
    for one in hour:
        np.testing.assert_allclose(found[one][0], hour[one][0] / 12, rtol=1e-9)


def test_what_buckets_cannot_give_is_said_to_be_an_estimate(pair: Pair) -> None:
    """Quantiles and the like see the last sample of each stretch; over samples alone nothing is said."""
    query = "quantile_over_time(0.5, temperature[6h])"
    result = ask(pair.coarse, query, START + 2 * DAY, START + 3 * DAY, HOUR)
    assert result.warnings == [
        "PromQL warning: quantile_over_time is an estimate for samples that are downsampled to 5m and 1h: "
        "it sees the last of each stretch (1:1)"
    ]
    wanted = answers(ask(pair.whole, query, START + 2 * DAY, START + 3 * DAY, HOUR))
    for one, (values, _) in answers(result).items():
        assert np.nanmean(np.abs(values - wanted[one][0])) < 10
    assert ask(pair.coarse, query, END - 2 * DAY, END - DAY, HOUR).warnings == []


def test_plain_readers_get_samples_that_were_written(pair: Pair) -> None:
    """Export, remote read and federation see the last sample of each bucket, at its time, and stale markers; nothing made up."""
    whole, coarse = dump(select(pair.whole)), dump(select(pair.coarse))
    assert coarse.keys() == whole.keys()
    for one in whole:
        assert set(coarse[one]) <= set(whole[one])
    hours = [
        time for time, _ in points(pair.coarse, "__name__=temperature target=a n=0", START + HOUR, START + 2 * DAY)
    ]
    assert hours == list(range(START + HOUR, START + 2 * DAY + 1, HOUR))


def test_a_range_read_in_parts_is_read_once(pair: Pair) -> None:
    """Reading hour after hour gives what reading all at once gives: no sample twice, none lost."""
    text = "__name__=requests_total target=b n=2"
    parts = [points(pair.coarse, text, at, at + DAY - 1) for at in range(START, END, DAY)]
    whole = points(pair.coarse, text)
    assert [time for part in parts for time, _ in part] == [time for time, _ in whole]


def test_the_series_of_the_past_are_listed(pair: Pair) -> None:
    """Names, values and series of a time that only buckets know."""
    span = {"start_ms": START, "end_ms": START + DAY}
    assert pair.coarse.label_values("n", [matchers("__name__=requests_total")], **span) == ["0", "1", "2", "4", "5"]
    assert pair.coarse.label_names([], **span) == ["__name__", "n", "target"]
    assert pair.coarse.time_range() == (START - HOUR, pair.whole.time_range()[1])  # type: ignore[index]


def test_buckets_survive_a_restart(pair: Pair, tmp_path: Path) -> None:
    """The store opened again answers alike, and has nothing to repair."""
    store = open_copy(pair, tmp_path)
    assert_alike(pair, "rate(requests_total[6h])", (START, END, HOUR), store)
    assert store.stats().notes == ()
    before = [block.path for level in store.levels for block in level.blocks]
    store.maintain(0)
    assert [block.path for level in store.levels for block in level.blocks] == before
    store.close()


def test_a_snapshot_holds_the_buckets(pair: Pair, own: DiskMetricStore, tmp_path: Path) -> None:
    """It opens as a store of its own and answers alike."""
    name = own.snapshot()
    store = open_store(tmp_path / "copy" / "snapshots" / name, COARSE)
    assert_alike(pair, "increase(requests_total[1d])", (START, END, HOUR), store)
    store.close()


def test_deleted_samples_are_gone_from_buckets(own: DiskMetricStore) -> None:
    """Every bucket that the deletion touches goes, of the matching series only; cleaning up changes no answer."""
    kept = points(own, "__name__=temperature target=b n=0")
    own.delete([matchers("__name__=temperature target=a n=0")], start_ms=START + HOUR + 1, end_ms=START + 2 * HOUR)
    times = [time for time, _ in points(own, "__name__=temperature target=a n=0", START, START + 4 * HOUR)]
    assert times == [START, START + HOUR, START + 3 * HOUR, START + 4 * HOUR]
    query = 'sum_over_time(temperature{n="0"}[1h])'
    before = answers(ask(own, query, START + HOUR, START + DAY, HOUR))
    assert [present.count(False) for _, present in before.values()] == [1, 0]
    own.clean_tombstones()
    after = answers(ask(own, query, START + HOUR, START + DAY, HOUR))
    assert {one: v.tolist() for one, (v, _) in after.items()} == {one: v.tolist() for one, (v, _) in before.items()}
    assert points(own, "__name__=temperature target=b n=0") == kept


def test_a_deletion_amid_a_bucket_leaves_no_trace_of_what_was_deleted(own: DiskMetricStore) -> None:
    """One minute of an hour is deleted: the hour's bucket cannot be told apart from it, and goes."""
    own.delete([matchers("n=0")], start_ms=START + 90 * MINUTE, end_ms=START + 91 * MINUTE)
    found = answers(ask(own, 'max_over_time(temperature{n="0",target="a"}[1h])', START, START + 4 * HOUR, HOUR))
    assert [present for _, present in found.values()] == [[True, True, False, True, True]]


def test_a_crash_while_a_window_is_written_loses_nothing(tmp_path: Path) -> None:
    """The file is not there, the next round makes it, and the samples stay until then."""
    files = DyingFiles(RealFiles())
    store = DiskMetricStore(tmp_path, files=files, clock=VirtualClock(), options=replace(COARSE, downsampling=()))
    fill([store], samples(3))
    store.close()
    store = DiskMetricStore(tmp_path, files=files, clock=VirtualClock(), options=COARSE)
    before = dump(select(store))
    files.dies_before_renaming = True
    with pytest.raises(StorageError):
        store.maintain(0)
    assert [level.blocks for level in store.levels] == [(), ()]
    assert dump(select(store)) == before
    assert list((tmp_path / "downsampled" / "300000").glob("*.tmp"))
    store.close()
    files.dies_before_renaming = False
    store = DiskMetricStore(tmp_path, files=files, clock=VirtualClock(), options=COARSE)
    assert not list((tmp_path / "downsampled" / "300000").glob("*.tmp"))
    store.maintain(0)
    assert [len(level.blocks) > 0 for level in store.levels] == [True, False]
    store.close()


def test_a_damaged_chunk_is_told_and_its_series_left_out(pair: Pair, tmp_path: Path) -> None:
    """A flipped bit in one column: the function says so, lacks those series for that window, and answers the rest."""
    copied = tmp_path / "copy"
    shutil.copytree(pair.folder, copied)
    store = open_store(copied, COARSE)
    block = store.levels[1].blocks[0]
    at = block.stripe(1).column("max").offset(0)
    store.close()
    with open(block.path, "r+b") as file:
        file.seek(at + 5)
        byte = file.read(1)[0]
        file.seek(at + 5)
        file.write(bytes([byte ^ 4]))
    store = open_store(copied, COARSE)
    window = (START + HOUR, END, HOUR)
    found = answers(ask(store, "max_over_time(temperature[1h])", *window))
    wanted = answers(ask(pair.whole, "max_over_time(temperature[1h])", *window))
    gap = int(4 * DAY / HOUR)
    for one, (values, present) in found.items():
        assert not any(present[: gap - 1])
        np.testing.assert_allclose(values[gap:], wanted[one][0][gap:])
    assert store.stats().corruptions == 1
    assert_alike(pair, "rate(requests_total[1h])", window, store)
    store.close()


def test_a_rule_bounds_every_resolution(tmp_path: Path) -> None:
    """Series that a rule keeps for 2 days are in no bucket longer; those that it keeps for ever answer with samples as ever."""
    rules = (
        RetentionRule(tuple(matchers("__name__=temperature")), 2 * DAY),
        RetentionRule(tuple(matchers("n=5")), 0),
    )
    store = open_store(tmp_path / "rules", replace(COARSE, retention_rules=rules))
    whole = open_store(tmp_path / "whole", WHOLE)
    written = samples(9)
    fill([store, whole], written)
    kept = [time for one in dump(select(store, "__name__=temperature")).values() for time, _ in one]
    assert START + 6 * DAY <= min(kept) <= START + 7 * DAY
    assert dump(select(store, "n=5")) == dump(select(whole, "n=5"))
    query = 'quantile_over_time(0.5, requests_total{n="5"}[7m])'
    grid = (START + DAY + 77, START + 2 * DAY, 13 * MINUTE)
    for one, (values, _) in answers(ask(whole, query, *grid)).items():
        assert answers(ask(store, query, *grid))[one][0].tolist() == values.tolist()
    store.close()
    whole.close()


def test_the_last_histogram_of_each_stretch_is_kept(tmp_path: Path) -> None:
    """Native histograms: the newest of each bucket, as it was written, at its time; a rate over them is an estimate."""
    store = open_store(tmp_path, COARSE)
    ref = store.resolve([metric("latency")])
    none = np.zeros(0, np.int64)
    written: dict[int, FloatHistogram] = {}
    for low in range(7 * 24):
        times = START + low * HOUR + np.arange(1, 7) * 10 * MINUTE
        values = [histogram(int(n)) for n in times // MINUTE % 50 + 1]
        written |= dict(zip(times.tolist(), values, strict=True))
        store.append(WriteBatch(none, none, np.zeros(0), np.repeat(ref, 6), times, values), durable=False)
        if low % 6 == 0:
            store.maintain(0)
    (runs,) = select(store, "__name__=latency", 0, START + 2 * DAY).histograms
    assert runs.times.tolist() == [START + n * 10 * MINUTE for n in range(1, 288 + 1)]
    assert all(value.sum == written[time].sum for time, value in zip(runs.times.tolist(), runs.values, strict=True))
    warnings = ask(store, "rate(latency[1h])", START + DAY, START + 2 * DAY, HOUR).warnings
    assert [one for one in warnings if "rate is an estimate for samples that are downsampled to 5m" in one]
    store.close()


def test_stale_markers_that_end_a_bucket_are_kept(pair: Pair) -> None:
    """A series that ended is not shown until the lookback is over."""
    found = dump(select(pair.coarse, "__name__=requests_total n=2"))
    bits = [np.array([bits for _, bits in one], np.uint64).view(np.float64) for one in found.values()]
    assert all(is_stale(values).any() for values in bits)


def test_what_is_imported_into_the_past_is_in_buckets_too(own: DiskMetricStore) -> None:
    """Series that come as a block of old samples are in the windows that were made without them; the others stay as they are."""
    before = answers(ask(own, "sum_over_time(temperature[1h])", START + HOUR, START + 6 * DAY, HOUR))
    labels = [metric("imported", n=str(n)) for n in range(5)]
    count = int(3 * DAY / (2 * MINUTE))

    def slices(start: int) -> list[Ragged]:
        times = start + np.arange(60) * 2 * MINUTE
        return [Ragged(np.arange(5), np.arange(6) * 60, np.tile(times, 5), np.repeat(np.arange(5.0), 60))]

    table = LabelTable.from_labels(labels)
    starts = range(START + DAY, START + 4 * DAY, 2 * HOUR)
    stripes = [StripeSource(start, partial(slices, start)) for start in starts]
    assert own.add_block(table, stripes, ["__name__", "n"], (START + DAY, START + 4 * DAY)) == 5 * count
    for _ in range(2):
        found = answers(ask(own, "count_over_time(imported[1h])", START, START + 6 * DAY, HOUR))
        assert {one: values.sum() for one, (values, _) in found.items()} == {one[1:]: count for one in labels}
        after = answers(ask(own, "sum_over_time(temperature[1h])", START + HOUR, START + 6 * DAY, HOUR))
        for one in before:
            np.testing.assert_array_equal(after[one], before[one])
        own.maintain(0)
    assert min(block.min_ms for block in own.blocks) > START + 10 * DAY
