"""histogram_quantile and histogram_fraction: classic histograms in columns, native ones as objects.

Series that differ only in `le` form one classic histogram. Those with the same number of buckets at the same steps are computed
together; a histogram whose buckets come and go is cut into stretches in which they do not.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import Span
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, LabelColumn, LabelTable
from spyglass.query.exec import native_functions, notes
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import argument_frame, argument_scalar, argument_text, floats_of
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.sets import stacked
from spyglass.query.exec.values import Value
from spyglass.query.format import short_float
from spyglass.query.kernels import buckets
from spyglass.query.plan.nodes import Call

BUCKET_LABEL = "le"


@dataclass(frozen=True, slots=True)
class Classic:
    """The classic histograms of a frame. rows [R]: frame rows sorted by (histogram, bound); bounds [R]; owner [R]: histogram numbers.

    labels: G rows, without le but with the name.
    """

    rows: I64
    bounds: F64
    owner: I64
    labels: LabelTable


@dataclass(frozen=True, slots=True)
class Cluster:
    """Histograms of equal shape. histograms [g]; bounds [g,B]; counts [g,B,t]; steps [t]."""

    histograms: I64
    bounds: F64
    counts: F64
    steps: I64


ClusterKernel = Callable[[Cluster], F64]


def classic_histograms(frame: Frame, ctx: EvalContext, node: Call, index: int) -> Classic:
    """Which rows are buckets of which histogram. Warns of float rows without a usable `le`."""
    column = frame.labels.columns.get(BUCKET_LABEL, LabelColumn.constant("", frame.size)).compact()
    parsed = np.array([_bound(value) for value in column.values])
    bounds = parsed[column.codes]
    floats = floats_of(frame).any(axis=1)
    _warn_bad_bounds(frame, column, floats & np.isnan(bounds), ctx, node, index)
    rows = np.flatnonzero(floats & ~np.isnan(bounds))
    labels = frame.labels.take(rows).without((BUCKET_LABEL,))
    owner, first = labels.group_ids()
    order = np.lexsort((bounds[rows], owner))
    return Classic(rows[order], bounds[rows][order], owner[order], labels.take(first))


def _bound(text: str) -> float:
    """The number of an `le`; NaN where it is none (NaN itself is no bound either)."""
    try:
        return float(text.replace("_", "x"))
    except ValueError:
        return np.nan


def _warn_bad_bounds(frame: Frame, column: LabelColumn, bad: Mask, ctx: EvalContext, node: Call, index: int) -> None:
    if not bad.any():
        return
    seen = frame.labels.only((METRIC_NAME,)).replaced(BUCKET_LABEL, column).take(np.flatnonzero(bad))
    _, first = seen.group_ids()
    for labels in seen.take(first).all_labels():
        values = dict(labels)
        message = f'bucket label "le" is missing or has a malformed value of "{values.get(BUCKET_LABEL, "")}"'
        ctx.warn(message + notes.for_metric(values.get(METRIC_NAME, "")), node.argument_spans[index])


def clusters(classic: Classic, frame: Frame) -> Iterator[Cluster]:
    """The histograms in clusters of equal shape."""
    if len(classic.rows) == 0:
        return
    present, values = floats_of(frame)[classic.rows], frame.values[classic.rows]
    count = classic.labels.size
    sizes = np.bincount(classic.owner, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    same_bound = np.zeros(count, bool)
    twins = (classic.owner[1:] == classic.owner[:-1]) & (classic.bounds[1:] == classic.bounds[:-1])
    same_bound[classic.owner[1:][twins]] = True
    # A histogram is even where at every step all of its buckets are there, or none.
    seen = np.add.reduceat(present.astype(np.int64), starts, axis=0)
    even = ((seen == 0) | (seen == sizes[:, None])).all(axis=1) & ~same_bound
    all_steps = np.arange(values.shape[1])
    for size in np.unique(sizes[even]).tolist():
        chosen = np.flatnonzero(even & (sizes == size))
        rows = starts[chosen][:, None] + np.arange(size)
        yield Cluster(chosen, classic.bounds[rows], values[rows], all_steps)
    for alike in _alike(np.flatnonzero(~even), starts, sizes, classic.bounds, present):
        rows = starts[alike][:, None] + np.arange(sizes[alike[0]])
        yield from _uneven(alike, classic.bounds[rows[0]], values[rows], present[rows[0]])


def _alike(histograms: I64, starts: I64, sizes: I64, bounds: F64, present: Mask) -> Iterator[I64]:
    """Some histograms in groups whose bounds are equal, and whose buckets come and go together: those of one deploy, say."""
    groups: dict[tuple[bytes, bytes], list[int]] = {}
    for histogram in histograms.tolist():
        rows = slice(starts[histogram], starts[histogram] + sizes[histogram])
        groups.setdefault((bounds[rows].tobytes(), present[rows].tobytes()), []).append(histogram)
    return (np.array(group) for group in groups.values())


def _uneven(histograms: I64, bounds: F64, values: F64, present: Mask) -> Iterator[Cluster]:
    """A cluster for every set of buckets that occurs; buckets with equal bounds are added up.

    histograms [g]; values [g,B,T]; bounds [B] and present [B,T] are those of each.
    """
    patterns, which = np.unique(present.T, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        steps = np.flatnonzero(which.reshape(-1) == number)
        if not pattern.any():
            continue
        distinct, place = np.unique(bounds[pattern], return_inverse=True)
        counts = np.zeros((len(distinct), len(histograms), len(steps)))
        np.add.at(counts, place, values[:, pattern][:, :, steps].swapaxes(0, 1))
        yield Cluster(histograms, np.tile(distinct, (len(histograms), 1)), counts.swapaxes(0, 1), steps)


def evaluate_classic(classic: Classic, frame: Frame, kernel: ClusterKernel, ctx: EvalContext) -> Frame:
    """The kernel's value for every histogram and step where it has buckets."""
    shape = (classic.labels.size, ctx.grid.count)
    values, present = np.zeros(shape), np.zeros(shape, bool)
    if len(classic.rows):
        np.logical_or.at(present, classic.owner, floats_of(frame)[classic.rows])
    for cluster in clusters(classic, frame):
        ctx.budget.check()
        values[np.ix_(cluster.histograms, cluster.steps)] = kernel(cluster)
    return Frame(classic.labels, ctx.grid, values, present)


