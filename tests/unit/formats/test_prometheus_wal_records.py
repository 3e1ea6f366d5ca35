"""Records of a Prometheus log: every kind is read; rubbish and cut records raise the one error."""

import struct
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.prometheus_wal_records import (
    CUSTOM_FLOAT_HISTOGRAMS,
    CUSTOM_HISTOGRAMS,
    FLOAT_HISTOGRAMS_V2,
    HISTOGRAMS_V2,
    METADATA,
    MIN_VALID_TIME,
    SAMPLES,
    SAMPLES_V2,
    SERIES,
    TOMBSTONES,
    HistogramsRecord,
    MetadataRecord,
    SamplesRecord,
    SeriesRecord,
    TombstonesRecord,
    WalRecordError,
    decode_record,
)
from spyglass.model.histograms import CUSTOM_SCHEMA, ResetHint
from spyglass.model.labels import labels_of
from spyglass.model.samples import Metadata


def uvarint(number: int) -> bytes:
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def varint(number: int) -> bytes:
    return uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def text(value: str) -> bytes:
    return uvarint(len(value.encode())) + value.encode()


def f64(value: float) -> bytes:
    return struct.pack(">d", value)


def samples(rows: Sequence[tuple[int, int, float]]) -> bytes:
    base, base_time = rows[0][:2]
    body = b"".join(varint(ref - base) + varint(time - base_time) + f64(value) for ref, time, value in rows)
    return bytes([SAMPLES]) + struct.pack(">Qq", base, base_time) + body


REFS, TIMES = st.integers(1, 2**48), st.integers(-(2**50), 2**50)


@given(st.lists(st.tuples(REFS, TIMES, st.floats(width=64)), min_size=1, max_size=40))
def test_samples_are_read_as_they_were_written(rows: list[tuple[int, int, float]]) -> None:
    """Any references, times and values, NaNs with their bits."""
    record = decode_record(samples(rows))
    assert isinstance(record, SamplesRecord)
    assert record.refs.tolist() == [ref for ref, _, _ in rows]
    assert record.times.tolist() == [time for _, time, _ in rows]
    assert record.values.view(np.uint64).tolist() == np.asarray([v for _, _, v in rows]).view(np.uint64).tolist()


def test_a_cut_record_raises_the_one_error() -> None:
    """Cut anywhere but before, between and behind samples."""
    rows = [(1, 1000, 1.0), (300, 1001, 2.0), (70_000, 2000, 3.0)]
    whole = {1, 17, *(len(samples(rows[:count])) for count in (1, 2, 3))}
    data = samples(rows)
    for size in range(1, len(data)):
        if size not in whole:
            with pytest.raises(WalRecordError, match="a record of kind 2 cannot be read"):
                decode_record(data[:size])


@given(st.integers(0, 15), st.binary(max_size=80))
def test_rubbish_raises_the_one_error(kind: int, body: bytes) -> None:
    """Whatever the bytes, there is a record, nothing or a WalRecordError."""
    try:
        decode_record(bytes([kind]) + body)
    except WalRecordError:
        return


def test_series_tombstones_and_metadata() -> None:
    """UTF-8 names, closed bounds, and the fields that are known of metadata."""
    body = struct.pack(">Q", 7) + uvarint(2) + text("__name__") + text("m") + text("é") + text("x")
    assert decode_record(bytes([SERIES]) + body) == SeriesRecord([(7, labels_of({"__name__": "m", "é": "x"}))])
    body = struct.pack(">Q", 7) + varint(-5) + varint(2**40)
    assert decode_record(bytes([TOMBSTONES]) + body) == TombstonesRecord([(7, -5, 2**40)])
    body = (
        uvarint(300)
        + bytes([1])
        + uvarint(3)
        + text("UNIT")
        + text("s")
        + text("NEW")
        + text("?")
        + text("HELP")
        + text("h")
    )
    assert decode_record(bytes([METADATA]) + body) == MetadataRecord([(300, Metadata("counter", "h", "s"))])
    assert decode_record(bytes([MIN_VALID_TIME]) + bytes(8)) is None
    assert decode_record(bytes([200])) is None


def whole_histogram() -> bytes:
    """Two custom buckets with three observations."""
    head = bytes([3]) + varint(CUSTOM_SCHEMA) + f64(0) + uvarint(0) + uvarint(3) + f64(1.5)
    spans = uvarint(1) + varint(0) + uvarint(2) + uvarint(0)
    return head + spans + uvarint(2) + varint(1) + varint(1) + uvarint(0) + uvarint(1) + f64(0.25)


def float_histogram() -> bytes:
    head = bytes([0]) + varint(3) + f64(0.5) + f64(0.25) + f64(1.75) + f64(-1.5)
    spans = uvarint(0) + uvarint(2) + varint(-2) + uvarint(1) + varint(4) + uvarint(1)
    return head + spans + uvarint(0) + uvarint(2) + f64(1.0) + f64(0.5)


def test_histograms_with_custom_buckets() -> None:
    """Their bounds follow the buckets."""
    data = bytes([CUSTOM_HISTOGRAMS]) + struct.pack(">Qq", 9, 1000) + varint(0) + varint(5) + whole_histogram()
    record = decode_record(data)
    assert isinstance(record, HistogramsRecord)
    [(ref, time_ms, h)] = record.samples
    assert (ref, time_ms, h.custom_values, h.reset_hint) == (9, 1005, (0.25,), ResetHint.GAUGE)
    assert (h.count, h.positive_counts.tolist(), h.positive_index.tolist()) == (3, [1, 2], [0, 1])
    data = bytes([CUSTOM_FLOAT_HISTOGRAMS]) + struct.pack(">Qq", 9, 1000) + varint(-1) + varint(-5) + float_histogram()
    record = decode_record(data)
    assert isinstance(record, HistogramsRecord)
    [(ref, time_ms, h)] = record.samples
    assert (ref, time_ms, h.sum, h.count, h.zero_count) == (8, 995, -1.5, 1.75, 0.25)
    assert (h.negative_index.tolist(), h.negative_counts.tolist()) == ([-2, 3], [1.0, 0.5])


def test_the_second_generation_of_records() -> None:
    """References step from entry to entry, times from the first; a start timestamp is none, the same, or its own."""
    head = varint(5) + varint(1000) + varint(900)
    steps = [
        varint(2) + varint(10) + b"\0",
        varint(-1) + varint(20) + b"\1",
        varint(1) + varint(30) + b"\2" + varint(-3),
    ]
    body = head + f64(0) + b"".join(step + f64(at + 1) for at, step in enumerate(steps))
    record = decode_record(bytes([SAMPLES_V2]) + body)
    assert isinstance(record, SamplesRecord)
    assert record.refs.tolist() == [5, 7, 6, 7]
    assert record.times.tolist() == [1000, 1010, 1020, 1030]
    assert record.values.tolist() == [0, 1, 2, 3]
    for kind, one in ((HISTOGRAMS_V2, whole_histogram()), (FLOAT_HISTOGRAMS_V2, float_histogram())):
        record = decode_record(bytes([kind]) + head + one + b"".join(step + one for step in steps))
        assert isinstance(record, HistogramsRecord)
        assert [(ref, time) for ref, time, _ in record.samples] == [(5, 1000), (7, 1010), (6, 1020), (7, 1030)]
