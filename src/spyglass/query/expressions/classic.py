"""Classic conditions: one number for all series, 1 where the conditions fire. Source: the behaviour of Grafana's old alerts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64
from spyglass.query.expressions.threshold import LIMITS, passes
from spyglass.query.expressions.values import Value, number

_REDUCERS: Mapping[str, Callable[[F64], float]] = {
    "avg": np.mean,
    "sum": np.sum,
    "min": np.min,
    "max": np.max,
    "count": len,
    "last": lambda v: v[-1],
    "median": np.median,
    "diff": lambda v: v[-1] - v[0],
    "diff_abs": lambda v: abs(v[-1] - v[0]),
    "percent_diff": lambda v: (v[-1] - v[0]) / v[0] * 100,
    "percent_diff_abs": lambda v: abs((v[-1] - v[0]) / v[0] * 100),
    "count_non_null": len,
}
REDUCERS = frozenset(_REDUCERS)
EVALUATORS = frozenset({"gt", "lt", "within_range", "outside_range", "no_value"})


@dataclass(frozen=True, slots=True)
class Condition:
    """ref's series, each reduced, pass the evaluator. operator: how it joins the conditions before it, `and` or `or`."""

    ref: str
    reducer: str
    evaluator: str
    limits: tuple[float, ...] = ()
    operator: str = "and"


def limits_of(evaluator: str) -> int:
    """How many limits an evaluator takes."""
    return LIMITS.get(evaluator, 0)


def conditions(wanted: Sequence[Condition], inputs: Mapping[str, Sequence[Value]]) -> list[Value]:
    """One number without labels: 1 fires, 0 does not, absent where no condition had any data."""
    firing, no_data = False, True
    for index, condition in enumerate(wanted):
        reduced = [_reduced(value, condition.reducer) for value in inputs[condition.ref]]
        known = [one for one in reduced if one is not None]
        if condition.evaluator == "no_value":
            fires, empty = not known, False
        else:
            fires = bool(known) and bool(passes(np.array(known), condition.evaluator, condition.limits).any())
            empty = not known
        firing = fires if index == 0 else firing or fires if condition.operator == "or" else firing and fires
        no_data = empty if index == 0 else no_data and empty
    return [number(None if no_data else float(firing))]


def _reduced(value: Value, reducer: str) -> float | None:
    """None where there is nothing to reduce: absent values and NaN do not count, but for `count`."""
    if reducer == "count":
        return float(len(value.values))
    kept = value.values[value.present & ~np.isnan(value.values)]
    if not len(kept):
        return None
    with np.errstate(all="ignore"):
        return float(_REDUCERS[reducer](kept))
