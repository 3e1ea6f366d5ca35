"""Native histograms in columns: the counts of many in one array, what they have in common told once.

M histograms of L layouts: rows [M], times [M] ms, layout_of [M], hints [M], numbers [M,3] (count, zero count, sum), and the buckets of
histogram m, positive ones first, in buckets[offsets[m]:offsets[m + 1]].
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64, U8, Mask, Objects
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.samples import HistogramRuns, is_stale
from spyglass.storage.metrics.ragged import gather_index, offsets_of

LayoutKey = tuple[int, bytes, bytes, bytes]
_THRESHOLD = struct.Struct("<d")
_HINTS = tuple(ResetHint)


@dataclass(frozen=True, slots=True)
class HistogramLayout:
    """What does not change from sample to sample as a rule. Arrays are shared by all histograms of the layout."""

    schema: int
    zero_threshold: float
    positive: I64
    negative: I64
    custom_values: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Buckets."""
        return len(self.positive) + len(self.negative)

    def key(self) -> LayoutKey:
        """Equal where the layouts are, bit by bit."""
        return _key(self.schema, self.zero_threshold, self.positive, self.negative, self.custom_values)


def _key(schema: int, threshold: float, positive: I64, negative: I64, custom: tuple[float, ...]) -> LayoutKey:
    bounds = _THRESHOLD.pack(threshold)
    if custom:
        bounds += np.asarray(custom).tobytes()
    return schema, bounds, positive.tobytes(), negative.tobytes()


@dataclass(frozen=True, slots=True)
class HistogramColumns:
    """See above."""

    rows: I64
    times: I64
    layouts: Sequence[HistogramLayout]
    layout_of: I64
    hints: U8
    numbers: F64
    offsets: I64
    buckets: F64

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def stale(self) -> Mask:
        """Which are stale markers [M]."""
        return is_stale(np.ascontiguousarray(self.numbers[:, 2]))

    def take(self, chosen: I64) -> "HistogramColumns":
        """Some of them, in the order given."""
        lengths = np.diff(self.offsets)[chosen]
        index = gather_index(self.offsets[:-1][chosen], lengths)
        return HistogramColumns(
            self.rows[chosen],
            self.times[chosen],
            self.layouts,
            self.layout_of[chosen],
            self.hints[chosen],
            self.numbers[chosen],
            offsets_of(lengths),
            self.buckets[index],
        )

    def with_rows(self, rows: I64) -> "HistogramColumns":
        return replace(self, rows=rows)

    def objects(self) -> Objects:
        """As values [M]. Their counts are views of `buckets`."""
        out = np.empty(self.size, object)
        columns = zip(
            self.layout_of.tolist(),
            self.hints.tolist(),
            self.numbers.tolist(),
            self.offsets[:-1].tolist(),
            self.offsets[1:].tolist(),
            strict=True,
        )
        layouts, buckets = self.layouts, self.buckets
        for at, (number, hint, (count, zero_count, total), start, end) in enumerate(columns):
            layout = layouts[number]
            split = start + len(layout.positive)
            out[at] = FloatHistogram(
                layout.schema,
                count,
                total,
                layout.zero_threshold,
                zero_count,
                layout.positive,
                buckets[start:split],
                layout.negative,
                buckets[split:end],
                layout.custom_values,
                _HINTS[hint],
            )
        return out

    def runs(self) -> list[HistogramRuns]:
        """As one HistogramRuns, or nothing. Rows and times have to ascend."""
        if not self.size:
            return []
        rows, counts = np.unique(self.rows, return_counts=True)
        return [HistogramRuns(rows, offsets_of(counts), self.times, self.objects())]


def columns_of(items: Iterable[tuple[int, int, FloatHistogram]]) -> HistogramColumns:
    """(row, time in ms, histogram) in their order."""
    found = list(items)
    numbers: dict[LayoutKey, int] = {}
    layouts: list[HistogramLayout] = []
    layout_of = [_number_of(histogram, numbers, layouts) for _, _, histogram in found]
    lengths = np.asarray([layouts[number].size for number in layout_of], np.int64)
    parts = [counts for _, _, h in found for counts in (h.positive_counts, h.negative_counts) if len(counts)]
    return HistogramColumns(
        np.asarray([row for row, _, _ in found], np.int64),
        np.asarray([time_ms for _, time_ms, _ in found], np.int64),
        layouts,
        np.asarray(layout_of, np.int64),
        np.asarray([h.reset_hint for _, _, h in found], np.uint8),
        np.asarray([(h.count, h.zero_count, h.sum) for _, _, h in found], np.float64).reshape(-1, 3),
        offsets_of(lengths),
        np.concatenate([np.zeros(0), *parts]),
    )


def _number_of(h: FloatHistogram, numbers: dict[LayoutKey, int], layouts: list[HistogramLayout]) -> int:
    key = _key(h.schema, h.zero_threshold, h.positive_index, h.negative_index, h.custom_values)
    number = numbers.get(key)
    if number is None:
        number = numbers[key] = len(layouts)
        layouts.append(HistogramLayout(h.schema, h.zero_threshold, h.positive_index, h.negative_index, h.custom_values))
    return number


def joined(parts: Sequence[HistogramColumns]) -> HistogramColumns:
    """One after the other; equal layouts become one."""
    if len(parts) == 1:
        return parts[0]
    layouts, layout_of = _common_layouts(parts)
    return HistogramColumns(
        np.concatenate([np.zeros(0, np.int64), *(part.rows for part in parts)]),
        np.concatenate([np.zeros(0, np.int64), *(part.times for part in parts)]),
        layouts,
        np.concatenate([np.zeros(0, np.int64), *layout_of]),
        np.concatenate([np.zeros(0, np.uint8), *(part.hints for part in parts)]),
        np.concatenate([np.zeros((0, 3)), *(part.numbers for part in parts)]),
        offsets_of(np.concatenate([np.zeros(0, np.int64), *(np.diff(part.offsets) for part in parts)])),
        np.concatenate([np.zeros(0), *(part.buckets for part in parts)]),
    )


def _common_layouts(parts: Sequence[HistogramColumns]) -> tuple[Sequence[HistogramLayout], list[I64]]:
    """All layouts, and for each part the layout of each of its histograms among them."""
    if parts and all(part.layouts is parts[0].layouts for part in parts):
        return parts[0].layouts, [part.layout_of for part in parts]
    numbers: dict[LayoutKey, int] = {}
    layouts: list[HistogramLayout] = []
    layout_of = []
    for part in parts:
        renamed = np.zeros(len(part.layouts), np.int64)
        for at in np.unique(part.layout_of).tolist():
            layout = part.layouts[at]
            number = numbers.setdefault(layout.key(), len(layouts))
            if number == len(layouts):
                layouts.append(layout)
            renamed[at] = number
        layout_of.append(renamed[part.layout_of])
    return layouts, layout_of


def ordered(columns: HistogramColumns) -> HistogramColumns:
    """By row and time; of two at one place the first stays."""
    order = np.lexsort((columns.times, columns.rows))
    rows, times = columns.rows[order], columns.times[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (rows[1:] != rows[:-1]) | (times[1:] != times[:-1])
    order = order[first]
    if len(order) == columns.size and (order[1:] > order[:-1]).all():
        return columns
    return columns.take(order)


NO_HISTOGRAMS = columns_of(())
