"""Who evaluates which node. Modules register at import; both languages' leaves live beside the shared operators.

Three tables:
    evaluates(NodeClass)   handler(node, ctx) -> Value                    any node
    loads(SourceClass)     handler(node, ctx, reach) -> Selection         samples for Instant and Window over this source
    windows(SourceClass)   handler(window_node, ctx) -> Frame             a whole Window over this source, not samples
                           (a log leaf counts lines in the store)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from spyglass.model.frame import Frame
from spyglass.model.samples import Selection
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.values import Value
from spyglass.query.plan.nodes import PlanNode, Window


@dataclass(frozen=True, slots=True)
class Reach:
    """The samples that a window or an instant selection will look at: start_ms < t <= end_ms.

    function, range_ms, step_ms, aggregates, start_timestamps: hints for the store (SelectHints).
    """

    start_ms: int
    end_ms: int
    function: str = ""
    range_ms: int = 0
    step_ms: int = 0
    aggregates: bool = False
    start_timestamps: bool = False


Evaluator = Callable[[Any, EvalContext], Value]
Loader = Callable[[Any, EvalContext, Reach], Selection]
WindowEvaluator = Callable[[Window, EvalContext], Frame]

_evaluators: dict[type[PlanNode], Evaluator] = {}
_loaders: dict[type[PlanNode], Loader] = {}
_windows: dict[type[PlanNode], WindowEvaluator] = {}

E = TypeVar("E", bound=Evaluator)
L = TypeVar("L", bound=Loader)
W = TypeVar("W", bound=WindowEvaluator)


def evaluates(node_class: type[PlanNode]) -> Callable[[E], E]:
    """Register the function that evaluates `node_class`."""

    def register(handler: E) -> E:
        _evaluators[node_class] = handler
        return handler

    return register


def loads(source_class: type[PlanNode]) -> Callable[[L], L]:
    """Register the function that loads the samples of a source."""

    def register(handler: L) -> L:
        _loaders[source_class] = handler
        return handler

    return register


def windows(source_class: type[PlanNode]) -> Callable[[W], W]:
    """Register the function that evaluates a Window over `source_class` as a whole."""

    def register(handler: W) -> W:
        _windows[source_class] = handler
        return handler

    return register


def evaluate(node: PlanNode, ctx: EvalContext) -> Value:
    """node at every step of ctx.grid.

    Raises: ExecutionError and, through the budget, BudgetExceeded, QueryTimeout, QueryCanceled.
    """
    ctx.budget.check()
    # NaN and infinities are values here, not accidents: numpy need not warn of them.
    with np.errstate(all="ignore"):
        if isinstance(node, Window):
            whole = _windows.get(type(node.source))
            if whole is not None:
                return whole(node, ctx)
        return _evaluators[type(node)](node, ctx)


def load(source: PlanNode, ctx: EvalContext, reach: Reach) -> Selection:
    """The samples of a source within `reach`."""
    ctx.budget.check()
    return _loaders[type(source)](source, ctx, reach)


def evaluate_frame(node: PlanNode, ctx: EvalContext) -> Frame:
    """evaluate, for operands that the checker has proved to be vectors."""
    value = evaluate(node, ctx)
    assert isinstance(value, Frame), f"{type(node).__name__} is no vector"
    return value
