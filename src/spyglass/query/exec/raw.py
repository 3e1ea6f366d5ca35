"""`x[5m]` as an instant query: the samples themselves."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.errors import ExecutionError
from spyglass.model.labels import Labels
from spyglass.model.samples import is_stale_histogram
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.registry import Reach, load
from spyglass.query.exec.select import joined_histograms, reaches_of
from spyglass.query.kernels.windows import as_runs, separate, without_stale
from spyglass.query.plan.nodes import RawWindow

RawSeries = tuple[Labels, Sequence[int], Sequence[object]]


def raw_samples(node: RawWindow, ctx: EvalContext) -> list[RawSeries]:
    """Per series the labels and (times_ms, values) in (t - range, t], floats and histograms in order of time; sorted by labels."""
    reaches = reaches_of(node, ctx, node.range_ms)
    start, end = int(reaches.starts[0]), int(reaches.ends[0])
    reach = _widened(node, ctx, start, end)
    selection = load(node.source, ctx, reach)
    samples: list[list[tuple[int, object]]] = [[] for _ in range(selection.size)]
    for piece in separate(selection.pieces, selection.size):
        for part in without_stale(piece):
            runs = as_runs(part)
            inside = (runs.times > reach.start_ms) & (runs.times <= reach.end_ms)
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
    if node.modifier:
        smoothed = node.modifier == "smoothed"
        samples = [_extended(points, start, end, smoothed=smoothed) for points in samples]
    labels = selection.labels.all_labels()
    order = sorted((row for row in range(selection.size) if samples[row]), key=labels.__getitem__)
    out: list[RawSeries] = []
    for row in order:
        points = sorted(samples[row], key=lambda point: point[0])
        out.append((labels[row], [t for t, _ in points], [v for _, v in points]))
    return out


def _widened(node: RawWindow, ctx: EvalContext, start: int, end: int) -> Reach:
    """What has to be loaded: anchored and smoothed ranges look beyond their borders."""
    before = ctx.options.lookback_ms if node.modifier else 0
    behind = ctx.options.lookback_ms if node.modifier == "smoothed" else 0
    return Reach(start - before, end + behind, range_ms=node.range_ms)


def _extended(points: list[tuple[int, object]], start: int, end: int, *, smoothed: bool) -> list[tuple[int, object]]:
    """The samples inside of the range with values at both of its borders. Source: promql/engine.go, extendFloats."""
    floats = [(t, v) for t, v in sorted(points, key=lambda point: point[0]) if isinstance(v, float)]
    inside = [(t, v) for t, v in floats if start < t < end]
    before = [(t, v) for t, v in floats if t <= start][-1:]
    behind = [(t, v) for t, v in floats if t >= end][: 1 if smoothed else None]
    behind = [(t, v) for t, v in behind if smoothed or t == end]
    known = [*before, *inside, *behind]
    if not known or known[-1][0] <= start:
        return []
    left = _value_at(known[0], known[1], start) if smoothed and known[0][0] < start else known[0][1]
    right = known[-1][1]
    if smoothed and known[-1][0] > end and len(known) > 1:
        right = _value_at(known[-2], known[-1], end)
    return [(start, left), *inside, (end, right)]


def _value_at(before: tuple[int, float], after: tuple[int, float], time_ms: int) -> float:
    (t1, v1), (t2, v2) = before, after
    return v1 + (v2 - v1) * (time_ms - t1) / (t2 - t1)
