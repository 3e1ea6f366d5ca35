"""The level that a line's text tells: a field of it (`level=warn`, `"severity":"ERROR"`), else a word in it.

An expression that tries every word at every place takes longer than all else that is done with a line. So a plain search finds the
first word that the line holds, if any, and the expression begins there. Words are ASCII, in any case.
"""

import re
from collections.abc import Sequence

LEVELS = {
    "trace": "trace",
    "trc": "trace",
    "debug": "debug",
    "dbg": "debug",
    "info": "info",
    "information": "info",
    "informational": "info",
    "inf": "info",
    "notice": "info",
    "warn": "warn",
    "warning": "warn",
    "wrn": "warn",
    "error": "error",
    "err": "error",
    "eror": "error",
    "critical": "critical",
    "crit": "critical",
    "fatal": "fatal",
    "panic": "fatal",
    "emerg": "fatal",
    "emergency": "fatal",
}
UNKNOWN = "unknown"

MAX_BYTES = 4096
"""Of a line that are looked at."""
_FIELD_KEYS = (b"level", b"severity", b"lvl")
_FIELD = re.compile(rb"""\b(?:level|severity|lvl|severity_text)["']?\s*[:=]\s*["']?(\w+)""")
_WORDS = (b"trace", b"debug", b"info", b"warn", b"err", b"crit", b"fatal", b"panic", b"exception")
_WORD = re.compile(
    rb"\b(trace|debug|info|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|panic)\b|\b([a-z]{2,}error|[a-z]\w*exception)\b"
)


def line_levels(lines: Sequence[bytes]) -> list[str]:
    """trace, debug, info, warn, error, critical, fatal or unknown, for each line.

    >>> line_levels([b'{"level":"WARN","msg":"x"}', b"plain words", b"NullPointerException at Main"])
    ['warn', 'unknown', 'error']
    """
    texts = [line[:MAX_BYTES].lower() for line in lines]
    keys = _present(_FIELD_KEYS, texts)
    levels = [_field_level(text, keys) for text in texts]
    words = _present(_WORDS, [text for text, level in zip(texts, levels, strict=True) if level is None])
    return [level or _word_level(text, words) or UNKNOWN for text, level in zip(texts, levels, strict=True)]


def _present(words: Sequence[bytes], texts: Sequence[bytes]) -> list[bytes]:
    """Those that some line holds: the others need not be looked for in each."""
    together = b"\0".join(texts)
    return [word for word in words if word in together]


def _field_level(text: bytes, keys: Sequence[bytes]) -> str | None:
    first = _first(text, keys)
    found = None if first < 0 else _FIELD.search(text, first)
    return None if found is None else LEVELS.get(found.group(1).decode())


def _word_level(text: bytes, words: Sequence[bytes]) -> str | None:
    first = _first(text, words)
    # The name of an error begins before the word that it ends in.
    found = None if first < 0 else _WORD.search(text, _name_start(text, first))
    if found is None:
        return None
    return LEVELS[found.group(1).decode()] if found.group(1) else "error"


def _first(text: bytes, words: Sequence[bytes]) -> int:
    """Where the first of the words begins, -1 where there is none."""
    first = -1
    for word in words:
        at = text.find(word) if first < 0 else text.find(word, 0, first + len(word) - 1)
        first = at if at >= 0 else first
    return first


def _name_start(line: bytes, at: int) -> int:
    """Where the name that the place is in begins."""
    while at and _IS_NAME[line[at - 1]]:
        at -= 1
    return at


_IS_NAME = [bool(re.match(rb"\w", bytes([byte]))) for byte in range(256)]
