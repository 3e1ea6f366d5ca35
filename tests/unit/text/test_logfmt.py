"""logfmt lines: what is read, what is skipped, what strict mode refuses."""

import pytest

from spyglass.text.logfmt import parse_logfmt


@pytest.mark.parametrize(
    ("line", "pairs"),
    [
        ("a=1 b=2", [("a", "1"), ("b", "2")]),
        ('msg="a b" x=y', [("msg", "a b"), ("x", "y")]),
        (r'msg="say \"hi\"\tnow"', [("msg", 'say "hi"\tnow')]),
        ("flag a=1", [("flag", ""), ("a", "1")]),
        ("empty= next=1", [("empty", ""), ("next", "1")]),
        ("a=1 a=2", [("a", "1"), ("a", "2")]),
        ("  padded=1  ", [("padded", "1")]),
        ('q="" r=1', [("q", ""), ("r", "1")]),
        ("url=http://x/y?z", [("url", "http://x/y?z")]),
        ("", []),
        ("   ", []),
        ("čaj=☕", [("čaj", "☕")]),
    ],
)
def test_pairs_are_read_in_order(line: str, pairs: list[tuple[str, str]]) -> None:
    """Keys, bare and quoted values, keys without values, in the order of the line."""
    assert parse_logfmt(line) == (pairs, "")


@pytest.mark.parametrize(
    ("line", "pairs", "problem"),
    [
        ("a=1 =novalue b=2", [("a", "1"), ("b", "2")], "logfmt syntax error at pos 5 : unexpected '='"),
        ("a=1 q=x=y b=2", [("a", "1"), ("b", "2")], "logfmt syntax error at pos 8 : unexpected '='"),
        ('k"ey=1 b=2', [("b", "2")], "logfmt syntax error at pos 2 : unexpected '\"'"),
        ('a=1 m="open b=2', [("a", "1")], "logfmt syntax error at pos 16 : unterminated quoted value"),
    ],
)
def test_bad_pairs_are_skipped(line: str, pairs: list[tuple[str, str]], problem: str) -> None:
    """Outside strict mode reading goes on behind a bad pair; the first problem is told."""
    assert parse_logfmt(line) == (pairs, problem)


def test_strict_mode_stops_at_the_first_problem() -> None:
    """What came before the problem is kept."""
    assert parse_logfmt("a=1 =x b=2", strict=True) == ([("a", "1")], "logfmt syntax error at pos 5 : unexpected '='")
