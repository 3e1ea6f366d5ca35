"""Read Prometheus' histogram and float histogram chunks.

Source: Prometheus tsdb/docs/format/chunks.md. Decoding only; prometheus_histogram_write.py encodes.
"""

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from spyglass.formats.bit_reader import BitReader, XorReader
from spyglass.formats.native_histogram import BUCKETS_MAX, bucket_index
from spyglass.formats.prometheus_chunks import HISTOGRAM
from spyglass.model.arrays import I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram, ResetHint
from spyglass.model.samples import STALE_BITS

_HINTS = {0xC0: ResetHint.GAUGE, 0x80: ResetHint.RESET}


class HistogramChunkError(ValueError):
    """The chunk ends too early or says what it cannot mean."""


@dataclass(frozen=True, slots=True)
class _Layout:
    zero_threshold: float
    schema: int
    positive: I64
    negative: I64
    custom_values: tuple[float, ...]

    @property
    def buckets(self) -> int:
        return len(self.positive) + len(self.negative)


Row = tuple[int, float, float, int, list[float]]
"""time in ms, count, zero count, the sum's bits, the buckets' counts; a stale marker has no buckets."""


def decode_histogram_chunk(data: bytes, encoding: int) -> list[tuple[int, FloatHistogram]]:
    """(time in ms, histogram) of each sample. data: without length, encoding and checksum.

    Hints are upstream's: a chunk's first sample is a reset or unknown, the others are no resets.
    Raises: HistogramChunkError.
    """
    if len(data) < 3:
        raise HistogramChunkError("a chunk of less than three bytes")
    count, flags = struct.unpack_from(">HB", data)
    read = _whole_rows if encoding == HISTOGRAM else _float_rows
    try:
        return _decode(BitReader(data, 24), count, flags & 0xC0, read)
    except IndexError:
        raise HistogramChunkError(f"the chunk ends before its {count} samples") from None
    except (OverflowError, MalformedBody) as err:
        raise HistogramChunkError(str(err)) from None


def _decode(
    stream: BitReader, count: int, flags: int, read: Callable[[BitReader, _Layout, int], Iterator[Row]]
) -> list[tuple[int, FloatHistogram]]:
    layout = _read_layout(stream)
    out = []
    gauge = flags == 0xC0
    for at, row in enumerate(read(stream, layout, count)):
        hint = _HINTS.get(flags, ResetHint.UNKNOWN) if at == 0 or gauge else ResetHint.NOT_RESET
        out.append((row[0], _histogram(layout, row, hint)))
    return out


def _histogram(layout: _Layout, row: Row, hint: ResetHint) -> FloatHistogram:
    _, count, zero, sum_bits, buckets = row
    total = _double(sum_bits)
    if sum_bits == STALE_BITS:
        return FloatHistogram(sum=total, reset_hint=hint)
    counts = np.asarray(buckets, np.float64)
    split = len(layout.positive)
    return FloatHistogram(
        schema=layout.schema,
        count=count,
        sum=total,
        zero_threshold=layout.zero_threshold,
        zero_count=zero,
        positive_index=layout.positive,
        positive_counts=counts[:split],
        negative_index=layout.negative,
        negative_counts=counts[split:],
        custom_values=layout.custom_values,
        reset_hint=hint,
    )


def _read_layout(stream: BitReader) -> _Layout:
    code = stream.take(8)
    if code == 255:
        threshold = _double(stream.take(64))
    else:
        threshold = math.ldexp(0.5, code - 243) if code else 0.0
    schema = stream.varbit_int()
    positive, negative = _read_index(stream), _read_index(stream)
    custom: list[float] = []
    if schema == CUSTOM_SCHEMA:
        count = stream.varbit_uint()
        if count > BUCKETS_MAX:
            raise OverflowError(f"a histogram has more than {BUCKETS_MAX} custom bounds")
        custom = [_read_bound(stream) for _ in range(count)]
    return _Layout(threshold, schema, positive, negative, tuple(custom))


def _read_index(stream: BitReader) -> I64:
    count = stream.varbit_uint()
    if count > BUCKETS_MAX:
        raise OverflowError(f"a histogram has more than {BUCKETS_MAX} spans")
    spans = []
    for _ in range(count):
        length = stream.varbit_uint()
        spans.append((stream.varbit_int(), length))
    return bucket_index(spans)


def _read_bound(stream: BitReader) -> float:
    thousandths = stream.varbit_uint()
    return (thousandths - 1) / 1000 if thousandths else _double(stream.take(64))


def _whole_rows(stream: BitReader, layout: _Layout, count: int) -> Iterator[Row]:
    """Counts as differences of differences; buckets as differences to their left neighbours."""
    if not count:
        return
    buckets = range(layout.buckets)
    numbers = [stream.varbit_int(), stream.varbit_uint(), stream.varbit_uint()]
    sums = XorReader(stream.take(64))
    numbers += [stream.varbit_int() for _ in buckets]
    steps = [0] * len(numbers)
    yield _whole_row(layout, numbers, sums.value)
    for _ in range(1, count):
        for column in range(3):
            steps[column] += stream.varbit_int()
            numbers[column] += steps[column]
        if sums.read(stream) != STALE_BITS:
            for column in range(3, len(numbers)):
                steps[column] += stream.varbit_int()
                numbers[column] += steps[column]
        yield _whole_row(layout, numbers, sums.value)


def _whole_row(layout: _Layout, numbers: list[int], sum_bits: int) -> Row:
    split = 3 + len(layout.positive)
    counts = [*accumulate(numbers[3:split]), *accumulate(numbers[split:])]
    return numbers[0], float(numbers[1]), float(numbers[2]), sum_bits, [float(c) for c in counts]


def _float_rows(stream: BitReader, layout: _Layout, count: int) -> Iterator[Row]:
    """Every number but the time is XORed with the one of the sample before."""
    if not count:
        return
    time, step = stream.varbit_int(), 0
    head = [XorReader(stream.take(64)) for _ in range(3)]
    buckets = [XorReader(stream.take(64)) for _ in range(layout.buckets)]
    for at in range(count):
        if at:
            step += stream.varbit_int()
            time += step
            for column in head:
                column.read(stream)
            if head[2].value != STALE_BITS:
                for column in buckets:
                    column.read(stream)
        counts = [_double(column.value) for column in buckets]
        yield time, _double(head[0].value), _double(head[1].value), head[2].value, counts


def _double(bits: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return value
