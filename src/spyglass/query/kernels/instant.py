"""Instant selection: the newest sample of each series within the lookback.

The range is left-open since Prometheus 3: a sample exactly `lookback` old does not count. A stale marker hides what came before.
Source: Prometheus promql/engine.go, vectorSelectorSingle.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.samples import SampleRuns, SampleTile, is_stale
from spyglass.query.kernels.windows import Piece, Reaches, run_bounds


@dataclass(frozen=True, slots=True)
class Selected:
    """values, times (ms), present: each [S,T]; values and times are unspecified where absent."""

    values: F64
    times: I64
    present: Mask


def newest(piece: Piece, reaches: Reaches) -> Selected:
    """The newest sample in (starts[t], ends[t]] of each series, absent where that is a stale marker."""
    if isinstance(piece, SampleTile):
        selected = _newest_of_tile(piece, reaches)
    else:
        selected = _newest_of_runs(piece, reaches)
    if piece.may_be_stale:
        present = selected.present & ~is_stale(selected.values)
        return Selected(selected.values, selected.times, present)
    return selected


def _newest_of_tile(tile: SampleTile, reaches: Reaches) -> Selected:
    series = len(tile.rows)
    column = np.searchsorted(tile.times, reaches.ends, side="right") - 1
    if tile.present is None:
        safe = np.maximum(column, 0)
        times = tile.times[safe]
        found = (column >= 0) & (times > reaches.starts)
        shape = (series, len(column))
        return Selected(tile.values[:, safe], np.broadcast_to(times, shape), np.broadcast_to(found, shape))
    # The last present column at or before each column.
    columns = np.where(tile.present, np.arange(len(tile.times)), -1)
    np.maximum.accumulate(columns, axis=1, out=columns)
    at = np.where(column >= 0, columns[:, np.maximum(column, 0)], -1)
    safe = np.maximum(at, 0)
    times = tile.times[safe]
    return Selected(np.take_along_axis(tile.values, safe, axis=1), times, (at >= 0) & (times > reaches.starts))


def _newest_of_runs(runs: SampleRuns, reaches: Reaches) -> Selected:
    at = run_bounds(runs, reaches.ends) - 1
    if len(runs.times) == 0:
        return Selected(np.zeros(at.shape), np.zeros(at.shape, np.int64), np.zeros(at.shape, bool))
    found = at >= runs.offsets[:-1, None]
    safe = np.maximum(at, 0)
    times = runs.times[safe]
    return Selected(runs.values[safe], times, found & (times > reaches.starts))
