"""Expression queries as dashboards hold them, decoded to what is evaluated. Source: Grafana's query model of `__expr__`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spyglass.model.errors import InvalidParameter
from spyglass.query.expressions import classic, math, reduce, resample, threshold
from spyglass.query.expressions.ast import Node, refs_of
from spyglass.query.expressions.parse import parse
from spyglass.query.expressions.values import Value
from spyglass.text.durations import parse_prometheus_duration

Inputs = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included, ms."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Math:
    node: Node

    @property
    def refs(self) -> tuple[str, ...]:
        return refs_of(self.node)

    def run(self, inputs: Inputs, _: Range) -> list[Value]:
        return math.evaluate(self.node, inputs)


@dataclass(frozen=True, slots=True)
class Reduce:
    ref: str
    reducer: str
    mode: reduce.Mode
    replace_with: float

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.ref,)

    def run(self, inputs: Inputs, _: Range) -> list[Value]:
        return reduce.reduce(inputs[self.ref], self.reducer, mode=self.mode, replace_with=self.replace_with)


@dataclass(frozen=True, slots=True)
class Resample:
    ref: str
    window_ms: int
    downsampler: str
    upsampler: str

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.ref,)

    def run(self, inputs: Inputs, span: Range) -> list[Value]:
        return resample.resample(
            inputs[self.ref],
            window_ms=self.window_ms,
            downsampler=self.downsampler,
            upsampler=self.upsampler,
            start_ms=span.start_ms,
            end_ms=span.end_ms,
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    """An `unloadEvaluator` is of alerts, which remember what fired; a dashboard asks anew each time."""

    ref: str
    evaluator: str
    limits: tuple[float, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        return (self.ref,)

    def run(self, inputs: Inputs, _: Range) -> list[Value]:
        return threshold.threshold(inputs[self.ref], self.evaluator, self.limits)


@dataclass(frozen=True, slots=True)
class Classic:
    conditions: tuple[classic.Condition, ...]

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one.ref for one in self.conditions))

    def run(self, inputs: Inputs, _: Range) -> list[Value]:
        return classic.conditions(self.conditions, inputs)


Command = Math | Reduce | Resample | Threshold | Classic
KINDS = ("math", "reduce", "resample", "threshold", "classic_conditions")


def decode(query: Mapping[str, Any]) -> Command:
    """Raises: ParseError for a formula, InvalidParameter for the rest."""
    kind = query.get("type")
    if kind == "sql":
        raise InvalidParameter("SQL expressions are not evaluated here (there are: math, reduce, resample, threshold)")
    match kind:
        case "math":
            return Math(parse(_formula(query)))
        case "reduce":
            return _reduce(query)
        case "resample":
            return _resample(query)
        case "threshold":
            return _threshold(query)
        case "classic_conditions":
            return Classic(tuple(_condition(one) for one in _objects(query.get("conditions"), "classic conditions")))
        case _:
            raise InvalidParameter(f"there is no expression of type {kind!r} (there are: {', '.join(KINDS)})")


def _formula(query: Mapping[str, Any]) -> str:
    formula = query.get("expression")
    if not isinstance(formula, str) or not formula.strip():
        raise InvalidParameter("the math expression is empty")
    return formula


def _reduce(query: Mapping[str, Any]) -> Reduce:
    settings = _object(query.get("settings"))
    mode = settings.get("mode") or ""
    if mode == "strict":
        mode = ""
    return Reduce(
        _ref(query),
        _one_of(query.get("reducer") or "", reduce.REDUCERS, "reducer"),
        _one_of(mode, reduce.MODES, "mode"),  # type: ignore[arg-type]
        _number(settings.get("replaceWithValue") or 0, "replaceWithValue"),
    )


def _resample(query: Mapping[str, Any]) -> Resample:
    window = str(query.get("window") or "")
    try:
        window_ms = parse_prometheus_duration(window)
    except ValueError:
        raise InvalidParameter(f"the window {window!r} is no duration") from None
    if window_ms <= 0:
        raise InvalidParameter(f"the window {window!r} should be longer than nothing")
    downsampler = _one_of(query.get("downsampler") or "mean", resample.DOWNSAMPLERS, "downsampler")
    return Resample(
        _ref(query),
        window_ms,
        downsampler,
        _one_of(query.get("upsampler") or "fillna", resample.UPSAMPLERS, "upsampler"),
    )


def _threshold(query: Mapping[str, Any]) -> Threshold:
    first = _objects(query.get("conditions"), "a threshold")[0]
    evaluator = _object(first.get("evaluator"))
    kind = _one_of(evaluator.get("type") or "", threshold.LIMITS, "evaluator")
    return Threshold(_ref(query), kind, _limits(evaluator, threshold.LIMITS[kind]))


def _condition(one: Mapping[str, Any]) -> classic.Condition:
    parts = {key: _object(one.get(key)) for key in ("query", "reducer", "evaluator", "operator")}
    params = parts["query"].get("params")
    if not isinstance(params, list) or not params or not isinstance(params[0], str):
        raise InvalidParameter("a condition names no query")
    kind = _one_of(parts["evaluator"].get("type") or "", classic.EVALUATORS, "evaluator")
    return classic.Condition(
        ref=params[0],
        reducer=_one_of(parts["reducer"].get("type") or "avg", classic.REDUCERS, "reducer"),
        evaluator=kind,
        limits=_limits(parts["evaluator"], classic.limits_of(kind)),
        operator=_one_of(parts["operator"].get("type") or "and", ("and", "or", "logic-or"), "operator").removeprefix(
            "logic-"
        ),
    )


def _ref(query: Mapping[str, Any]) -> str:
    """`A` or `$A`."""
    ref = query.get("expression")
    if not isinstance(ref, str) or not ref.strip("${} "):
        raise InvalidParameter("the expression names no query")
    return ref.strip("${} ")


def _one_of(value: object, known: Any, what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise InvalidParameter(f"there is no {what} {value!r} (there are: {', '.join(sorted(filter(None, known)))})")
    return value


def _limits(evaluator: Mapping[str, Any], count: int) -> tuple[float, ...]:
    params = evaluator.get("params")
    given = params if isinstance(params, list) else []
    if len(given) < count:
        raise InvalidParameter(f"{evaluator.get('type')} takes {count} limits, not {len(given)}")
    return tuple(_number(one, "limit") for one in given[:count])


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidParameter(f"the {what} {value!r} is no number")
    return float(value)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object, what: str) -> Sequence[Mapping[str, Any]]:
    found = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
    if not found:
        raise InvalidParameter(f"{what} without conditions")
    return found
