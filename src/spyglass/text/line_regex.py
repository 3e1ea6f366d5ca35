"""RE2 on many lines. google-re2's Python layer turns every offset into a count of characters and makes an object per match, 7 us a line;
the program below it, asked about bytes, needs 1. A literal that every match holds is looked for first, at a tenth of that.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2

from spyglass.text.regex import compile_regex

_ANYWHERE: Any = re2._Anchor.UNANCHORED

Captures = Callable[[str], list[str] | None]


@lru_cache(maxsize=1024)
def line_search(pattern: str) -> Callable[[str], bool]:
    """Whether a line holds a match. Raises: RegexError."""
    match = compile_regex(pattern)._regexp.Match
    literal = required_literal(pattern)

    def search(line: str) -> bool:
        if literal not in line:
            return False
        data = _encoded(line)
        return bool(match(_ANYWHERE, data, 0, len(data))[0][0] >= 0)

    return search


@lru_cache(maxsize=512)
def line_captures(pattern: str) -> tuple[tuple[str, ...], Captures]:
    """The names of the named groups, and a function that gives their texts in a line ("" where a group took no part), or None.

    Raises: RegexError.
    """
    program = compile_regex(pattern)
    match = program._regexp.Match
    names = tuple(program.groupindex)
    groups = tuple(program.groupindex.values())
    literal = required_literal(pattern)

    def capture(line: str) -> list[str] | None:
        if literal not in line:
            return None
        data = _encoded(line)
        spans = match(_ANYWHERE, data, 0, len(data))
        if spans[0][0] < 0:
            return None
        return [data[spans[g][0] : spans[g][1]].decode("utf-8", "replace") if spans[g][0] >= 0 else "" for g in groups]

    return names, capture


def _encoded(line: str) -> bytes:
    try:
        return line.encode()
    except UnicodeEncodeError:
        return line.encode("utf-8", "replace")


def required_literal(pattern: str) -> str:
    """The longest text that is in every match, as far as it is easy to see; "" where it is not.

    >>> required_literal('user \\\\d+ logged (in|out)'), required_literal("a|b"), required_literal("(?i)x")
    (' logged ', '', '')
    """
    return max(("", *required_literals(pattern)), key=len)


@lru_cache(maxsize=1024)
def required_literals(pattern: str) -> tuple[str, ...]:
    """Texts that are in every match, as far as they are easy to see.

    >>> required_literals('tenant-00[0-4]2.*user-1')
    ('tenant-00', '2', 'user-1')
    """
    if "(?" in pattern.replace("(?P<", "(").replace("(?:", "("):
        return ()
    runs, run, at = [""], "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "|":
            return ()
        if char in "([":
            runs.append(run)
            run, at = "", _closing(pattern, at)
            if at < 0:
                return ()
        elif char in "*?{":
            # The character before may be missing (or, with {, be there in any number).
            runs.append(run[:-1])
            run = ""
            at = pattern.find("}", at) if char == "{" else at
            if at < 0:
                return ()
        elif char in "+.^$":
            runs.append(run)
            run = ""
        elif char == "\\":
            escaped = pattern[at + 1 : at + 2]
            if escaped.isalnum() or not escaped:
                # A class or an escape with letters behind it: no telling how long it is.
                if escaped not in "dDsSwWbB" or not escaped:
                    return ()
                runs.append(run)
                run = ""
            else:
                run += escaped
            at += 1
        else:
            run += char
        at += 1
    return tuple(dict.fromkeys(filter(None, (*runs, run))))


def _closing(pattern: str, at: int) -> int:
    """The place of the bracket that closes the one at `at`; -1 where it is not found."""
    if pattern[at] == "[":
        end = at + 1
        # A `]` right at the start of a class is a character.
        end += pattern[end : end + 1] == "^"
        end += pattern[end : end + 1] == "]"
        while end < len(pattern) and pattern[end] != "]":
            if pattern[end] == "[" and pattern[end + 1 : end + 2] == ":":
                end = pattern.find(":]", end) + 1
            end += 1 + (pattern[end] == "\\")
        return end if end < len(pattern) else -1
    depth, end = 0, at
    while end < len(pattern):
        char = pattern[end]
        if char == "\\":
            end += 1
        elif char == "[":
            end = _closing(pattern, end)
            if end < 0:
                return -1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                return end
        end += 1
    return -1
