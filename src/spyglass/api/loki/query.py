"""query, query_range and format_query: read the parameters, ask LogQueries, encode."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.coalesce import Asker
from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE, encode_result, success
from spyglass.api.loki.reader import least, reading_tenants, version_of
from spyglass.model.errors import InvalidParameter
from spyglass.protocols.budget import Budget


async def query(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/query."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    expression = read.required(params, "query")
    now = deps.clock.now_ns()
    at = read.time_ns(read.text(params, "time"), "time") if read.text(params, "time") else now
    limit = read.limit_of(params, maximum=least(deps, tenant, "max_entries_limit_per_query"))
    direction = read.direction_of(params)
    categorize = "categorize-labels" in read.flags_of(request)

    def answer(budget: Budget) -> bytes:
        result = deps.queries.instant(
            expression, time_ns=at, limit=limit, direction=direction, tenant=tenant, budget=budget
        )
        return encode_result(result, categorize=categorize)

    return await _answered(request, deps, tenant, ("instant", expression, at, limit, direction, categorize), answer)


async def query_range(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/query_range."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    expression = read.required(params, "query")
    start, end = read.time_range(params, deps.clock.now_ns())
    step = read.step_ns(params, start, end)
    interval = read.duration_ns(read.text(params, "interval"), "interval") if read.text(params, "interval") else 0
    if interval < 0:
        raise InvalidParameter("interval must be >= 0")
    limit = read.limit_of(params, maximum=least(deps, tenant, "max_entries_limit_per_query"))
    direction = read.direction_of(params)
    categorize = "categorize-labels" in read.flags_of(request)

    def answer(budget: Budget) -> bytes:
        result = deps.queries.range(
            expression,
            start_ns=start,
            end_ns=end,
            step_ns=step,
            limit=limit,
            direction=direction,
            tenant=tenant,
            budget=budget,
            interval_ns=interval,
        )
        return encode_result(result, categorize=categorize)

    key = ("range", expression, start, end, step, interval, limit, direction, categorize)
    return await _answered(request, deps, tenant, key, answer)


async def _answered(
    request: Request, deps: LokiDeps, tenant: str, key: tuple[object, ...], answer: Callable[[Budget], bytes]
) -> Response:
    """key: all that the answer depends on besides the tenant's lines."""
    assert deps.answers is not None, "the application makes it"
    asker = Asker(deps.budget(tenant), request.is_disconnected)
    body = await deps.answers.run((tenant, *key), answer, version=partial(version_of, deps, tenant), asker=asker)
    return Response(body, media_type=JSON_TYPE)


async def format_query(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/format_query."""
    params = await read.read_params(request)
    return Response(success(deps.queries.format(read.required(params, "query"))), media_type=JSON_TYPE)
