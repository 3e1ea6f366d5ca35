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
from spyglass.protocols.queries import MetricResult, QueryStats
from spyglass.query.promql.parser import parse

NS_PER_MS = 1_000_000
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

    def work() -> list[bytes]:
        try:
            result = truncated(ask(), limit)
        except ParseError as err:
            raise invalid("query", str(err)) from None
        # Encoding belongs to the worker: a large answer must not hold up the event loop.
        return encode_result(result, time_ms=time_ms, stats=stats_json(result.stats) if stats else None)

    chunks = await deps.bridge.run(work, budget=budget, disconnected=request.is_disconnected)
    return ChunkedResponse(chunks)


def truncated(result: MetricResult, limit: int) -> MetricResult:
    """The first `limit` series, with upstream's warning where there were more. 0: all."""
    if limit == 0 or result.kind not in ("vector", "matrix"):
        return result
    if result.raw:
        if len(result.raw) <= limit:
            return result
        return replace(result, raw=result.raw[:limit], warnings=(*result.warnings, TRUNCATED))
    if result.frame is None:
        return result
    rows = np.flatnonzero(result.frame.present.any(axis=1)).astype(np.int64)
    if len(rows) <= limit:
        return result
    cut = _rows(result.frame, rows[:limit])
    return replace(result, frame=cut, warnings=(*result.warnings, TRUNCATED))


def _rows(frame: Frame, rows: I64) -> Frame:
    histograms = None if frame.histograms is None else frame.histograms[rows]
    return Frame(frame.labels.take(rows), frame.grid, frame.values[rows], frame.present[rows], histograms)


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
