"""Line patterns: captures, and whole-line shapes."""

import pytest

from spyglass.text.pattern import parse_pattern, pattern_matcher, pattern_parser


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("<ip> - <user>", "1.2.3.4 - bob", {"ip": "1.2.3.4", "user": "bob"}),
        ('<_> "<method> <path>"', 'x "GET /a"', {"method": "GET", "path": "/a"}),
        ("<a>,<b>,<c>", "1,2", {"a": "1", "b": "2"}),
        ("<a>;<b>", "no separator", {"a": "no separator"}),
        ("level=<l> ", "level=info rest", {"l": "info"}),
        ("start <a>", "other", {}),
        ("<a> end", "", {}),
    ],
)
def test_captures(pattern: str, line: str, expected: dict[str, str]) -> None:
    """A line that ends early fills what it can; one that starts otherwise fills nothing."""
    names, capture = pattern_parser(pattern)
    assert dict(zip(names, capture(line), strict=False)) == expected


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("<_>", "at least one capture is required"),
        ("plain", "at least one capture is required"),
        ("<a><b>", "found consecutive capture '<a><b>': invalid expression"),
        ("<a> <a>", r"duplicate capture name \(a\): invalid expression"),
    ],
)
def test_bad_patterns(pattern: str, message: str) -> None:
    """Refused with upstream's texts."""
    with pytest.raises(ValueError, match=message):
        pattern_parser(pattern)


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("same", "same", True),
        ("same", "same tail", False),
        ("sa<_>", "same", True),
        ("sa<_>", "sa", False),
        ("<_> bar", "foo bar baz", False),
        ("<_> baz", "foo bar baz", True),
        ("foo <_>", "foo bar", True),
        ("<_> bar <_>", " bar ", False),
        ("<_>bar<_>", " bar ", True),
        ("", "", True),
        ("", "x", False),
        ("x", "", False),
    ],
)
def test_shapes(pattern: str, line: str, expected: bool) -> None:
    """The whole line must fit, and every capture needs a character."""
    assert pattern_matcher(pattern)(line) is expected


def test_names_have_no_place_in_a_line_filter() -> None:
    """A filter captures nothing, so it takes no names; `<` without a name behind it is text."""
    with pytest.raises(ValueError, match="named captures are not allowed"):
        pattern_matcher("<a> x")
    assert parse_pattern("a < b <c") == ("a < b <c",)
