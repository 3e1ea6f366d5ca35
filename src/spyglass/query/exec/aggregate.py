"""Aggregations over vectors: sum, avg, topk and the others, by or without labels."""

from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, LabelColumn, Labels, LabelTable
from spyglass.query.exec import histogram_aggregate
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.reductions import reduce_floats
from spyglass.query.exec.registry import evaluate, evaluate_frame, evaluates
from spyglass.query.exec.select import charge_frame
from spyglass.query.exec.values import Scalar, TextValue
from spyglass.query.format import format_float, short_float
from spyglass.query.kernels import groups as kernels
from spyglass.query.kernels.groups import Groups
from spyglass.query.kernels.xxhash import xxh64
from spyglass.query.plan.nodes import Aggregate
from spyglass.query.syntax.quoting import quote

_WORK_BYTES = 16
"""What folding takes for a moment per value: a masked copy, and a sorted one."""

SELECTING = frozenset(("topk", "bottomk", "limitk", "limit_ratio"))
"""Aggregations whose results are some of their inputs."""


@evaluates(Aggregate)
def evaluate_aggregate(node: Aggregate, ctx: EvalContext) -> Frame:
    """Raises: ExecutionError for parameters that cannot be used."""
    parameter = None if node.parameter is None else evaluate(node.parameter, ctx)
    frame = evaluate_frame(node.child, ctx)
    ctx.budget.check()
    if node.op == "count_values":
        assert isinstance(parameter, TextValue)
        return _count_values(node, frame, parameter.text)
    if node.op in SELECTING:
        assert isinstance(parameter, Scalar)
        return _selected(node, frame, parameter.values, ctx)
    wanted = parameter.values if isinstance(parameter, Scalar) else None
    return _reduced(node, frame, wanted, ctx)


def grouping_table(node: Aggregate, labels: LabelTable) -> LabelTable:
    """The labels that tell groups apart, and that results keep."""
    if node.without:
        return labels.without((*node.labels, METRIC_NAME))
    return labels.only(node.labels)


def _reduced(node: Aggregate, frame: Frame, wanted: F64 | None, ctx: EvalContext) -> Frame:
    """One row per group."""
    kept = grouping_table(node, frame.labels)
    group_ids, first_rows = kept.group_ids()
    groups = Groups.of(group_ids, len(first_rows))
    labels = kept.take(first_rows)
    charge_frame(len(first_rows), ctx)
    drop = _group_marks(frame, group_ids, len(first_rows))
    if node.op == "quantile":
        assert wanted is not None
        _warn_quantiles(node, wanted, ctx)
    work = frame.values.size * _WORK_BYTES
    ctx.budget.charge_bytes(work)
    if frame.histograms is not None:
        values, present, histograms = histogram_aggregate.reduce(node, frame, groups, group_ids, wanted, ctx)
        return Frame(labels, ctx.grid, values, present, histograms, drop)
    values = reduce_floats(node.op, groups, frame.values, frame.present, wanted)
    present = groups.any(frame.present)
    ctx.budget.charge_bytes(-work)
    return Frame(labels, ctx.grid, values, present, None, drop)


def _group_marks(frame: Frame, group_ids: I64, count: int) -> Mask | None:
    """Delayed name removal: a group loses its name if any member does."""
    if frame.drop_names is None:
        return None
    marks = np.zeros(count, bool)
    np.logical_or.at(marks, group_ids, frame.drop_names)
    return marks


def _warn_quantiles(node: Aggregate, wanted: F64, ctx: EvalContext) -> None:
    span = None if node.parameter is None else node.parameter.span
    bad = ([np.nan] if np.isnan(wanted).any() else []) + [
        extreme
        for extreme in (np.nanmax(wanted, initial=-np.inf), np.nanmin(wanted, initial=np.inf))
        if np.isfinite(extreme) and not 0 <= extreme <= 1
    ]
    for quantile in bad:
        ctx.warn(f"quantile value should be between 0 and 1, got {short_float(float(quantile))}", span)


# topk, bottomk, limitk, limit_ratio


def _selected(node: Aggregate, frame: Frame, wanted: F64, ctx: EvalContext) -> Frame:
    """The rows that some step keeps, in order of merit for an instant."""
    _check_limits(node, wanted, ctx)
    present = frame.present
    if frame.histograms is not None and node.op in ("topk", "bottomk"):
        present = histogram_aggregate.floats_only(node, frame, ctx)
    group_ids, first_rows = grouping_table(node, frame.labels).group_ids()
    order = np.arange(frame.size)
    if node.op == "limit_ratio":
        kept = present & _within_ratio(frame.labels, wanted)
    else:
        limits = np.clip(np.nan_to_num(wanted, nan=0.0), 0, 2**62).astype(np.int64)
        if node.op == "limitk":
            kept = kernels.first_few(Groups.of(group_ids, len(first_rows)), present, limits)
        else:
            largest = node.op == "topk"
            kept, order = kernels.best(group_ids, frame.values, present, limits, largest=largest)
    rows = (order if ctx.grid.count == 1 else np.arange(frame.size)).astype(np.int64)
    rows = rows[np.asarray(kept.any(axis=1))[rows]]
    return rows_of(replace(frame, present=kept), rows)


