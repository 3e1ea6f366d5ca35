"""Native histograms in the journal: columns written, the JSON of older journals read."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.histogram_json import as_json
from tests.unit.storage.test_metric_histograms import ITEMS, Item, exact, items_of, steady

from spyglass.model.errors import CorruptData
from spyglass.model.labels import labels_of
from spyglass.model.samples import WriteBatch
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.journal import Journal
from spyglass.storage.metrics import wal_records
from spyglass.storage.metrics.histogram_codec import histogram_bits
from spyglass.storage.metrics.histogram_columns import columns_of
from spyglass.storage.metrics.histogram_records import decode_histograms, encode_histograms
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.metric_store_suite import select

SERIES = labels_of({"__name__": "h", "job": "x"})


def open_store(folder: Path) -> DiskMetricStore:
    options = MetricStoreOptions(retention_ms=0, out_of_order_window_ms=10**13)
    return DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=options)


def held(store: DiskMetricStore) -> list[tuple[int, object]]:
    """(time, content) of the one series."""
    (runs,) = select(store).histograms
    return [(time, exact(h)) for time, h in zip(runs.times.tolist(), runs.values.tolist(), strict=True)]


def batch(ref: int, items: list[Item]) -> WriteBatch:
    times = np.array([time for _, time, _ in items], np.int64)
    none = np.zeros(0, np.int64)
    return WriteBatch(
        none,
        none,
        np.zeros(0),
        hist_refs=np.full(len(items), ref),
        hist_times=times,
        histograms=[histogram for _, _, histogram in items],
    )


@given(ITEMS)
def test_a_record_gives_back_every_bit(items: list[Item]) -> None:
    """References of any size, NaNs with their bits, hints, custom bounds, empty histograms, no histogram at all."""
    referred = [(row << 32 | row, time, histogram) for row, time, histogram in items]
    columns = columns_of(referred)
    assert items_of(decode_histograms(encode_histograms(columns))) == items_of(columns)


@given(st.binary(max_size=80), st.integers(0, 200), st.integers(0, 255))
def test_rubbish_raises_the_one_error(data: bytes, at: int, value: int) -> None:
    """Whatever the bytes, and whichever byte of a record is another, there are histograms or a CorruptData."""
    changed = bytearray(encode_histograms(columns_of(steady(1, 3))))
    changed[at % len(changed)] = value
    for record in (data, bytes(changed)):
        try:
            decode_histograms(record).objects()
        except CorruptData:
            continue


def test_what_a_journal_holds_is_there_after_a_crash(tmp_path: Path) -> None:
    """Nothing was flushed: a second store on a copy of the files reads the records."""
    items = steady(0, 40)
    store = open_store(tmp_path)
    store.append(batch(int(store.resolve([SERIES])[0]), items))
    expected = held(store)
    again = open_store_of_copy(tmp_path)
    assert held(again) == expected
    assert [time for time, _ in expected] == [time for _, time, _ in items]
    again.close()
    store.close()


def open_store_of_copy(folder: Path) -> DiskMetricStore:
    copy = folder.parent / f"{folder.name}-copy"
    (copy / "wal").mkdir(parents=True)
    for path in (folder / "wal").iterdir():
        (copy / "wal" / path.name).write_bytes(path.read_bytes())
    return open_store(copy)


def test_the_json_of_an_older_journal_is_read(tmp_path: Path) -> None:
    """What it holds is there, a series that it lost is counted, and a sample that is sent again is known to be the same."""
    items, ref = steady(0, 5), 1 << 32
    journal = Journal(tmp_path / "wal", files=RealFiles())
    journal.append(wal_records.encode_series([(ref, SERIES)]))
    rows = [(ref, time, as_json(h)) for _, time, h in items] + [(ref + 7, 0, as_json(items[0][2]))]
    journal.sync_to(journal.append(wal_records.encode_json(wal_records.HISTOGRAMS, rows)))
    journal.close()
    store = open_store(tmp_path)
    assert held(store) == [(time, exact(h)) for _, time, h in items]
    assert "1 samples of series that the journal lost" in " ".join(store.stats().notes)
    outcome = store.append(batch(int(store.resolve([SERIES])[0]), items[-1:]))
    assert list(outcome.hist_rejected) == []
    assert len(held(store)) == len(items)
    store.close()


def test_a_batch_costs_less_than_its_counts() -> None:
    """What histograms have in common is written once; the columns are compressed together."""
    items = [item for row in range(50) for item in steady(row, 4)]
    columns = columns_of(items)
    assert len(columns.layouts) < 5
    assert len(encode_histograms(columns)) < columns.buckets.nbytes / 2


def test_histograms_with_equal_bits_are_equal() -> None:
    """The bits that stand for a histogram differ with each of its parts."""
    items = steady(1, 40)
    bits = {histogram_bits(h) for _, _, h in items}
    assert len(bits) == len({zlib.crc32(repr(exact(h)).encode()) for _, _, h in items})
    assert histogram_bits(items[3][2]) == histogram_bits(steady(1, 40)[3][2])


@pytest.mark.parametrize("kept", ["nothing", "half"])
def test_a_shortened_record_is_refused(kept: str) -> None:
    """Also where the compressed part is whole and the numbers in front claim more."""
    record = encode_histograms(columns_of(steady(1, 6)))
    with pytest.raises(CorruptData, match="native histograms cannot be read"):
        decode_histograms(record[:16] if kept == "nothing" else record[: len(record) // 2])