def _combined(classic: Frame, native: Frame | None, ctx: EvalContext) -> Frame:
    result = classic if native is None else stacked(classic, native)
    if ctx.options.delayed_names:
        return replace(result, drop_names=np.ones(result.size, bool))
    return dropped_names(result, ctx)


def _warn_quantile(wanted: F64, span_index: int, node: Call, ctx: EvalContext) -> None:
    for value in np.unique(wanted).tolist():
        if not 0 <= value <= 1:
            message = f"quantile value should be between 0 and 1, got {short_float(value)}"
            ctx.warn(message, node.argument_spans[span_index])


def histogram_quantile(node: Call, ctx: EvalContext) -> Value:
    """histogram_quantile(q, histograms)."""
    wanted = argument_scalar(node.arguments[0], ctx)
    frame = argument_frame(node, ctx, 1)
    _warn_quantile(wanted, 0, node, ctx)
    return _quantiles(node, frame, wanted, (1, 1, 1), ctx)


def histogram_quantiles(node: Call, ctx: EvalContext) -> Value:
    """histogram_quantiles(histograms, label, q...): a row per histogram and quantile, labelled with the quantile."""
    frame = argument_frame(node, ctx, 0)
    label = argument_text(node.arguments[1], ctx)
    result: Frame | None = None
    for index in range(2, len(node.arguments)):
        wanted = argument_scalar(node.arguments[index], ctx)
        _warn_quantile(wanted, index, node, ctx)
        found = _quantiles(node, frame, wanted, (0, 0, 0), ctx)
        text = _openmetrics_float(float(wanted[0])) if len(wanted) else ""
        found = replace(found, labels=found.labels.replaced(label, LabelColumn.constant(text, found.size)))
        result = found if result is None else stacked(result, found)
    assert result is not None, "the checker asks for one quantile"
    return result


def _openmetrics_float(value: float) -> str:
    """1 is written 1.0, as in an exposition."""
    text = short_float(value)
    return text if any(char in text for char in ".eIN") else f"{text}.0"


def _quantiles(node: Call, frame: Frame, wanted: F64, places: tuple[int, int, int], ctx: EvalContext) -> Frame:
    """places: the arguments that native notes, bucket warnings and monotonicity notes point at."""
    native_at, buckets_at, forced_at = places
    frame, native = native_functions.split(frame, node, buckets_at, ctx)
    classic = classic_histograms(frame, ctx, node, buckets_at)

    def kernel(cluster: Cluster) -> F64:
        values, forced = buckets.quantile(cluster.bounds, cluster.counts, wanted[cluster.steps])
        _note_forced(classic, cluster, forced, node.argument_spans[forced_at], ctx)
        return values

    found = evaluate_classic(classic, frame, kernel, ctx)
    natives = None if native is None else native_functions.quantiles(native, wanted, node, native_at, ctx)
    return _combined(found, natives, ctx)


def _note_forced(classic: Classic, cluster: Cluster, forced: buckets.Forced, span: Span, ctx: EvalContext) -> None:
    for at, histogram in enumerate(cluster.histograms.tolist()):
        steps = np.flatnonzero(forced.happened[at])
        if len(steps) == 0:
            continue
        name = dict(classic.labels.labels(histogram)).get(METRIC_NAME, "") if ctx.options.delayed_names else ""
        native_functions.note_forced_monotonicity(name, forced, at, steps, cluster.steps, span, ctx)


def histogram_fraction(node: Call, ctx: EvalContext) -> Value:
    """histogram_fraction(lower, upper, histograms)."""
    lower, upper = (argument_scalar(argument, ctx) for argument in node.arguments[:2])
    frame = argument_frame(node, ctx, 2)
    frame, native = native_functions.split(frame, node, 2, ctx)
    classic = classic_histograms(frame, ctx, node, 2)
    found = evaluate_classic(
        classic, frame, lambda c: buckets.fraction(c.bounds, c.counts, lower[c.steps], upper[c.steps]), ctx
    )
    natives = None if native is None else native_functions.fractions(native, lower, upper, node, ctx)
    return _combined(found, natives, ctx)
