"""Windows over samples: range functions on selectors and subqueries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.histograms import ResetHint
from spyglass.model.labels import METRIC_NAME, LabelTable
from spyglass.model.samples import HistogramRuns, SampleTile, Selection
from spyglass.model.times import StepGrid
from spyglass.query.exec import downsampled, notes, window_histograms
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import floats_of
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.registry import Reach, evaluate, evaluate_frame, evaluates, load, loads
from spyglass.query.exec.select import charge_frame, reaches_of
from spyglass.query.exec.sharing import computed_once
from spyglass.query.exec.starts import starts_at
from spyglass.query.exec.values import Scalar
from spyglass.query.format import short_float
from spyglass.query.kernels import extended, over_time, rates, start_timestamps, trends
from spyglass.query.kernels.windows import (
    Piece,
    Reaches,
    Windows,
    as_runs,
    row_blocks,
    separate,
    windows_of,
    without_stale,
)
from spyglass.query.plan.nodes import PlanNode, Subquery, Window

Result = tuple[F64, Mask]
Kernel = Callable[[Windows], Result]
"""windows -> values [S,T], present [S,T]."""

KERNELS: dict[str, Kernel] = {
    "irate": lambda w: rates.instant_change(w, is_rate=True),
    "idelta": lambda w: rates.instant_change(w, is_rate=False),
    "resets": rates.resets,
    "changes": rates.changes,
    "deriv": trends.deriv,
    "sum_over_time": over_time.sum_over_time,
    "avg_over_time": over_time.avg_over_time,
    "count_over_time": over_time.count_over_time,
    "min_over_time": over_time.min_over_time,
    "max_over_time": over_time.max_over_time,
    "stddev_over_time": over_time.stddev_over_time,
    "stdvar_over_time": over_time.stdvar_over_time,
    "last_over_time": over_time.last_over_time,
    "first_over_time": over_time.first_over_time,
    "present_over_time": over_time.present_over_time,
    "mad_over_time": over_time.mad_over_time,
    "ts_of_first_over_time": over_time.ts_of_first_over_time,
    "ts_of_last_over_time": over_time.ts_of_last_over_time,
    "ts_of_max_over_time": over_time.ts_of_max_over_time,
    "ts_of_min_over_time": over_time.ts_of_min_over_time,
}

EXTRAPOLATED = {
    "rate": (True, True),
    "increase": (True, False),
    "delta": (False, False),
}
"""Functions of extrapolated: (is_counter, is_rate)."""

WITH_ARGUMENTS: dict[str, Callable[..., Result]] = {
    "predict_linear": trends.predict_linear,
    "double_exponential_smoothing": trends.double_exponential_smoothing,
    "quantile_over_time": over_time.quantile_over_time,
}
"""Kernels that take the function's other arguments, [T] each."""


def apply_kernel(function: str, windows: Windows, arguments: Sequence[F64], range_ms: int) -> Result:
    """The function of floats named `function` on these windows."""
    return prepared_kernel(function, windows, arguments, range_ms)(windows)


def prepared_kernel(function: str, windows: Windows, arguments: Sequence[F64], range_ms: int) -> Kernel:
    """The function, for blocks of these windows: what all their series have in common is worked out here, once."""
    if function in EXTRAPOLATED:
        is_counter, is_rate = EXTRAPOLATED[function]
        margins = rates.margins_of(windows)
        return partial(rates.extrapolated, margins=margins, is_counter=is_counter, is_rate=is_rate, range_ms=range_ms)
    if function in WITH_ARGUMENTS:
        return lambda block: WITH_ARGUMENTS[function](block, *arguments)
    return KERNELS[function]


_OF_STARTS = frozenset(("rate", "increase", "irate", "resets"))
"""Functions that take start timestamps into account."""

KEEPS_NAME = frozenset(("last_over_time", "first_over_time"))
_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


@dataclass(slots=True)
class _Output:
    """Where kernels' results gather. values, present [S,T]."""

    values: F64
    present: Mask

    def put(self, rows: I64, result: Result) -> None:
        values, present = result
        if len(rows) == len(self.values) and np.array_equal(rows, np.arange(len(rows))):
            self.values, self.present = values, np.array(present)
            return
        neighbours = len(rows) > 0 and bool((np.diff(rows) == 1).all())
        place = slice(int(rows[0]), int(rows[0]) + len(rows)) if neighbours else rows
        self.values[place] = values
        self.present[place] = present


