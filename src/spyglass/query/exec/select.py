"""Instant selections, and loading samples from a metric store."""

from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask, Objects
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.histogram_arithmetic import detected_hints
from spyglass.model.labels import LabelTable
from spyglass.model.samples import HistogramRuns, SampleRuns, SampleTile, Selection, is_stale_histogram
from spyglass.protocols.metric_store import SelectHints
from spyglass.query.exec import downsampled
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.registry import Reach, evaluates, load, loads
from spyglass.query.exec.sharing import computed_once
from spyglass.query.exec.starts import starts_at
from spyglass.query.kernels.extended import smoothed_values
from spyglass.query.kernels.instant import newest
from spyglass.query.kernels.windows import Piece, Reaches, run_bounds, separate, without_stale
from spyglass.query.plan.nodes import Instant, SeriesScan, Shifted

_BYTES_PER_POINT = 17
"""A value, a time and whether it is there."""


@loads(SeriesScan)
def load_series(node: SeriesScan, ctx: EvalContext, reach: Reach) -> Selection:
    """The samples of the matching series with reach.start_ms < t <= reach.end_ms. Charges the budget."""
    if ctx.metrics is None:  # a tenant who never wrote anything
        return Selection(LabelTable(0))
    hints = SelectHints(
        step_ms=reach.step_ms,
        range_ms=reach.range_ms,
        function=reach.function,
        aggregates=reach.aggregates,
        start_timestamps=reach.start_timestamps,
    )
    selection = ctx.metrics.select(
        node.matchers, start_ms=reach.start_ms + 1, end_ms=reach.end_ms, hints=hints, budget=ctx.budget
    )
    ctx.counters.series += selection.size
    ctx.counters.samples += sum(sample_count(piece) for piece in selection.pieces)
    if selection.downsampled is not None:
        columns = selection.downsampled.columns.values()
        ctx.counters.samples += sum(piece.values.size for pieces in columns for piece in pieces)
    ctx.counters.samples += sum(len(runs.times) for runs in selection.histograms)
    if node.detect_resets and selection.histograms:
        return replace(selection, histograms=[_with_detected_resets(joined_histograms(selection))])
    return selection


def sample_count(piece: Piece) -> int:
    """How many samples a piece holds or stands for."""
    if piece.weights is None:
        return piece.values.size
    series = len(piece.rows) if isinstance(piece, SampleTile) else 1
    return int(piece.weights.sum()) * series


def _with_detected_resets(runs: HistogramRuns) -> HistogramRuns:
    values = runs.values.copy()
    for start, end in zip(runs.offsets[:-1].tolist(), runs.offsets[1:].tolist(), strict=True):
        for at, histogram in enumerate(detected_hints(values[start:end].tolist()), start):
            values[at] = histogram
    return replace(runs, values=values)


def reaches_of(node: Shifted, ctx: EvalContext, length_ms: int) -> Reaches:
    """What each step looks at: (end - length_ms, end], end shifted by @ and offset."""
    times = ctx.grid.times()
    base = times if node.at_ms is None else np.full(len(times), node.at_ms, np.int64)
    ends = base - node.offset_ms
    return Reaches(ends - length_ms, ends, times)


def charge_frame(size: int, ctx: EvalContext) -> None:
    """Account for the values, times and presence of `size` series over the grid, before they are made."""
    count = size * ctx.grid.count * _BYTES_PER_POINT
    ctx.counters.bytes += count
    ctx.budget.charge_bytes(count)


@evaluates(Instant)
def evaluate_instant(node: Instant, ctx: EvalContext) -> Frame:
    """values [S,T]: the newest sample within the lookback, or its time in seconds."""
    return computed_once(node, ctx.grid, ctx.shared, ctx.notes, lambda: _evaluate_instant(node, ctx))


def _evaluate_instant(node: Instant, ctx: EvalContext) -> Frame:
    if node.starts:
        return _evaluate_starts(node, ctx)
    reaches = reaches_of(node, ctx, ctx.options.lookback_ms)
    beyond_ms = ctx.options.lookback_ms if node.modifier == "smoothed" else 0
    reach = Reach(
        int(reaches.starts.min()),
        int(reaches.ends.max()) + beyond_ms,
        step_ms=ctx.grid.step_ms,
        aggregates=node.modifier != "smoothed",
    )
    selection = load(node.source, ctx, reach)
    if node.modifier == "smoothed":
        return _smoothed(node, selection, reaches, ctx)
    frame, times = _newest(node, selection, reaches, ctx)
    return dropped_names(replace(frame, values=times / 1000, histograms=None), ctx) if node.timestamps else frame


def newest_samples(node: Instant, ctx: EvalContext) -> tuple[Frame, I64]:
    """The samples that an Instant without a modifier shows, and their times [S,T] in ms."""
    reaches = reaches_of(node, ctx, ctx.options.lookback_ms)
    reach = Reach(int(reaches.starts.min()), int(reaches.ends.max()), step_ms=ctx.grid.step_ms, aggregates=True)
    return _newest(node, load(node.source, ctx, reach), reaches, ctx)


def _newest(node: Instant, selection: Selection, reaches: Reaches, ctx: EvalContext) -> tuple[Frame, I64]:
    if selection.downsampled is not None:
        reaches = downsampled.instant_reaches(node, selection.downsampled, reaches, ctx)
    charge_frame(selection.size, ctx)
    picked = _pick(selection, reaches, ctx)
    return Frame(selection.labels, ctx.grid, picked.values, picked.present, picked.histograms), picked.times


