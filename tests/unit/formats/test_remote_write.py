"""Remote write bodies: what is read, what is refused, and that nothing but MalformedBody escapes."""

import contextlib
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats import snappy, wire
from spyglass.formats.native_histogram import decode_histogram, encode_histogram
from spyglass.formats.remote_write.columns import UNKNOWN, WriteColumns
from spyglass.formats.remote_write.labels import BadLabels, labels_of_key
from spyglass.formats.remote_write.v1 import decode_v1, encode_v1
from spyglass.formats.remote_write.v2 import decode_v2
from spyglass.formats.series_keys import Key
from spyglass.model.arrays import I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import STALE, Metadata, is_stale

UP: Labels = (("__name__", "up"), ("job", "a"))
NOW = 1_700_000_000_123

Rows = list[tuple[Labels, list[tuple[int, float]]]]


def rows(columns: WriteColumns) -> Rows:
    ends = np.cumsum(columns.counts).tolist()
    times, values = columns.times.tolist(), columns.values.tolist()
    return [
        (labels_of_key(key), list(zip(times[end - count : end], values[end - count : end], strict=True)))
        for key, count, end in zip(columns.keys, columns.counts.tolist(), ends, strict=True)
    ]


def test_one_sample_each_is_read_in_columns() -> None:
    """The shape that senders use; a stale marker keeps its bits."""
    columns = decode_v1(encode_v1([(UP, [(NOW, 1.5)]), (UP[:1], [(NOW + 1, STALE)])]))
    assert [labels_of_key(key) for key in columns.keys] == [UP, UP[:1]]
    assert columns.times.tolist() == [NOW, NOW + 1]
    assert columns.values[0] == 1.5
    assert is_stale(columns.values).tolist() == [False, True]


def test_times_of_any_age_and_several_samples() -> None:
    """1970, before it, and many samples per series take the general walk with the same answer."""
    data: Rows = [(UP, [(5, 1.0), (-1000, 2.0), (0, 0.0)]), (UP[:1], []), ((*UP[1:], ("z", "1")), [(NOW, 3.0)] * 3)]
    columns = decode_v1(encode_v1(data))
    assert columns.counts.tolist() == [3, 0, 3]
    assert columns.times.tolist() == [5, -1000, 0, NOW, NOW, NOW]
    assert columns.values.tolist() == [1.0, 2.0, 0.0, 3.0, 3.0, 3.0]


