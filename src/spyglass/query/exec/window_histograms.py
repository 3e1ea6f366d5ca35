"""Range functions over series that hold native histograms: window by window, as objects.

Only the series that have any histogram in reach come here. Source: Prometheus promql/functions.go.
"""

import bisect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.histogram_arithmetic import Combined, IncompatibleSchemas, add, is_reset, subtract, to_schema
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import METRIC_NAME
from spyglass.model.samples import Selection, is_stale_histogram
from spyglass.query.exec import histogram_sums, notes
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.select import joined_histograms
from spyglass.query.kernels.windows import Reaches, as_runs, separate, without_stale
from spyglass.query.plan.nodes import Window

Sample = float | FloatHistogram


@dataclass(frozen=True, slots=True)
class Range:
    """One window of one series: floats and histograms with their times, oldest first, and what is needed to speak of it."""

    float_times: Sequence[int]
    floats: Sequence[float]
    hist_times: Sequence[int]
    histograms: Sequence[FloatHistogram]
    start_ms: int
    end_ms: int
    name: str
    node: Window
    ctx: EvalContext


@dataclass(frozen=True, slots=True)
class _Series:
    float_times: list[int]
    floats: list[float]
    hist_times: list[int]
    histograms: list[FloatHistogram]


def overlay(node: Window, selection: Selection, frame: Frame, reaches: Reaches, ctx: EvalContext) -> Frame:
    """The frame of the float kernels, with the rows that hold histograms done over."""
    series = _series_with_histograms(selection)
    if not series:
        return frame
    if node.modifier:
        raise ExecutionError("smoothed and anchored modifiers do not work with native histograms", span=node.span)
    values, present = np.array(frame.values), np.array(frame.present)
    histograms = np.full(values.shape, None, object)
    column = selection.labels.columns.get(METRIC_NAME)
    starts, ends = reaches.starts.tolist(), reaches.ends.tolist()
    for row, samples in series.items():
        ctx.budget.check()
        name = "" if column is None else column.values[int(column.codes[row])]
        for step in range(len(ends)):
            window = _range(samples, starts[step], ends[step], name, node, ctx)
            if not window.histograms:
                # Only floats here: the kernels have done it.
                continue
            if node.function not in _FUNCTIONS:
                # These know floats only: the kernel's result stands, where there is one, but the histograms are worth a note.
                if window.floats:
                    notes.ignored_in_range(name, node.first_span, ctx)
                continue
            result = _FUNCTIONS[node.function](window)
            present[row, step] = result is not None
            if isinstance(result, FloatHistogram):
                histograms[row, step] = result
            elif result is not None:
                values[row, step] = result
    return Frame(frame.labels, frame.grid, values, present, histograms)


def _series_with_histograms(selection: Selection) -> dict[int, _Series]:
    """By row, the samples of all series that have a histogram; stale markers left out."""
    out: dict[int, _Series] = {}
    if not selection.histograms:
        return out
    runs = joined_histograms(selection)
    for index, row in enumerate(runs.rows.tolist()):
        between = slice(int(runs.offsets[index]), int(runs.offsets[index + 1]))
        kept = [
            (t, h)
            for t, h in zip(runs.times[between].tolist(), runs.values[between].tolist(), strict=True)
            if not is_stale_histogram(h)
        ]
        if kept:
            out[row] = _Series([], [], [t for t, _ in kept], [h for _, h in kept])
    for piece in separate(selection.pieces, selection.size):
        for part in without_stale(piece):
            floats = as_runs(part)
            for index, row in enumerate(floats.rows.tolist()):
                if row in out:
                    between = slice(int(floats.offsets[index]), int(floats.offsets[index + 1]))
                    out[row].float_times.extend(floats.times[between].tolist())
                    out[row].floats.extend(floats.values[between].tolist())
    return out


