"""Evaluates math expressions on arrays. Absent stays absent; of NaN comes NaN, but where a side decides alone (`||`, `&&`)."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from spyglass.model.arrays import F64, Mask
from spyglass.model.errors import ExecutionError
from spyglass.model.labels import Labels
from spyglass.query.expressions.ast import Binary, Call, Node, Num, Ref, Unary
from spyglass.query.expressions.unions import unions
from spyglass.query.expressions.values import Value, number, scalar

Results = Sequence[Value]

_BINARY: Mapping[str, Callable[[F64, F64], F64]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "**": np.power,
    "==": lambda a, b: (a == b).astype(np.float64),
    "!=": lambda a, b: (a != b).astype(np.float64),
    ">": lambda a, b: (a > b).astype(np.float64),
    ">=": lambda a, b: (a >= b).astype(np.float64),
    "<": lambda a, b: (a < b).astype(np.float64),
    "<=": lambda a, b: (a <= b).astype(np.float64),
    "||": lambda a, b: ((a != 0) | (b != 0)).astype(np.float64),
    "&&": lambda a, b: ((a != 0) & (b != 0)).astype(np.float64),
}

_KEEPS_ABSENT: Mapping[str, Callable[[F64], F64]] = {
    "abs": np.abs,
    "log": np.log,
    # Half away from zero, as Go rounds.
    "round": lambda v: np.trunc(v + np.copysign(0.5, v)),
    "ceil": np.ceil,
    "floor": np.floor,
    "-": np.negative,
    "!": lambda v: np.where(np.isnan(v), np.nan, (v == 0).astype(np.float64)),
}

_TESTS: Mapping[str, Callable[[F64, Mask], Mask]] = {
    "is_nan": lambda values, present: present & np.isnan(values),
    "is_inf": lambda values, present: present & np.isinf(values),
    "is_null": lambda _, present: ~present,
    "is_number": lambda values, present: present & np.isfinite(values),
}

_CONSTANTS = {"nan": np.nan, "inf": np.inf, "infn": -np.inf}


def evaluate(node: Node, inputs: Mapping[str, Results]) -> list[Value]:
    """The results, in the order of the left side. Raises: ExecutionError, BudgetExceeded."""
    with np.errstate(all="ignore"):
        return _evaluate(node, inputs)


def _evaluate(node: Node, inputs: Mapping[str, Results]) -> list[Value]:
    match node:
        case Num(value):
            return [scalar(value)]
        case Ref(name):
            if name not in inputs:
                raise ExecutionError(f"there is no query {name!r}")
            return list(inputs[name])
        case Unary(operator, operand):
            return [_mapped(value, operator) for value in _evaluate(operand, inputs)]
        case Call("null", _):
            return [number(None)]
        case Call(function, ()):
            return [scalar(_CONSTANTS[function])]
        case Call(function, arguments):
            return [_mapped(value, function) for value in _evaluate(arguments[0], inputs)]
        case Binary(operator, left, right):
            pairs = unions(_evaluate(left, inputs), _evaluate(right, inputs))
            return [_combined(operator, a, b, labels) for a, b, labels in pairs]


def _mapped(value: Value, function: str) -> Value:
    test = _TESTS.get(function)
    if test is not None:
        found = test(value.values, value.present).astype(np.float64)
        return Value(value.kind, found, np.ones(len(found), np.bool_), value.labels, value.times)
    return Value(value.kind, _KEEPS_ABSENT[function](value.values), value.present, value.labels, value.times)


def _combined(operator: str, left: Value, right: Value, labels: Labels) -> Value:
    """Two series meet at the times that both have; anything else is repeated along a series."""
    times = left.times if left.kind == "series" else right.times
    a, b, at_a, at_b = left.values, right.values, left.present, right.present
    if left.kind == right.kind == "series" and not np.array_equal(left.times, right.times):
        times, of_left, of_right = np.intersect1d(left.times, right.times, assume_unique=True, return_indices=True)
        a, at_a, b, at_b = a[of_left], at_a[of_left], b[of_right], at_b[of_right]
    kinds = {left.kind, right.kind}
    kind = "series" if "series" in kinds else "number" if "number" in kinds else "scalar"
    present = at_a & at_b
    values = np.where(present, _applied(operator, a, b), np.nan)
    return Value(kind, values, present, labels, times)  # type: ignore[arg-type]


def _applied(operator: str, a: F64, b: F64) -> F64:
    result = np.where(np.isnan(a) | np.isnan(b), np.nan, _BINARY[operator](a, b))
    if operator == "||":
        return np.where(~np.isnan(a) & (a != 0), 1.0, result)
    if operator == "&&":
        return np.where(a == 0, 0.0, result)
    return result