class Known:
    """A receiver that has seen some keys."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys = list(keys)

    def match(self, data: bytes) -> None:
        del data

    def refs(self, keys: Sequence[Key]) -> I64:
        return np.array([self.keys.index(key) + 1 if key in self.keys else UNKNOWN for key in keys], np.int64)


def test_known_keys_need_no_look() -> None:
    """The cache of keys changes nothing in the answer."""
    body = encode_v1([(UP, [(NOW, 1.5)])])
    first = decode_v1(body)
    assert rows(decode_v1(body, Known(first.keys))) == rows(first)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("job", "a")], 'invalid metric name or labels, got {job="a"}'),
        ([("__name__", "m"), ("a", "1"), ("a", "2")], "duplicated label a"),
        ([("__name__", "m"), ("", "1")], "an empty label name"),
    ],
)
def test_bad_labels_are_named(pairs: list[tuple[str, str]], message: str) -> None:
    """Only the one series is unusable."""
    body = encode_v1([(tuple(pairs), [(NOW, 1.0)])])
    with pytest.raises(BadLabels, match=message.replace("{", r"\{").replace("}", r"\}")):
        labels_of_key(decode_v1(body).keys[0])


def test_exemplars_histograms_and_metadata_of_1_0() -> None:
    """Fields 3 and 4 of a series, field 3 of the body."""
    label = wire.put_bytes(1, wire.put_text(1, "trace_id") + wire.put_text(2, "t"))
    exemplar = wire.put_bytes(3, label + wire.put_double(2, 0.5) + wire.put_int(3, NOW))
    name = wire.put_bytes(1, wire.put_text(1, "__name__") + wire.put_text(2, "h"))
    histogram = FloatHistogram(
        schema=1, count=3, sum=4.5, positive_index=np.array([0, 1, 5]), positive_counts=np.ones(3)
    )
    series = name + exemplar + wire.put_bytes(4, encode_histogram(histogram, NOW))
    metadata = wire.put_int(1, 1) + wire.put_text(2, "h") + wire.put_text(4, "Help.") + wire.put_text(5, "s")
    columns = decode_v1(wire.put_bytes(1, series) + wire.put_bytes(3, metadata))
    [(entry, found)] = columns.exemplars
    assert (entry, found.labels, found.value, found.time_ms) == (0, (("trace_id", "t"),), 0.5, NOW)
    [(entry, time_ms, decoded)] = columns.histograms
    assert (entry, time_ms, decoded.schema, decoded.sum) == (0, NOW, 1, 4.5)
    assert decoded.positive_index.tolist() == [0, 1, 5]
    assert columns.metadata == {"h": Metadata("counter", "Help.", "s")}


def v2_body(symbols: list[str], *series: bytes) -> bytes:
    return b"".join([*(wire.put_bytes(4, s.encode()) for s in symbols), *(wire.put_bytes(5, s) for s in series)])


def v2_sample(value: float, time_ms: int) -> bytes:
    return wire.put_bytes(2, wire.put_double(1, value) + wire.put_int(2, time_ms))


def test_2_0_resolves_symbols_and_metadata() -> None:
    """Labels, help and unit are references into the symbol table."""
    symbols = ["", "__name__", "up", "job", "a", "Help.", "seconds"]
    metadata = wire.put_bytes(5, wire.put_int(1, 2) + wire.put_int(3, 5) + wire.put_int(4, 6))
    series = wire.put_packed_varints(1, [1, 2, 3, 4]) + v2_sample(1.5, NOW) + metadata
    columns = decode_v2(v2_body(symbols, series))
    assert rows(columns) == [(UP, [(NOW, 1.5)])]
    assert columns.metadata == {"up": Metadata("gauge", "Help.", "seconds")}


@pytest.mark.parametrize(
    ("refs", "message"),
    [
        ([1], "invalid labelRefs length 1"),
        ([1, 9], r"labelRefs 9 \(name or value\) outside of symbols table \(size 3\)"),
    ],
)
def test_2_0_references_must_exist(refs: list[int], message: str) -> None:
    """A reference outside the table makes the body malformed."""
    series = wire.put_packed_varints(1, refs) + v2_sample(1.0, NOW)
    with pytest.raises(MalformedBody, match=message):
        decode_v2(v2_body(["", "__name__", "up"], series))


def test_2_0_start_timestamps_belong_to_samples() -> None:
    """Each sample's own, else what older senders say of the series; 0 where nothing is said, None where nothing is said anywhere."""
    own = wire.put_bytes(2, wire.put_double(1, 1.0) + wire.put_int(2, NOW) + wire.put_int(3, NOW - 5))
    none = v2_sample(2.0, NOW + 1)
    names = [wire.put_packed_varints(1, [1, at]) for at in (2, 3, 4)]
    symbols = ["", "__name__", "a", "b", "c"]
    columns = decode_v2(
        v2_body(symbols, names[0] + none, names[1] + own + none, names[2] + none + wire.put_int(6, NOW - 9))
    )
    assert columns.starts is not None
    assert columns.starts.tolist() == [0, NOW - 5, 0, NOW - 9]
    assert decode_v2(v2_body(symbols, names[0] + none)).starts is None


def test_2_0_keeps_good_series_beside_bad_ones() -> None:
    """A series without a name, or without samples, is told of; the others are kept."""
    symbols = ["", "__name__", "up", "job", "a"]
    nameless = wire.put_packed_varints(1, [3, 4]) + v2_sample(1.0, NOW)
    empty = wire.put_packed_varints(1, [1, 2])
    good = wire.put_packed_varints(1, [1, 2]) + v2_sample(1.0, NOW)
    columns = decode_v2(v2_body(symbols, nameless, empty, good))
    assert len(columns.bad) == 2
    assert rows(columns) == [(UP[:1], [(NOW, 1.0)])]


def test_integer_histograms_are_deltas() -> None:
    """prompb: counts as deltas, two spans with a gap of two."""
    data = (
        wire.put_int(1, 7)
        + wire.put_double(3, 9.5)
        + wire.put_zigzag(4, -2)
        + wire.put_int(6, 1)
        + wire.put_bytes(11, wire.put_zigzag(1, -1) + wire.put_int(2, 2))
        + wire.put_bytes(11, wire.put_zigzag(1, 2) + wire.put_int(2, 1))
        + wire.put_packed_varints(12, [4, 1, 4])  # zigzag of 2, -1, 2
        + wire.put_int(14, 3)
        + wire.put_int(15, NOW)
    )
    time_ms, histogram = decode_histogram(data)
    assert (time_ms, histogram.schema, histogram.count, histogram.zero_count) == (NOW, -2, 7.0, 1.0)
    assert histogram.positive_index.tolist() == [-1, 0, 3]
    assert histogram.positive_counts.tolist() == [2.0, 1.0, 3.0]
    assert histogram.reset_hint is ResetHint.GAUGE
    with pytest.raises(MalformedBody, match="spans need 1 buckets, have 0 buckets"):
        decode_histogram(wire.put_bytes(11, wire.put_int(2, 1)))
    with pytest.raises(MalformedBody, match="more than 100000 buckets"):
        decode_histogram(wire.put_bytes(11, wire.put_int(2, 2**31)))


