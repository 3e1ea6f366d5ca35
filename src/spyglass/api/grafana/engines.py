"""Runs one query against one data source: in this process where it is our own, over HTTP where it is not."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
from starlette.types import ASGIApp

from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.outside import Outside
from spyglass.api.grafana.series import Answer, LogAnswer, Series, SeriesAnswer, answer_of
from spyglass.config.grafana import Datasource
from spyglass.model.errors import ExecutionError, InvalidParameter
from spyglass.model.labels import labels_of
from spyglass.model.times import NS_PER_MS, StepGrid
from spyglass.protocols.log_store import Direction, LogEntry

Disconnected = Callable[[], Awaitable[bool]]

PROMETHEUS_TYPES = frozenset(
    {
        "prometheus",
        "grafana-amazonprometheus-datasource",
        "grafana-azureprometheus-datasource",
        "victoriametrics-metrics-datasource",
    }
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One evaluation. Equal asks have equal answers, so a request evaluates each once.

    start_ms..end_ms in steps of step_ms; step_ms 0: at end_ms alone. limit and direction are of log queries.
    """

    source_uid: str
    expression: str
    start_ms: int
    end_ms: int
    step_ms: int
    limit: int = 0
    direction: Direction = "backward"


class Engines:
    """The data sources' engines."""

    def __init__(self, deps: GrafanaDeps, outside: Outside) -> None:
        self._deps, self.outside = deps, outside
        self._local = {origin(url): app for url, app in deps.local.items()}

    def local_app(self, source: Datasource) -> ASGIApp | None:
        """Our own door that the data source points to, if it does."""
        return None if urlsplit(source.url).path.strip("/") else self._local.get(origin(source.url))

    async def ask(self, source: Datasource, ask: Ask, disconnected: Disconnected | None) -> Answer:
        """Evaluate. Raises: SpyglassError leaves."""
        if source.type in PROMETHEUS_TYPES:
            if self.local_app(source) is not None and self._deps.prom is not None:
                return await self._own_metrics(source, ask, disconnected)
            return await self._other_metrics(source, ask)
        if source.type == "loki":
            if self.local_app(source) is not None and self._deps.logs is not None:
                return await self._own_logs(source, ask, disconnected)
            return await self._other_logs(source, ask)
        raise InvalidParameter(f"data sources of type {source.type!r} cannot be queried here ({source.name})")

    async def check(self, source: Datasource) -> str:
        """What a health check says. Raises: SpyglassError leaves."""
        now_ms = self._deps.clock.now_ns() // NS_PER_MS
        if source.type in PROMETHEUS_TYPES:
            await self.ask(source, Ask(source.uid, "1+1", now_ms, now_ms, 0), None)
            return "Successfully queried the Prometheus API."
        if source.type == "loki":
            await self.ask(source, Ask(source.uid, "vector(1)+vector(1)", now_ms, now_ms, 0), None)
            return "Data source successfully connected."
        raise InvalidParameter(f"data sources of type {source.type!r} cannot be checked here")

    async def _own_metrics(self, source: Datasource, ask: Ask, disconnected: Disconnected | None) -> Answer:
        prom, budget = self._deps.prom, self._deps.new_budget()
        assert prom is not None, "the caller looked"
        tenant = tenant_of(source, "")

        def run() -> Answer:
            if ask.step_ms == 0:
                result = prom.instant(ask.expression, time_ms=ask.end_ms, tenant=tenant, budget=budget)
            else:
                grid = StepGrid(ask.start_ms, ask.end_ms, ask.step_ms)
                result = prom.range(ask.expression, grid=grid, tenant=tenant, budget=budget)
            return answer_of(result, step_ms=ask.step_ms)

        return await self._deps.bridge.run(run, budget=budget, disconnected=disconnected)

    async def _own_logs(self, source: Datasource, ask: Ask, disconnected: Disconnected | None) -> Answer:
        logs, budget = self._deps.logs, self._deps.new_budget()
        assert logs is not None, "the caller looked"
        tenant = tenant_of(source, "fake")

        def run() -> Answer:
            if ask.step_ms == 0:
                result = logs.instant(
                    ask.expression,
                    time_ns=ask.end_ms * NS_PER_MS,
                    limit=ask.limit,
                    direction=ask.direction,
                    tenant=tenant,
                    budget=budget,
                )
            else:
                result = logs.range(
                    ask.expression,
                    start_ns=ask.start_ms * NS_PER_MS,
                    end_ns=ask.end_ms * NS_PER_MS,
                    step_ns=ask.step_ms * NS_PER_MS,
                    limit=ask.limit,
                    direction=ask.direction,
                    tenant=tenant,
                    budget=budget,
                )
            return answer_of(result, step_ms=ask.step_ms)

        return await self._deps.bridge.run(run, budget=budget, disconnected=disconnected)

    async def _other_metrics(self, source: Datasource, ask: Ask) -> Answer:
        parameters = {"query": ask.expression}
        if ask.step_ms == 0:
            answer = await self.outside.get_json(source, "/api/v1/query", {**parameters, "time": _seconds(ask.end_ms)})
        else:
            parameters |= {"start": _seconds(ask.start_ms), "end": _seconds(ask.end_ms), "step": _seconds(ask.step_ms)}
            answer = await self.outside.get_json(source, "/api/v1/query_range", parameters)
        return answer_of_json(answer, step_ms=ask.step_ms)

    async def _other_logs(self, source: Datasource, ask: Ask) -> Answer:
        parameters = {"query": ask.expression, "limit": str(ask.limit), "direction": ask.direction}
        if ask.step_ms == 0:
            parameters["time"] = str(ask.end_ms * NS_PER_MS)
            return answer_of_json(await self.outside.get_json(source, "/loki/api/v1/query", parameters), step_ms=0)
        parameters |= {"start": str(ask.start_ms * NS_PER_MS), "end": str(ask.end_ms * NS_PER_MS)}
        parameters["step"] = _seconds(ask.step_ms)
        answer = await self.outside.get_json(source, "/loki/api/v1/query_range", parameters)
        return answer_of_json(answer, step_ms=ask.step_ms)


