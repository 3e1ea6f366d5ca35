"""A selection's pieces put together per series, for doors that hand out raw samples."""

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.samples import SampleRuns, SampleTile, Selection

Run = tuple[I64, F64]
NO_RUN: Run = (np.zeros(0, np.int64), np.zeros(0))


def floats_by_row(found: Selection) -> dict[int, Run]:
    """Row -> (times, values), oldest first. Rows without floats are missing."""
    parts: dict[int, list[Run]] = {}
    for piece in found.pieces:
        for row, run in _of_tile(piece) if isinstance(piece, SampleTile) else _of_runs(piece):
            if len(run[0]):
                parts.setdefault(row, []).append(run)
    return {row: _joined(runs) for row, runs in parts.items()}


def histograms_by_row(found: Selection) -> dict[int, list[tuple[int, FloatHistogram]]]:
    """Row -> [(time, histogram)], oldest first."""
    out: dict[int, list[tuple[int, FloatHistogram]]] = {}
    for piece in found.histograms:
        offsets = piece.offsets.tolist()
        for index, row in enumerate(piece.rows.tolist()):
            start, end = offsets[index], offsets[index + 1]
            out.setdefault(row, []).extend(
                zip(piece.times[start:end].tolist(), piece.values[start:end].tolist(), strict=True)
            )
    return out


def _of_tile(tile: SampleTile) -> list[tuple[int, Run]]:
    rows = enumerate(tile.rows.tolist())
    if tile.present is None:
        return [(row, (tile.times, tile.values[index])) for index, row in rows]
    present = tile.present
    return [(row, (tile.times[present[index]], tile.values[index][present[index]])) for index, row in rows]


def _of_runs(runs: SampleRuns) -> list[tuple[int, Run]]:
    offsets = runs.offsets.tolist()
    return [
        (row, (runs.times[offsets[i] : offsets[i + 1]], runs.values[offsets[i] : offsets[i + 1]]))
        for i, row in enumerate(runs.rows.tolist())
    ]


def _joined(runs: list[Run]) -> Run:
    if len(runs) == 1:
        return runs[0]
    return np.concatenate([times for times, _ in runs]), np.concatenate([values for _, values in runs])
