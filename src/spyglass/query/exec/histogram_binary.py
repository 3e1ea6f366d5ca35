"""Binary operators where histograms take part, element by element. Source: Prometheus promql/engine.go, vectorElemBinop."""

from collections.abc import Callable

import numpy as np

from spyglass.model.arrays import F64, Mask, Objects
from spyglass.model.frame import Frame
from spyglass.model.histogram_arithmetic import Combined, IncompatibleSchemas, add, subtract
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import LabelTable
from spyglass.query.exec import notes
from spyglass.query.exec.arithmetic import ARITHMETIC, TRIMS, arithmetic, compare
from spyglass.query.exec.context import EvalContext
from spyglass.query.kernels.trim import trimmed
from spyglass.query.plan.nodes import Binary

Side = tuple[F64, Objects | None]
"""Floats [S,T] and histograms [S,T]."""


def elementwise(node: Binary, labels: LabelTable, present: Mask, left: Side, right: Side, ctx: EvalContext) -> Frame:
    """left op right for every present element; elements that cannot be combined are left out, with a note."""
    left_floats, right_floats = (np.broadcast_to(side[0], present.shape) for side in (left, right))
    left_is, right_is = _where_histograms(left, present), _where_histograms(right, present)
    plain = present & ~left_is & ~right_is
    values, kept = _floats(node, left_floats, right_floats, plain, ctx)
    histograms = np.full(present.shape, None, object)
    for row, step in np.argwhere(present & (left_is | right_is)).tolist():
        a = left[1][row, step] if left_is[row, step] and left[1] is not None else float(left_floats[row, step])
        b = right[1][row, step] if right_is[row, step] and right[1] is not None else float(right_floats[row, step])
        result = _element(node, a, b, ctx)
        if result is None:
            continue
        kept[row, step] = True
        if isinstance(result, FloatHistogram):
            histograms[row, step] = result
        else:
            values[row, step] = result
    return Frame(labels, ctx.grid, values, kept, histograms)


def _where_histograms(side: Side, present: Mask) -> Mask:
    if side[1] is None:
        return np.zeros(present.shape, bool)
    found: Mask = side[1] != None  # noqa: E711  # elementwise
    return np.broadcast_to(found, present.shape)


def _floats(node: Binary, left: F64, right: F64, plain: Mask, ctx: EvalContext) -> tuple[F64, Mask]:
    if node.op in ARITHMETIC:
        return np.array(arithmetic(node.op, left, right, logql=ctx.options.logql)), plain.copy()
    if node.op in TRIMS:
        if plain.any():
            notes.incompatible_types("float", node.op, "float", node.span, ctx)
        return np.zeros(plain.shape), np.zeros(plain.shape, bool)
    kept = compare(node.op, left, right)
    if node.return_bool:
        return kept.astype(np.float64), plain.copy()
    return np.array(left), plain & kept


Element = float | FloatHistogram


def _element(node: Binary, left: Element, right: Element, ctx: EvalContext) -> Element | None:
    """One element where at least one side is a histogram; None: no result."""
    if isinstance(left, FloatHistogram):
        if isinstance(right, FloatHistogram):
            return _two_histograms(node, left, right, ctx)
        if node.op == "*":
            return left.scaled(right).compacted()
        if node.op == "/":
            return left.divided(right).compacted()
        if node.op in TRIMS:
            return trimmed(left, right, below=node.op == "</")
        notes.incompatible_types("histogram", node.op, "float", node.span, ctx)
        return None
    assert isinstance(right, FloatHistogram)
    if node.op == "*":
        return right.scaled(left).compacted()
    notes.incompatible_types("float", node.op, "histogram", node.span, ctx)
    return None


def _two_histograms(node: Binary, left: FloatHistogram, right: FloatHistogram, ctx: EvalContext) -> Element | None:
    if node.op in ("==", "!="):
        equal = left.same_as(right) == (node.op == "==")
        if node.return_bool:
            return 1.0 if equal else 0.0
        return left if equal else None
    if node.op == "+":
        return _combined(node, left, right, add, "addition", ctx)
    if node.op == "-":
        result = _combined(node, left, right, subtract, "subtraction", ctx)
        return None if result is None else result.with_hint(ResetHint.GAUGE)
    notes.incompatible_types("histogram", node.op, "histogram", node.span, ctx)
    return None


def _combined(
    node: Binary,
    left: FloatHistogram,
    right: FloatHistogram,
    combine: Callable[[FloatHistogram, FloatHistogram], Combined],
    operation: str,
    ctx: EvalContext,
) -> FloatHistogram | None:
    try:
        result = combine(left, right)
    except IncompatibleSchemas:
        notes.incompatible_layout(node.op, node.span, ctx)
        return None
    if result.hint_collision:
        notes.conflicting_resets(operation, node.span, ctx)
    if result.bounds_reconciled:
        notes.reconciled_bounds(operation, node.span, ctx)
    return result.histogram.compacted()


def with_scalar(node: Binary, vector: Frame, scalar: F64, *, swapped: bool, ctx: EvalContext) -> Frame:
    """vector op scalar, or scalar op vector where swapped. A comparison keeps the vector's values, whichever side it stands on."""
    number: Side = (np.broadcast_to(scalar, vector.present.shape), None)
    own: Side = (vector.values, vector.histograms)
    left, right = (number, own) if swapped else (own, number)
    result = elementwise(node, vector.labels, vector.present, left, right, ctx)
    values = result.values
    if swapped and node.op not in ARITHMETIC and not node.return_bool:
        values = vector.values
    return Frame(vector.labels, ctx.grid, values, result.present, result.histograms, vector.drop_names)