def answer_of_json(answer: Mapping[str, object], *, step_ms: int) -> Answer:
    """Prometheus' or Loki's JSON envelope as an answer. Raises: ExecutionError for another shape."""
    data = answer.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    warnings, infos = _texts(answer.get("warnings")), _texts(answer.get("infos"))
    try:
        if kind == "streams" and isinstance(result, list):
            return LogAnswer(_json_lines(result), warnings)
        if kind == "string" and isinstance(result, list):
            return SeriesAnswer("string", text=str(result[1]), warnings=warnings, infos=infos)
        if kind == "scalar" and isinstance(result, list):
            return SeriesAnswer("scalar", [_json_series({}, [result])], step_ms=step_ms, warnings=warnings, infos=infos)
        if kind in ("matrix", "vector") and isinstance(result, list):
            series = [
                _json_series(row["metric"], row["values"] if "values" in row else [row["value"]])
                for row in result
                if "values" in row or "value" in row
            ]
            return SeriesAnswer(kind, series, step_ms=step_ms, warnings=warnings, infos=infos)
    except (KeyError, TypeError, ValueError, IndexError):
        pass
    raise ExecutionError("the data source's answer has a form that is not known")


def _json_series(metric: Mapping[str, str], points: list[list[object]]) -> Series:
    times = np.array([float(str(time)) for time, _ in points], np.float64)
    values = np.array([float(str(value)) for _, value in points], np.float64)
    return Series(labels_of(metric), np.round(times * 1000).astype(np.int64), values)


def _json_lines(result: list[dict[str, list[list[str]]]]) -> list[tuple[tuple[tuple[str, str], ...], LogEntry]]:
    lines = []
    for stream in result:
        labels = labels_of(stream["stream"])  # type: ignore[arg-type]
        lines += [(labels, LogEntry(int(value[0]), value[1])) for value in stream["values"]]
    lines.sort(key=lambda line: line[1].time_ns, reverse=True)
    return lines


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(text) for text in value) if isinstance(value, list) else ()


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def tenant_of(source: Datasource, default: str) -> str:
    """X-Scope-OrgID of the data source's headers."""
    headers = {name.lower(): value for name, value in source.headers().items()}
    return headers.get("x-scope-orgid") or default


def origin(url: str) -> str:
    """Scheme, host and port, so that two ways of writing one address compare equal.

    >>> origin("http://localhost:9090/")
    'http://127.0.0.1:9090'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = "127.0.0.1" if host in ("localhost", "::1", "0.0.0.0") else host
    return f"{parts.scheme}://{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
