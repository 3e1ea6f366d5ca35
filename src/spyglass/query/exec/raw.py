"""`x[5m]` as an instant query: the samples themselves."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.errors import ExecutionError
from spyglass.model.labels import Labels
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.registry import Reach, load
from spyglass.query.exec.select import is_stale_histogram, joined_histograms, reaches_of
from spyglass.query.kernels.windows import as_runs, separate, without_stale
from spyglass.query.plan.nodes import RawWindow

RawSeries = tuple[Labels, Sequence[int], Sequence[object]]


def raw_samples(node: RawWindow, ctx: EvalContext) -> list[RawSeries]:
    """Per series the labels and (times_ms, values) in (t - range, t], floats and histograms in order of time; sorted by labels."""
    reaches = reaches_of(node, ctx, node.range_ms)
    start, end = int(reaches.starts[0]), int(reaches.ends[0])
    selection = load(node.source, ctx, Reach(start, end, range_ms=node.range_ms))
    samples: list[list[tuple[int, object]]] = [[] for _ in range(selection.size)]
    for piece in separate(selection.pieces, selection.size):
        for part in without_stale(piece):
            runs = as_runs(part)
            inside = (runs.times > start) & (runs.times <= end)
            rows = np.repeat(runs.rows, np.diff(runs.offsets))[inside].tolist()
            found = zip(rows, runs.times[inside].tolist(), runs.values[inside].tolist(), strict=True)
            for row, time_ms, value in found:
                samples[row].append((time_ms, value))
    if selection.histograms:
        if node.modifier:
            raise ExecutionError("anchored modifier is not supported with histograms", span=node.span)
        hist = joined_histograms(selection)
        for index, row in enumerate(hist.rows.tolist()):
            for at in range(int(hist.offsets[index]), int(hist.offsets[index + 1])):
                if start < hist.times[at] <= end and not is_stale_histogram(hist.values[at]):
                    samples[row].append((int(hist.times[at]), hist.values[at]))
    labels = selection.labels.all_labels()
    order = sorted((row for row in range(selection.size) if samples[row]), key=labels.__getitem__)
    out: list[RawSeries] = []
    for row in order:
        points = sorted(samples[row], key=lambda point: point[0])
        out.append((labels[row], [t for t, _ in points], [v for _, v in points]))
    return out
