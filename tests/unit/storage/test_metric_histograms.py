"""Native histograms in columns: bit-exact round trips, chunks found by row and time, damage that costs one chunk, old blocks."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.histogram_json import as_json
from tests.unit.formats.test_prometheus_histogram_chunk import COUNTS, FLOATS, histograms

from spyglass.model.errors import CorruptData
from spyglass.model.histograms import FloatHistogram
from spyglass.storage.metrics import histogram_blocks
from spyglass.storage.metrics.column_file import ColumnFile, ColumnFileWriter
from spyglass.storage.metrics.histogram_blocks import HistogramWriter, StoredHistograms
from spyglass.storage.metrics.histogram_chunks import BadChunk, decode_chunk, encode_chunk
from spyglass.storage.metrics.histogram_columns import HistogramColumns, columns_of, joined, ordered

Item = tuple[int, int, FloatHistogram]
MAGIC = b"SPYTESTS"


def exact(h: FloatHistogram) -> object:
    """Everything, floats by their bits."""
    floats = struct.pack("<4d", h.count, h.sum, h.zero_count, h.zero_threshold) + np.asarray(h.custom_values).tobytes()
    arrays = (h.positive_index, h.positive_counts, h.negative_index, h.negative_counts)
    return h.schema, h.reset_hint, floats, [array.tobytes() for array in arrays]


def items_of(columns: HistogramColumns) -> list[tuple[int, int, object]]:
    found = zip(columns.rows.tolist(), columns.times.tolist(), columns.objects().tolist(), strict=True)
    return [(row, time, exact(h)) for row, time, h in found]


def shown(items: list[Item]) -> list[tuple[int, int, object]]:
    return [(row, time, exact(h)) for row, time, h in sorted(items, key=lambda one: one[:2])]


ITEMS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-(2**40), 2**45), st.one_of(histograms(COUNTS), histograms(FLOATS))),
    unique_by=lambda one: one[:2],
    max_size=12,
)


@given(ITEMS)
def test_a_chunk_gives_back_every_bit(items: list[Item]) -> None:
    """NaNs with their bits, -0.0, hints, custom bounds, empty histograms, whole counts and others."""
    columns = ordered(columns_of(items))
    assert items_of(columns) == shown(items)
    if items:
        assert items_of(decode_chunk(encode_chunk(columns), list(columns.layouts))) == shown(items)


@given(st.binary(max_size=200))
def test_rubbish_raises_the_one_error(data: bytes) -> None:
    """Whatever the bytes, there are histograms or a BadChunk."""
    try:
        decode_chunk(data, [])
    except BadChunk:
        return


@given(ITEMS, ITEMS)
def test_parts_are_joined_and_the_first_of_two_stays(one: list[Item], other: list[Item]) -> None:
    """Layouts that both have become one."""
    expected = {item[:2]: item for item in [*other, *one]}
    found = ordered(joined([columns_of(one), columns_of(other)]))
    assert items_of(found) == shown(list(expected.values()))
    assert len({layout.key() for layout in found.layouts}) == len(found.layouts)


def steady(row: int, count: int, start: int = 0) -> list[Item]:
    """A series that counts on; its layout grows once."""
    out = []
    for at in range(count):
        index = np.arange(-2, 3 if at < count // 2 else 4, dtype=np.int64)
        counts = np.arange(len(index), dtype=np.float64) * 3 + at * (row + 1)
        out.append(
            (row, start + at * 15_000, FloatHistogram(2, float(counts.sum()), at * 0.1, 0.001, 0.0, index, counts))
        )
    return out


def written(folder: Path, columns: list[HistogramColumns]) -> Path:
    writer = ColumnFileWriter(MAGIC, 2)
    native = HistogramWriter(writer)
    parts = [writer.start(), *(part for one in columns for part in native.add(one)), *native.finish()]
    path = folder / "histograms"
    path.write_bytes(b"".join([*parts, writer.finish({})]))
    return path


def no_damage(err: CorruptData) -> None:
    raise AssertionError(err)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of few histograms."""
    monkeypatch.setattr(histogram_blocks, "CHUNK_NUMBERS", 200)


def test_rows_and_times_are_found(tmp_path: Path) -> None:
    """Some rows, some of the time, all of it; in two calls of `add`, as merges write."""
    items = [item for row in range(6) for item in steady(row, 40)]
    halves = [ordered(columns_of(item for item in items if (item[0] < 3) == first)) for first in (True, False)]
    file = ColumnFile(written(tmp_path, halves), MAGIC)
    stored = StoredHistograms(file)
    assert items_of(stored.read(None, -(2**62), 2**62, no_damage)) == shown(items)
    rows = np.array([1, 4])
    expected = [item for item in items if item[0] in (1, 4) and 60_000 <= item[1] <= 300_000]
    assert items_of(stored.read(rows, 60_000, 300_000, no_damage)) == shown(expected)
    assert stored.read(np.array([9]), 0, 2**62, no_damage).size == 0
    assert stored.read(rows, 10**9, 2**62, no_damage).size == 0
    assert (stored.counts(6) > 0).all()
    assert stored.counts(6).sum() >= len(items)


def test_damage_costs_one_chunk(tmp_path: Path) -> None:
    """What it hits is told and left out, the rest is read."""
    items = steady(0, 100)
    path = written(tmp_path, [columns_of(items)])
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    told: list[CorruptData] = []
    found = StoredHistograms(ColumnFile(path, MAGIC)).read(None, 0, 2**62, told.append)
    assert len(told) == 1
    assert 0 < found.size < len(items)
    assert set(items_of(found)[0][:2]) <= {item[1] for item in items} | {0}


def test_blocks_of_version_1_are_read(tmp_path: Path) -> None:
    """One JSON column of all histograms."""
    items = [*steady(0, 5), *steady(2, 5)]
    writer = ColumnFileWriter(MAGIC)
    rows = [(row, time, as_json(h)) for row, time, h in items]
    path = tmp_path / "old"
    path.write_bytes(b"".join([writer.start(), writer.json("histograms", rows), writer.finish({})]))
    stored = StoredHistograms(ColumnFile(path, MAGIC))
    assert items_of(stored.read(None, 0, 2**62, no_damage)) == shown(items)
    assert items_of(stored.read(np.array([2]), 15_000, 30_000, no_damage)) == shown(items[6:8])
    assert stored.counts(3).tolist() == [5, 0, 5]
    assert list(stored.spans())[:2] == [(0, 0, 0), (0, 0, 15_000)]
