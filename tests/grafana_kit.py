"""A Grafana API with real stores and two small engines whose answers are known, and a server to speak to it over HTTP."""

# ruff: noqa: ARG002 - the engines take all that the protocol has, and need little of it

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from spyglass.api.bridge import QueryBridge
from spyglass.api.grafana.app import create_grafana_app
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.config.grafana import DashboardProvider, Datasource
from spyglass.config.grafana_settings import GrafanaSettings
from spyglass.dashboards.accounts import SqliteAccounts, ensure_admin
from spyglass.dashboards.annotations import SqliteAnnotations
from spyglass.dashboards.library import Library
from spyglass.dashboards.library_elements import SqliteLibraryElements, panel_models
from spyglass.dashboards.provisioned import scan
from spyglass.dashboards.state import State
from spyglass.model.errors import ExecutionError, ParseError, QueryCanceled
from spyglass.model.frame import Frame
from spyglass.model.labels import Labels, LabelTable, labels_of
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogEntry
from spyglass.protocols.queries import LogQueries, MetricResult, PromQueries, StreamsResult
from spyglass.testing.clock import VirtualClock

PROMETHEUS_URL = "http://127.0.0.1:9090"
LOKI_URL = "http://127.0.0.1:3100"
NOW_MS = 1_700_000_000_000

Rows = Mapping[Labels, Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]]


class TestBudget:
    """A budget that only knows cancellation."""

    __test__ = False

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def check(self) -> None:
        if self.cancelled.is_set():
            raise QueryCanceled("the asker left")

    def charge_samples(self, count: int) -> None: ...

    def charge_bytes(self, count: int) -> None: ...

    def cancel(self) -> None:
        self.cancelled.set()


