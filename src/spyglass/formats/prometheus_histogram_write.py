"""Write Prometheus' histogram chunks: whole counts as `histogram`, others as `float histogram`.

A chunk's samples share one layout, and within it no counter was reset: a sample that does not follow on begins a new chunk, whose flags
say why. Buckets that a sample lacks and its neighbours have are written as empty, as upstream does.
Source: Prometheus tsdb/docs/format/chunks.md, tsdb/chunkenc/histogram.go, float_histogram.go.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.formats.bit_fields import VARBIT_WIDTHS, Cells, pack, raw_cells, signed_cells, unsigned_cells, xor_cells
from spyglass.formats.native_histogram import spans_of
from spyglass.formats.prometheus_chunks import FLOAT_HISTOGRAM, HISTOGRAM, EncodedChunk
from spyglass.formats.prometheus_xor_write import CHUNK_SAMPLES
from spyglass.model.arrays import F64, I64
from spyglass.model.histogram_arithmetic import is_reset
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.samples import is_stale

Sample = tuple[int, FloatHistogram]

FLAGS = {ResetHint.UNKNOWN: 0, ResetHint.NOT_RESET: 0x40, ResetHint.RESET: 0x80, ResetHint.GAUGE: 0xC0}
_WHOLE_MAX = 2.0**53
_BOUND_MAX = 33_554_430
"""Custom bounds of at most so many thousandths are written as whole numbers."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a chunk's samples share: the indices of all buckets that one of them has."""

    positive: I64
    negative: I64


def encode_histogram_chunks(samples: Sequence[Sample], *, per_chunk: int = CHUNK_SAMPLES) -> list[EncodedChunk]:
    """One series' histograms in ascending order of time. per_chunk: samples, at most."""
    whole = all(_is_whole(histogram) for _, histogram in samples)
    return [_encode(run, hint, whole=whole) for run, hint in _cut(samples, per_chunk)]


def _cut(samples: Sequence[Sample], per_chunk: int) -> Iterator[tuple[list[Sample], ResetHint]]:
    """Runs that one chunk can hold, and what is known of each run's first sample."""
    run: list[Sample] = []
    before: FloatHistogram | None = None
    hint = ResetHint.UNKNOWN
    for sample in samples:
        histogram = sample[1]
        if before is not None and (len(run) == per_chunk or not _joins(before, histogram)):
            yield run, hint
            run = []
        if not run:
            hint = _first_hint(before, histogram)
        run.append(sample)
        before = histogram
    if run:
        yield run, hint


def _joins(before: FloatHistogram, after: FloatHistogram) -> bool:
    """Whether one chunk can hold both. Nothing follows a stale marker."""
    if _is_gauge(before) != _is_gauge(after) or _is_stale(before):
        return False
    if _is_stale(after):
        return True
    same = (before.schema, before.zero_threshold, before.custom_values) == (
        after.schema,
        after.zero_threshold,
        after.custom_values,
    )
    return same and (_is_gauge(after) or not is_reset(after, before))


def _first_hint(before: FloatHistogram | None, first: FloatHistogram) -> ResetHint:
    if _is_gauge(first):
        return ResetHint.GAUGE
    if before is None or _is_stale(before) or _is_stale(first) or _is_gauge(before):
        return ResetHint.RESET if first.reset_hint is ResetHint.RESET else ResetHint.UNKNOWN
    return ResetHint.RESET if is_reset(first, before) else ResetHint.NOT_RESET


def _is_gauge(histogram: FloatHistogram) -> bool:
    return histogram.reset_hint is ResetHint.GAUGE


def _is_stale(histogram: FloatHistogram) -> bool:
    return histogram.sum != histogram.sum and bool(is_stale(np.array([histogram.sum]))[0])


def _is_whole(histogram: FloatHistogram) -> bool:
    """Whether all counts are whole numbers that an integer histogram holds exactly."""
    if _is_stale(histogram):
        return True
    counts = np.concatenate(
        [[histogram.count, histogram.zero_count], histogram.positive_counts, histogram.negative_counts]
    )
    with np.errstate(invalid="ignore"):
        return bool(((counts >= 0) & (counts <= _WHOLE_MAX) & (counts == np.trunc(counts))).all())


def _encode(run: list[Sample], hint: ResetHint, *, whole: bool) -> EncodedChunk:
    histograms = [histogram for _, histogram in run]
    layout = _Layout(
        np.unique(np.concatenate([h.positive_index for h in histograms])),
        np.unique(np.concatenate([h.negative_index for h in histograms])),
    )
    ends_stale = _is_stale(histograms[-1])
    if ends_stale and len(run) == 1:
        layout = _Layout(np.zeros(0, np.int64), np.zeros(0, np.int64))
    times = np.asarray([time_ms for time_ms, _ in run], np.int64)
    samples = _whole_cells(times, histograms, layout) if whole else _float_cells(times, histograms, layout)
    if ends_stale:
        # Of a stale marker only time, count, zero count and sum are written.
        samples.widths[-1, 4:] = 0
    head = _header(len(run), hint, histograms[0], layout)
    values = np.concatenate([head.values.ravel(), samples.values.ravel()])
    widths = np.concatenate([head.widths.ravel(), samples.widths.ravel()])
    data, _ = pack(values, widths, np.zeros(1, np.int64))
    return EncodedChunk(run[0][0], run[-1][0], HISTOGRAM if whole else FLOAT_HISTOGRAM, data)


