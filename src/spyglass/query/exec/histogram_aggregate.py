"""Aggregations where histograms take part. Source: Prometheus promql/engine.go, aggregation."""

import numpy as np

from spyglass.model.arrays import F64, I64, Mask, Objects
from spyglass.model.frame import Frame
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME
from spyglass.query.exec import histogram_sums, notes
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import floats_of
from spyglass.query.exec.reductions import reduce_floats
from spyglass.query.kernels.groups import Groups
from spyglass.query.plan.nodes import Aggregate

_COUNTING = frozenset(("count", "group"))


def reduce(
    node: Aggregate, frame: Frame, groups: Groups, group_ids: I64, wanted: F64 | None, ctx: EvalContext
) -> tuple[F64, Mask, Objects | None]:
    """values, present, histograms of each group and step [G,T]. Only sum and avg make histograms of histograms."""
    if node.op in _COUNTING:
        values = reduce_floats(node.op, groups, frame.values, frame.present)
        return values, groups.count(frame.present) > 0, None
    if node.op not in ("sum", "avg"):
        present = floats_only(node, frame, ctx)
        values = reduce_floats(node.op, groups, frame.values, present, wanted)
        return values, groups.count(present) > 0, None
    return _added_up(node, frame, groups, group_ids, ctx)


def floats_only(node: Aggregate, frame: Frame, ctx: EvalContext) -> Mask:
    """The floats; says so where histograms are left out."""
    floats = floats_of(frame)
    if (frame.present & ~floats).any():
        span = node.span if node.op in ("topk", "bottomk") else node.child_span
        notes.ignored_in_aggregation(node.op, span, ctx)
    return floats


def _added_up(
    node: Aggregate, frame: Frame, groups: Groups, group_ids: I64, ctx: EvalContext
) -> tuple[F64, Mask, Objects]:
    assert frame.histograms is not None
    floats = floats_of(frame)
    values = reduce_floats(node.op, groups, frame.values, floats)
    has_floats = groups.count(floats) > 0
    has_histograms = groups.count(frame.present & ~floats) > 0
    if (has_floats & has_histograms).any():
        notes.mixed_in_aggregation(node.child_span, ctx)
    histograms = np.full(values.shape, None, object)
    present = has_floats & ~has_histograms
    name = frame.labels.columns.get(METRIC_NAME)
    for group, step in np.argwhere(has_histograms & ~has_floats).tolist():
        members = np.flatnonzero((group_ids == group) & frame.present[:, step])
        result = _one(node, frame.histograms[members, step].tolist(), ctx)
        if result is None:
            last = "" if name is None else name.values[int(name.codes[members[-1]])]
            notes.mixed_schemas(last, node.child_span, ctx)
            continue
        histograms[group, step], present[group, step] = result, True
    return values, present, histograms


def _one(node: Aggregate, members: list[FloatHistogram], ctx: EvalContext) -> FloatHistogram | None:
    """The sum or mean of one group's histograms at one step; None where schemas do not go together."""
    ctx.budget.check()
    result = histogram_sums.total(members) if node.op == "sum" else histogram_sums.mean(members)
    if result.bounds_reconciled:
        notes.reconciled_bounds("aggregation", node.child_span, ctx)
    if result.histogram is None:
        return None
    if result.hint_collision:
        notes.conflicting_resets("aggregation", node.child_span, ctx)
    return result.histogram.compacted()
