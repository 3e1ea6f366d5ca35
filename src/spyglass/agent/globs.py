"""File name patterns as Promtail's: `*` and `?` within a name, `**` over folders, `[a-z]`, `{a,b}`. Names with a leading dot count.

Source: the doublestar library's documentation.
"""

import glob
import os
import re
from collections.abc import Iterator
from functools import lru_cache

_MAGIC = re.compile(r"[*?\[{]")


def find_files(pattern: str) -> list[str]:
    """The files (not folders) that match, sorted."""
    found: set[str] = set()
    for plain in alternatives(pattern):
        found.update(name for name in glob.iglob(plain, recursive=True, include_hidden=True) if os.path.isfile(name))
    return sorted(found)


def literal_folder(pattern: str) -> str:
    """The part before the first folder or name with a wildcard.

    >>> literal_folder("/var/log/**/*.log"), literal_folder("/var/log/x.log")
    ('/var/log', '/var/log')
    """
    match = _MAGIC.search(pattern)
    fixed = pattern[: match.start()] if match else pattern
    return fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")


def is_shallow(pattern: str) -> bool:
    """Whether all wildcards are in the last part, so that one folder's modification time tells of new files."""
    return _MAGIC.search(pattern.rpartition("/")[0]) is None


def alternatives(pattern: str) -> Iterator[str]:
    """The patterns that braces stand for.

    >>> list(alternatives("/{a,b}/*.{log,txt}"))
    ['/a/*.log', '/a/*.txt', '/b/*.log', '/b/*.txt']
    """
    start = pattern.find("{")
    end = _closing(pattern, start)
    if start < 0 or end < 0:
        yield pattern
        return
    for choice in _choices(pattern[start + 1 : end]):
        yield from alternatives(pattern[:start] + choice + pattern[end + 1 :])


def _closing(pattern: str, start: int) -> int:
    depth = 0
    for at in range(max(start, 0), len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[at], 0)
        if depth == 0 and pattern[at] == "}":
            return at
    return -1


def _choices(text: str) -> list[str]:
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


def matches(pattern: str, path: str) -> bool:
    """Whether a path matches the whole pattern."""
    return any(_program(plain).fullmatch(path) is not None for plain in alternatives(pattern))


@lru_cache(maxsize=1024)
def _program(pattern: str) -> re.Pattern[str]:
    out, at = [], 0
    while at < len(pattern):
        piece, at = _piece(pattern, at)
        out.append(piece)
    return re.compile("".join(out), re.DOTALL)


def _piece(pattern: str, at: int) -> tuple[str, int]:
    if pattern.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    char = pattern[at]
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    end = pattern.find("]", at + 2) if char == "[" else -1
    if end > 0:
        body = pattern[at + 1 : end].replace("\\", "\\\\")
        return f"[^{body[1:]}]" if body[0] in "!^" else f"[{body}]", end + 1
    if char == "\\" and at + 1 < len(pattern):
        return re.escape(pattern[at + 1]), at + 2
    return re.escape(char), at + 1