def _range(series: _Series, start: int, end: int, name: str, node: Window, ctx: EvalContext) -> Range:
    first, last = bisect.bisect_right(series.float_times, start), bisect.bisect_right(series.float_times, end)
    low, high = bisect.bisect_right(series.hist_times, start), bisect.bisect_right(series.hist_times, end)
    return Range(
        series.float_times[first:last],
        series.floats[first:last],
        series.hist_times[low:high],
        series.histograms[low:high],
        start,
        end,
        name,
        node,
        ctx,
    )


def _merged(window: Range) -> list[Sample]:
    """All samples in order of time."""
    pairs: list[tuple[int, Sample]] = [
        *zip(window.float_times, window.floats, strict=True),
        *zip(window.hist_times, window.histograms, strict=True),
    ]
    pairs.sort(key=lambda pair: pair[0])
    return [sample for _, sample in pairs]


# rate, increase, delta


def _extrapolated(window: Range) -> Sample | None:
    is_counter = window.node.function != "delta"
    if window.floats:
        notes.mixed_samples(window.name, window.node.first_span, window.ctx)
        return None
    points = window.histograms
    if len(points) < 2:
        return None
    change = _histogram_change(window, is_counter=is_counter)
    if change is None:
        return None
    sampled = (window.hist_times[-1] - window.hist_times[0]) / 1000
    average = sampled / (len(points) - 1)
    to_start = (window.hist_times[0] - window.start_ms) / 1000
    to_end = (window.end_ms - window.hist_times[-1]) / 1000
    if to_start >= average * 1.1:
        to_start = average / 2
    if is_counter and change.count > 0 and points[0].count >= 0:
        to_start = min(to_start, sampled * (points[0].count / change.count))
    if to_end >= average * 1.1:
        to_end = average / 2
    factor = (sampled + to_start + to_end) / sampled
    if window.node.function == "rate":
        factor /= window.node.range_ms / 1000
    return change.scaled(factor)


def _histogram_change(window: Range, *, is_counter: bool) -> FloatHistogram | None:
    """The last histogram less the first, with what was lost at resets; None where they do not go together."""
    points, ctx, span = window.histograms, window.ctx, window.node.first_span
    before, last = points[0], points[-1]
    if is_counter and any(p.reset_hint is ResetHint.GAUGE for p in points):
        notes.not_a_counter(window.name, span, ctx)
    if is_counter and is_reset(points[1], before):
        # The first sample is of no interest, so its layout may not get in the way.
        before = FloatHistogram(schema=points[1].schema, custom_values=points[1].custom_values)
    middle = points[1:-1] if is_counter else []
    if any(p.is_custom != before.is_custom for p in (last, *middle)):
        notes.mixed_schemas(window.name, span, ctx)
        return None
    if not last.is_custom:
        last = to_schema(last, min(p.schema for p in (before, last, *middle)))
    result = _noted(window, subtract, last, before, "subtraction")
    if is_counter:
        for current in points[1:]:
            if result is None:
                return None
            if is_reset(current, before):
                result = _noted(window, add, result, before, "addition")
            before = current
    elif points[0].reset_hint is not ResetHint.GAUGE or points[-1].reset_hint is not ResetHint.GAUGE:
        notes.not_a_gauge(window.name, span, ctx)
    return None if result is None else result.with_hint(ResetHint.GAUGE).compacted()


def _noted(
    window: Range,
    combine: Callable[[FloatHistogram, FloatHistogram], Combined],
    left: FloatHistogram,
    right: FloatHistogram,
    operation: str,
) -> FloatHistogram | None:
    """A combination; colliding hints are no news here, since resets are treated explicitly."""
    try:
        result = combine(left, right)
    except IncompatibleSchemas:
        notes.mixed_schemas(window.name, window.node.first_span, window.ctx)
        return None
    if result.bounds_reconciled:
        notes.reconciled_bounds(operation, window.node.first_span, window.ctx)
    return result.histogram


# irate, idelta