def _whole_cells(times: I64, histograms: list[FloatHistogram], layout: _Layout) -> Cells:
    """Cells [N, 4 + buckets] of time, count, zero count, sum and buckets: differences of differences from row to row.

    Buckets are the differences to their left neighbours first.
    """
    positive = _matrix([(h.positive_index, h.positive_counts) for h in histograms], layout.positive)
    negative = _matrix([(h.negative_index, h.negative_counts) for h in histograms], layout.negative)
    numbers = np.column_stack(
        [
            times,
            _column([_count(h) for h in histograms]),
            _column([_zero_count(h) for h in histograms]),
            np.diff(positive.astype(np.int64), axis=1, prepend=0),
            np.diff(negative.astype(np.int64), axis=1, prepend=0),
        ]
    )
    steps = np.diff(numbers, axis=0)
    cells = signed_cells(np.concatenate([numbers[:1], steps[:1], np.diff(steps, axis=0)]), VARBIT_WIDTHS)
    first = unsigned_cells(numbers[:1, 1:3].view(np.uint64), VARBIT_WIDTHS)
    cells.values[:1, 1:3], cells.widths[:1, 1:3] = first.values, first.widths
    return _joined([_columns(cells, 0, 3), _sums(histograms), _columns(cells, 3, None)])


def _float_cells(times: I64, histograms: list[FloatHistogram], layout: _Layout) -> Cells:
    """Cells [N, 4 + buckets] as above; every number but the time is XORed with the one in the row above."""
    steps = np.diff(times)
    offsets = np.concatenate([times[:1], steps[:1], np.diff(steps)])
    numbers = np.column_stack(
        [
            np.asarray([_count(h) for h in histograms]),
            np.asarray([_zero_count(h) for h in histograms]),
            np.asarray([h.sum for h in histograms]),
            _matrix([(h.positive_index, h.positive_counts) for h in histograms], layout.positive),
            _matrix([(h.negative_index, h.negative_counts) for h in histograms], layout.negative),
        ]
    )
    bits = np.ascontiguousarray(numbers).view(np.uint64)
    return _joined([signed_cells(offsets[:, None], VARBIT_WIDTHS), xor_cells(bits)])


def _count(histogram: FloatHistogram) -> float:
    return 0.0 if _is_stale(histogram) else histogram.count


def _zero_count(histogram: FloatHistogram) -> float:
    return 0.0 if _is_stale(histogram) else histogram.zero_count


def _column(counts: list[float]) -> I64:
    return np.asarray(counts).astype(np.int64)


def _sums(histograms: list[FloatHistogram]) -> Cells:
    return xor_cells(np.asarray([h.sum for h in histograms]).view(np.uint64)[:, None])


def _matrix(buckets: list[tuple[I64, F64]], layout: I64) -> F64:
    """Counts [N, buckets of the layout]; 0 where a sample has no such bucket."""
    out = np.zeros((len(buckets), len(layout)))
    for row, (index, counts) in enumerate(buckets):
        out[row, np.searchsorted(layout, index)] = counts
    return out


def _columns(cells: Cells, start: int, end: int | None) -> Cells:
    return Cells(cells.values[:, start:end], cells.widths[:, start:end])


def _joined(parts: list[Cells]) -> Cells:
    return Cells(np.concatenate([p.values for p in parts], axis=1), np.concatenate([p.widths for p in parts], axis=1))


def _header(count: int, hint: ResetHint, first: FloatHistogram, layout: _Layout) -> Cells:
    """Number of samples, flags, zero threshold, schema, spans, custom bounds."""
    parts = [_bits(count, 16), _bits(FLAGS[hint], 8), _zero_threshold(first.zero_threshold), _signed(first.schema)]
    for index in (layout.positive, layout.negative):
        spans = spans_of(index)
        parts.append(_unsigned(len(spans)))
        for offset, length in spans:
            parts += [_unsigned(length), _signed(offset)]
    if first.is_custom:
        parts.append(_unsigned(len(first.custom_values)))
        parts += map(_bound, first.custom_values)
    return Cells(np.concatenate([p.values for p in parts]), np.concatenate([p.widths for p in parts]))


def _bits(number: int, width: int) -> Cells:
    return Cells(np.array([[0, number]], np.uint64), np.array([[0, width]], np.int64))


def _signed(number: int) -> Cells:
    return signed_cells(np.array([number], np.int64), VARBIT_WIDTHS)


def _unsigned(number: int) -> Cells:
    return unsigned_cells(np.array([number], np.uint64), VARBIT_WIDTHS)


def _zero_threshold(threshold: float) -> Cells:
    """A byte for 0 and for powers of two from 2**-243 to 2**10, else 255 and the float."""
    if threshold == 0:
        return _bits(0, 8)
    fraction, exponent = math.frexp(threshold)
    if fraction == 0.5 and -242 <= exponent <= 11:
        return _bits(exponent + 243, 8)
    return _joined_rows(_bits(255, 8), raw_cells(np.array([threshold]).view(np.uint64)))


def _bound(bound: float) -> Cells:
    """Thousandths + 1 where they are a whole number that reads back exactly, else a zero bit and the float."""
    thousandths = bound * 1000
    if 0 <= thousandths <= _BOUND_MAX and math.trunc(thousandths) / 1000 == bound:
        return _unsigned(int(thousandths) + 1)
    return _joined_rows(_bits(0, 1), raw_cells(np.array([bound]).view(np.uint64)))


def _joined_rows(one: Cells, other: Cells) -> Cells:
    return Cells(np.concatenate([one.values, other.values]), np.concatenate([one.widths, other.widths]))
