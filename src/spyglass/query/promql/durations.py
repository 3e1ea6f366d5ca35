"""Duration expressions (`[step() * 2]`, `offset -(1h / 2)`) become milliseconds when the query's grid is known.

Source: Prometheus promql/durations.go.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from spyglass.model.errors import InvalidParameter
from spyglass.query.promql import ast


@dataclass(frozen=True, slots=True)
class QueryTimes:
    """What step(), range(), start() and end() are in one request. Milliseconds; an instant has step_ms 0 and start == end."""

    start_ms: int
    end_ms: int
    step_ms: int


def milliseconds(duration: ast.Duration, times: QueryTimes, *, negative: bool = False) -> int:
    """The duration in ms, whole (Go truncates). negative: values below and at zero are allowed (offsets).

    Raises: InvalidParameter with upstream's text where the result is not usable as a duration.
    """
    seconds = _seconds(duration, times)
    if not negative and not seconds > 0:
        raise _problem(duration, "duration must be greater than 0")
    if not abs(seconds) <= 2**63:
        raise _problem(duration, "duration is out of range")
    if isinstance(duration, ast.NumberLiteral):
        return round(seconds * 1000)
    return int(seconds * 1000)


def _problem(duration: ast.Duration, message: str) -> InvalidParameter:
    return InvalidParameter(f"{duration.span.start}:{duration.span.end}: {message}", span=duration.span)


def _seconds(duration: ast.Duration, times: QueryTimes) -> float:
    if isinstance(duration, ast.NumberLiteral):
        return duration.value
    if duration.op == "step":
        return times.step_ms / 1000
    if duration.op == "range":
        return (times.end_ms - times.start_ms) / 1000
    left = 0.0 if duration.lhs is None else _seconds(duration.lhs, times)
    right = 0.0 if duration.rhs is None else _seconds(duration.rhs, times)
    if duration.op in ("/", "%") and right == 0:
        raise _problem(duration, "division by zero" if duration.op == "/" else "modulo by zero")
    try:
        return _OPERATIONS[duration.op](left, right)
    except (OverflowError, ValueError, ZeroDivisionError):
        raise _problem(duration, "duration is out of range") from None


_OPERATIONS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": math.fmod,
    "^": math.pow,
    "min": min,
    "max": max,
    "min_of": min,
    "max_of": max,
}
