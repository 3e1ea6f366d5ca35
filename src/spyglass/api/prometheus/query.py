"""query, query_range, query_exemplars, format_query, parse_query."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.bridge import CancellableBudget
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.encode import encode_result
from spyglass.api.prometheus.params import Params, invalid, tenant_of
from spyglass.api.prometheus.replies import ChunkedResponse, success
from spyglass.api.prometheus.syntax_tree import tree_json
from spyglass.model.arrays import I64
from spyglass.model.errors import ParseError
from spyglass.model.frame import Frame
from spyglass.protocols.queries import MetricResult
from spyglass.query.promql.parser import parse
from spyglass.query.query_log import asked_by, stats_json

NS_PER_MS = 1_000_000
_BYTES_PER_POINT = 24
"""A time in seconds, a value of a few digits, and brackets."""
TRUNCATED = "results truncated due to limit"


async def query(request: Request, deps: PrometheusDeps) -> Response:
    """An instant query."""
    params = await Params.of(request)
    limit = params.limit()
    time_ms = params.time_ms("time", deps.clock.now_ns() // NS_PER_MS)
    timeout, lookback, tenant = (
        params.timeout_seconds(deps.query_timeout_seconds),
        params.lookback_ms(),
        tenant_of(request),
    )
    budget = deps.budget(timeout)
    text = params.get("query")

    def ask() -> MetricResult:
        return deps.queries.instant(text, time_ms=time_ms, tenant=tenant, budget=budget, lookback_ms=lookback)

    return await _answer(request, deps, params, budget, ask, limit, time_ms)


async def query_range(request: Request, deps: PrometheusDeps) -> Response:
    """A range query."""
    params = await Params.of(request)
    limit = params.limit()
    grid = params.grid()
    timeout, lookback, tenant = (
        params.timeout_seconds(deps.query_timeout_seconds),
        params.lookback_ms(),
        tenant_of(request),
    )
    budget = deps.budget(timeout)
    text = params.get("query")

    def ask() -> MetricResult:
        return deps.queries.range(text, grid=grid, tenant=tenant, budget=budget, lookback_ms=lookback)

    return await _answer(request, deps, params, budget, ask, limit, grid.start_ms)


async def _answer(
    request: Request,
    deps: PrometheusDeps,
    params: Params,
    budget: CancellableBudget,
    ask: Callable[[], MetricResult],
    limit: int,
    time_ms: int,
) -> Response:
    stats = params.get("stats")
    client = request.client.host if request.client else ""

    def work() -> list[bytes]:
        try:
            with asked_by(client=client, method=request.method, path=request.url.path):
                result = truncated(ask(), limit)
        except ParseError as err:
            raise invalid("query", str(err)) from None
        budget.charge_bytes(_answer_bytes(result))
        # Encoding belongs to the worker: a large answer must not hold up the event loop.
        return encode_result(result, time_ms=time_ms, stats=stats_json(result.stats) if stats else None)

    chunks = await deps.bridge.run(work, budget=budget, disconnected=request.is_disconnected)
    return ChunkedResponse(chunks)


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
