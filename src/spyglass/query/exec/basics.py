"""The small nodes: literals, signs, step-invariant parts."""

from dataclasses import replace

import numpy as np

from spyglass.model.frame import Frame
from spyglass.model.times import StepGrid
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.registry import evaluate, evaluates
from spyglass.query.exec.values import Scalar, TextValue, Value
from spyglass.query.plan.nodes import Number, StepInvariant, Text, Unary


@evaluates(Number)
def evaluate_number(node: Number, ctx: EvalContext) -> Value:
    return Scalar(ctx.grid, np.full(ctx.grid.count, node.value))


@evaluates(Text)
def evaluate_text(node: Text, ctx: EvalContext) -> Value:  # noqa: ARG001
    return TextValue(node.value)


@evaluates(Unary)
def evaluate_unary(node: Unary, ctx: EvalContext) -> Value:
    """`+x` leaves names alone, `-x` drops them, as upstream."""
    value = evaluate(node.child, ctx)
    if node.op == "+" or isinstance(value, TextValue):
        return value
    if isinstance(value, Scalar):
        return Scalar(ctx.grid, -value.values)
    histograms = value.histograms
    if histograms is not None:
        histograms = np.array(
            [[None if h is None else h.scaled(-1.0) for h in row] for row in histograms.tolist()], object
        ).reshape(histograms.shape)
    return dropped_names(replace(value, values=-value.values, histograms=histograms), ctx)


@evaluates(StepInvariant)
def evaluate_step_invariant(node: StepInvariant, ctx: EvalContext) -> Value:
    """The child at one step, repeated over the grid without copying."""
    if ctx.grid.count == 1:
        return evaluate(node.child, ctx)
    value = evaluate(node.child, ctx.on(StepGrid.instant(ctx.grid.start_ms)))
    if isinstance(value, TextValue):
        return value
    steps = ctx.grid.count
    if isinstance(value, Scalar):
        return Scalar(ctx.grid, np.repeat(value.values, steps))
    shape = (value.size, steps)
    return Frame(
        value.labels,
        ctx.grid,
        np.broadcast_to(value.values, shape),
        np.broadcast_to(value.present, shape),
        None if value.histograms is None else np.broadcast_to(value.histograms, shape),
        value.drop_names,
    )
