"""Functions that map values one by one, and those between scalars and vectors. Histograms are left out by them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64, Mask
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.names import dropped_names
from spyglass.query.exec.registry import evaluate, evaluate_frame
from spyglass.query.exec.values import Scalar, TextValue, Value
from spyglass.query.plan.nodes import Call, PlanNode

ELEMENTWISE: dict[str, Callable[[F64], F64]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "rad": lambda v: v * np.pi / 180,
    "deg": lambda v: v * 180 / np.pi,
    "sgn": lambda v: np.where(v < 0, -1.0, np.where(v > 0, 1.0, v)),
}


def argument_frame(node: Call, ctx: EvalContext, index: int = 0) -> Frame:
    return evaluate_frame(node.arguments[index], ctx)


def argument_scalar(node: PlanNode, ctx: EvalContext) -> F64:
    """A scalar argument at every step [T]."""
    value = evaluate(node, ctx)
    assert isinstance(value, Scalar), "the checker lets only scalars through"
    return value.values


def argument_text(node: PlanNode, ctx: EvalContext) -> str:
    value = evaluate(node, ctx)
    assert isinstance(value, TextValue), "the checker lets only texts through"
    return value.text


def floats_of(frame: Frame) -> Mask:
    """Where a frame holds floats."""
    if frame.histograms is None:
        return frame.present
    floats: Mask = frame.present & (frame.histograms == None)  # noqa: E711  # elementwise
    return floats


def mapped(frame: Frame, values: F64, ctx: EvalContext) -> Frame:
    """The frame's floats with new values and without names."""
    return dropped_names(replace(frame, values=values, present=floats_of(frame), histograms=None), ctx)


def evaluate_elementwise(node: Call, ctx: EvalContext) -> Value:
    frame = argument_frame(node, ctx)
    with np.errstate(all="ignore"):
        return mapped(frame, ELEMENTWISE[node.function](frame.values), ctx)


def evaluate_clamp(node: Call, ctx: EvalContext) -> Value:
    """clamp, clamp_min, clamp_max; a NaN limit gives NaN, an upper limit below the lower one nothing."""
    frame = argument_frame(node, ctx)
    limits = [argument_scalar(argument, ctx) for argument in node.arguments[1:]]
    low = np.full(ctx.grid.count, -np.inf) if node.function == "clamp_max" else limits[0]
    high = np.full(ctx.grid.count, np.inf) if node.function == "clamp_min" else limits[-1]
    possible = replace(frame, present=frame.present & ~(high < low))
    return mapped(possible, np.maximum(low, np.minimum(high, frame.values)), ctx)


def evaluate_round(node: Call, ctx: EvalContext) -> Value:
    """To the nearest multiple, ties upwards."""
    frame = argument_frame(node, ctx)
    nearest = argument_scalar(node.arguments[1], ctx) if len(node.arguments) > 1 else np.ones(ctx.grid.count)
    with np.errstate(all="ignore"):
        inverse = 1.0 / nearest
        return mapped(frame, np.floor(frame.values * inverse + 0.5) / inverse, ctx)


def evaluate_scalar(node: Call, ctx: EvalContext) -> Value:
    """The value of the only float at each step, else NaN."""
    frame = argument_frame(node, ctx)
    present = floats_of(frame)
    only = present.sum(axis=0) == 1
    values = np.where(present, frame.values, 0.0).sum(axis=0) if frame.size else np.zeros(ctx.grid.count)
    return Scalar(ctx.grid, np.where(only, values, np.nan))


def evaluate_vector(node: Call, ctx: EvalContext) -> Value:
    values = argument_scalar(node.arguments[0], ctx)
    return Frame(LabelTable(1), ctx.grid, values[None, :], np.ones((1, len(values)), bool))


def evaluate_timestamp(node: Call, ctx: EvalContext) -> Value:
    """Of anything but a plain selector: the evaluation time."""
    frame = argument_frame(node, ctx)
    times = np.broadcast_to(ctx.grid.times() / 1000, frame.present.shape)
    return dropped_names(replace(frame, values=times, histograms=None), ctx)


def evaluate_start_timestamp(node: Call, ctx: EvalContext) -> Value:
    """Of anything but a plain selector: nothing, since what is computed has been counting since no time at all."""
    frame = argument_frame(node, ctx)
    return dropped_names(replace(frame, present=np.zeros_like(frame.present), histograms=None), ctx)


def evaluate_of(node: Call, ctx: EvalContext) -> Value:
    """min_of and max_of: of two scalars; NaN wins."""
    left, right = (argument_scalar(argument, ctx) for argument in node.arguments)
    return Scalar(ctx.grid, np.minimum(left, right) if node.function == "min_of" else np.maximum(left, right))