class KnownMetrics(PromQueries):
    """`up` and `buckets` exist; `slow` runs until it is cancelled; `broken(` is no PromQL; everything else is an error."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, StepGrid]] = []
        self.stopped = threading.Event()

    def instant(self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        return replace(self._answer(query, StepGrid.instant(time_ms), budget), kind="vector")

    def range(self, query: str, *, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        return self._answer(query, grid, budget)

    def format(self, query: str) -> str:
        return query

    def _answer(self, query: str, grid: StepGrid, budget: Budget) -> MetricResult:
        self.asked.append((query, grid))
        times = grid.times().astype(np.float64)
        if query == "1+1":
            return _result({(): times * 0 + 2}, grid)
        if query.startswith("up"):
            seconds = times / 1000
            gap = np.where(np.arange(len(times)) % 2 == 0, seconds, -1.0)
            rows = {
                labels_of({"__name__": "up", "job": "backend"}): seconds,
                labels_of({"__name__": "up", "job": "prometheus"}): gap,
            }
            return _result(rows, grid, absent=-1.0)
        if query == "odd":
            values = np.array([1.0, np.nan, np.inf, -np.inf])[np.arange(len(times)) % 4]
            return _result({labels_of({"job": "x"}): values}, grid)
        if query == "buckets":
            counts = {"0.1": 1.0, "0.5": 4.0, "+Inf": 9.0}
            return _result({labels_of({"le": le}): times * 0 + count for le, count in counts.items()}, grid)
        if query == "slow":
            try:
                while True:
                    budget.check()
                    self.stopped.wait(0.01)
            finally:
                self.stopped.set()
        if query == "broken(":
            raise ParseError("1:8: parse error: unclosed left parenthesis")
        raise ExecutionError(f"no such metric: {query}")


def _result(
    rows: Mapping[Labels, np.ndarray[Any, Any]], grid: StepGrid, *, absent: float | None = None
) -> MetricResult:
    values = np.array(list(rows.values()), np.float64)
    present = np.ones(values.shape, bool) if absent is None else values != absent
    return MetricResult("matrix", Frame(LabelTable.from_labels(list(rows)), grid, values, present))


class KnownLogs(LogQueries):
    """Two streams of job="backend" with three lines, the newest at NOW_MS; `vector(1)+vector(1)` is 2."""

    lines: tuple[tuple[Labels, tuple[LogEntry, ...]], ...] = (
        (
            labels_of({"job": "backend", "level": "error"}),
            (LogEntry(NOW_MS * 10**6 - 1, "ERROR b"), LogEntry(NOW_MS * 10**6 - 3_000_000_000, "ERROR a")),
        ),
        (
            labels_of({"job": "backend", "level": "info"}),
            (LogEntry(NOW_MS * 10**6 - 1_000_000_000, "fine", labels_of({"trace": "t1"})),),
        ),
    )

    def instant(
        self, query: str, *, time_ns: int, limit: int, direction: Direction, tenant: str, budget: Budget
    ) -> StreamsResult | MetricResult:
        grid = StepGrid.instant(time_ns // 10**6)
        return replace(_result({(): np.array([2.0])}, grid), kind="vector")

    def range(
        self,
        query: str,
        *,
        start_ns: int,
        end_ns: int,
        step_ns: int,
        limit: int,
        direction: Direction,
        tenant: str,
        budget: Budget,
        interval_ns: int = 0,
    ) -> StreamsResult | MetricResult:
        if query.startswith("{"):
            return StreamsResult(self.lines, direction)
        grid = StepGrid(start_ns // 10**6, end_ns // 10**6, step_ns // 10**6)
        return _result({labels_of({"level": "error"}): grid.times() * 0.0 + 1}, grid)

    def format(self, query: str) -> str:
        return query


async def _echo(request: Request) -> Response:
    """Shows what reached the data source."""
    body = (await request.body()).decode()
    headers = dict(request.headers)
    answer = JSONResponse(
        {"path": request.scope["path"], "query": str(request.query_params), "headers": headers, "body": body}
    )
    answer.set_cookie("theirs", "1")
    return answer


async def _tail(websocket: WebSocket) -> None:
    """Sends what it was asked for, twice."""
    await websocket.accept()
    for _ in range(2):
        await websocket.send_json({"query": websocket.query_params["query"], "cookie": websocket.headers.get("cookie")})
    await websocket.close()


def echo_app() -> ASGIApp:
    return Starlette(
        routes=[
            Route("/{path:path}", _echo, methods=["GET", "POST", "DELETE"]),
            WebSocketRoute("/loki/api/v1/tail", _tail),
        ]
    )


@dataclass
class Kit:
    """Everything a test may want to look into."""

    folder: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(start_ms=NOW_MS))
    metrics: KnownMetrics = field(default_factory=KnownMetrics)
    logs: KnownLogs = field(default_factory=KnownLogs)
    settings: GrafanaSettings = field(default_factory=GrafanaSettings)
    allow_ui_updates: bool = True
    ui_dir: Path | None = None
    datasources: list[Datasource] = field(
        default_factory=lambda: [
            Datasource(1, "prom", "Prometheus", "prometheus", PROMETHEUS_URL, is_default=True),
            Datasource(2, "logs", "Loki", "loki", LOKI_URL),
        ]
    )

    def __post_init__(self) -> None:
        self.state = State(self.folder / "state" / "spyglass.sqlite")
        self.accounts = SqliteAccounts(self.state, now_ms=self.clock.now_ms)
        ensure_admin(self.accounts, demo=True)
        self.elements = SqliteLibraryElements(self.state, now_ms=self.clock.now_ms)
        self.library = Library(self.state, now_ms=self.clock.now_ms, library_panel=panel_models(self.elements))
        self.files = self.folder / "dashboards"
        self.files.mkdir(exist_ok=True)
        self.bridge = QueryBridge(workers=2)

    @property
    def provider(self) -> DashboardProvider:
        return DashboardProvider("files", self.files, folder="Ours", allow_ui_updates=self.allow_ui_updates)

    def write(self, name: str, dashboard: object) -> None:
        """Put a dashboard file there and have it noticed."""
        text = dashboard if isinstance(dashboard, str) else json.dumps(dashboard)
        (self.files / name).write_text(text)
        self.look()

    def look(self) -> None:
        self.library.replace_provider(scan(self.provider))

    def deps(self) -> GrafanaDeps:
        return GrafanaDeps(
            library=self.library,
            accounts=self.accounts,
            annotations=SqliteAnnotations(self.state, now_ms=self.clock.now_ms),
            elements=self.elements,
            datasources=lambda: self.datasources,
            bridge=self.bridge,
            new_budget=TestBudget,
            clock=self.clock,
            prom=self.metrics,
            logs=self.logs,
            local={PROMETHEUS_URL: echo_app(), LOKI_URL: echo_app()},
            settings=self.settings,
            ui_dir=self.ui_dir,
            demo=True,
            metrics=lambda: b"spyglass_up 1\n",
        )

    def close(self) -> None:
        self.bridge.close()
        self.state.close()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """The application on a free port of the loopback; its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on", ws="websockets-sansio")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def grafana(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API with nobody logged in."""
    async with serving(create_grafana_app(kit.deps())) as url, httpx.AsyncClient(base_url=url, timeout=20) as client:
        yield client


async def log_in(client: httpx.AsyncClient, user: str = "admin", password: str = "admin") -> httpx.Response:
    return await client.post("/login", json={"user": user, "password": password})
