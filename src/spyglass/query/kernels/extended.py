"""`anchored` and `smoothed` ranges: the change from border to border instead of an extrapolated one.

Anchored: the sample at or before the range's start is the first. Smoothed: values at both borders are interpolated between the
samples around them. Both look up to the lookback beyond the range. Source: Prometheus promql/functions.go, extendedRate.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.samples import SampleTile
from spyglass.query.kernels.rates import lost_between, reset_points
from spyglass.query.kernels.windows import Piece, Reaches, run_bounds

FUNCTIONS = {
    "anchored": ("changes", "delta", "increase", "rate", "resets"),
    "smoothed": ("delta", "increase", "rate"),
}
"""Which functions understand which modifier."""


@dataclass(frozen=True, slots=True)
class Borders:
    """Flat indices [S,T]. first: the first sample that counts.  inside: the first after the range's start.  end: the first at or after
    its end.  last: the last that counts.  present: whether there is anything to say.
    """

    values: F64
    times: F64
    first: I64
    inside: I64
    end: I64
    last: I64
    present: Mask
    reaches: Reaches


def index_after(piece: Piece, limits: I64) -> I64:
    """For each series and limit the flat index [S,T] of its first sample later than the limit."""
    if isinstance(piece, SampleTile):
        column = np.searchsorted(piece.times, limits, side="right")
        base = np.arange(len(piece.rows), dtype=np.int64) * len(piece.times)
        return base[:, None] + column
    return run_bounds(piece, limits)


def borders(piece: Piece, reaches: Reaches, lookback_ms: int, *, smoothed: bool) -> Borders:
    """piece: without stale markers and gaps. reaches: the ranges themselves."""
    starts, ends = reaches.starts, reaches.ends
    lowest = index_after(piece, starts - lookback_ms)
    inside = index_after(piece, starts)
    end = index_after(piece, ends - 1)
    beyond = index_after(piece, ends + lookback_ms if smoothed else ends)
    first = np.maximum(inside - 1, lowest)
    last = np.where(end < beyond, end, beyond - 1) if smoothed else beyond - 1
    flat, times = _flat(piece)
    safe = np.clip(last, 0, max(len(flat) - 1, 0))
    present = (beyond > lowest) & (last >= lowest)
    present &= times[safe] > starts if len(flat) else False
    return Borders(flat, times, first, inside, end, last, present, reaches)


def _flat(piece: Piece) -> tuple[F64, F64]:
    """Values and times [M], one beside the other. Times are floats: they are only ever interpolated with."""
    values = piece.values.reshape(-1)
    times = np.tile(piece.times, len(piece.rows)) if isinstance(piece, SampleTile) else piece.times
    return values, times.astype(np.float64)


def extended_change(
    found: Borders, *, is_counter: bool, is_rate: bool, smoothed: bool, range_ms: int
) -> tuple[F64, Mask]:
    """rate, increase and delta with a modifier."""
    left, right = _left(found, smoothed, is_counter), _right(found, smoothed, is_counter)
    change = right - left
    if is_counter:
        change = change + _correction(found, left, right)
    return (change / (range_ms / 1000) if is_rate else change), found.present


def _at(found: Borders, index: I64) -> tuple[F64, F64]:
    safe = np.clip(index, 0, len(found.values) - 1)
    return found.values[safe], found.times[safe]


def _interpolated(found: Borders, before: I64, after: I64, time_ms: I64, is_counter: bool) -> F64:
    """The value at time_ms [T] between two samples; after a reset the counter is taken to have started at zero."""
    (y1, t1), (y2, t2) = _at(found, before), _at(found, after)
    if is_counter:
        y1 = np.where(y2 < y1, 0.0, y1)
    with np.errstate(all="ignore"):
        value: F64 = y1 + (y2 - y1) * (time_ms - t1) / (t2 - t1)
    return value


def _left(found: Borders, smoothed: bool, is_counter: bool) -> F64:
    value, time_ms = _at(found, found.first)
    if not smoothed:
        return value
    between = _interpolated(found, found.first, found.first + 1, found.reaches.starts, is_counter)
    return np.where(time_ms < found.reaches.starts, between, value)


def _right(found: Borders, smoothed: bool, is_counter: bool) -> F64:
    value, time_ms = _at(found, found.last)
    if not smoothed:
        return value
    between = _interpolated(found, found.last - 1, found.last, found.reaches.ends, is_counter)
    return np.where((time_ms > found.reaches.ends) & (found.last > found.first), between, value)


def _correction(found: Borders, left: F64, right: F64) -> F64:
    """What the counter lost at resets: from the left border to the samples strictly inside, among them, and to the right border."""
    first, last = found.inside, np.minimum(found.end - 1, found.last)
    some = last >= first
    (first_value, _), (last_value, _) = _at(found, first), _at(found, last)
    drops = reset_points(found.values)
    among = lost_between(found.values, drops, first, last)
    entering = np.where(first_value < left, left, 0.0)
    leaving = np.where(right < last_value, last_value, 0.0)
    correction: F64 = np.where(some, entering + among + leaving, np.where(right < left, left, 0.0))
    return correction


def extended_transitions(found: Borders, happened: Mask) -> tuple[F64, Mask]:
    """changes and resets of an anchored range. happened [M]: between sample i - 1 and i."""
    running = np.concatenate([[0], np.cumsum(happened, dtype=np.int64)])
    most = len(happened)
    counted = running[np.clip(found.last + 1, 0, most)] - running[np.clip(found.first + 1, 0, most)]
    return counted.astype(np.float64), found.present


def smoothed_values(piece: Piece, reaches: Reaches, lookback_ms: int) -> tuple[F64, Mask]:
    """`x smoothed` at each step: interpolated between the samples around it, or the last one before it."""
    at = reaches.ends
    lowest, here = index_after(piece, at - lookback_ms), index_after(piece, at - 1)
    beyond = index_after(piece, at + lookback_ms)
    values, times = _flat(piece)
    found = Borders(values, times, here, here, here, here, here >= 0, reaches)
    value_here, time_here = _at(found, here)
    value_before, _ = _at(found, here - 1)
    exact = (here < beyond) & (time_here == at)
    has_before, has_after = here > lowest, here < beyond
    between = _interpolated(found, here - 1, here, at, is_counter=False)
    out = np.where(exact, value_here, np.where(has_after, between, value_before))
    return out, exact | has_before
