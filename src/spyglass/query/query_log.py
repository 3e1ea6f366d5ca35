"""Upstream's query log: every PromQL query that was evaluated, as lines of JSON in the file that `query_log_file` names.

A line has upstream's fields: time, level, msg, params (query, start and end in UTC, step in whole seconds), stats, error where there was
one, and httpRequest where an API asked. Queries that cannot be parsed are not logged, as upstream. A line that cannot be written is
counted and dropped: a full disk must not stop queries.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from spyglass.model.errors import ConfigError, ParseError, SpyglassError
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.clock import Clock
from spyglass.protocols.queries import MetricResult, PromQueries, QueryStats

_origin: ContextVar[Mapping[str, str] | None] = ContextVar("origin", default=None)


@contextmanager
def asked_by(*, client: str, method: str, path: str) -> Iterator[None]:
    """Queries of this thread, for now, come from that request."""
    token = _origin.set({"clientIP": client, "method": method, "path": path})
    try:
        yield
    finally:
        _origin.reset(token)


class QueryLog:
    """The file. Thread-safe; closed until `reopen` names one."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._file: BinaryIO | None = None
        self.failures = 0

    @property
    def enabled(self) -> bool:
        return self._file is not None

    def reopen(self, path: Path | None) -> None:
        """Write to `path` from now on (what is there stays), None: nowhere. Raises: ConfigError, and the old file stays."""
        try:
            # Opened anew also where the name is the same: that is how a rotated file is let go.
            file = path.open("ab", buffering=0) if path is not None else None
        except OSError as err:
            raise ConfigError(f"global.query_log_file: cannot write to {path}: {err.strerror}") from None
        with self._lock:
            old, self._file = self._file, file
        if old is not None:
            old.close()

    def close(self) -> None:
        self.reopen(None)

    def write(self, fields: Mapping[str, object]) -> None:
        """One line."""
        head = {"time": _stamp(self._clock.now_ns() // 1_000_000), "level": "INFO", "msg": "promql query logged"}
        line = orjson.dumps(head | dict(fields), option=orjson.OPT_APPEND_NEWLINE)
        with self._lock:
            if self._file is None:
                return
            try:
                self._file.write(line)
            except OSError:
                self.failures += 1


class LoggedQueries:
    """`PromQueries` that writes what was asked and what it took."""

    def __init__(self, queries: PromQueries, log: QueryLog) -> None:
        self._queries, self._log = queries, log

    def instant(self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        """As PromQueries has it."""
        return self._logged(
            query,
            StepGrid.instant(time_ms),
            lambda: self._queries.instant(
                query, time_ms=time_ms, tenant=tenant, budget=budget, lookback_ms=lookback_ms
            ),
        )

    def range(self, query: str, *, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        """As PromQueries has it."""
        return self._logged(
            query,
            grid,
            lambda: self._queries.range(query, grid=grid, tenant=tenant, budget=budget, lookback_ms=lookback_ms),
        )

    def format(self, query: str) -> str:
        return self._queries.format(query)

    def _logged(self, query: str, grid: StepGrid, ask: Callable[[], MetricResult]) -> MetricResult:
        if not self._log.enabled:
            return ask()
        started = time.perf_counter()
        try:
            result = ask()
        except ParseError:
            raise
        except SpyglassError as err:
            self.note(query, grid, QueryStats(seconds=time.perf_counter() - started), str(err))
            raise
        self.note(query, grid, result.stats)
        return result

    def note(self, query: str, grid: StepGrid, stats: QueryStats, error: str = "") -> None:
        """Write of a query that was evaluated."""
        if not self._log.enabled:
            return
        start, end = _stamp(grid.start_ms), _stamp(grid.end_ms)
        params = {"query": query, "start": start, "end": end, "step": grid.step_ms // 1000}
        fields: dict[str, object] = {"params": params, "stats": stats_json(stats)}
        if error:
            fields["error"] = error
        origin = _origin.get()
        if origin is not None:
            fields["httpRequest"] = origin
        self._log.write(fields)


def stats_json(stats: QueryStats) -> dict[str, object]:
    """Upstream's shape. Evaluation is one piece here, so the times before it are 0."""
    return {
        "timings": {
            "evalTotalTime": stats.seconds,
            "resultSortTime": 0,
            "queryPreparationTime": 0,
            "innerEvalTime": stats.seconds,
            "execQueueTime": 0,
            "execTotalTime": stats.seconds,
        },
        "samples": {"totalQueryableSamples": stats.samples, "peakSamples": stats.peak_samples},
    }


def _stamp(time_ms: int) -> str:
    """2026-08-01T10:00:00.000Z. A time that a date cannot hold is given in ms."""
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return str(time_ms)
