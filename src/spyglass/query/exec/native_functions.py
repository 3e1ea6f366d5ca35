"""Functions of native histograms: histogram_count and relatives, and the native half of histogram_quantile and _fraction."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import Span
from spyglass.model.frame import Frame
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, LabelTable
from spyglass.query.exec import notes
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import argument_frame, floats_of
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.values import Value
from spyglass.query.format import short_float
from spyglass.query.kernels import native_quantiles
from spyglass.query.kernels.buckets import Forced
from spyglass.query.plan.nodes import Call


def _average(histogram: FloatHistogram) -> float:
    with np.errstate(all="ignore"):
        return float(np.divide(histogram.sum, histogram.count))


def _deviation(histogram: FloatHistogram) -> float:
    variance = native_quantiles.variance(histogram)
    return math.sqrt(variance) if variance >= 0 else math.nan


MEASURES: dict[str, Callable[[FloatHistogram], float]] = {
    "histogram_count": lambda h: h.count,
    "histogram_sum": lambda h: h.sum,
    "histogram_avg": _average,
    "histogram_stdvar": native_quantiles.variance,
    "histogram_stddev": _deviation,
}


def evaluate_measure(node: Call, ctx: EvalContext) -> Value:
    """A number of each histogram; floats are left out."""
    frame = argument_frame(node, ctx)
    return dropped_names(_measured(frame, lambda h, _: MEASURES[node.function](h)), ctx)


def _measured(frame: Frame, measure: Callable[[FloatHistogram, int], float]) -> Frame:
    """measure of each histogram (and step number) as floats."""
    values = np.zeros(frame.values.shape)
    present = frame.present & ~floats_of(frame)
    if frame.histograms is not None:
        for row, step in np.argwhere(present).tolist():
            values[row, step] = measure(frame.histograms[row, step], step)
    return Frame(frame.labels, frame.grid, values, present, None, frame.drop_names)


def split(frame: Frame, node: Call, index: int, ctx: EvalContext) -> tuple[Frame, Frame | None]:
    """The frame without histograms, and with only those, less what is there in both kinds.

    Where a native histogram and classic buckets of the same name and labels meet at a step, neither counts, with a warning.
    """
    if frame.histograms is None:
        return frame, None
    floats = floats_of(frame)
    native = frame.present & ~floats
    if not native.any():
        return replace(frame, histograms=None, present=floats), None
    clash = _clashes(frame, floats, native)
    if clash.any():
        _warn_clashes(frame, clash & native, node, index, ctx)
        floats, native = floats & ~clash, native & ~clash
    return replace(frame, present=floats, histograms=None), replace(frame, present=native)


def _clashes(frame: Frame, floats: Mask, native: Mask) -> Mask:
    """Where classic and native samples of one histogram meet [S,T]. Rows without `le` are no buckets."""
    le = frame.labels.columns.get("le")
    has_le = np.zeros(frame.size, bool) if le is None else le.codes != 0
    ids, first = frame.labels.without(("le",)).group_ids()
    shape = (len(first), frame.grid.count)
    classic_seen, native_seen = np.zeros(shape, bool), np.zeros(shape, bool)
    np.logical_or.at(classic_seen, ids, floats & has_le[:, None])
    np.logical_or.at(native_seen, ids, native)
    both: Mask = (classic_seen & native_seen)[ids]
    return both


def _warn_clashes(frame: Frame, clash: Mask, node: Call, index: int, ctx: EvalContext) -> None:
    rows = np.flatnonzero(clash.any(axis=1))
    for name in dict.fromkeys(_names(frame.labels.take(rows))):
        notes.mixed_classic_native(name, node.argument_spans[index], ctx)


def _names(labels: LabelTable) -> list[str]:
    column = labels.columns.get(METRIC_NAME)
    return [""] * labels.size if column is None else column.decode()


def quantiles(native: Frame, wanted: F64, node: Call, index: int, ctx: EvalContext) -> Frame:
    """The quantile of each histogram; notes where NaN was observed."""
    found = _measured(native, lambda h, step: native_quantiles.quantile(float(wanted[step]), h))
    head = "input to histogram_quantile has NaN observations, result is "
    for row, name, step in _with_nan_observations(native):
        if 0 <= wanted[step] <= 1:
            what = "NaN" if math.isnan(found.values[row, step]) else "skewed higher"
            ctx.info(head + what + notes.for_metric(name), node.argument_spans[index])
    return found


def fractions(native: Frame, lower: F64, upper: F64, node: Call, ctx: EvalContext) -> Frame:
    """The fraction of each histogram; notes where NaN was observed."""
    text = "input to histogram_fraction has NaN observations, which are excluded from all fractions"
    for _, name, step in _with_nan_observations(native):
        if lower[step] < upper[step]:
            ctx.info(text + notes.for_metric(name), node.argument_spans[2])
    return _measured(native, lambda h, step: native_quantiles.fraction(float(lower[step]), float(upper[step]), h))


def _with_nan_observations(native: Frame) -> list[tuple[int, str, int]]:
    assert native.histograms is not None
    names = _names(native.labels)
    return [
        (row, names[row], step)
        for row, step in np.argwhere(native.present).tolist()
        if native_quantiles.has_nan_observations(native.histograms[row, step])
    ]


def note_forced_monotonicity(
    name: str, forced: Forced, at: int, happened: I64, steps: I64, span: Span, ctx: EvalContext
) -> None:
    """Say that bucket counts of one histogram had to be made monotonic: where, how far, and when."""
    lowest, highest = forced.lowest[at, happened].min(), forced.highest[at, happened].max()
    difference = forced.difference[at, happened].max()
    times = ctx.grid.times()[steps[happened]]
    text = "input to histogram_quantile needed to be fixed for monotonicity "
    text += "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
    text += f"{notes.for_metric(name)}, from buckets {short_float(float(lowest))} to {short_float(float(highest))}, "
    text += f"with a max diff of {difference:.2g}, over {len(happened)} samples from {_time(times[0])} to {_time(times[-1])}"
    ctx.info(text, span)


def _time(time_ms: int) -> str:
    return str(np.datetime64(int(time_ms), "ms").astype("datetime64[s]")) + "Z"