def _instant_change(window: Range) -> Sample | None:
    is_rate = window.node.function == "irate"
    pairs: list[tuple[int, Sample]] = [
        *list(zip(window.float_times, window.floats, strict=True))[-2:],
        *list(zip(window.hist_times, window.histograms, strict=True))[-2:],
    ]
    pairs.sort(key=lambda pair: pair[0])
    if len(pairs) < 2:
        return None
    (before_ms, before), (last_ms, last) = pairs[-2:]
    if last_ms == before_ms:
        return None
    if isinstance(before, FloatHistogram) and isinstance(last, FloatHistogram):
        change = _last_histogram_change(window, before, last, is_rate=is_rate)
        if change is None or not is_rate:
            return change
        return change.divided((last_ms - before_ms) / 1000)
    if isinstance(before, FloatHistogram) or isinstance(last, FloatHistogram):
        notes.mixed_samples(window.name, window.node.first_span, window.ctx)
        return None
    change_of_floats = last if is_rate and last < before else last - before
    return change_of_floats / ((last_ms - before_ms) / 1000) if is_rate else change_of_floats


def _last_histogram_change(
    window: Range, before: FloatHistogram, last: FloatHistogram, *, is_rate: bool
) -> FloatHistogram | None:
    hints = (before.reset_hint, last.reset_hint)
    if is_rate and ResetHint.GAUGE in hints:
        notes.not_a_counter(window.name, window.node.first_span, window.ctx)
    if not is_rate and hints != (ResetHint.GAUGE, ResetHint.GAUGE):
        notes.not_a_gauge(window.name, window.node.first_span, window.ctx)
    result: FloatHistogram | None = last
    if not is_rate or not is_reset(last, before):
        result = _noted(window, subtract, last, before, "subtraction")
    return None if result is None else result.with_hint(ResetHint.GAUGE).compacted()


# _over_time


def _added_up(window: Range) -> Sample | None:
    span = window.node.first_span
    if window.floats:
        notes.mixed_samples(window.name, span, window.ctx)
        return None
    sum_of = histogram_sums.total if window.node.function == "sum_over_time" else histogram_sums.mean
    result = sum_of(window.histograms)
    if result.histogram is None:
        notes.mixed_schemas(window.name, span, window.ctx)
        return None
    if result.hint_collision:
        notes.conflicting_resets("aggregation", span, window.ctx)
    if result.bounds_reconciled:
        notes.reconciled_bounds("aggregation", span, window.ctx)
    return result.histogram


def _resets(window: Range) -> Sample:
    samples = _merged(window)
    return float(sum(_fell(a, b) for a, b in pairwise(samples)))


def _fell(before: Sample, after: Sample) -> bool:
    if isinstance(before, FloatHistogram) and isinstance(after, FloatHistogram):
        return is_reset(after, before)
    if isinstance(before, FloatHistogram) or isinstance(after, FloatHistogram):
        return True
    return after < before


def _changes(window: Range) -> Sample:
    samples = _merged(window)
    return float(sum(_differs(a, b) for a, b in pairwise(samples)))


def _differs(before: Sample, after: Sample) -> bool:
    if isinstance(before, FloatHistogram) and isinstance(after, FloatHistogram):
        return not after.same_as(before)
    if isinstance(before, FloatHistogram) or isinstance(after, FloatHistogram):
        return True
    return before != after and not (math.isnan(before) and math.isnan(after))


def _times(window: Range) -> I64:
    return np.array([*window.float_times, *window.hist_times])


_FUNCTIONS: dict[str, Callable[[Range], Sample | None]] = {
    "rate": _extrapolated,
    "increase": _extrapolated,
    "delta": _extrapolated,
    "irate": _instant_change,
    "idelta": _instant_change,
    "sum_over_time": _added_up,
    "avg_over_time": _added_up,
    "count_over_time": lambda w: float(len(w.floats) + len(w.histograms)),
    "present_over_time": lambda _: 1.0,
    "first_over_time": lambda w: _merged(w)[0],
    "last_over_time": lambda w: _merged(w)[-1],
    "resets": _resets,
    "changes": _changes,
    "ts_of_first_over_time": lambda w: float(_times(w).min()) / 1000,
    "ts_of_last_over_time": lambda w: float(_times(w).max()) / 1000,
}
