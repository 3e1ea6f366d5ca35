"""Rollups: of each bucket of 5 minutes the samples that are enough to answer for all of them. Arrays in, arrays out.

A bucket covers (end - 5m, end], as the windows of PromQL do: a window at multiples of 5 minutes consists of whole buckets. A rollup
leaves samples out and changes none, so that a function computed over what is kept gives, bit for bit, what it gives over all samples.
A window may begin a little before its first bucket, as one of 5m15s does, if of what it cuts off there only the last sample lies in it.
What is kept depends on the series, within one stripe of a block:

    edges   first and last of each bucket, and both sides of every fall. Between two kept samples the values do not fall; so these are
            enough for rates of counters, and the smallest and the largest sample of any window is among them.
    spans   the last of each bucket, and beside it the smallest and the largest value: for series that fall often, as gauges do.

Each kept sample says for how many it stands: of edges, itself and those left out up to the next one, so that the last of a bucket stands
for itself alone. Series with a stale marker, a NaN or a negative zero have no rollup, nor have those of which
too large a share would be kept: their samples answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.protocols.metric_store import SelectHints
from spyglass.storage.metrics.buckets import bucket_ends
from spyglass.storage.metrics.ragged import Ragged, alike, gather_index, offsets_of

ROLLUP_MS = 300_000
FALLS_MAX = 4
"""A series that falls more often within a stripe is no counter: each fall keeps two more samples, and a vector of times of its own."""
_NEGATIVE_ZERO = np.iinfo(np.int64).min

Kind = str
EDGES: Kind = "edges"
SPANS: Kind = "spans"

_EDGES = (EDGES, "values")
_LAST = (_EDGES, (SPANS, "last"))

RollupColumns = tuple[tuple[Kind, str], ...]
"""Kinds of rollups, and of each the column that is read."""

ROLLUP_COLUMNS: Mapping[str, RollupColumns] = {
    "rate": (_EDGES,),
    "increase": (_EDGES,),
    "delta": (_EDGES,),
    "resets": (_EDGES,),
    "first_over_time": (_EDGES,),
    "ts_of_first_over_time": (_EDGES,),
    "": _LAST,
    "last_over_time": _LAST,
    "ts_of_last_over_time": _LAST,
    "present_over_time": _LAST,
    "count_over_time": _LAST,
    "min_over_time": (_EDGES, (SPANS, "min")),
    "max_over_time": (_EDGES, (SPANS, "max")),
}
"""What a function ("": an instant selection) may be computed from."""


@dataclass(frozen=True, slots=True)
class RollupUse:
    """Which rollups may answer for samples.

    overhang_ms: by how much each window begins before its first whole bucket; only the last sample of a bucket may lie there.
    apart: not those of stripes that reach into this closed span: late samples lie there.
    """

    columns: RollupColumns = ()
    overhang_ms: int = 0
    apart: tuple[int, int] | None = None

    def between(self, start_ms: int, end_ms: int) -> "RollupUse":
        """Those of a stripe with samples in [start_ms, end_ms]."""
        touches = self.apart is not None and self.apart[0] <= end_ms and self.apart[1] >= start_ms
        return NO_ROLLUPS if touches else self


NO_ROLLUPS = RollupUse()


def rollup_use(hints: SelectHints, start_ms: int, end_ms: int) -> RollupUse:
    """What may answer a selection of the samples in [start_ms, end_ms]: something if each of its windows ends with a bucket."""
    overhang_ms = hints.range_ms % ROLLUP_MS
    borders = (hints.step_ms, start_ms - 1 + overhang_ms, end_ms)
    if not hints.aggregates or any(time_ms % ROLLUP_MS for time_ms in borders):
        return NO_ROLLUPS
    columns = ROLLUP_COLUMNS.get(hints.function, ())
    if overhang_ms:
        # The spans of a bucket that is cut tell nothing of its part.
        columns = tuple(column for column in columns if column == _EDGES)
    return RollupUse(columns, overhang_ms)


def bear_overhang(times: I64, offsets: I64, overhang_ms: int) -> Mask:
    """[V]: the vectors of times, ragged and none empty, that have no sample but the last of a bucket within `overhang_ms` of its end."""
    ends = bucket_ends(times, ROLLUP_MS)
    is_last = np.append(ends[1:] != ends[:-1], True)
    is_last[offsets[1:] - 1] = True
    cut = ~is_last & (times > ends - overhang_ms)
    borne: Mask = np.add.reduceat(cut, offsets[:-1], dtype=np.int64) == 0
    return borne


@dataclass(frozen=True, slots=True)
class Edges:
    """As Ragged. weights [M]: for how many samples each stands, itself and those left out before the next one."""

    rows: I64
    offsets: I64
    times: I64
    weights: I64
    values: F64


@dataclass(frozen=True, slots=True)
class Spans:
    """As Ragged, of each bucket the last sample, the smallest and the largest value. weights [M]: the samples of each bucket."""

    rows: I64
    offsets: I64
    times: I64
    weights: I64
    last: F64
    min: F64
    max: F64


_NONE = np.zeros(0, np.int64)
_NO_SPANS = Spans(_NONE, offsets_of(_NONE), _NONE, _NONE, np.zeros(0), np.zeros(0), np.zeros(0))


def roll_up(samples: Ragged, share: int) -> tuple[Edges, Spans]:
    """The rollups of some series, rows in their order; series that have none are in neither.

    samples: times ascending. share: see MetricStoreOptions.rollup_share.
    """
    values, lengths = samples.values, samples.lengths
    begins = _begins(samples)
    falls = np.append(False, values[1:] < values[:-1])
    falls[samples.offsets[:-1]] = False
    kept = begins | np.append(begins[1:], True)
    kept |= falls
    kept[:-1] |= falls[1:]
    usable = _is_usable(samples)
    is_steady = _per_series(falls, samples) <= FALLS_MAX
    at = np.flatnonzero(kept)
    counts = np.diff(np.searchsorted(at, samples.offsets))
    has_edges = usable & is_steady & (counts * share <= lengths)
    has_spans = usable & ~is_steady
    if has_spans.any():
        has_spans &= _per_series(begins, samples) * share <= lengths
    return _edges(samples, at, counts, has_edges), _spans(samples, begins, has_spans)


def _edges(samples: Ragged, at: I64, counts: I64, chosen: Mask) -> Edges:
    """at: the samples to keep, counts [S]: how many of each series."""
    if not chosen.all():
        at, counts = at[np.repeat(chosen, counts)], counts[chosen]
    offsets = offsets_of(counts)
    weights = np.diff(at, append=0)
    # The last of a series ends a bucket: nothing was left out after it.
    weights[offsets[1:] - 1] = 1
    return Edges(samples.rows[chosen], offsets, samples.times[at], weights, samples.values[at])


def _spans(samples: Ragged, begins: Mask, chosen: Mask) -> Spans:
    series = np.flatnonzero(chosen)
    if not len(series):
        return _NO_SPANS
    lengths = samples.lengths[series]
    index = gather_index(samples.offsets[:-1][series], lengths)
    values, mine = samples.values[index], begins[index]
    starts = np.flatnonzero(mine)
    counts = np.diff(np.append(starts, len(values)))
    last = starts + counts - 1
    return Spans(
        samples.rows[series],
        np.searchsorted(starts, offsets_of(lengths)),
        samples.times[index[last]],
        counts,
        values[last],
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
    )


def _begins(samples: Ragged) -> Mask:
    """[M]: where a bucket begins."""
    if alike(samples):
        return np.tile(_first_of_buckets(samples.times[: samples.offsets[1]]), len(samples.rows))
    begins = _first_of_buckets(samples.times)
    begins[samples.offsets[:-1]] = True
    return begins


def _first_of_buckets(times: I64) -> Mask:
    ends = bucket_ends(times, ROLLUP_MS)
    first: Mask = np.append(True, ends[1:] != ends[:-1])
    return first


def _is_usable(samples: Ragged) -> Mask:
    """[S]: without NaN, of which stale markers are some, and without negative zeros, which no comparison tells from others."""
    odd = np.isnan(samples.values) | (samples.values.view(np.int64) == _NEGATIVE_ZERO)
    usable: Mask = _per_series(odd, samples) == 0
    return usable


def _per_series(mask: Mask, samples: Ragged) -> I64:
    """[S]: how many of each series' samples are in the mask."""
    counts: I64 = np.diff(np.searchsorted(np.flatnonzero(mask), samples.offsets))
    return counts
