"""Histogram chunks, written and read back: what begins a chunk, what comes back, what rubbish raises."""

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.prometheus_chunks import FLOAT_HISTOGRAM, HISTOGRAM
from spyglass.formats.prometheus_histogram_chunk import HistogramChunkError, decode_histogram_chunk
from spyglass.formats.prometheus_histogram_write import encode_histogram_chunks
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram, ResetHint
from spyglass.model.samples import STALE

Sample = tuple[int, FloatHistogram]

COUNTS = st.one_of(st.integers(0, 2**53).map(float), st.integers(0, 300).map(float))
FLOATS = st.floats(width=64, allow_nan=True)
NUMBERS = st.floats(width=64, allow_nan=False, allow_infinity=False)


@st.composite
def histograms(draw: st.DrawFn, counts: st.SearchStrategy[float]) -> FloatHistogram:
    custom = draw(st.booleans())
    bounds = sorted(draw(st.sets(st.one_of(st.sampled_from([0.1, 0.25, 1.0, 5.0, 1e7, -2.0]), NUMBERS), max_size=4)))
    indices = st.integers(0, len(bounds)) if custom else st.integers(-300, 300)
    positive = sorted(draw(st.sets(indices, max_size=6)))
    negative = [] if custom else sorted(draw(st.sets(st.integers(-20, 20), max_size=4)))
    return FloatHistogram(
        schema=CUSTOM_SCHEMA if custom else draw(st.integers(-4, 8)),
        count=draw(counts),
        sum=draw(FLOATS),
        zero_threshold=draw(st.sampled_from([0.0, 2.0**-128, 0.001, 1024.0, 2048.0, 2.0**-243])),
        zero_count=draw(counts),
        positive_index=np.asarray(positive, np.int64),
        positive_counts=np.asarray([draw(counts) for _ in positive]),
        negative_index=np.asarray(negative, np.int64),
        negative_counts=np.asarray([draw(counts) for _ in negative]),
        custom_values=tuple(bounds) if custom else (),
        reset_hint=draw(st.sampled_from(list(ResetHint))),
    )


def read(samples: list[Sample]) -> list[Sample]:
    return [
        one for chunk in encode_histogram_chunks(samples) for one in decode_histogram_chunk(chunk.data, chunk.encoding)
    ]


def bits(value: float) -> bytes:
    return struct.pack("<d", value)


def content(histogram: FloatHistogram) -> object:
    """All but the hint; floats by their bits; without empty buckets, which neighbours may add."""
    h = histogram.compacted()
    if bits(h.sum) == bits(STALE):
        return "stale"
    buckets = [
        (i.tolist(), c.tobytes())
        for i, c in ((h.positive_index, h.positive_counts), (h.negative_index, h.negative_counts))
    ]
    return (h.schema, *map(bits, (h.count, h.sum, h.zero_count, h.zero_threshold)), buckets, h.custom_values)


@given(
    st.one_of(
        st.lists(histograms(COUNTS), min_size=1, max_size=6), st.lists(histograms(FLOATS), min_size=1, max_size=6)
    ),
    st.integers(-(2**50), 2**50),
    st.lists(st.integers(1, 2**30), min_size=6, max_size=6),
)
def test_histograms_come_back(found: list[FloatHistogram], start: int, steps: list[int]) -> None:
    """Any layouts, any counts, any sums, NaNs with their bits; whatever chunks they need."""
    samples = [(start + sum(steps[:at]), histogram) for at, histogram in enumerate(found)]
    back = read(samples)
    assert [time for time, _ in back] == [time for time, _ in samples]
    assert [content(h) for _, h in back] == [content(h) for _, h in samples]


def growing(count: int, *, factor: float = 1.0) -> list[Sample]:
    out = []
    for at in range(count):
        counts = np.array([1.0 + at, 2.0 * at, 7.0]) * factor
        out.append(
            (
                1000 + at * 15_000,
                FloatHistogram(1, float(counts.sum()), at * 0.1, 0.001, 0.0, np.array([-1, 0, 5]), counts),
            )
        )
    return out


