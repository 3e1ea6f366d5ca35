"""The query log's file: rotation, disks that refuse, times out of a date's range. Its lines: tests/integration/test_guard_rails.py."""

import json
from pathlib import Path

import pytest

from spyglass.model.errors import ConfigError, ExecutionError, ParseError
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.queries import MetricResult
from spyglass.query.budget import QueryBudget
from spyglass.query.query_log import LoggedQueries, QueryLog
from spyglass.testing.clock import VirtualClock


class Engine:
    """Answers "good", refuses everything else."""

    def instant(self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        del time_ms, tenant, budget, lookback_ms
        return self.answer(query)

    def range(self, query: str, *, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        del grid, tenant, budget, lookback_ms
        return self.answer(query)

    def format(self, query: str) -> str:
        return query

    def answer(self, query: str) -> MetricResult:
        if query == "good":
            return MetricResult("string", text="x")
        raise (ParseError("no") if query == "unreadable" else ExecutionError("too bad"))


def ask(queries: LoggedQueries, query: str, time_ms: int = 0) -> None:
    queries.instant(query, time_ms=time_ms, tenant="", budget=QueryBudget())


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_rotated_file_is_let_go_by_reopening(tmp_path: Path) -> None:
    """Lines go to the file of that name; after a rename and a reload a new one is begun."""
    log, path = QueryLog(VirtualClock()), tmp_path / "q.log"
    queries = LoggedQueries(Engine(), log)
    ask(queries, "good")
    log.reopen(path)
    ask(queries, "good")
    path.rename(tmp_path / "q.log.1")
    ask(queries, "good")
    log.reopen(path)
    queries.range("good", grid=StepGrid(0, 60_000, 15_000), tenant="", budget=QueryBudget())
    log.close()
    ask(queries, "good")
    assert (len(lines(tmp_path / "q.log.1")), len(lines(path))) == (2, 1)
    assert queries.format("a") == "a"


def test_failures_are_logged_and_parse_errors_are_not(tmp_path: Path) -> None:
    """And the asker sees the error in both cases."""
    log, path = QueryLog(VirtualClock()), tmp_path / "q.log"
    queries = LoggedQueries(Engine(), log)
    log.reopen(path)
    with pytest.raises(ParseError):
        ask(queries, "unreadable")
    with pytest.raises(ExecutionError):
        ask(queries, "bad", time_ms=2**61)
    log.close()
    (line,) = lines(path)
    assert line["error"] == "too bad"
    assert line["params"] == {"query": "bad", "start": str(2**61), "end": str(2**61), "step": 0}


def test_a_disk_that_refuses_stops_no_query() -> None:
    """The line is dropped and counted; a file that cannot be opened is a configuration error, and the old one stays."""
    log = QueryLog(VirtualClock())
    log.reopen(Path("/dev/full"))
    ask(LoggedQueries(Engine(), log), "good")
    assert log.failures == 1
    with pytest.raises(ConfigError, match="global.query_log_file: cannot write to /proc/none/q.log"):
        log.reopen(Path("/proc/none/q.log"))
    assert log.enabled
    log.close()
