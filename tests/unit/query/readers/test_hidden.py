"""What delete requests hide: queries answer as if the lines were gone, and the index still knows their streams."""

import pytest
from tests.unit.query.logs.logs_kit import NS, T0, lines_of, vector

from spyglass.model.labels import labels_of
from spyglass.protocols.log_store import Direction, LogEntry
from spyglass.query.log_engine import LogEngine
from spyglass.query.logql.parser import parse_log
from spyglass.query.readers.hidden import HiddenLines
from spyglass.storage.memory_logs import MemoryLogStores

WEB = ("a=1 user=ann", "b=2 user=bob", "c=3 user=ann", "d=4 user=cid")


def engine(*hidden: tuple[str, float, float]) -> LogEngine:
    """Over WEB, a line a second, and one line of another stream. hidden: (query, from, to) in seconds, both ends included."""
    stores = MemoryLogStores()
    entries = [LogEntry((T0 + i) * NS, line) for i, line in enumerate(WEB)]
    stores.store().append([(labels_of({"app": "web"}), entries)])
    stores.store().append([(labels_of({"app": "other"}), [LogEntry(T0 * NS, "a=1 user=ann")])])
    parsed = [(parse_log(query), start, end) for query, start, end in hidden]
    lines = [
        HiddenLines(log.matchers, log.stages, round((T0 + start) * NS), round((T0 + end) * NS) + 1)
        for log, start, end in parsed
    ]
    return LogEngine(stores, hidden=lambda tenant: lines)  # noqa: ARG005


def seen(engine: LogEngine, query: str, direction: Direction = "forward", limit: int = 10) -> list[str]:
    found = lines_of(engine, query, direction=direction, limit=limit)
    return [entry.line[0] for _, entries in found.streams for entry in entries]


@pytest.mark.parametrize(
    ("hidden", "left"),
    [
        ('{app="web"}', ""),
        ('{app="web"} |= "ann"', "bd"),
        ('{app="web"} | logfmt | user=~"b.*|c.*"', "ac"),
        ('{app=~".+"} |= "zed"', "abcd"),
        ('{app="none"}', "abcd"),
    ],
)
def test_lines_are_hidden_by_what_they_are_as_stored(hidden: str, left: str) -> None:
    """Whatever the query makes of them, in both directions, and within the limit of those that are left."""
    over = engine((hidden, 0, 60))
    assert "".join(seen(over, '{app="web"}')) == left
    assert "".join(seen(over, '{app="web"} | logfmt | line_format "{{.a}}{{.b}}{{.c}}{{.d}}"')) == "".join(
        str("abcd".index(name) + 1) for name in left
    )
    assert "".join(seen(over, '{app="web"}', "backward")) == left[::-1]
    assert "".join(seen(over, '{app="web"}', limit=1)) == left[:1]


def test_only_lines_of_the_time_asked_for_are_hidden() -> None:
    """Both ends belong to it; what several requests name is hidden once."""
    over = engine(('{app="web"}', 1, 2), ('{app="web"} |= "bob"', 0, 9))
    assert "".join(seen(over, '{app="web"}')) == "ad"


def test_counts_leave_hidden_lines_out_and_other_streams_alone() -> None:
    """Also where a store could count without looking at lines."""
    over = engine(('{app="web"} |= "ann"', 0, 60))
    assert vector(over, 'sum by (app) (count_over_time({app=~".+"}[1m]))', 30) == {"app=web": 2, "app=other": 1}
    assert vector(over, 'sum(count_over_time({app="other"}[1m]))', 30) == {"": 1}
