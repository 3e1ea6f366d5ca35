"""Reduce, resample, threshold and classic conditions, decoded from dashboards' JSON and run."""

from typing import Any

import numpy as np
import pytest

from spyglass.model.errors import BudgetExceeded, ExecutionError, InvalidParameter
from spyglass.query.expressions.commands import Range, decode
from spyglass.query.expressions.values import Value, number, series

Json = dict[str, Any]
NAN = float("nan")
LABELS = (("job", "x"),)
SPAN = Range(0, 60_000)


def line(*points: float | None, times: list[int] | None = None) -> Value:
    """None: absent."""
    stamps = np.array(times if times is not None else range(0, len(points) * 10_000, 10_000), np.int64)
    values = np.array([NAN if p is None else p for p in points], np.float64)
    return Value("series", values, np.array([p is not None for p in points], np.bool_), LABELS, stamps)


def run(query: Json, *values: Value) -> list[list[float | None]]:
    found = decode(query).run({"A": list(values)}, SPAN)
    return [[x if p else None for x, p in zip(v.values.tolist(), v.present, strict=True)] for v in found]


def reducing(reducer: str, mode: str = "", **settings: Any) -> Json:
    return {"type": "reduce", "expression": "$A", "reducer": reducer, "settings": {"mode": mode, **settings}}


@pytest.mark.parametrize(
    ("reducer", "expected"),
    [("sum", 10), ("mean", 2.5), ("min", 1), ("max", 4), ("count", 4), ("last", 4), ("median", 2.5)],
)
def test_reducers(reducer: str, expected: float) -> None:
    """One number a series, with its labels."""
    (found,) = decode(reducing(reducer)).run({"A": [line(3, 1, 2, 4)]}, SPAN)
    assert (found.kind, found.values[0], found.labels) == ("number", expected, LABELS)


def test_strict_mode_needs_every_value() -> None:
    """One absent value or NaN makes the result NaN; the last value and the count are what they are."""
    for holes in (line(1, None, 3), line(1, NAN, 3)):
        ((total,),) = run(reducing("sum"), holes)
        assert total is not None
        assert np.isnan(total)
        assert run(reducing("count"), holes) == [[3]]
        assert run(reducing("last"), holes) == [[3]]
    assert run(reducing("last"), line(1, None)) == [[None]]
    assert run(reducing("sum"), line()) == [[0]]


def test_modes() -> None:
    """dropNN leaves out what is no number, replaceNN puts one there; infinities are none."""
    holes = line(1, None, NAN, float("inf"), 3)
    assert run(reducing("sum", "dropNN"), holes) == [[4]]
    assert run(reducing("mean", "dropNN"), line(None, NAN)) == [[None]]
    assert run(reducing("sum", "replaceNN", replaceWithValue=10), holes) == [[34]]
    assert run(reducing("mean", "replaceNN", replaceWithValue=7), line()) == [[7]]


def test_numbers_pass_through_reduce() -> None:
    assert run(reducing("mean"), number(5, LABELS), number(None)) == [[5], [None]]
    assert run(reducing("mean", "dropNN"), number(NAN)) == [[None]]
    assert run(reducing("mean", "replaceNN", replaceWithValue=1), number(None)) == [[1]]


def resampling(window: str, downsampler: str = "mean", upsampler: str = "fillna") -> Json:
    return {
        "type": "resample",
        "expression": "A",
        "window": window,
        "downsampler": downsampler,
        "upsampler": upsampler,
    }


def test_resample_down() -> None:
    """Each time has the points since the one before; the first all up to it."""
    points = line(1, 2, 3, 4, 5, 6, times=[-5_000, 0, 10_000, 20_000, 30_000, 60_000])
    assert run(resampling("30s", "sum"), points) == [[3, 12, 6]]
    assert run(resampling("30s", "last"), points) == [[2, 5, 6]]
    (found,) = decode(resampling("30s")).run({"A": [points]}, SPAN)
    assert (found.times.tolist(), found.labels) == ([0, 30_000, 60_000], LABELS)


@pytest.mark.parametrize(
    ("upsampler", "expected"),
    [
        ("fillna", [None, 1, None, None, 2, None, None]),
        ("pad", [None, 1, 1, 1, 2, 2, 2]),
        ("backfilling", [1, 1, 2, 2, 2, None, None]),
    ],
)
def test_resample_up(upsampler: str, expected: list[float | None]) -> None:
    """What stands where there is no point."""
    assert run(resampling("10s", upsampler=upsampler), line(1, 2, times=[10_000, 40_000])) == [expected]


