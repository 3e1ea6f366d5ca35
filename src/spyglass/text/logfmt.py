"""logfmt: `key=value key="quoted \\"value\\"" flag`.

Keys and bare values end at anything up to a space; a value with `"` or `=` inside must be quoted. Source: go-logfmt's grammar
as Loki reads it: outside strict mode a bad pair is skipped and reading goes on behind it.
"""

import re

from spyglass.text.gostring import unquote

# One pair, the common case: bare or quoted value, or a key alone. What does not fit is looked at by _problem.
_PAIR = re.compile(
    r"[\x00-\x20]*"
    r"(?P<key>[^\x00-\x20=\"]+)"
    r"(?:(?P<eq>=)(?:\"(?P<quoted>[^\"\\]*)\"|(?P<escaped>\"(?:[^\"\\]|\\.)*\")|(?P<bare>[^\x00-\x20\"=]*)(?=[\x00-\x20]|\Z)))?"
    r"(?(eq)|(?=[\x00-\x20]|\Z))",
    re.DOTALL,
)
_SPACE = re.compile(r"[\x00-\x20]*")
_WORD = re.compile(r"[^\x00-\x20]*")


def parse_logfmt(line: str, *, strict: bool = False) -> tuple[list[tuple[str, str]], str]:
    """The pairs in their order, and what was wrong first ("" if nothing).

    A key without a value has the value "". strict: reading stops at the first error; else errors are skipped.

    >>> parse_logfmt('level=info msg="a b" done')
    ([('level', 'info'), ('msg', 'a b'), ('done', '')], '')
    """
    pairs: list[tuple[str, str]] = []
    problem, at, size = "", 0, len(line)
    match_pair = _PAIR.match
    while at < size:
        match = match_pair(line, at)
        if match is not None:
            at = match.end()
            key, _, quoted, escaped, bare = match.groups()
            value = quoted or bare or ""
            if escaped is not None:
                try:
                    value = unquote(escaped)
                except ValueError:
                    problem = problem or _error(at, "invalid quoted value")
                    if strict:
                        break
                    continue
            pairs.append((key, value))
            continue
        start = _end(_SPACE, line, at)
        if start >= size:
            break
        at, message = _skipped(line, start)
        problem = problem or message
        if strict:
            break
    return pairs, problem


def _skipped(line: str, start: int) -> tuple[int, str]:
    """Where to go on behind a pair that cannot be read, and what is wrong with it."""
    key_end = start
    while key_end < len(line) and line[key_end] > " " and line[key_end] not in '="':
        key_end += 1
    if key_end == start or line[key_end] == '"':
        return _end(_WORD, line, key_end), _error(key_end + 1, f"unexpected '{line[key_end]}'")
    value = key_end + 1
    if line[value] == '"':
        return len(line), _error(len(line) + 1, "unterminated quoted value")
    bad = value
    while line[bad] not in '="':
        bad += 1
    return _end(_WORD, line, bad), _error(bad + 1, f"unexpected '{line[bad]}'")


def _end(pattern: "re.Pattern[str]", line: str, at: int) -> int:
    match = pattern.match(line, at)
    return match.end() if match else at


def _error(position: int, message: str) -> str:
    return f"logfmt syntax error at pos {position} : {message}"
