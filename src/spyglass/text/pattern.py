"""Loki's line patterns: `<ip> - <user> <_> "<method> <path> <_>"`.

A pattern is literal text with captures between; `<_>` captures without a name. Two captures need text between them.
"""

import re
from collections.abc import Callable
from functools import lru_cache

_CAPTURE = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")


class Capture(str):
    """A capture's name; "_" for one without."""

    __slots__ = ()


Part = str | Capture


def parse_pattern(pattern: str) -> tuple[Part, ...]:
    """Literals and captures, alternating.

    Raises: ValueError with upstream's text for two captures in a row.
    """
    parts: list[Part] = []
    at = 0
    for match in _CAPTURE.finditer(pattern):
        if match.start() > at:
            parts.append(pattern[at : match.start()])
        if parts and isinstance(parts[-1], Capture):
            raise ValueError(f"found consecutive capture '<{parts[-1]}><{match.group(1)}>': invalid expression")
        parts.append(Capture(match.group(1)))
        at = match.end()
    if at < len(pattern):
        parts.append(pattern[at:])
    return tuple(parts)


@lru_cache(maxsize=512)
def pattern_parser(pattern: str) -> tuple[tuple[str, ...], Callable[[str], list[str]]]:
    """The capture names in their order, and the function that captures from a line.

    It gives as many values as it found (fewer than names where the line ends early; the last then holds the rest).
    Raises: ValueError with upstream's text.
    """
    parts = parse_pattern(pattern)
    if not parts:
        raise ValueError("at least one capture is required")
    names = tuple(str(part) for part in parts if isinstance(part, Capture) and part != "_")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(f"duplicate capture name ({name}): invalid expression")
    if not names:
        raise ValueError("at least one capture is required")
    head = "" if isinstance(parts[0], Capture) else str(parts[0])
    pairs = _pairs(parts[1:] if head else parts)

    def capture(line: str) -> list[str]:
        if not line or not line.startswith(head):
            return []
        found: list[str] = []
        at = len(head)
        for wanted, literal in pairs:
            end = line.find(literal, at) if literal else -1
            if end < 0:
                if wanted:
                    found.append(line[at:])
                return found
            if wanted:
                found.append(line[at:end])
            at = end + len(literal)
        return found

    return names, capture


def _pairs(parts: tuple[Part, ...]) -> list[tuple[bool, str]]:
    """(the capture has a name, the literal behind it or "" at the end)."""
    return [
        (part != "_", str(parts[i + 1]) if i + 1 < len(parts) else "")
        for i, part in enumerate(parts)
        if isinstance(part, Capture)
    ]


@lru_cache(maxsize=512)
def pattern_matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a whole line has the shape of the pattern (`|>`); every capture needs something to capture.

    Raises: ValueError with upstream's text; names are not allowed here.
    """
    parts = parse_pattern(pattern)
    for part in parts:
        if isinstance(part, Capture) and part != "_":
            raise ValueError(f"named captures are not allowed: found '<{part}>'")
    literals = [str(part) for part in parts if not isinstance(part, Capture)]
    anchored = bool(parts) and not isinstance(parts[0], Capture)
    open_end = bool(parts) and isinstance(parts[-1], Capture)

    def matches(line: str) -> bool:
        if not parts or not line:
            return not parts and not line
        if anchored and not line.startswith(literals[0]):
            return False
        at = 0
        for index, literal in enumerate(literals):
            found = line.find(literal, at)
            # Only the first part may start where the last one ended.
            if found < 0 or (found == at and (index or not anchored)):
                return False
            at = found + len(literal)
        return (at < len(line)) == open_end

    return matches
