"""Samples in columns: what a metric store hands to a query, and what a door hands to a store.

Two layouts leave a store, because series that are scraped together share their timestamps:

    SampleTile   S series on one timestamp vector:   times [N], values [S,N], present [S,N] or None
    SampleRuns   S series, each on its own:          offsets [S+1], times [M], values [M]

Kernels accept both; a tile's window bounds are searched once for all of its series.

A *stale marker* is one NaN bit pattern (`STALE_BITS`): it says that the series ended. Every other NaN is a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask, Objects
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels, LabelTable

STALE_BITS = 0x7FF0000000000002
"""Prometheus model/value/value.go, StaleNaN."""

NORMAL_NAN_BITS = 0x7FF8000000000001

STALE: float = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])


def is_stale(values: F64) -> Mask:
    """Where `values` are stale markers. Compares bits: a NaN is not equal to itself."""
    bits: U64 = np.ascontiguousarray(values).view(np.uint64)
    stale: Mask = bits == STALE_BITS
    return stale


def is_stale_histogram(value: FloatHistogram) -> bool:
    """A histogram whose sum is the stale marker says that the series ended."""
    return int(np.float64(value.sum).view(np.uint64)) == STALE_BITS


@dataclass(frozen=True, slots=True)
class SampleTile:
    """S series that share a timestamp vector.

    rows [S] int64: each series' row in the selection's label table.  times [N] ms, strictly ascending.
    values [S,N] float64, C-contiguous; the reader must not write to them.  present [S,N] bool, or None: all present.
    may_be_stale: False promises that no value is a stale marker.
    weights [N]: where samples were left out (see SelectHints.aggregates), how many each one stands for: itself and some of those
    left out, all of them in every window that it may be counted in. None: one each.
    """

    rows: I64
    times: I64
    values: F64
    present: Mask | None = None
    may_be_stale: bool = True
    weights: I64 | None = None


@dataclass(frozen=True, slots=True)
class SampleRuns:
    """S series in compressed rows: series i owns [offsets[i], offsets[i+1]) of times (ms, strictly ascending) and values.

    weights [M]: as a tile's.
    """

    rows: I64
    offsets: I64
    times: I64
    values: F64
    may_be_stale: bool = True
    weights: I64 | None = None


@dataclass(frozen=True, slots=True)
class HistogramRuns:
    """As SampleRuns, with native histograms (model/histograms.py FloatHistogram) as objects. [M] objects."""

    rows: I64
    offsets: I64
    times: I64
    values: Objects


BUCKET_WINDOWS_MS: Mapping[int, int] = {300_000: 86_400_000, 3_600_000: 4 * 86_400_000}
"""The resolutions of buckets, and how much of the past is downsampled to each at once. ms.

Longer windows compress better and are read faster; samples have to be kept until all of their window is old enough.
"""


@dataclass(frozen=True, slots=True)
class Downsampled:
    """The older part of a selection, known in buckets only. A bucket covers (end - resolution, end] of one series.

    levels: (resolution_ms, until_ms), finest first: buckets of it end at or before until_ms, and after the next coarser's.
    columns: what was asked for of the buckets, by name; the pieces of all columns are alike but for their values, their times are
    the ends of buckets. Behind the buckets come samples as buckets of their own, at their own times, as far as windows reach that begin
    before until_ms. Empty: the selection's own pieces hold the last sample of each bucket instead.
    """

    levels: Sequence[tuple[int, int]]
    columns: Mapping[str, Sequence[SampleTile | SampleRuns]] = field(default_factory=dict)

    @property
    def until_ms(self) -> int:
        """What is later is there as it was stored."""
        return self.levels[0][1]


@dataclass(frozen=True, slots=True)
class Selection:
    """What a scan returns: the labels of S series, sorted by nothing in particular, and their samples.

    A series occurs in at most one tile or run for a given stretch of time; a store that keeps the past in blocks may hand
    out several pieces for one series, disjoint in time and ordered oldest first within `pieces`.
    A row may own floats and histograms both, at different times.
    downsampled: set where the range reaches into what is only known in buckets.
    starts: where they were asked for and are kept, the start timestamps of samples, as values in ms, laid out as pieces are; a sample
    that has none here has none.
    """

    labels: LabelTable
    pieces: Sequence[SampleTile | SampleRuns] = ()
    histograms: Sequence[HistogramRuns] = ()
    downsampled: Downsampled | None = None
    starts: Sequence[SampleTile | SampleRuns] = ()

    @property
    def size(self) -> int:
        return self.labels.size


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A trace reference attached to a sample. time_ms is that of the sample where the source gave none."""

    labels: Labels
    value: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a target says of a metric family. kind: counter, gauge, histogram, gaugehistogram, summary, info, stateset, unknown."""

    kind: str = "unknown"
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """Samples on their way into a store, in columns, addressed by series reference (see MetricWriter.resolve).

    refs [n] int64, times [n] ms, values [n] float64 (stale markers allowed). The order within a series is the order of the
    batch. hist_refs/hist_times/histograms likewise for native histograms.
    starts [n] ms: since when each sample has been counting, 0 where that is not known; None: nowhere. Most stores do not keep it.
    """

    refs: I64
    times: I64
    values: F64
    hist_refs: I64 | None = None
    hist_times: I64 | None = None
    histograms: Sequence[object] = ()
    exemplars: Sequence[tuple[int, Exemplar]] = ()
    metadata: Mapping[str, Metadata] = field(default_factory=dict)
    starts: I64 | None = None


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of a batch. Index arrays point into the batch's float rows [n].

    unknown: the reference is not (or no longer) known: resolve the labels again and append those rows once more.
    out_of_order, too_old, duplicate: refused, as upstream refuses them (duplicate: same time, other value; the same value
    again is silently accepted). Everything else is stored, and durable if the append asked for that.
    """

    accepted: int
    unknown: I64
    out_of_order: I64
    too_old: I64
    duplicate: I64
    hist_rejected: Sequence[tuple[int, str]] = ()

    @property
    def rejected(self) -> int:
        return len(self.out_of_order) + len(self.too_old) + len(self.duplicate) + len(self.hist_rejected)