indices = st.lists(st.integers(-50, 50), unique=True, max_size=6).map(sorted)


@given(indices, indices, st.integers(-4, 8), st.integers(1, 2**50))
def test_histograms_round_trip(positive: list[int], negative: list[int], schema: int, time_ms: int) -> None:
    """Spans and counts come back as they were."""
    histogram = FloatHistogram(
        schema=schema,
        count=5.5,
        sum=-1.0,
        zero_threshold=0.1,
        zero_count=2.0,
        positive_index=np.array(positive, np.int64),
        positive_counts=np.arange(len(positive), dtype=np.float64) + 0.5,
        negative_index=np.array(negative, np.int64),
        negative_counts=np.arange(len(negative), dtype=np.float64) + 1.0,
    )
    found_ms, found = decode_histogram(encode_histogram(histogram, time_ms))
    assert found_ms == time_ms
    for name in ("schema", "count", "sum", "zero_threshold", "zero_count", "reset_hint"):
        assert getattr(found, name) == getattr(histogram, name)
    for name in ("positive_index", "positive_counts", "negative_index", "negative_counts"):
        assert getattr(found, name).tolist() == getattr(histogram, name).tolist()


texts = st.text(min_size=1, max_size=8)
label_sets = st.dictionaries(texts, texts, max_size=3).map(lambda d: labels_of({**d, "__name__": "m"}))
samples = st.tuples(st.integers(-(2**62), 2**62), st.floats(allow_nan=False))


@given(st.lists(st.tuples(label_sets, st.lists(samples, max_size=3)), max_size=5))
def test_1_0_round_trips(data: Rows) -> None:
    """Any labels, times and values."""
    assert rows(decode_v1(encode_v1(data))) == data


@given(st.binary(max_size=120), st.booleans())
def test_only_malformed_body_escapes(noise: bytes, damaged: bool) -> None:
    """Noise, and real bodies with noise in the middle."""
    body = noise
    if damaged:
        good = encode_v1([(UP, [(NOW, 1.0)]), (UP, [(1, 2.0), (NOW, 3.0)])])
        body = good[: len(noise)] + noise + good[len(noise) :]
    for decode in (decode_v1, decode_v2):
        try:
            for key in decode(body).keys:
                labels_of_key(key)
        except MalformedBody:
            pass


@given(st.binary(max_size=60))
def test_snappy_refuses_what_is_none(noise: bytes) -> None:
    """Corrupt input is MalformedBody; a header that promises too much is refused before anything is allocated."""
    assert snappy.decompress(snappy.compress(noise)) == noise
    with contextlib.suppress(MalformedBody):
        snappy.decompress(noise, max_bytes=1000)
    with pytest.raises(MalformedBody, match="at most 10 are taken"):
        snappy.decompress(wire.put_varint(11) + noise, max_bytes=10)


def test_a_packed_double_list_must_be_whole() -> None:
    """Seven bytes are no double."""
    with pytest.raises(MalformedBody):
        wire.packed_doubles(wire.BYTES, b"1234567")
    assert wire.packed_doubles(wire.BYTES, struct.pack("<2d", 1.0, 2.0)) == [1.0, 2.0]


@pytest.mark.parametrize("counts", [[1, 1, 1], [4, 4, 4], [4, 4, 2], [2, 4, 4], [3, 0, 3], [0, 3], [50]])
def test_series_with_several_samples_are_read_like_any_other(counts: list[int]) -> None:
    """Senders that catch up put several samples into a series; equal numbers take a shorter way to the same columns."""
    time_ms = 1_700_000_000_000
    series = [
        (labels_of({"__name__": "m", "i": str(n)}), [(time_ms + at, float(n * 100 + at)) for at in range(count)])
        for n, count in enumerate(counts)
    ]
    columns = decode_v1(encode_v1(series))
    assert [labels_of_key(key) for key in columns.keys] == [labels for labels, _ in series]
    assert columns.counts.tolist() == counts
    assert columns.times.tolist() == [at for _, samples in series for at, _ in samples]
    assert columns.values.tolist() == [value for _, samples in series for _, value in samples]
