"""Metric names: which results lose theirs, and when.

Upstream drops names in each function, or, with delayed name removal, marks the series and drops at the end. Two series that
only differed by name then collide: an error, raised here.
"""

from dataclasses import replace

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import METRIC_NAME, LabelTable
from spyglass.query.exec.context import EvalContext

METADATA_LABELS = (METRIC_NAME, "__type__", "__unit__")
"""What a function that changes values takes away: the name, and what type-and-unit-labels adds to it."""

SAME_LABELS = "vector cannot contain metrics with the same labelset"


def dropped_names(frame: Frame, ctx: EvalContext, *, whole_series: bool = False) -> Frame:
    """The frame without metric names, or marked for it, after a function that changes values.

    whole_series: series that become the same collide even where they never meet at a step, as after upstream's range functions.
    Raises: ExecutionError where two series become the same.
    """
    if ctx.options.delayed_names:
        return replace(frame, drop_names=np.ones(frame.size, bool))
    if not any(name in frame.labels.columns for name in METADATA_LABELS):
        return frame
    nameless = replace(frame, labels=frame.labels.without(METADATA_LABELS))
    if _same_for_all(frame.labels):
        # Series that differed still do.
        return nameless
    if whole_series:
        alive = nameless.labels.take(np.flatnonzero(frame.present.any(axis=1)))
        if len(alive.group_ids()[1]) < alive.size:
            raise ExecutionError(SAME_LABELS)
    return merged(nameless)


def _same_for_all(labels: LabelTable) -> bool:
    """Whether what is dropped tells no two series apart."""
    columns = [labels.columns[name] for name in METADATA_LABELS if name in labels.columns]
    return all(bool((column.codes == column.codes[:1]).all()) for column in columns)


def settled_names(frame: Frame) -> Frame:
    """The frame with every marked name really dropped: at the end of a query, and where labels are looked at."""
    marks = frame.drop_names
    if marks is None or not marks.any():
        return replace(frame, drop_names=None)
    labels = frame.labels
    for name in METADATA_LABELS:
        column = labels.columns.get(name)
        if column is not None:
            kept = np.where(marks, 0, column.codes).astype(np.int32)
            labels = labels.replaced(name, replace(column, codes=kept))
    return merged(replace(frame, labels=labels, drop_names=None))


def merged(frame: Frame) -> Frame:
    """Rows with equal labels joined into one. Raises ExecutionError where two of them have a sample at the same step."""
    group_ids, first_rows = frame.labels.group_ids()
    groups = len(first_rows)
    if groups == frame.size:
        return frame
    counts = np.zeros((groups, frame.grid.count), np.int64)
    np.add.at(counts, group_ids, frame.present)
    if (counts > 1).any():
        raise ExecutionError(SAME_LABELS)
    return _joined(frame, group_ids, frame.labels.take(first_rows))


def _joined(frame: Frame, group_ids: I64, labels: LabelTable) -> Frame:
    shape = (labels.size, frame.grid.count)
    rows, steps = np.nonzero(frame.present)
    values, present = np.zeros(shape), np.zeros(shape, bool)
    values[group_ids[rows], steps] = frame.values[rows, steps]
    present[group_ids[rows], steps] = True
    histograms = None
    if frame.histograms is not None:
        histograms = np.full(shape, None, object)
        histograms[group_ids[rows], steps] = frame.histograms[rows, steps]
    marks = None
    if frame.drop_names is not None:
        marks = np.zeros(labels.size, bool)
        np.logical_or.at(marks, group_ids, frame.drop_names)
    return Frame(labels, frame.grid, values, present, histograms, marks)
