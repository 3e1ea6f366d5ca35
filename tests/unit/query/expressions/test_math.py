"""Math expressions: the language, and its evaluation on scalars, numbers and series."""

import numpy as np
import pytest

from spyglass.model.errors import BudgetExceeded, ExecutionError, ParseError
from spyglass.model.labels import Labels
from spyglass.query.expressions import unions
from spyglass.query.expressions.ast import Binary, Num, Ref, Unary, refs_of
from spyglass.query.expressions.math import evaluate
from spyglass.query.expressions.parse import parse
from spyglass.query.expressions.values import Value, number, series

NAN = float("nan")


def values(text: str, **inputs: list[Value]) -> list[tuple[Labels, list[float | None]]]:
    """Labels and values of each result; None where absent."""
    found = evaluate(parse(text), inputs)
    return [(v.labels, [x if p else None for x, p in zip(v.values.tolist(), v.present, strict=True)]) for v in found]


def line(*points: float, start: int = 0, step: int = 10, labels: Labels = ()) -> Value:
    return series(np.arange(len(points), dtype=np.int64) * step + start, np.array(points, np.float64), labels)


def one(text: str, **inputs: list[Value]) -> float | None:
    (found,) = values(text, **inputs)
    return found[1][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("2 ** 3 ** 2", 64),
        ("-2 ** 2", 4),
        ("10 - 2 - 3", 5),
        ("7 % 4", 3),
        ("-7 % 4", -3),
        ("0x10 + 1e2 + .5", 116.5),
        ("1 == 1 && 2 > 3", 0),
        ("1 > 2 || 3 >= 3", 1),
        ("!1 + !0", 1),
        ("1 != 2", 1),
        ("abs(-3) + floor(1.9) + ceil(1.1)", 6),
        ("round(2.5) + round(-2.5)", 0),
        ("is_nan(nan()) + is_inf(infn()) + is_inf(inf()) + is_number(1)", 4),
        ("is_null(null()) + is_null(nan())", 1),
        ("1 || nan()", 1),
        ("0 && nan()", 0),
        ("1 / 0 == inf()", 1),
    ],
)
def test_scalars(text: str, expected: float) -> None:
    """Precedence, associativity, functions, and what decides without the other side."""
    assert one(text) == expected


@pytest.mark.parametrize("text", ["nan() + 1", "nan() == nan()", "nan() || 0", "1 && nan()", "log(-1)", "!nan()"])
def test_nan_stays_nan(text: str) -> None:
    result = one(text)
    assert result is not None
    assert np.isnan(result)


@pytest.mark.parametrize("text", ["null() + 1", "-null()", "abs(null())", "null() == null()"])
def test_absent_stays_absent(text: str) -> None:
    assert one(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "something is missing at the end of ''"),
        ("1 +", "something is missing at the end of '1 +'"),
        ("1 2", "unexpected '2' at character 3 of '1 2'"),
        ("(1", "expected ')', not 'the end' at the end of '(1'"),
        ("1 # 2", "unexpected '#' at character 3 of '1 # 2'"),
        ("sqrt(4)", "there is no function 'sqrt' (there are: abs, ceil, floor, inf, infn, is_inf, is_nan, is_null"),
        ("abs()", "abs takes 1 arguments, not 0; at character 5 of 'abs()'"),
        ("nan(1)", "nan takes 0 arguments, not 1;"),
        ("(" * 200 + "1" + ")" * 200, "more than 100 things inside one another"),
        ("1" * 20_000, "a math expression of 20000 characters is longer than 10000"),
    ],
)
def test_what_is_no_expression(text: str, message: str) -> None:
    """The message says what is wrong, and where."""
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert caught.value.message.startswith(message)


def test_tree_and_references() -> None:
    """`$A` and `${A}` are the same; names in braces may hold anything."""
    node = parse("-$A + ${B c} * 2 + $A")
    assert node == Binary("+", Binary("+", Unary("-", Ref("A")), Binary("*", Ref("B c"), Num(2.0))), Ref("A"))
    assert refs_of(node) == ("A", "B c")


def test_series_and_numbers() -> None:
    """A number goes along a series; two series meet at their common times."""
    a, b = line(1, 2, 3, labels=(("job", "x"),)), line(10, 20, 30, start=10, labels=(("job", "x"),))
    assert values("$A * 2", A=[a]) == [((("job", "x"),), [2, 4, 6])]
    (found,) = evaluate(parse("$A + $B"), {"A": [a], "B": [b]})
    assert (found.kind, found.times.tolist(), found.values.tolist()) == ("series", [10, 20], [12, 23])
    (mixed,) = evaluate(parse("$A > $B"), {"A": [a], "B": [number(2)]})
    assert (mixed.kind, mixed.values.tolist()) == ("series", [0, 0, 1])


def test_unions_by_labels() -> None:
    """Equal labels, or a side that holds all of the other's, or no labels at all; the larger set is kept."""
    x, y = (("job", "x"),), (("job", "y"),)
    xa: Labels = (("instance", "a"), ("job", "x"))
    assert values("$A + $B", A=[number(1, x), number(2, y)], B=[number(10, y), number(20, x)]) == [(x, [21]), (y, [12])]
    assert values("$A + $B", A=[number(1, x), number(2, y)], B=[number(10, xa)]) == [(xa, [11])]
    assert values("$A + $B", A=[number(1, x), number(2, y)], B=[number(10)]) == [(x, [11]), (y, [12])]
    assert values("$A + $B", A=[number(1, x)], B=[number(10, y)]) == [(x, [11])]
    assert values("$A + $B", A=[number(1, x), number(2, xa)], B=[number(5, y), number(6, y)]) == []
    assert values("$A + 1", A=[]) == []


def test_unions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many results of different labels are refused, not compared for minutes."""
    monkeypatch.setattr(unions, "MAX_PAIRS", 100)
    mixed = [number(1, (("a", str(i)),)) for i in range(20)]
    with pytest.raises(BudgetExceeded, match="20 and 20 results"):
        values("$A + $B", A=mixed, B=[number(1, (("b", str(i)),)) for i in range(20)])


def test_unknown_query() -> None:
    with pytest.raises(ExecutionError, match="there is no query 'Z'"):
        values("$Z")
