"""What a record of a Prometheus write-ahead log says.

Samples come in columns: a scrape's samples are one record of thousands. The rest is few, and comes as values.
Source: Prometheus tsdb/record/record.go, tsdb/docs/format/wal.md.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spyglass.formats.byte_reader import ByteReader
from spyglass.formats.native_histogram import BUCKETS_MAX, bucket_columns
from spyglass.model.arrays import F64, I64, U8
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram, ResetHint
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import Exemplar, Metadata

(
    SERIES,
    SAMPLES,
    TOMBSTONES,
    EXEMPLARS,
    MMAP_MARKERS,
    METADATA,
    HISTOGRAMS,
    FLOAT_HISTOGRAMS,
    CUSTOM_HISTOGRAMS,
    CUSTOM_FLOAT_HISTOGRAMS,
    SAMPLES_V2,
    HISTOGRAMS_V2,
    FLOAT_HISTOGRAMS_V2,
    MIN_VALID_TIME,
) = range(1, 15)

_KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


class WalRecordError(ValueError):
    """The record ends too early or says what it cannot mean."""


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    series: list[tuple[int, Labels]]


@dataclass(frozen=True, slots=True)
class SamplesRecord:
    """refs [n], times [n] ms, values [n], in the order they were appended."""

    refs: I64
    times: I64
    values: F64


@dataclass(frozen=True, slots=True)
class HistogramsRecord:
    """(ref, time in ms, histogram)."""

    samples: list[tuple[int, int, FloatHistogram]]


@dataclass(frozen=True, slots=True)
class TombstonesRecord:
    """(ref, first ms, last ms): those samples were deleted."""

    deleted: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class ExemplarsRecord:
    exemplars: list[tuple[int, Exemplar]]


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    metadata: list[tuple[int, Metadata]]


Record = SeriesRecord | SamplesRecord | HistogramsRecord | TombstonesRecord | ExemplarsRecord | MetadataRecord


def decode_record(data: bytes) -> Record | None:
    """None: a kind that tells nothing of samples, or is not known. Raises: WalRecordError."""
    if not data:
        return None
    reader = ByteReader(data, 1)
    try:
        return _decode(data[0], reader)
    except (IndexError, struct.error, ValueError, OverflowError, MalformedBody) as err:
        raise WalRecordError(f"a record of kind {data[0]} cannot be read: {err or 'it ends early'}") from None


def _decode(kind: int, reader: ByteReader) -> Record | None:
    if kind == SERIES:
        return SeriesRecord(list(_series(reader)))
    if kind == SAMPLES:
        return _samples(reader)
    if kind == SAMPLES_V2:
        return _samples_v2(reader)
    if kind in (HISTOGRAMS, CUSTOM_HISTOGRAMS, HISTOGRAMS_V2):
        places = _places_v2(reader) if kind == HISTOGRAMS_V2 else _places(reader)
        return HistogramsRecord([(ref, time, _whole_histogram(reader)) for ref, time in places])
    if kind in (FLOAT_HISTOGRAMS, CUSTOM_FLOAT_HISTOGRAMS, FLOAT_HISTOGRAMS_V2):
        places = _places_v2(reader) if kind == FLOAT_HISTOGRAMS_V2 else _places(reader)
        return HistogramsRecord([(ref, time, _float_histogram(reader)) for ref, time in places])
    if kind == TOMBSTONES:
        return TombstonesRecord(list(_tombstones(reader)))
    if kind == EXEMPLARS:
        return ExemplarsRecord([(ref, _exemplar(reader, time)) for ref, time in _places(reader)])
    return MetadataRecord(list(_metadata(reader))) if kind == METADATA else None


def _series(reader: ByteReader) -> Iterator[tuple[int, Labels]]:
    while reader:
        ref = reader.u64()
        yield ref, _labels(reader)


def _labels(reader: ByteReader) -> Labels:
    return labels_of([(reader.text(), reader.text()) for _ in range(reader.uvarint())])


def _places(reader: ByteReader) -> Iterator[tuple[int, int]]:
    """(ref, time) of each entry of a list, as deltas to the first; the caller reads what follows each."""
    if not reader:
        return
    base_ref, base_time = reader.u64(), reader.i64()
    while reader:
        ref = base_ref + reader.varint()
        yield ref, base_time + reader.varint()


def _places_v2(reader: ByteReader) -> Iterator[tuple[int, int]]:
    """(ref, time): refs as deltas to the one before, times to the first; with start timestamps, which are skipped."""
    if not reader:
        return
    ref, first_time, _ = reader.varint(), reader.varint(), reader.varint()
    yield ref, first_time
    while reader:
        ref += reader.varint()
        time = first_time + reader.varint()
        if reader.byte() == 2:
            reader.varint()
        yield ref, time


def _samples_v2(reader: ByteReader) -> SamplesRecord:
    found = [(ref, time, reader.f64()) for ref, time in _places_v2(reader)]
    return SamplesRecord(
        np.asarray([ref for ref, _, _ in found], np.int64),
        np.asarray([time for _, time, _ in found], np.int64),
        np.asarray([value for _, _, value in found], np.float64),
    )


def _samples(reader: ByteReader) -> SamplesRecord:
    """Entries of two varints and eight bytes each.

    Where an entry ends follows from where it begins: that is found for every byte at once, so that only the walk from entry to entry is a
    loop of Python's.
    """
    if not reader:
        return SamplesRecord(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    base_ref, base_time = reader.u64(), reader.i64()
    data = np.frombuffer(reader.data, np.uint8, offset=reader.at)
    size = len(data)
    after = _after_varint(data)
    second = after[np.minimum(after, size)]
    following = (second[: size + 1] + 8).tolist()
    starts, at = [], 0
    while at < size:
        starts.append(at)
        at = following[at]
    if at != size:
        raise IndexError("a sample is cut off")
    begins = np.asarray(starts, np.int64)
    middles = after[begins]
    ends = second[begins]
    refs = base_ref + _varints(data, begins, middles - begins)
    times = base_time + _varints(data, middles, ends - middles)
    values = data[ends[:, None] + np.arange(8)].copy().view(">f8").ravel().astype(np.float64)
    return SamplesRecord(refs, times, values)


def _after_varint(data: U8) -> I64:
    """For each byte (and the end) the position behind a varint that begins there; beyond the end where none ends."""
    size = len(data)
    stops = np.where(data < 128, np.arange(1, size + 1), size + 1)
    out = np.full(size + 2, size + 1, np.int64)
    out[:size] = np.minimum.accumulate(stops[::-1])[::-1]
    return out


def _varints(data: U8, starts: I64, sizes: I64) -> I64:
    if len(sizes) and sizes.max() > 10:
        raise IndexError("a varint of more than ten bytes")
    found = np.zeros(len(starts), np.uint64)
    for place in range(int(sizes.max()) if len(sizes) else 0):
        more = sizes > place
        found[more] |= (data[starts[more] + place] & 127).astype(np.uint64) << np.uint64(7 * place)
    signed: I64 = (found >> np.uint64(1)).view(np.int64) ^ -(found & np.uint64(1)).view(np.int64)
    return signed


def _tombstones(reader: ByteReader) -> Iterator[tuple[int, int, int]]:
    while reader:
        ref, first = reader.u64(), reader.varint()
        yield ref, first, reader.varint()


def _exemplar(reader: ByteReader, time_ms: int) -> Exemplar:
    value = reader.f64()
    return Exemplar(_labels(reader), value, time_ms)


def _metadata(reader: ByteReader) -> Iterator[tuple[int, Metadata]]:
    while reader:
        ref, kind = reader.uvarint(), reader.byte()
        pairs = [(reader.text(), reader.text()) for _ in range(reader.uvarint())]
        held = dict(pairs)
        yield (
            ref,
            Metadata(_KINDS[kind] if kind < len(_KINDS) else "unknown", held.get("HELP", ""), held.get("UNIT", "")),
        )


def _whole_histogram(reader: ByteReader) -> FloatHistogram:
    hint, schema, threshold = reader.byte(), reader.varint(), reader.f64()
    zero, count, total = float(reader.uvarint()), float(reader.uvarint()), reader.f64()
    spans = [_spans(reader), _spans(reader)]
    deltas = [[reader.varint() for _ in range(_count(reader))] for _ in range(2)]
    columns = [bucket_columns(side, some, []) for side, some in zip(spans, deltas, strict=True)]
    return _histogram(reader, hint, schema, (threshold, zero, count, total), columns)


def _float_histogram(reader: ByteReader) -> FloatHistogram:
    hint, schema, threshold = reader.byte(), reader.varint(), reader.f64()
    zero, count, total = reader.f64(), reader.f64(), reader.f64()
    spans = [_spans(reader), _spans(reader)]
    counts = [[reader.f64() for _ in range(_count(reader))] for _ in range(2)]
    columns = [bucket_columns(side, [], some) for side, some in zip(spans, counts, strict=True)]
    return _histogram(reader, hint, schema, (threshold, zero, count, total), columns)


def _histogram(
    reader: ByteReader,
    hint: int,
    schema: int,
    numbers: tuple[float, float, float, float],
    columns: list[tuple[I64, F64]],
) -> FloatHistogram:
    custom = [reader.f64() for _ in range(_count(reader))] if schema == CUSTOM_SCHEMA else []
    threshold, zero, count, total = numbers
    (positive_index, positive), (negative_index, negative) = columns
    return FloatHistogram(
        schema=schema,
        count=count,
        sum=total,
        zero_threshold=threshold,
        zero_count=zero,
        positive_index=positive_index,
        positive_counts=positive,
        negative_index=negative_index,
        negative_counts=negative,
        custom_values=tuple(custom),
        reset_hint=ResetHint(hint) if hint <= 3 else ResetHint.UNKNOWN,
    )


def _spans(reader: ByteReader) -> list[tuple[int, int]]:
    return [(reader.varint(), reader.uvarint()) for _ in range(_count(reader))]


def _count(reader: ByteReader) -> int:
    count = reader.uvarint()
    if count > BUCKETS_MAX:
        raise MalformedBody(f"a histogram has more than {BUCKETS_MAX} buckets")
    return count