@evaluates(Window)
def evaluate_window(node: Window, ctx: EvalContext) -> Frame:
    """A range function over the samples of its source. Raises: ExecutionError for bad factors."""
    return computed_once(node, ctx.grid, ctx.shared, ctx.notes, lambda: _evaluate_window(node, ctx))


def _evaluate_window(node: Window, ctx: EvalContext) -> Frame:
    arguments = [_scalar(argument, ctx) for argument in node.arguments]
    _check_arguments(node, arguments, ctx)
    _check_modifier(node)
    reaches = reaches_of(node, ctx, node.range_ms)
    selection = load(node.source, ctx, _reach(node, ctx, reaches))
    charge_frame(selection.size, ctx)
    past = selection.downsampled
    if past is not None:
        reaches = downsampled.window_reaches(node, selection, reaches, ctx)
    early = downsampled.early_steps(past, reaches) if past is not None and past.columns else 0
    late = [argument[early:] for argument in arguments]
    values, present = _over_samples(node, selection, downsampled.steps(reaches, slice(early, None)), late, ctx)
    if early:
        before = downsampled.over_buckets(node, selection, downsampled.steps(reaches, slice(early)), ctx)
        values, present = (np.concatenate(both, axis=1) for both in zip(before, (values, present), strict=True))
    frame = Frame(selection.labels, ctx.grid, values, present)
    _note_counters(node, frame, ctx)
    frame = window_histograms.overlay(node, selection, frame, reaches, ctx)
    return frame if node.function in KEEPS_NAME else dropped_names(frame, ctx, whole_series=True)


def _over_samples(
    node: Window, selection: Selection, reaches: Reaches, arguments: Sequence[F64], ctx: EvalContext
) -> Result:
    """The function over the samples, at the steps of `reaches`. values, present [S,t]."""
    shape = (selection.size, len(reaches.ends))
    output = _Output(np.zeros(shape), np.zeros(shape, bool))
    for piece in separate(selection.pieces, selection.size) if shape[1] else ():
        for part in without_stale(piece):
            ctx.budget.check()
            if part.values.size == 0:
                continue
            if node.modifier:
                output.put(part.rows, _extended(node, part, reaches, ctx))
                continue
            if selection.starts:
                output.put(part.rows, _with_starts(node, part, selection, reaches, ctx))
                continue
            windows = windows_of(part, reaches)
            kernel = prepared_kernel(node.function, windows, arguments, node.range_ms)
            for rows, block in row_blocks(windows):
                output.put(part.rows[rows], kernel(block))
    return output.values, output.present


def _scalar(node: PlanNode, ctx: EvalContext) -> F64:
    value = evaluate(node, ctx)
    assert isinstance(value, Scalar), "the checker lets only scalars stand beside a range"
    return value.values


def _reach(node: Window, ctx: EvalContext, reaches: Reaches) -> Reach:
    start, end = int(reaches.starts.min()), int(reaches.ends.max())
    start -= ctx.options.lookback_ms if node.modifier else 0
    end += ctx.options.lookback_ms if node.modifier == "smoothed" else 0
    starts = ctx.options.start_timestamps and node.function in _OF_STARTS and not node.modifier
    # Buckets do not know when their samples' counters began.
    hints = {"aggregates": not node.modifier and not starts, "start_timestamps": starts}
    return Reach(start, end, node.function, node.range_ms, ctx.grid.step_ms, **hints)


def _with_starts(node: Window, part: Piece, selection: Selection, reaches: Reaches, ctx: EvalContext) -> Result:
    """A function over samples some of which say since when they have been counting."""
    runs = as_runs(part)
    windows = windows_of(runs, reaches)
    rows = np.repeat(runs.rows, np.diff(runs.offsets))
    starts = starts_at(selection, rows, runs.times)
    _note_overlaps(node, rows[start_timestamps.overlapping(windows, starts)], selection, ctx)
    if node.function == "irate":
        return start_timestamps.instant_rate(windows, starts)
    if node.function == "resets":
        return start_timestamps.resets(windows, starts)
    return start_timestamps.extrapolated(windows, starts, is_rate=node.function == "rate", range_ms=node.range_ms)


