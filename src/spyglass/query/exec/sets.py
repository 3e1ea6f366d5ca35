"""and, or, unless: vectors as sets of label sets. Source: Prometheus promql/engine.go, VectorAnd, VectorOr, VectorUnless."""

from dataclasses import replace

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.query.exec.names import METADATA_LABELS, merged
from spyglass.query.plan.nodes import Binary, Matching


def signatures(matching: Matching, left: LabelTable, right: LabelTable) -> tuple[I64, I64, int]:
    """Numbers for the labels that have to agree: one per row of each side, equal where they do; and how many there are."""
    if matching.on:
        parts = [left.only(matching.labels), right.only(matching.labels)]
    else:
        ignored = (*matching.labels, *METADATA_LABELS)
        parts = [left.without(ignored), right.without(ignored)]
    ids, first = LabelTable.concat(parts).group_ids()
    return ids[: left.size], ids[left.size :], len(first)


def presence(ids: I64, present: Mask, count: int) -> Mask:
    """Which signatures have a sample at each step [count,T]."""
    seen = np.zeros((count, present.shape[1]), np.int64)
    np.add.at(seen, ids, present)
    return seen > 0


def combine_sets(node: Binary, left: Frame, right: Frame) -> Frame:
    """The set operation, step by step."""
    left_ids, right_ids, count = signatures(node.matching, left.labels, right.labels)
    if node.op == "and":
        kept = presence(right_ids, right.present, count)[left_ids]
        return replace(left, present=left.present & kept)
    if node.op == "unless":
        gone = presence(right_ids, right.present, count)[left_ids]
        return replace(left, present=left.present & ~gone)
    hidden = presence(left_ids, left.present, count)[right_ids]
    return merged(stacked(left, replace(right, present=right.present & ~hidden)))


def stacked(first: Frame, second: Frame) -> Frame:
    """The rows of both frames, one below the other."""
    if first.size == 0:
        return second
    if second.size == 0:
        return first
    histograms = None
    if first.histograms is not None or second.histograms is not None:
        histograms = np.concatenate(
            [np.full(f.values.shape, None, object) if f.histograms is None else f.histograms for f in (first, second)]
        )
    drop = None
    if first.drop_names is not None or second.drop_names is not None:
        drop = np.concatenate(
            [np.zeros(f.size, bool) if f.drop_names is None else f.drop_names for f in (first, second)]
        )
    return Frame(
        LabelTable.concat([first.labels, second.labels]),
        first.grid,
        np.concatenate([first.values, second.values]),
        np.concatenate([first.present, second.present]),
        histograms,
        drop,
    )
