"""sort() and its relatives. They put the rows of an instant vector in order; over a range they mean nothing, as upstream."""

import re
from dataclasses import replace

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels
from spyglass.query.exec.aggregate import rows_of
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import argument_frame, argument_text, floats_of
from spyglass.query.exec.values import Value
from spyglass.query.plan.nodes import Call

_CHUNK = re.compile(r"\d+|\D+")


def evaluate_sort(node: Call, ctx: EvalContext) -> Value:
    """By value, NaN last in either direction; histograms are left out."""
    frame = argument_frame(node, ctx)
    present = floats_of(frame)
    frame = replace(frame, present=present, histograms=None)
    if ctx.grid.count != 1:
        return frame
    values = frame.values[:, 0]
    merit = -values if node.function == "sort_desc" else values
    order = np.lexsort((np.where(np.isnan(values), 0.0, merit), np.isnan(values)))
    return rows_of(frame, order.astype(np.int64))


def evaluate_sort_by_label(node: Call, ctx: EvalContext) -> Value:
    """By the labels named, naturally (a2 before a10), then by the whole label set."""
    frame = argument_frame(node, ctx)
    names = [argument_text(argument, ctx) for argument in node.arguments[1:]]
    if ctx.grid.count != 1:
        return frame
    rows = frame.labels.all_labels()
    order = sorted(range(frame.size), key=lambda row: _sort_key(rows[row], names))
    if node.function == "sort_by_label_desc":
        order.reverse()
    return rows_of(frame, np.array(order, np.int64) if order else _no_rows())


def _no_rows() -> I64:
    return np.zeros(0, np.int64)


def _sort_key(labels: Labels, names: list[str]) -> tuple[object, ...]:
    values = dict(labels)
    return (*(natural_key(values.get(name, "")) for name in names), labels)


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Digits compare as numbers, before letters.

    >>> natural_key("a2") < natural_key("a10")
    True
    """
    return tuple((0, int(part), part) if part.isdigit() else (1, 0, part) for part in _CHUNK.findall(text))