def _note_overlaps(node: Window, rows: I64, selection: Selection, ctx: EvalContext) -> None:
    column = selection.labels.columns.get(METRIC_NAME)
    if node.function not in ("rate", "increase") or column is None:
        return
    for code in np.unique(column.codes[rows]).tolist():
        notes.overlapping_starts(column.values[code], node.first_span, ctx)


def _check_modifier(node: Window) -> None:
    known = extended.FUNCTIONS.get(node.modifier)
    if known is not None and node.function not in known:
        raise ExecutionError(
            f"{node.modifier} modifier can only be used with: {', '.join(known)} - not with {node.function}",
            span=node.span,
        )


def _extended(node: Window, part: Piece, reaches: Reaches, ctx: EvalContext) -> Result:
    """A function over an anchored or smoothed range."""
    smoothed = node.modifier == "smoothed"
    found = extended.borders(part, reaches, ctx.options.lookback_ms, smoothed=smoothed)
    if node.function in ("changes", "resets"):
        happened = rates.differed(found.values) if node.function == "changes" else rates.fell(found.values)
        return extended.extended_transitions(found, happened)
    is_counter, is_rate = EXTRAPOLATED[node.function]
    return extended.extended_change(
        found, is_counter=is_counter, is_rate=is_rate, smoothed=smoothed, range_ms=node.range_ms
    )


def _check_arguments(node: Window, arguments: Sequence[F64], ctx: EvalContext) -> None:
    if node.function == "double_exponential_smoothing":
        for name, factor, letters in (("smoothing", arguments[0], "sf"), ("trend", arguments[1], "tf")):
            bad = factor[(factor <= 0) | (factor >= 1)]
            if len(bad):
                raise ExecutionError(
                    f"invalid {name} factor. Expected: 0 < {letters} < 1, got: {bad[0]:f}", span=node.span
                )
    if node.function == "quantile_over_time":
        for quantile in np.unique(arguments[0]).tolist():
            if not 0 <= quantile <= 1:
                ctx.warn(f"quantile value should be between 0 and 1, got {short_float(quantile)}", node.first_span)


def _note_counters(node: Window, frame: Frame, ctx: EvalContext) -> None:
    """Say where rate or increase is asked of something whose name is not a counter's."""
    column = frame.labels.columns.get(METRIC_NAME)
    if node.function not in ("rate", "increase") or column is None or ctx.options.logql:
        return
    used = np.unique(column.codes[frame.present.any(axis=1)])
    for name in (column.values[code] for code in used.tolist()):
        if name and not name.endswith(_COUNTER_SUFFIXES):
            message = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
            ctx.info(f'{message}"{name}"', node.first_span)


@loads(Subquery)
def load_subquery(node: Subquery, ctx: EvalContext, reach: Reach) -> Selection:
    """The child at every multiple of the step in (reach.start_ms, reach.end_ms], as one tile."""
    first = (reach.start_ms // node.step_ms + 1) * node.step_ms
    last = reach.end_ms // node.step_ms * node.step_ms
    if last < first:
        return Selection(LabelTable(0))
    grid = StepGrid(first, last, node.step_ms)
    frame = evaluate_frame(node.child, ctx.on(grid))
    if frame.size == 0:
        return Selection(frame.labels)
    rows, times = np.arange(frame.size), grid.times()
    floats = floats_of(frame)
    tile = SampleTile(rows, times, np.ascontiguousarray(frame.values), floats, False)
    if frame.histograms is None:
        return Selection(frame.labels, [tile])
    return Selection(frame.labels, [tile], [_histogram_runs(frame, frame.present & ~floats, rows, times)])


def _histogram_runs(frame: Frame, chosen: Mask, rows: I64, times: I64) -> HistogramRuns:
    """A frame's histograms as samples. Explicit reset hints mean nothing any more where samples were skipped or repeated."""
    assert frame.histograms is not None
    offsets = np.concatenate([[0], np.cumsum(chosen.sum(axis=1))]).astype(np.int64)
    values = frame.histograms[chosen]
    for at, histogram in enumerate(values.tolist()):
        if histogram.reset_hint in (ResetHint.RESET, ResetHint.NOT_RESET):
            values[at] = histogram.with_hint(ResetHint.UNKNOWN)
    return HistogramRuns(rows, offsets, np.broadcast_to(times, chosen.shape)[chosen], values)
