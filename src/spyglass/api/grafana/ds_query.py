"""`POST /api/ds/query`: a panel's queries, each answered with frames or its own error; expressions over them come last.

The queries of a request run side by side, a few at a time, so that one page never fills the line that all askers share; the
same expression on the same grid of the same data source is evaluated once. Metric queries lie on a grid aligned to the step,
so that a refresh moves by whole steps. Where a query failed the answer is 207: each result says how it went.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana import steps
from spyglass.api.grafana.auth import user_of
from spyglass.api.grafana.datasources import resolve
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.engines import PROMETHEUS_TYPES, Ask, Disconnected, Engines
from spyglass.api.grafana.exemplars import ask_exemplars, exemplar_frame, thinned
from spyglass.api.grafana.expressions import Evaluation, Expression, is_expression, needed, read, value_frames
from spyglass.api.grafana.frames import metric_frames
from spyglass.api.grafana.log_frames import log_frames
from spyglass.api.grafana.replies import API_HEADERS, ApiError, encode, read_json, status_of
from spyglass.api.grafana.series import Answer, LogAnswer
from spyglass.api.grafana.time_range import parse_time_ms
from spyglass.config.grafana import Datasource
from spyglass.model.errors import ExecutionError, QueryError, SpyglassError
from spyglass.protocols.log_store import Direction
from spyglass.query.expressions.commands import Range

log = logging.getLogger(__name__)

MAX_QUERIES = 1_000
"""Queries in one request: a page asks for all of its panels at once, and the largest public dashboard has 400."""
AT_ONCE = 8
"""Queries of one request that run or wait in the bridge; more only make other askers wait."""
MAX_LINES = 5_000
DEFAULT_LINES = 1_000


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query as it came, with what its data source makes of it. asks: range before instant. exemplars: wanted too."""

    ref_id: str
    source: Datasource
    asks: tuple[Ask, ...]
    legend_format: str
    form: str
    limit: int
    exemplars: bool = False


def routes(deps: GrafanaDeps, engines: Engines) -> list[Route]:
    async def query(request: Request) -> Response:
        user_of(request)
        body = await read_json(request)
        run = QueryRun(deps, engines, request.is_disconnected)
        results = await run.results(body)
        # 207 as Grafana with its multi-status feature: a 400 would keep browsers from reading the results that are there.
        status = 207 if any("error" in result for result in results.values()) else 200
        content = await asyncio.to_thread(encode, {"results": results})
        return Response(content, status, media_type="application/json", headers=API_HEADERS)

    return [Route("/api/ds/query", query, methods=["POST"])]


