"""Functions of instant vectors, scalars and texts. Each family has its module; this one knows which function is where."""

from collections.abc import Callable

import numpy as np

from spyglass.query.exec import calendar, label_functions, math_functions, native_functions, sorting
from spyglass.query.exec.classic_histograms import histogram_fraction, histogram_quantile, histogram_quantiles
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.registry import evaluates
from spyglass.query.exec.values import Scalar, Value
from spyglass.query.plan.nodes import Call

Function = Callable[[Call, EvalContext], Value]


FUNCTIONS: dict[str, Function] = {
    **dict.fromkeys(math_functions.ELEMENTWISE, math_functions.evaluate_elementwise),
    **dict.fromkeys(native_functions.MEASURES, native_functions.evaluate_measure),
    **dict.fromkeys(calendar.PARTS, calendar.evaluate_calendar),
    "clamp": math_functions.evaluate_clamp,
    "clamp_min": math_functions.evaluate_clamp,
    "clamp_max": math_functions.evaluate_clamp,
    "round": math_functions.evaluate_round,
    "scalar": math_functions.evaluate_scalar,
    "vector": math_functions.evaluate_vector,
    "time": lambda _, ctx: Scalar(ctx.grid, ctx.grid.times() / 1000),
    "timestamp": math_functions.evaluate_timestamp,
    "start_timestamp": math_functions.evaluate_start_timestamp,
    "pi": lambda _, ctx: Scalar(ctx.grid, np.full(ctx.grid.count, np.pi)),
    "min_of": math_functions.evaluate_of,
    "max_of": math_functions.evaluate_of,
    "label_replace": label_functions.evaluate_label_replace,
    "label_join": label_functions.evaluate_label_join,
    "sort": sorting.evaluate_sort,
    "sort_desc": sorting.evaluate_sort,
    "sort_by_label": sorting.evaluate_sort_by_label,
    "sort_by_label_desc": sorting.evaluate_sort_by_label,
    "histogram_quantile": histogram_quantile,
    "histogram_quantiles": histogram_quantiles,
    "histogram_fraction": histogram_fraction,
}


@evaluates(Call)
def evaluate_call(node: Call, ctx: EvalContext) -> Value:
    return FUNCTIONS[node.function](node, ctx)
