"""JSON lines: flattening, broken objects, path expressions."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.text.jsonlines import (
    NOT_JSON,
    at_path,
    clean_text,
    decode_object,
    flatten,
    parse_path,
    sanitize_name,
    unescape_raw,
)


def fields(line: str) -> tuple[list[tuple[str, str]], bool]:
    pairs, problem = decode_object(line)
    return list(flatten(pairs)), bool(problem)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"a":"x","b":{"c":1}}', [("a", "x"), ("b_c", "1")]),
        (
            '{"f":1.50,"e":1e3,"i":12345678901234567890,"n":-0.0}',
            [("f", "1.50"), ("e", "1e3"), ("i", "12345678901234567890"), ("n", "-0.0")],
        ),
        ('{"t":true,"f":false,"z":null,"l":[1]}', [("t", "true"), ("f", "false")]),
        ('{"a b":"1","é":"2","1x":"3","x.y":"4"}', [("a_b", "1"), ("_", "2"), ("_1x", "3"), ("x_y", "4")]),
        ('{"k":1,"k":2}', [("k", "1"), ("k", "2")]),
        ('  {"a":1}  tail', [("a", "1")]),
        ('{"":"x"," ":{"y":"z"}}', [("y", "z")]),
        (r'{"v":"tab\t \"q\" \u00e9"}', [("v", 'tab\t "q" é')]),
    ],
)
def test_scalars_become_labels(line: str, expected: list[tuple[str, str]]) -> None:
    """Nested keys are joined with _, numbers keep their spelling, arrays and nulls are left out."""
    assert fields(line) == (expected, False)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"a":1,"b":2', [("a", "1"), ("b", "2")]),
        ('{"a":1,"b":', [("a", "1")]),
        ('{"a":1,"b":NaN,"c":2}', [("a", "1")]),
        ('{"a":{"b":1,"c"', []),
        ('{"a" 1}', []),
        ("[1,2]", []),
        ("plain", []),
        ("", []),
    ],
)
def test_broken_objects_keep_what_came_before(line: str, expected: list[tuple[str, str]]) -> None:
    """The fields before the break count, and the line is in error."""
    assert fields(line) == (expected, True)


def test_what_is_no_object_says_so() -> None:
    """Arrays and words are no objects."""
    assert decode_object("[1]") == ((), NOT_JSON)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", 0, "c")),
        ('["a b"].c', ("a b", "c")),
        ('a["b"][1]["d"]', ("a", "b", 1, "d")),
    ],
)
def test_paths_are_read(text: str, path: tuple[str | int, ...]) -> None:
    """Fields by name or in brackets, elements by index."""
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", ".a", "a..b", "a b", "a[", "a[x]", "a b.c", "[0"])
def test_bad_paths_are_refused(text: str) -> None:
    """Everything else is an error."""
    with pytest.raises(ValueError, match="syntax error"):
        parse_path(text)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("s",), "x"),
        (("n",), "1.50"),
        (("z",), ""),
        (("o",), '{"k": [1, {"d": "deep"}]}'),
        (("o", "k", 1, "d"), "deep"),
        (("o", "k", 9), None),
        (("s", "k"), None),
        (("nosuch",), None),
    ],
)
def test_values_at_paths(path: tuple[str | int, ...], expected: str | None) -> None:
    """Strings are unescaped, all else is as spelled in the line."""
    assert at_path('{"s":"x","n":1.50,"z":null,"o":{"k": [1, {"d": "deep"}]}}', path) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5), st.integers(min_value=0, max_value=200))
def test_any_prefix_of_an_object_is_read_without_failing(value: dict[str, object], cut: int) -> None:
    """Whole objects have no problem; cut ones never raise."""
    line = json.dumps(value)
    assert decode_object(line)[1] == ""
    decode_object(line[:cut])


def test_label_values_hold_no_broken_text() -> None:
    """U+FFFD and lone surrogates become blanks."""
    assert clean_text("a\ufffdb\ud800c") == "a b c"
    assert sanitize_name(" a-b ") == "a_b"
    assert unescape_raw(r'["a\"b\u00e9"]') == '["a"bé"]'
