"""The level that lines tell: the same as from two expressions over each line."""

import random
import re

from spyglass.ingest.line_levels import LEVELS, MAX_BYTES, UNKNOWN, line_levels

FIELD = re.compile(
    r"""["']?\b(?:level|severity|lvl|severity_text|log\.level)["']?\s*[:=]\s*["']?(\w+)""", re.IGNORECASE
)
WORD = re.compile(
    r"\b(trace|debug|info|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|panic)\b|\b([A-Z][a-z]+Error|[A-Z]\w*Exception)\b",
    re.IGNORECASE,
)
PIECES = [
    *("level", "LEVEL", "severity", "severity_text", "lvl", "log.level", "info", "INFO", "warn", "warning", "err", "error"),
    *("trace", "debug", "crit", "critical", "fatal", "panic", "notice", "critrace", "errinfo", "Exception", "TypeError"),
    *("NullPointerException", "a", "_", "1", '"', "'", "=", ":", " ", "  ", ".", "-", "\0", "x" * 50),
]  # fmt: skip


def one_line(line: str) -> str:
    """The plain twin."""
    field = FIELD.search(line, 0, MAX_BYTES)
    if field is not None and (level := LEVELS.get(field.group(1).lower())):
        return level
    word = WORD.search(line, 0, MAX_BYTES)
    if word is None:
        return UNKNOWN
    return LEVELS[word.group(1).lower()] if word.group(1) else "error"


def test_lines_tell_what_each_would_tell() -> None:
    """Fields and words, whole and as parts of names, in any order; the first that counts decides."""
    rng = random.Random(1)
    for _ in range(300):
        lines = ["".join(rng.choices(PIECES, k=rng.randrange(12))) for _ in range(40)]
        assert line_levels([line.encode() for line in lines]) == [one_line(line) for line in lines], lines


def test_the_end_of_a_long_line_is_not_looked_at() -> None:
    """A word that the limit cuts is none."""
    lines = [" " * (MAX_BYTES - size) + "panic" for size in (4, 5)]
    assert line_levels([line.encode() for line in lines]) == ["unknown", "fatal"]


def test_letters_of_other_scripts_are_no_letters_of_a_word() -> None:
    """Bytes that are no ASCII end a word, as in upstream's expressions; nothing fails on letters that fold to ASCII."""
    assert line_levels(["éinfo".encode(), "ınfo".encode(), b"\xff error \xff"]) == ["info", "unknown", "error"]