class QueryRun:
    """The queries of one request."""

    def __init__(self, deps: GrafanaDeps, engines: Engines, disconnected: Disconnected) -> None:
        self._deps, self._engines, self._disconnected = deps, engines, disconnected
        self._running: dict[Ask, asyncio.Task[Answer]] = {}
        self._inputs: dict[str, Answer | QueryError] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def results(self, body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The results by refId. Raises: ApiError 400 where the request itself is wrong."""
        queries = body.get("queries")
        if not isinstance(queries, list) or not queries:
            raise ApiError(400, "no queries found")
        if len(queries) > MAX_QUERIES:
            raise ApiError(400, f"{len(queries)} queries are more than {MAX_QUERIES} in one request")
        given = [query for query in queries if isinstance(query, dict)]
        expressions = [read(query) for query in given if is_expression(query)]
        inputs = needed(expressions)
        asked = [query for query in given if not is_expression(query) and (_is_shown(query) or _ref(query) in inputs)]
        try:
            found = await asyncio.gather(*(self._one(body, query) for query in asked))
        finally:
            await self._stop()
        by_ref = dict(zip((_ref(query) for query in asked), found, strict=True))
        if expressions:
            by_ref |= await asyncio.to_thread(self._expressions, body, expressions)
        return {_ref(query): by_ref[_ref(query)] for query in given if _is_shown(query)}

    def _expressions(self, body: Mapping[str, Any], expressions: Sequence[Expression]) -> dict[str, dict[str, Any]]:
        try:
            evaluation = Evaluation(expressions, self._inputs, Range(*self._range(body, {})))
        except ApiError as err:
            return {one.ref_id: _failed(err.message, err.status, "plugin") for one in expressions}
        return {one.ref_id: self._expression(evaluation, one.ref_id) for one in expressions}

    def _expression(self, evaluation: Evaluation, ref_id: str) -> dict[str, Any]:
        try:
            return {"status": 200, "frames": value_frames(evaluation.results(ref_id), ref_id=ref_id)}
        except QueryError as err:
            return _failed(err.message, status_of(err), "downstream")
        except Exception:
            log.exception("an expression failed for a reason that is ours: %s", ref_id)
            return _failed("internal error; the log says more", 500, "plugin")

    async def _stop(self) -> None:
        """Nothing runs on when the request ends early."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _one(self, body: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, Any]:
        """Its result; its first answer, or the error, is kept for expressions."""
        result = await self._asked(body, query)
        if "error" in result:
            self._inputs[_ref(query)] = ExecutionError(result["error"])
        return result

    async def _asked(self, body: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, Any]:
        try:
            asked = self._read(body, query)
            answers = [await self._evaluated(asked.source, ask) for ask in asked.asks]
            self._inputs[asked.ref_id] = answers[0]
            frames = await asyncio.to_thread(_frames, asked, answers)
            if asked.exemplars:
                frames += await self._exemplars(asked)
            return {"status": 200, "frames": frames}
        except ApiError as err:
            return _failed(err.message, err.status, "plugin")
        except SpyglassError as err:
            return _failed(str(err), status_of(err), "downstream")
        except Exception:
            log.exception("a query failed for a reason that is ours: %r", query.get("expr"))
            return _failed("internal error; the log says more", 500, "plugin")

    async def _exemplars(self, asked: PanelQuery) -> list[dict[str, Any]]:
        """None where they cannot be had: a graph without diamonds beats no graph. Equal queries are asked apart: few are."""
        ask = asked.asks[0]
        try:
            async with self._slots:
                found = await ask_exemplars(self._engines, asked.source, ask.expression, ask.start_ms, ask.end_ms)
        except SpyglassError as err:
            log.info("no exemplars of %r: %s", ask.expression, err)
            return []
        kept = thinned(found, step_ms=ask.step_ms)
        return [exemplar_frame(kept, ref_id=asked.ref_id)] if len(kept.times) else []

    async def _evaluated(self, source: Datasource, ask: Ask) -> Answer:
        task = self._running.get(ask)
        if task is None:
            task = asyncio.create_task(self._evaluate(source, ask))
            self._running[ask] = task
        return await asyncio.shield(task)

    async def _evaluate(self, source: Datasource, ask: Ask) -> Answer:
        async with self._slots:
            return await self._engines.ask(source, ask, self._disconnected)

    def _read(self, body: Mapping[str, Any], query: Mapping[str, Any]) -> PanelQuery:
        reference = query.get("datasource") or query.get("datasourceId")
        source = _source(self._deps.datasources(), reference)
        expression = query.get("expr") or query.get("expression") or query.get("query")
        if not isinstance(expression, str) or not expression.strip():
            raise ApiError(400, "the query is empty")
        start_ms, end_ms = self._range(body, query)
        limit = min(_int(query.get("maxLines")) or _int(source.json_data.get("maxLines")) or DEFAULT_LINES, MAX_LINES)
        form = str(query.get("format") or "time_series")
        asks = _asks(source, query, expression, start_ms, end_ms, limit)
        return PanelQuery(
            ref_id=_ref(query),
            source=source,
            asks=asks,
            legend_format=str(query.get("legendFormat") or ""),
            form=form,
            limit=limit,
            exemplars=bool(query.get("exemplar")) and source.type in PROMETHEUS_TYPES and asks[0].step_ms > 0,
        )

    def _range(self, body: Mapping[str, Any], query: Mapping[str, Any]) -> tuple[int, int]:
        own = query.get("timeRange")
        times = own if isinstance(own, dict) else body
        now_ms = self._deps.clock.now_ns() // 1_000_000
        try:
            start_ms = parse_time_ms(times.get("from", "now-1h"), now_ms=now_ms)
            end_ms = parse_time_ms(times.get("to", "now"), now_ms=now_ms, round_up=True)
        except ValueError as err:
            raise ApiError(400, f"bad time range: {err}") from None
        if end_ms < start_ms:
            raise ApiError(400, "bad time range: it ends before it begins")
        return start_ms, end_ms


def _ref(query: Mapping[str, Any]) -> str:
    return str(query.get("refId") or "A")


def _is_shown(query: Mapping[str, Any]) -> bool:
    return not query.get("hide")


def _source(sources: Sequence[Datasource], reference: object) -> Datasource:
    if isinstance(reference, int) and not isinstance(reference, bool):
        found = next((source for source in sources if source.id == reference), None)
    else:
        found = resolve(sources, reference)
    if found is None:
        name = reference.get("uid") if isinstance(reference, dict) else reference
        raise ApiError(404, f"data source {name!r} was not found" if name else "there is no data source")
    return found


def _asks(
    source: Datasource, query: Mapping[str, Any], expression: str, start_ms: int, end_ms: int, limit: int
) -> tuple[Ask, ...]:
    scrape_ms = steps.duration_ms(source.json_data.get("timeInterval")) or steps.DEFAULT_SCRAPE_MS
    range_ms = end_ms - start_ms
    step_ms = steps.step_ms_of(
        range_ms=range_ms,
        interval_ms=_int(query.get("intervalMs")),
        max_points=_int(query.get("maxDataPoints")),
        min_step_ms=max(
            steps.duration_ms(query.get("interval")),
            steps.duration_ms(query.get("step")),
            steps.duration_ms(source.json_data.get("timeInterval")),
        ),
    )
    filled = steps.fill_macros(expression, step_ms=step_ms, range_ms=range_ms, scrape_ms=scrape_ms)
    direction: Direction = "forward" if query.get("direction") == "forward" else "backward"
    wants_range, wants_instant = _modes(source, query)
    asks = []
    if wants_range:
        first, last = start_ms, end_ms
        if source.type in PROMETHEUS_TYPES or not _selects_lines(filled):
            first, last = start_ms // step_ms * step_ms, end_ms // step_ms * step_ms
        asks.append(Ask(source.uid, filled, first, last, step_ms, limit, direction))
    if wants_instant:
        asks.append(Ask(source.uid, filled, end_ms, end_ms, 0, limit, direction))
    return tuple(asks)


def _selects_lines(expression: str) -> bool:
    """Whether a LogQL query asks for lines, of the very range that was given; metric queries lie on a grid."""
    return expression.lstrip("( \t\r\n").startswith("{")


def _modes(source: Datasource, query: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a range, an instant, or both are wanted. Prometheus queries have switches, Loki's a queryType."""
    if source.type == "loki" and query.get("queryType") in ("instant", "range"):
        instant = query["queryType"] == "instant"
        return not instant, instant
    instant = bool(query.get("instant"))
    return bool(query.get("range", not instant)) or not instant, instant


def _frames(asked: PanelQuery, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    frames = []
    for ask, answer in zip(asked.asks, answers, strict=True):
        if isinstance(answer, LogAnswer):
            frames += log_frames(answer, ref_id=asked.ref_id, expression=ask.expression, limit=asked.limit)
            continue
        # Both at once (Explore): the instant answer is the table under the graph.
        form = "table" if len(asked.asks) == 2 and ask.step_ms == 0 else asked.form
        frames += metric_frames(
            answer,
            ref_id=asked.ref_id,
            expression=ask.expression,
            legend_format=asked.legend_format,
            form=form,
        )
    return frames


def _failed(message: str, status: int, source: str) -> dict[str, Any]:
    return {"status": status, "error": message, "errorSource": source, "frames": []}


def _int(value: object) -> int:
    """A number of the request, 0 where it is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float) and 0 < value < 2**53:
        return int(value)
    return int(value) if isinstance(value, str) and value.isdecimal() else 0
