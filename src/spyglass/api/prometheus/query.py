"""query, query_range, query_exemplars, format_query, parse_query."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.coalesce import Asker
from spyglass.api.prometheus.deps import Answer, PrometheusDeps
from spyglass.api.prometheus.encode import encode_result
from spyglass.api.prometheus.params import Params, invalid, tenant_of
from spyglass.api.prometheus.replies import ChunkedResponse, success
from spyglass.api.prometheus.syntax_tree import tree_json
from spyglass.model.arrays import I64
from spyglass.model.errors import InvalidParameter, NotFound, ParseError, QueryError
from spyglass.model.frame import Frame
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import MetricStores
from spyglass.protocols.queries import MetricResult, QueryStats
from spyglass.query.promql.parser import parse
from spyglass.query.query_log import asked_by, stats_json

NS_PER_MS = 1_000_000
_BYTES_PER_POINT = 24
"""A time in seconds, a value of a few digits, and brackets."""
TRUNCATED = "results truncated due to limit"


Ask = Callable[[Budget], MetricResult]


async def query(request: Request, deps: PrometheusDeps) -> Response:
    """An instant query."""
    params = await Params.of(request)
    text, limit = params.get("query"), params.limit()
    grid = StepGrid.instant(params.time_ms("time", deps.clock.now_ns() // NS_PER_MS))
    timeout = params.timeout_seconds(deps.query_timeout_seconds)
    lookback, tenant = params.lookback_ms(), tenant_of(request)

    def ask(budget: Budget) -> MetricResult:
        return deps.queries.instant(text, time_ms=grid.start_ms, tenant=tenant, budget=budget, lookback_ms=lookback)

    return await _answer(request, deps, _Asked(text, grid, tenant, timeout, lookback, limit, params.get("stats")), ask)


async def query_range(request: Request, deps: PrometheusDeps) -> Response:
    """A range query."""
    params = await Params.of(request)
    limit, grid = params.limit(), params.grid()
    timeout = params.timeout_seconds(deps.query_timeout_seconds)
    lookback, tenant, text = params.lookback_ms(), tenant_of(request), params.get("query")

    def ask(budget: Budget) -> MetricResult:
        return deps.queries.range(text, grid=grid, tenant=tenant, budget=budget, lookback_ms=lookback)

    return await _answer(request, deps, _Asked(text, grid, tenant, timeout, lookback, limit, params.get("stats")), ask)


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that an answer depends on but the store. An instant's grid has no step, so that it is not taken for a range of one step."""

    text: str
    grid: StepGrid
    tenant: str
    timeout: float
    lookback_ms: int
    limit: int
    stats: str


async def _answer(request: Request, deps: PrometheusDeps, asked: _Asked, ask: Ask) -> Response:
    origin = {"client": request.client.host if request.client else "", "method": request.method}

    def work(budget: Budget) -> Answer:
        try:
            with asked_by(**origin, path=request.url.path):
                result = truncated(ask(budget), asked.limit)
        except ParseError as err:
            raise invalid("query", str(err)) from None
        budget.charge_bytes(_answer_bytes(result))
        stats = stats_json(result.stats) if asked.stats else None
        # Encoding belongs to the worker: a large answer must not hold up the event loop.
        return Answer(encode_result(result, time_ms=asked.grid.start_ms, stats=stats), result.stats)

    def note(stats: QueryStats, error: str = "") -> None:
        """The call that was made is logged where it is made."""
        if asker.joined:
            with asked_by(**origin, path=request.url.path):
                deps.log_query(asked.text, asked.grid, stats, error)

    assert deps.answers is not None, "the application makes it"
    asker = Asker(deps.budget(asked.timeout), request.is_disconnected)
    version = partial(_version, deps.stores, asked.tenant)
    try:
        answer = await deps.answers.run(asked, work, version=version, asker=asker)
    except InvalidParameter:
        raise
    except QueryError as err:
        note(QueryStats(), str(err))
        raise
    note(answer.stats)
    return ChunkedResponse(answer.chunks)


def _version(stores: MetricStores, tenant: str) -> int:
    try:
        return stores.store(tenant, create=False).version
    except NotFound:
        return -1


def _answer_bytes(result: MetricResult) -> int:
    """About what a large answer takes as JSON."""
    points = result.frame.values.size if result.frame is not None else sum(len(times) for _, times, _ in result.raw)
    return points * _BYTES_PER_POINT


def truncated(result: MetricResult, limit: int) -> MetricResult:
    """The first `limit` series, with upstream's warning where there were more. 0: all."""
    if limit == 0 or result.kind not in ("vector", "matrix"):
        return result
    if result.raw:
        if len(result.raw) <= limit:
            return result
        return replace(result, raw=result.raw[:limit], warnings=(TRUNCATED, *result.warnings))
    if result.frame is None:
        return result
    rows = np.flatnonzero(result.frame.present.any(axis=1)).astype(np.int64)
    if len(rows) <= limit:
        return result
    cut = _rows(result.frame, rows[:limit])
    return replace(result, frame=cut, warnings=(TRUNCATED, *result.warnings))


def _rows(frame: Frame, rows: I64) -> Frame:
    histograms = None if frame.histograms is None else frame.histograms[rows]
    return Frame(frame.labels.take(rows), frame.grid, frame.values[rows], frame.present[rows], histograms)


async def parse_query(request: Request, deps: PrometheusDeps) -> Response:
    """The query's syntax tree."""
    del deps
    params = await Params.of(request)
    try:
        return success(tree_json(parse(params.get("query"))))
    except ParseError as err:
        raise invalid("query", str(err)) from None


async def format_query(request: Request, deps: PrometheusDeps) -> Response:
    params = await Params.of(request)
    try:
        return success(deps.queries.format(params.get("query")))
    except ParseError as err:
        raise invalid("query", str(err)) from None
