"""labels, label values, series, index/stats, index/shards, index/volume: answered from the stream index, no line is read."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE, success
from spyglass.api.loki.reader import index_of, least, reading_tenants
from spyglass.api.loki.tenant import SEPARATOR
from spyglass.model.errors import InvalidParameter, NotFound
from spyglass.model.matchers import Matcher
from spyglass.query.logql.ast import LogExpr
from spyglass.query.logql.parser import parse


async def labels(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/labels (also /label)."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = _label_range(params, deps)
    matchers = matchers_of(read.text(params, "query"))
    store = index_of(deps, tenant)
    names = await deps.bridge.run(lambda: store.label_names(matchers, start_ns=start, end_ns=end))
    return Response(success(names), media_type=JSON_TYPE)


async def label_values(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/label/{name}/values."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = _label_range(params, deps)
    matchers, name = matchers_of(read.text(params, "query")), request.path_params["name"]
    store = index_of(deps, tenant)
    values = await deps.bridge.run(lambda: store.label_values(name, matchers, start_ns=start, end_ns=end))
    return Response(success(values), media_type=JSON_TYPE)


async def series(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/series."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    selectors = [s for s in (*params.get("match[]", ()), *params.get("match", ())) if s and s != "{}"]
    sets = [matchers_of(selector) for selector in selectors]
    store = index_of(deps, tenant)
    table = await deps.bridge.run(lambda: store.series(sets, start_ns=start, end_ns=end))
    return Response(success([dict(row) for row in sorted(table.all_labels())]), media_type=JSON_TYPE)


async def index_stats(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/index/stats."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    matchers, store = matchers_of(read.required(params, "query")), index_of(deps, tenant)
    stats = await deps.bridge.run(lambda: store.stats_of(matchers, start_ns=start, end_ns=end))
    from_stats = {"streams": stats.streams, "chunks": stats.chunks, "bytes": stats.bytes, "entries": stats.entries}
    return _json(from_stats)


async def index_shards(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/index/shards: one shard with everything, since one process answers all of a query."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    matchers, store = matchers_of(read.required(params, "query")), index_of(deps, tenant)
    stats = await deps.bridge.run(lambda: store.stats_of(matchers, start_ns=start, end_ns=end))
    counts = {"streams": stats.streams, "chunks": stats.chunks, "bytes": stats.bytes, "entries": stats.entries}
    whole = {"bounds": {"min": 0, "max": 2**64 - 1}, "stats": counts}
    return _json({"shards": [whole], "statistics": {}, "chunkGroups": []})


async def volume(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/index/volume: bytes per group, largest first, as a vector at the end of the range."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    limit, found = _series_limit(params, tenant, deps), await _volumes(params, tenant, start, end, deps)
    top = sorted(found, key=lambda row: (-row[1], row[0]))[:limit]
    at = end // 1_000_000 / 1000
    result = [{"metric": dict(group), "value": [at, str(size)]} for group, size in top]
    return Response(success({"resultType": "vector", "result": result}), media_type=JSON_TYPE)


async def volume_range(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/index/volume_range: the same per step."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    step, limit = read.step_ns(params, start, end), _series_limit(params, tenant, deps)
    points: dict[tuple[tuple[str, str], ...], list[tuple[float, int]]] = {}
    for at in range(start, end, step):
        for group, size in await _volumes(params, tenant, at, min(at + step, end), deps):
            points.setdefault(group, []).append((min(at + step, end) // 1_000_000 / 1000, size))
    top = sorted(points.items(), key=lambda row: -sum(size for _, size in row[1]))[:limit]
    result = [{"metric": dict(group), "values": [[at, str(size)] for at, size in rows]} for group, rows in top]
    return Response(success({"resultType": "matrix", "result": result}), media_type=JSON_TYPE)


def _series_limit(params: read.Params, tenant: str, deps: LokiDeps) -> int:
    """How many groups an answer may hold."""
    allowed = least(deps, tenant, "volume_max_series")
    return min(read.limit_of(params), allowed) if allowed else read.limit_of(params)


async def _volumes(
    params: read.Params, tenant: str, start: int, end: int, deps: LokiDeps
) -> list[tuple[tuple[tuple[str, str], ...], int]]:
    if not all(deps.limits_of(name).volume_enabled for name in tenant.split(SEPARATOR)):
        raise NotFound("volumes are switched off for this tenant (limits_config.volume_enabled)")
    selector = read.required(params, "query")
    matchers, store = matchers_of(selector), index_of(deps, tenant)
    if read.text(params, "aggregateBy") not in ("", "series", "labels"):
        raise InvalidParameter("invalid aggregation option")
    wanted = [name for name in read.text(params, "targetLabels").split(",") if name]
    # A stream that lacks a label that is asked for does not count.
    matchers = (*matchers, *(Matcher.of(name, "=~", ".+") for name in wanted))

    def ask() -> list[tuple[tuple[tuple[str, str], ...], int]]:
        # Nothing named: whole streams.
        by = wanted or [m.name for m in matchers] or store.label_names((), start_ns=start, end_ns=end)
        return store.volume(matchers, start_ns=start, end_ns=end, by=by)

    found = await deps.bridge.run(ask)
    if read.text(params, "aggregateBy") != "labels":
        return found
    totals: dict[str, int] = {}
    for group, size in found:
        for name, _ in group:
            totals[name] = totals.get(name, 0) + size
    return [(((name, ""),), size) for name, size in totals.items()]


def matchers_of(selector: str) -> Sequence[Matcher]:
    """The matchers of a selector; none for "" and "{}". Raises: ParseError, InvalidParameter for what is more than a selector."""
    if not selector or selector == "{}":
        return ()
    expr = parse(selector)
    if not isinstance(expr, LogExpr) or expr.stages:
        raise InvalidParameter("only label matchers are supported")
    return expr.matchers


def _label_range(params: read.Params, deps: LokiDeps) -> tuple[int, int]:
    """Labels look back six hours by default."""
    if read.text(params, "start") or read.text(params, "since"):
        return read.time_range(params, deps.clock.now_ns())
    start, end = read.time_range(params, deps.clock.now_ns())
    if start > end:
        raise InvalidParameter("end timestamp must not be before or equal to start time")
    return start - 5 * read.HOUR_NS, end


def _json(data: object) -> Response:
    body = success(data)
    # index/stats answers with the bare object.
    return Response(body[len(b'{"status":"success","data":') : -1], media_type=JSON_TYPE)