def rows_of(frame: Frame, rows: I64) -> Frame:
    """Some rows of a frame, in the order given; the frame itself where these are all of its rows as they are."""
    if len(rows) == frame.size and bool((rows == np.arange(frame.size)).all()):
        return frame
    return Frame(
        frame.labels.take(rows),
        frame.grid,
        frame.values[rows],
        frame.present[rows],
        None if frame.histograms is None else frame.histograms[rows],
        None if frame.drop_names is None else frame.drop_names[rows],
    )


def _check_limits(node: Aggregate, wanted: F64, ctx: EvalContext) -> None:
    ratio = node.op == "limit_ratio"
    known = wanted[~np.isnan(wanted)]
    if not ratio and len(known) == len(wanted) and wanted.max(initial=-np.inf) < 1:
        return
    if np.isnan(wanted).any():
        raise ExecutionError("Ratio value is NaN" if ratio else "Parameter value is NaN", span=node.span)
    lowest, highest = float(wanted.min()), float(wanted.max())
    span = None if node.parameter is None else node.parameter.span
    if ratio:
        for value, limit in ((highest, 1.0), (lowest, -1.0)):
            if abs(value) > 1 and value * limit > 0:
                message = f"ratio value should be between -1 and 1, got {short_float(value)}, capping to {limit:g}"
                ctx.warn(message, span)
    elif lowest <= -(2.0**63):
        raise ExecutionError(f"Scalar value {short_float(lowest)} underflows int64", span=node.span)
    elif highest >= 2.0**63:
        raise ExecutionError(f"Scalar value {short_float(highest)} overflows int64", span=node.span)


def _within_ratio(labels: LabelTable, wanted: F64) -> Mask:
    """Which rows a ratio r [T] keeps: a fixed pseudo-random share of label sets; -r keeps the others of 1 - r."""
    places = np.array([_place(row) for row in labels.all_labels()])[:, None]
    ratio = np.clip(wanted, -1.0, 1.0)
    kept: Mask = np.where(ratio >= 0, places < ratio, places >= 1.0 + ratio)
    return kept


def _place(labels: Labels) -> float:
    """Upstream's number in [0, 1) for a label set: the hash of its names and values, each behind its length."""
    data = b"".join(_sized(part.encode("utf-8", "surrogateescape")) for pair in labels for part in pair)
    return xxh64(data) / float(2**64 - 1)


def _sized(text: bytes) -> bytes:
    size = len(text)
    return (bytes([size]) if size < 255 else b"\xff" + size.to_bytes(3, "little")) + text


# count_values


def _count_values(node: Aggregate, frame: Frame, label: str) -> Frame:
    """A row per group and distinct value, labelled with the value."""
    if not label or not _is_utf8(label):
        raise ExecutionError(f"invalid label name {quote(label)}", span=node.span)
    rows, steps = np.nonzero(frame.present)
    texts, codes = _value_texts(frame, rows, steps)
    # The value label is there before the grouping looks: grouping by it, or over an older label of its name, sees the value.
    table = LabelTable(frame.size, dict(frame.labels.columns)).take(rows)
    table = table.replaced(label, LabelColumn((codes + 1).astype(np.int32), ["", *texts]))
    if node.without:
        kept = table.without((*node.labels, METRIC_NAME))
    else:
        kept = table.only((*node.labels, label))
    group_ids, first_rows = kept.group_ids()
    counts = np.zeros((len(first_rows), frame.grid.count))
    np.add.at(counts, (group_ids, steps), 1.0)
    return Frame(kept.take(first_rows), frame.grid, counts, counts > 0)


def _value_texts(frame: Frame, rows: I64, steps: I64) -> tuple[list[str], I64]:
    """The distinct values as text, and for each sample which of them it is."""
    values = frame.values[rows, steps]
    distinct, codes = np.unique(values, return_inverse=True)
    texts = [format_float(value) for value in distinct.tolist()]
    if frame.histograms is not None:
        codes = codes.copy()
        for at, histogram in enumerate(frame.histograms[rows, steps].tolist()):
            if histogram is not None:
                texts.append(str(histogram))
                codes[at] = len(texts) - 1
    unique: dict[str, int] = {}
    mapping = np.array([unique.setdefault(text, len(unique)) for text in texts], np.int64)
    return list(unique), mapping[codes] if len(codes) else codes.astype(np.int64)


def _is_utf8(text: str) -> bool:
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)
