"""A line's level, from what says so most directly: a label, structured metadata, a field in the line, a word in it."""

from collections.abc import Mapping

import numpy as np

from spyglass.ingest.line_levels import LEVELS, UNKNOWN, line_levels
from spyglass.model.arrays import I32
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_columns import LogColumns

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
    return told_level(labels, metadata) or line_levels([line.encode("utf-8", "replace")])[0]


def told_level(labels: Labels, metadata: Labels) -> str | None:
    """What is known without a look at the line."""
    number = dict(metadata).get("severity_number", "") if metadata else ""
    if number.isdigit() and number.isascii() and len(number) < 4:
        return otlp_level(int(number))
    return stream_level(metadata) or stream_level(labels)


def with_levels(labels: Labels, columns: LogColumns) -> LogColumns:
    """Structured metadata `detected_level` on every line, unless the sender gave one.

    Decided once per set of metadata; lines are read only where neither their metadata nor the stream's labels say it.
    """
    table: dict[Labels, int] = {(): 0}

    def number(metadata: Labels, level: str) -> int:
        with_level = labels_of((*metadata, ("detected_level", level))) if metadata else _METADATA[level]
        return table.setdefault(with_level, len(table))

    sets = columns.metas if columns.meta is not None else ((),)
    given = [any(name == "detected_level" for name, _ in metadata) for metadata in sets]
    told = [told_level(labels, metadata) for metadata in sets]
    numbers: I32 = np.full(len(sets), -1, np.int32)
    for place, (metadata, has_one, level) in enumerate(zip(sets, given, told, strict=True)):
        if has_one:
            numbers[place] = table.setdefault(metadata, len(table))
        elif level is not None:
            numbers[place] = number(metadata, level)
    codes = columns.meta if columns.meta is not None else np.zeros(len(columns), np.int32)
    meta = numbers[codes]
    unsaid = np.flatnonzero(meta < 0)
    if len(unsaid):
        of_set = [sets[code] for code in codes[unsaid].tolist()]
        levels = line_levels(columns.encoded_lines(unsaid))
        meta[unsaid] = [number(metadata, level) for metadata, level in zip(of_set, levels, strict=True)]
    return columns.with_metadata(meta, tuple(table))


_METADATA: Mapping[str, Labels] = {level: (("detected_level", level),) for level in (*LEVELS.values(), UNKNOWN)}
"""One object per level, so that lines share it."""


def otlp_level(number: int) -> str:
    """The level of OpenTelemetry's severity number: 1-4 trace, 5-8 debug ... 21-24 fatal.

    >>> [otlp_level(number) for number in (0, 4, 5, 9, 13, 17, 24, 25)]
    ['unknown', 'trace', 'debug', 'info', 'warn', 'error', 'fatal', 'unknown']
    """
    if not 1 <= number <= 24:
        return UNKNOWN
    return ("trace", "debug", "info", "warn", "error", "fatal")[(number - 1) // 4]
