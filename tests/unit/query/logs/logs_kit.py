"""What the tests of stages and engines share: a store with lines, and questions in one call."""

from collections.abc import Sequence

from spyglass.model.labels import labels_of
from spyglass.protocols.log_store import Direction, LogEntry
from spyglass.protocols.queries import MetricResult, StreamsResult
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.storage.memory_logs import MemoryLogStores

NS = 10**9
T0 = 1_790_000_400
"""Seconds; a multiple of 60."""

Line = str | tuple[str, dict[str, str]]


def engine_over(
    streams: dict[str, Sequence[Line]], *, step_s: float = 1.0, limits: LogQueryLimits | None = None
) -> LogEngine:
    """Streams named by their `app` label ("web" or "web,env=prod"); line i at T0 + i * step_s seconds."""
    stores = MemoryLogStores()
    for name, lines in streams.items():
        app, *others = name.split(",")
        labels = labels_of({"app": app, **dict(other.split("=", 1) for other in others)})
        entries = []
        for i, line in enumerate(lines):
            text, metadata = (line, {}) if isinstance(line, str) else line
            entries.append(LogEntry(round((T0 + i * step_s) * NS), text, labels_of(metadata)))
        stores.store().append([(labels, entries)])
    return LogEngine(stores, limits)


def lines_of(
    engine: LogEngine,
    query: str,
    *,
    limit: int = 1000,
    direction: Direction = "forward",
    start: float = 0,
    end: float = 3600,
) -> StreamsResult:
    result = engine.range(
        query,
        start_ns=round((T0 + start) * NS),
        end_ns=round((T0 + end) * NS),
        step_ns=NS,
        limit=limit,
        direction=direction,
        tenant="fake",
        budget=QueryBudget(),
    )
    assert isinstance(result, StreamsResult)
    return result


def rows(engine: LogEngine, query: str) -> list[tuple[dict[str, str], str]]:
    """(labels without app, line) of every line, in order of time."""
    result = lines_of(engine, query)
    found = [(entry.time_ns, dict(labels), entry.line) for labels, entries in result.streams for entry in entries]
    return [
        ({n: v for n, v in labels.items() if n != "app"}, line) for _, labels, line in sorted(found, key=lambda f: f[0])
    ]


def one(query: str, line: Line, stream: str = "web") -> list[tuple[dict[str, str], str]]:
    """What becomes of one line."""
    return rows(engine_over({stream: [line]}), '{app="web"} ' + query)


def vector(engine: LogEngine, query: str, at: float) -> dict[str, float]:
    """An instant vector: labels as text -> value."""
    result = engine.instant(
        query, time_ns=round((T0 + at) * NS), limit=10, direction="backward", tenant="fake", budget=QueryBudget()
    )
    assert isinstance(result, MetricResult)
    assert result.frame is not None
    frame = result.frame
    return {
        ",".join(f"{n}={v}" for n, v in labels): float(frame.values[row, 0])
        for row, labels in enumerate(frame.labels.all_labels())
        if frame.present[row, 0]
    }