def test_resample_refuses() -> None:
    with pytest.raises(ExecutionError, match="shorter than the window"):
        run(resampling("2m"), line(1))
    with pytest.raises(ExecutionError, match="only series"):
        run(resampling("10s"), number(1))
    with pytest.raises(BudgetExceeded, match="more than 100000 points"):
        decode(resampling("1ms")).run({"A": [line(1)]}, Range(0, 10**9))


@pytest.mark.parametrize(
    ("kind", "limits", "expected"),
    [
        ("gt", [2], [0, 0, 1, None, 0]),
        ("lt", [2], [1, 0, 0, None, 0]),
        ("within_range", [3, 1], [0, 1, 0, None, 0]),
        ("outside_range", [2, 2], [1, 0, 1, None, 0]),
        ("eq", [2], [0, 1, 0, None, 0]),
        ("gte", [2], [0, 1, 1, None, 0]),
    ],
)
def test_threshold(kind: str, limits: list[float], expected: list[float | None]) -> None:
    """1 where a value passes; absent stays absent, NaN passes nowhere. What unloads an alert is of no matter here."""
    unload = {"type": "lt", "params": [1]}
    query = {
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": {"type": kind, "params": limits}, "unloadEvaluator": unload}],
    }
    assert run(query, line(1, 2, 3, None, NAN)) == [expected]


def condition(ref: str, reducer: str, evaluator: str, *limits: float, operator: str = "and") -> Json:
    return {
        "query": {"params": [ref]},
        "reducer": {"type": reducer},
        "evaluator": {"type": evaluator, "params": list(limits)},
        "operator": {"type": operator},
    }


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([condition("A", "max", "gt", 3)], 1),
        ([condition("A", "avg", "gt", 3)], 0),
        ([condition("A", "avg", "gt", 3), condition("A", "last", "lt", 9, operator="or")], 1),
        ([condition("A", "max", "gt", 3), condition("A", "last", "gt", 9)], 0),
        ([condition("A", "diff", "within_range", 2, 4)], 1),
        ([condition("A", "percent_diff", "gt", 299)], 1),
        ([condition("B", "avg", "gt", 0)], None),
        ([condition("B", "avg", "no_value")], 1),
    ],
)
def test_classic_conditions(conditions: list[Json], expected: float | None) -> None:
    """One number for all series; nothing where there is no data, unless that is what is looked for."""
    (found,) = decode({"type": "classic_conditions", "conditions": conditions}).run(
        {"A": [line(1, 2, 4)], "B": []}, SPAN
    )
    assert (found.values[0] if found.present[0] else None) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"type": "sql", "expression": "SELECT 1"}, "SQL expressions are not evaluated here"),
        ({"type": "magic"}, "there is no expression of type 'magic' (there are: math, reduce"),
        ({"type": "math", "expression": " "}, "the math expression is empty"),
        (
            {"type": "reduce", "expression": "A", "reducer": "stdDev"},
            "there is no reducer 'stdDev' (there are: count, last",
        ),
        ({"type": "reduce", "reducer": "mean"}, "the expression names no query"),
        (reducing("mean", "guess"), "there is no mode 'guess'"),
        (reducing("mean", "replaceNN", replaceWithValue="x"), "the replaceWithValue 'x' is no number"),
        (resampling("soon"), "the window 'soon' is no duration"),
        (resampling("10s", downsampler="median"), "there is no downsampler 'median'"),
        ({"type": "threshold", "expression": "A"}, "a threshold without conditions"),
        (
            {"type": "threshold", "expression": "A", "conditions": [{"evaluator": {"type": "gt", "params": []}}]},
            "gt takes 1 limits, not 0",
        ),
        ({"type": "classic_conditions", "conditions": [{}]}, "a condition names no query"),
    ],
)
def test_what_cannot_be_read(query: Json, message: str) -> None:
    """The message names the part at fault and what would do."""
    with pytest.raises(InvalidParameter) as caught:
        decode(query)
    assert caught.value.message.startswith(message)


def test_references() -> None:
    """Each query once, whatever form it is named in."""
    assert decode({"type": "math", "expression": "$A + ${B} + $A"}).refs == ("A", "B")
    assert decode(reducing("mean")).refs == ("A",)
    assert decode({"type": "classic_conditions", "conditions": [condition("B", "avg", "gt", 1)] * 2}).refs == ("B",)


def test_series_builder_has_no_holes() -> None:
    assert series(np.array([1, 2]), np.array([1.0, 2.0])).present.all()
