"""hour(), day_of_week() and the other parts of a date, in UTC. Values are seconds since 1970."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from spyglass.model.arrays import F64, I64
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.math_functions import argument_frame, mapped
from spyglass.query.exec.values import Value
from spyglass.query.plan.nodes import Call

Dates = npt.NDArray[np.datetime64]

_DAY, _HOUR = 86_400, 3_600
_GO_LIMIT = 2.0**63
"""Go turns floats from here on, and NaN, into its smallest integer; as a date that is far, but not nowhere."""
_SMALLEST: dict[str, float] = {
    "minute": 30,
    "hour": 15,
    "day_of_week": 0,
    "day_of_month": 4,
    "day_of_year": 339,
    "days_in_month": 31,
    "month": 12,
    "year": 292277026596,
}
"""The parts of that date."""


def _months(seconds: I64) -> Dates:
    return seconds.astype("datetime64[s]").astype("datetime64[M]")


def _days(dates: Dates) -> I64:
    return dates.astype("datetime64[D]").astype(np.int64)


def _day_of_month(seconds: I64) -> I64:
    return seconds // _DAY - _days(_months(seconds)) + 1


def _days_in_month(seconds: I64) -> I64:
    months = _months(seconds)
    return _days(months + 1) - _days(months)


def _day_of_year(seconds: I64) -> I64:
    years = seconds.astype("datetime64[s]").astype("datetime64[Y]")
    return seconds // _DAY - _days(years) + 1


PARTS: dict[str, Callable[[I64], I64]] = {
    "minute": lambda s: s % _HOUR // 60,
    "hour": lambda s: s % _DAY // _HOUR,
    "day_of_week": lambda s: (s // _DAY + 4) % 7,
    "day_of_month": _day_of_month,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "month": lambda s: _months(s).astype(np.int64) % 12 + 1,
    "year": lambda s: _months(s).astype(np.int64) // 12 + 1970,
}


def evaluate_calendar(node: Call, ctx: EvalContext) -> Value:
    """Without an argument: of the evaluation time."""
    if node.arguments:
        frame = argument_frame(node, ctx)
    else:
        times = (ctx.grid.times() // 1000).astype(np.float64)[None, :]
        frame = Frame(LabelTable(1), ctx.grid, times, np.ones(times.shape, bool))
    return mapped(frame, _part(node.function, frame.values), ctx)


def _part(name: str, values: F64) -> F64:
    with np.errstate(all="ignore"):
        usable = np.abs(values) < _GO_LIMIT
        seconds = np.where(usable, np.trunc(values), 0.0).astype(np.int64)
    return np.where(usable, PARTS[name](seconds).astype(np.float64), _SMALLEST[name])
