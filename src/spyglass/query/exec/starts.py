"""Start timestamps of a selection's samples, found by series and time."""

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.samples import SampleRuns, Selection
from spyglass.query.kernels.windows import RunIndex, as_runs, separate


def starts_at(selection: Selection, rows: I64, times: I64) -> I64:
    """The start timestamp [n] in ms of the sample of each row [n] at each time [n]; 0 where there is none."""
    found = np.zeros(len(rows), np.int64)
    for piece in separate(selection.starts, selection.size):
        runs = as_runs(piece)
        if len(runs.times):
            _fill(found, runs, selection.size, rows, times)
    return found


def _fill(found: I64, runs: SampleRuns, size: int, rows: I64, times: I64) -> None:
    index = RunIndex.of(runs)
    series_of_row = np.full(size, -1, np.int64)
    series_of_row[runs.rows] = np.arange(len(runs.rows))
    series = series_of_row[rows]
    offset = times - index.oldest
    sought = (series >= 0) & (offset >= 0) & (offset <= index.width - 2)
    keys = series[sought] * index.width + offset[sought]
    place = np.minimum(np.searchsorted(index.keys, keys), len(index.keys) - 1)
    hit = index.keys[place] == keys
    at = np.flatnonzero(sought)[hit]
    found[at] = runs.values[place[hit]].astype(np.int64)
