"""RE2 on lines: the quick way answers as the plain one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.text.line_regex import line_captures, line_search, required_literal
from spyglass.text.regex import RegexError, compile_regex


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("plain", "plain"),
        ("a.b", "a"),
        ("ab+c", "ab"),
        ("ab*c", "a"),
        ("abc?", "ab"),
        ("ab{2}cd", "cd"),
        ("a|b", ""),
        ("(a|b)cd", "cd"),
        (r"x\.y\d+z", "x.y"),
        ("(?i)abc", ""),
        ("(?P<n>x)yz", "yz"),
        ("[]a]bc", "bc"),
        ("[[:alpha:]]bc", "bc"),
        (r"\x41bc", ""),
        ("", ""),
        (r"a\(b", "a(b"),
        ("(a[)]b)cd", "cd"),
    ],
)
def test_literals_that_every_match_holds(pattern: str, literal: str) -> None:
    """The longest run outside groups, classes and repetitions."""
    assert required_literal(pattern) == literal


PATTERNS = [
    "a+b",
    "(a|b)c",
    "[ab]c?",
    "ab{1,2}c",
    "a.c",
    r"\bab",
    "^a",
    "c$",
    "(?i)ABC",
    "é",
    "a*",
    "[^a]b",
    "(?P<x>a)(?P<y>b)?",
    r"a\.b",
    "(a(b|c))+",
]


@given(st.sampled_from(PATTERNS), st.text("abcABC.é \n", max_size=8))
def test_searching_is_what_re2_says(pattern: str, line: str) -> None:
    """With and without a literal to look for first."""
    match = compile_regex(pattern).search(line)
    assert line_search(pattern)(line) == (match is not None)
    names, capture = line_captures(pattern)
    expected = None if match is None else [match.group(name) or "" for name in names]
    assert capture(line) == expected


def test_bad_patterns_are_refused() -> None:
    """With Go's text."""
    with pytest.raises(RegexError, match="error parsing regexp"):
        line_search("(")
