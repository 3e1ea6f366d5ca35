"""Log answers as one data frame: labels (objects), Time (ms), Line, tsNs (text: JSON numbers lose nanoseconds), id."""

import zlib
from collections.abc import Sequence
from typing import Any

from spyglass.api.grafana.series import LogAnswer
from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry

_FIELDS: list[dict[str, Any]] = [
    {"name": "labels", "type": "other", "typeInfo": {"frame": "json.RawMessage"}},
    {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
    {"name": "Line", "type": "string", "typeInfo": {"frame": "string"}},
    {"name": "tsNs", "type": "string", "typeInfo": {"frame": "string"}},
    {"name": "id", "type": "string", "typeInfo": {"frame": "string"}},
]


def log_frames(answer: LogAnswer, *, ref_id: str, expression: str, limit: int) -> list[dict[str, Any]]:
    """One frame; an empty answer is a frame without rows."""
    meta: dict[str, Any] = {
        "executedQueryString": f"Expr: {expression}",
        "preferredVisualisationType": "logs",
        "custom": {"frameType": "LabeledTimeValues"},
        "limit": limit,
    }
    if answer.warnings:
        meta["notices"] = [{"severity": "warning", "text": text} for text in answer.warnings]
    lines = answer.lines
    values = [
        _labels(lines),
        [entry.time_ns // 1_000_000 for _, entry in lines],
        [entry.line for _, entry in lines],
        [str(entry.time_ns) for _, entry in lines],
        _ids(lines),
    ]
    return [{"schema": {"refId": ref_id, "meta": meta, "fields": _FIELDS}, "data": {"values": values}}]


def _labels(lines: Sequence[tuple[Labels, LogEntry]]) -> list[dict[str, str]]:
    """A map per line; lines of one stream without metadata share one."""
    maps: dict[Labels, dict[str, str]] = {}
    found = []
    for labels, entry in lines:
        shared = maps.get(labels)
        if shared is None:
            shared = maps[labels] = dict(labels)
        found.append({**shared, **dict(entry.metadata)} if entry.metadata else shared)
    return found


def _ids(lines: Sequence[tuple[Labels, LogEntry]]) -> list[str]:
    """Names that stay the same when the same line comes again, so that a list can keep its place; twins get a number."""
    seeds: dict[Labels, int] = {}
    seen: dict[str, int] = {}
    ids = []
    for labels, entry in lines:
        seed = seeds.get(labels)
        if seed is None:
            seed = seeds[labels] = zlib.crc32(repr(labels).encode("utf-8", "surrogatepass"))
        name = f"{entry.time_ns}_{zlib.crc32(entry.line.encode('utf-8', 'surrogatepass'), seed):08x}"
        count = seen[name] = seen.get(name, 0) + 1
        ids.append(name if count == 1 else f"{name}_{count}")
    return ids
