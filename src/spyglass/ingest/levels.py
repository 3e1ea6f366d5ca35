"""A line's level, from what says so most directly: a label, structured metadata, a field in the line, a word in it."""

import re

from spyglass.model.labels import Labels

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

NAMES = frozenset(
    [
        "level",
        "LEVEL",
        "Level",
        "log.level",
        "severity",
        "SEVERITY",
        "Severity",
        "SeverityText",
        "severity_text",
        "lvl",
        "LVL",
        "Lvl",
    ]
)

_FIELD = re.compile(
    r"""["']?\b(?:level|severity|lvl|severity_text|log\.level)["']?\s*[:=]\s*["']?(\w+)""",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"\b(trace|debug|info|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|panic)\b|\b([A-Z][a-z]+Error|[A-Z]\w*Exception)\b",
    re.IGNORECASE,
)


def stream_level(labels: Labels) -> str | None:
    """The level that the labels say, which is that of all lines without metadata; None where they say none."""
    for name, value in labels:
        if name in NAMES and (known := LEVELS.get(value.lower())):
            return known
    return None


def detect_level(labels: Labels, metadata: Labels, line: str) -> str:
    """trace, debug, info, warn, error, critical, fatal or unknown.

    >>> detect_level((), (), '{"level":"WARN","msg":"x"}')
    'warn'
    >>> detect_level((), (), "plain words")
    'unknown'
    """
    number = dict(metadata).get("severity_number", "") if metadata else ""
    if number.isdigit() and number.isascii() and len(number) < 4:
        return otlp_level(int(number))
    for pairs in (metadata, labels):
        if known := stream_level(pairs):
            return known
    field = _FIELD.search(line, 0, 4096)
    if field is not None and (level := LEVELS.get(field.group(1).lower())):
        return level
    word = _WORD.search(line, 0, 4096)
    if word is None:
        return UNKNOWN
    return LEVELS[word.group(1).lower()] if word.group(1) else "error"


def otlp_level(number: int) -> str:
    """The level of OpenTelemetry's severity number: 1-4 trace, 5-8 debug ... 21-24 fatal.

    >>> [otlp_level(number) for number in (0, 4, 5, 9, 13, 17, 24, 25)]
    ['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'unknown']
    """
    if not 1 <= number <= 24:
        return UNKNOWN
    return ("trace", "debug", "info", "warn", "error", "fatal")[(number - 1) // 4]