def chunks(samples: list[Sample]) -> list[tuple[int, int, int]]:
    """(encoding, samples, flags) per chunk."""
    found = encode_histogram_chunks(samples)
    return [(chunk.encoding, *struct.unpack_from(">HB", chunk.data)) for chunk in found]


def test_a_counter_that_goes_on_is_cut_every_120_samples() -> None:
    """Whole counts are an integer histogram; the second chunk says that nothing was reset."""
    assert chunks(growing(150)) == [(HISTOGRAM, 120, 0), (HISTOGRAM, 30, 0x40)]
    assert chunks(growing(3, factor=0.3)) == [(FLOAT_HISTOGRAM, 3, 0)]
    [first, *others] = [histogram.reset_hint for _, histogram in read(growing(3))]
    assert (first, others) == (ResetHint.UNKNOWN, [ResetHint.NOT_RESET] * 2)


def test_a_reset_begins_a_chunk_that_says_so() -> None:
    """Found by falling counts, or told by the hint."""
    fallen = [*growing(3), (900_000, growing(1)[0][1])]
    assert chunks(fallen) == [(HISTOGRAM, 3, 0), (HISTOGRAM, 1, 0x80)]
    told = [(time, h.with_hint(ResetHint.RESET) if time == 16_000 else h) for time, h in growing(3)]
    assert chunks(told) == [(HISTOGRAM, 1, 0), (HISTOGRAM, 2, 0x80)]
    assert read(told)[1][1].reset_hint is ResetHint.RESET


def test_gauges_never_reset() -> None:
    """They may fall within a chunk; every one of them comes back as a gauge."""
    falling = [
        (time, h.with_hint(ResetHint.GAUGE)) for (time, _), (_, h) in zip(growing(4), growing(4)[::-1], strict=True)
    ]
    assert chunks(falling) == [(HISTOGRAM, 4, 0xC0)]
    assert {h.reset_hint for _, h in read(falling)} == {ResetHint.GAUGE}
    assert chunks([*growing(2), (99_000, falling[0][1])]) == [(HISTOGRAM, 2, 0), (HISTOGRAM, 1, 0xC0)]


def test_a_stale_marker_ends_its_chunk() -> None:
    """It has no buckets; what comes after it begins anew."""
    samples = growing(5)
    samples[2] = (samples[2][0], FloatHistogram(sum=STALE))
    assert chunks(samples) == [(HISTOGRAM, 3, 0), (HISTOGRAM, 2, 0)]
    assert [content(h) == "stale" for _, h in read(samples)] == [False, False, True, False, False]
    assert chunks(samples[2:]) == [(HISTOGRAM, 1, 0), (HISTOGRAM, 2, 0)]


def test_buckets_that_appear_share_the_chunk() -> None:
    """The samples before them have them empty."""
    samples = growing(2)
    _, last = samples[1]
    more = replace(
        last, positive_index=np.array([-1, 0, 3, 5]), positive_counts=np.array([9.0, 9.0, 1.0, 9.0]), count=28.0
    )
    samples.append((40_000, more))
    assert chunks(samples) == [(HISTOGRAM, 3, 0)]
    assert read(samples)[0][1].positive_index.tolist() == [-1, 0, 3, 5]


@given(st.binary(max_size=120), st.sampled_from([HISTOGRAM, FLOAT_HISTOGRAM]))
def test_rubbish_raises_the_one_error(data: bytes, encoding: int) -> None:
    """Whatever the bytes, there are histograms or a HistogramChunkError."""
    try:
        decode_histogram_chunk(data, encoding)
    except HistogramChunkError:
        return


def test_a_chunk_that_ends_early_says_so() -> None:
    """A count that the bits do not cover is an error."""
    [chunk] = encode_histogram_chunks(growing(3))
    with pytest.raises(HistogramChunkError, match="ends before its 3 samples"):
        decode_histogram_chunk(chunk.data[:-4], chunk.encoding)
