"""Detected fields: names, types, cardinality, and what found them."""

import pytest
from tests.unit.query.logs.logs_kit import NS, T0, engine_over

from spyglass.model.errors import InvalidParameter
from spyglass.query.budget import QueryBudget
from spyglass.query.log_fields import DetectedField, detected_fields, type_of


def detect(
    lines: list[str | tuple[str, dict[str, str]]], query: str = '{app="web"}', limit: int = 100
) -> dict[str, DetectedField]:
    found = detected_fields(
        engine_over({"web": lines}),
        query,
        start_ns=T0 * NS,
        end_ns=(T0 + 3600) * NS,
        line_limit=1000,
        limit=limit,
        tenant="fake",
        budget=QueryBudget(),
    )
    return {item.label: item for item in found}


def test_fields_of_json_and_logfmt_lines() -> None:
    """Each line by the parser that fits it; clashes with the stream get _extracted."""
    found = detect(['{"level":"info","n":1,"app":"x"}', "level=warn took=5ms", "plain"])
    assert set(found) == {"level", "n", "app_extracted", "took"}
    assert (found["level"].cardinality, sorted(found["level"].parsers)) == (2, ["json", "logfmt"])
    assert (found["took"].type, found["took"].parsers) == ("duration", ["logfmt"])
    assert found["n"].type == "int"


def test_metadata_and_the_querys_own_fields_have_no_parser() -> None:
    """They are there without trying."""
    found = detect([("a=1", {"trace": "t"})])
    assert (found["trace"].parsers, found["a"].parsers) == ([], ["logfmt"])
    found = detect(['{"a":{"b":"1.5"}}'], '{app="web"} | json')
    assert (found["a_b"].parsers, found["a_b"].type) == ([], "float")


def test_values_are_counted_and_fields_bounded() -> None:
    """For the values of one field; no more fields than asked for."""
    assert detect(["a=1", "a=2", "a=1"])["a"].values == {"1": 2, "2": 1}
    assert len(detect(["a=1 b=2 c=3"], limit=2)) == 2


def test_metric_queries_have_no_fields() -> None:
    """Refused."""
    with pytest.raises(InvalidParameter, match="only log queries"):
        detect(["a=1"], 'rate({app="web"}[1m])')


TYPES = {
    "5": "int",
    "-5": "int",
    "1.5": "float",
    "true": "boolean",
    "3ms": "duration",
    "4KB": "bytes",
    "x": "string",
    "": "string",
}


@pytest.mark.parametrize(("value", "kind"), TYPES.items())
def test_types(value: str, kind: str) -> None:
    """The narrowest that the text reads as."""
    assert type_of(value) == kind