def _evaluate_starts(node: Instant, ctx: EvalContext) -> Frame:
    """start_timestamp(): since when the newest samples have been counting, in seconds; 0 where that is not known."""
    if not ctx.options.start_timestamps:
        return Frame(LabelTable(0), ctx.grid, np.zeros((0, ctx.grid.count)), np.zeros((0, ctx.grid.count), bool))
    reaches = reaches_of(node, ctx, ctx.options.lookback_ms)
    reach = Reach(int(reaches.starts.min()), int(reaches.ends.max()), step_ms=ctx.grid.step_ms, start_timestamps=True)
    selection = load(node.source, ctx, reach)
    charge_frame(selection.size, ctx)
    picked = _pick(selection, reaches, ctx)
    rows = np.broadcast_to(np.arange(selection.size)[:, None], picked.times.shape)
    starts = starts_at(selection, rows.ravel(), picked.times.ravel()).reshape(picked.times.shape)
    return dropped_names(Frame(selection.labels, ctx.grid, starts / 1000, picked.present), ctx)


def _smoothed(node: Instant, selection: Selection, reaches: Reaches, ctx: EvalContext) -> Frame:
    """Values interpolated between the samples around each step."""
    if selection.histograms:
        raise ExecutionError("smoothed and anchored modifiers do not work with native histograms", span=node.span)
    shape = (selection.size, len(reaches.ends))
    values, present = np.zeros(shape), np.zeros(shape, bool)
    for piece in separate(selection.pieces, selection.size):
        for part in without_stale(piece):
            if part.values.size:
                values[part.rows], present[part.rows] = smoothed_values(part, reaches, ctx.options.lookback_ms)
    return Frame(selection.labels, ctx.grid, values, present)


class _Picked:
    """The newest samples found so far. values, times, present [S,T]; histograms [S,T] or None."""

    def __init__(self, size: int, steps: int) -> None:
        self.values: F64 = np.zeros((size, steps))
        self.times: I64 = np.zeros((size, steps), np.int64)
        self.present: Mask = np.zeros((size, steps), bool)
        self.histograms: Objects | None = None


def _pick(selection: Selection, reaches: Reaches, ctx: EvalContext) -> _Picked:
    picked = _Picked(selection.size, len(reaches.ends))
    for piece in separate(selection.pieces, selection.size):
        ctx.budget.check()
        found = newest(piece, reaches)
        if len(piece.rows) == selection.size and np.array_equal(piece.rows, np.arange(selection.size)):
            picked.values, picked.times, picked.present = found.values, found.times, found.present
        else:
            picked.values[piece.rows] = found.values
            picked.times[piece.rows] = found.times
            picked.present[piece.rows] = found.present
    if selection.histograms:
        _pick_histograms(picked, selection, reaches)
    return picked


def joined_histograms(selection: Selection) -> HistogramRuns:
    """All histogram runs of a selection as one, each series once."""
    runs = selection.histograms
    if len(runs) == 1:
        return runs[0]
    rows = np.concatenate([np.repeat(run.rows, np.diff(run.offsets)) for run in runs])
    times = np.concatenate([run.times for run in runs])
    values = np.concatenate([run.values for run in runs])
    order = np.lexsort((times, rows))
    kept, first = np.unique(rows[order], return_index=True)
    return HistogramRuns(kept, np.append(first, len(rows)).astype(np.int64), times[order], values[order])


def _pick_histograms(picked: _Picked, selection: Selection, reaches: Reaches) -> None:
    """Let histograms that are newer than the floats found take their places."""
    runs = joined_histograms(selection)
    bounds = SampleRuns(runs.rows, runs.offsets, runs.times, np.zeros(len(runs.times)))
    at = run_bounds(bounds, reaches.ends) - 1
    if len(runs.times) == 0:
        return
    safe = np.maximum(at, 0)
    times = runs.times[safe]
    found = (at >= runs.offsets[:-1, None]) & (times > reaches.starts)
    float_times = _newest_float_times(selection, reaches)[runs.rows]
    wins = found & (times > float_times)
    values = runs.values[safe]
    stale = np.zeros(len(runs.values), bool)
    stale[:] = [is_stale_histogram(value) for value in runs.values.tolist()]
    histograms = np.full(picked.values.shape, None, object)
    lively = wins & ~stale[safe]
    rows = histograms[runs.rows]
    rows[lively] = values[lively]
    histograms[runs.rows] = rows
    present, kept_times = picked.present.copy(), picked.times.copy()
    present[runs.rows] = np.where(wins, lively, present[runs.rows])
    kept_times[runs.rows] = np.where(wins, times, kept_times[runs.rows])
    picked.present, picked.times, picked.histograms = present, kept_times, histograms


def _newest_float_times(selection: Selection, reaches: Reaches) -> I64:
    """The time of the newest float [S,T], stale or not; before everything where there is none."""
    out = np.full((selection.size, len(reaches.ends)), np.iinfo(np.int64).min)
    for piece in separate(selection.pieces, selection.size):
        found = newest(replace(piece, may_be_stale=False), reaches)
        out[piece.rows] = np.where(found.present, found.times, out[piece.rows])
    return out
