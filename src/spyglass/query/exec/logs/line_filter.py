"""`|=`, `!=`, `|~`, `!~`, `|>`, `!>`: keep or drop lines by their text."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from spyglass.model.log_stages import LineFilter
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.stage import Needs, RunStage, makes
from spyglass.text.ip import line_matcher
from spyglass.text.line_regex import line_search
from spyglass.text.pattern import pattern_matcher

Finder = Callable[[Sequence[str]], list[int]]
"""The places of the lines that pass."""

_PLAIN = re.compile(r"[\w \-:/,;=\"'<>@#%&!~`]+")


@makes(LineFilter)
def line_filter(stage: LineFilter, needs: Needs) -> RunStage:  # noqa: ARG001
    find = finder(stage)

    def run(rows: Rows) -> Rows:
        keep = find(rows.lines)
        return rows if len(keep) == rows.size else rows.take(keep)

    return run


@lru_cache(maxsize=512)
def finder(stage: LineFilter) -> Finder:
    """Compiled once per distinct filter."""
    negative = stage.op.startswith("!")
    values = [v for v, is_ip in zip(stage.values, stage.ip, strict=True) if not is_ip]
    tests = [line_matcher(v) for v, is_ip in zip(stage.values, stage.ip, strict=True) if is_ip]
    if stage.op in ("|=", "!="):
        if not tests and len(values) == 1:
            return _contains(values[0], negative=negative)
        tests += [_holds(value) for value in values]
    elif stage.op in ("|~", "!~"):
        tests += [_regex(value) for value in values]
    else:
        tests += [pattern_matcher(value) for value in values]
    return _any(tests, negative=negative)


def _contains(needle: str, *, negative: bool) -> Finder:
    if needle == "":
        return lambda lines: [] if negative else list(range(len(lines)))
    if negative:
        return lambda lines: [i for i, line in enumerate(lines) if needle not in line]
    return lambda lines: [i for i, line in enumerate(lines) if needle in line]


def _holds(needle: str) -> Callable[[str], bool]:
    return lambda line: needle in line


def _regex(pattern: str) -> Callable[[str], bool]:
    """A pattern without operators is a plain search, several of them joined by `|` are several."""
    parts = pattern.split("|")
    if all(_PLAIN.fullmatch(part) for part in parts):
        return lambda line: any(part in line for part in parts)
    return line_search(pattern)


def _any(tests: list[Callable[[str], bool]], *, negative: bool) -> Finder:
    if len(tests) == 1:
        test = tests[0]
        if negative:
            return lambda lines: [i for i, line in enumerate(lines) if not test(line)]
        return lambda lines: [i for i, line in enumerate(lines) if test(line)]
    return lambda lines: [i for i, line in enumerate(lines) if any(t(line) for t in tests) != negative]
