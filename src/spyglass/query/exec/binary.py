"""Binary operators between scalars and vectors; matching of two vectors is in exec/matching.py."""

from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64
from spyglass.model.frame import Frame
from spyglass.query.exec import histogram_binary
from spyglass.query.exec.arithmetic import ARITHMETIC, COMPARISONS, SETS, TRIMS, arithmetic, compare
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.matching import match_vectors
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.registry import evaluate, evaluates
from spyglass.query.exec.sets import combine_sets
from spyglass.query.exec.values import Scalar, TextValue, Value
from spyglass.query.plan.nodes import Binary


@evaluates(Binary)
def evaluate_binary(node: Binary, ctx: EvalContext) -> Value:
    """Raises: ExecutionError where vectors cannot be matched."""
    left, right = evaluate(node.left, ctx), evaluate(node.right, ctx)
    ctx.budget.check()
    assert not isinstance(left, TextValue), "the checker refuses texts"
    assert not isinstance(right, TextValue), "the checker refuses texts"
    if isinstance(left, Scalar):
        if isinstance(right, Scalar):
            return Scalar(ctx.grid, _scalars(node, left.values, right.values, ctx))
        return _with_scalar(node, right, left.values, swapped=True, ctx=ctx)
    if isinstance(right, Scalar):
        return _with_scalar(node, left, right.values, swapped=False, ctx=ctx)
    if node.op in SETS:
        return combine_sets(node, left, right)
    return match_vectors(node, left, right, ctx)


def _scalars(node: Binary, left: F64, right: F64, ctx: EvalContext) -> F64:
    if node.op in COMPARISONS:
        return compare(node.op, left, right).astype(np.float64)
    return arithmetic(node.op, left, right, logql=ctx.options.logql)


def _with_scalar(node: Binary, vector: Frame, scalar: F64, *, swapped: bool, ctx: EvalContext) -> Frame:
    """vector op scalar, or scalar op vector where swapped. scalar [T]."""
    if vector.histograms is not None or node.op in TRIMS:
        result = histogram_binary.with_scalar(node, vector, scalar, swapped=swapped, ctx=ctx)
    else:
        result = _floats_with_scalar(node, vector, scalar, swapped=swapped, ctx=ctx)
    if node.op in ARITHMETIC or node.return_bool:
        return dropped_names(result, ctx)
    return result


def _floats_with_scalar(node: Binary, vector: Frame, scalar: F64, *, swapped: bool, ctx: EvalContext) -> Frame:
    left, right = (scalar, vector.values) if swapped else (vector.values, scalar)
    if node.op in ARITHMETIC:
        return replace(vector, values=arithmetic(node.op, left, right, logql=ctx.options.logql))
    kept = compare(node.op, left, right)
    if node.return_bool:
        return replace(vector, values=kept.astype(np.float64))
    # A comparison keeps the vector's value, whichever side it stands on.
    return replace(vector, present=vector.present & kept)
