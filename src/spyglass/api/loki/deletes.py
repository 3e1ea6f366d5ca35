"""/loki/api/v1/delete: ask for lines to be deleted, list such requests, take one back before it was carried out."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki import params as read
from spyglass.api.loki.delete_requests import DeleteRequest
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE
from spyglass.api.loki.tenant import tenant_of
from spyglass.model.errors import InvalidParameter, ParseError


class DeletionDisabled(InvalidParameter):
    """limits_config.deletion_mode is `disabled`."""


async def create(request: Request, deps: LokiDeps) -> Response:
    """POST or PUT: 204; carried out once the cancel period is over."""
    params = await read.read_params(request)
    tenant = tenant_of(request, deps.tenancy)
    if deps.limits_of(tenant).deletion_mode == "disabled":
        raise DeletionDisabled("deletion is not available for this tenant (limits_config.deletion_mode)")
    now, query = deps.clock.now_ns(), read.text(params, "query")
    if not query:
        raise InvalidParameter("query not set")
    start, end = _range(params, now)
    try:
        await deps.bridge.run(lambda: deps.deletes.create(tenant, query, start_ns=start, end_ns=end))
    except ParseError as err:
        raise InvalidParameter(f"invalid query: {err}") from None
    return Response(status_code=204)


def _range(params: read.Params, now: int) -> tuple[int, int]:
    if not read.text(params, "start"):
        raise InvalidParameter("start time not set")
    start = read.time_ns(read.text(params, "start"), "start")
    end = read.time_ns(read.text(params, "end"), "end") if read.text(params, "end") else now
    if end > now:
        raise InvalidParameter("deletes in the future are not allowed")
    if start > end:
        raise InvalidParameter("start time can't be greater than end time")
    return start, end


async def listing(request: Request, deps: LokiDeps) -> Response:
    """GET: all requests of the tenant, oldest first."""
    tenant = tenant_of(request, deps.tenancy)
    shown = [_shown(one) for one in deps.deletes.of(tenant)]
    return Response(orjson.dumps(shown), media_type=JSON_TYPE)


async def cancel(request: Request, deps: LokiDeps) -> Response:
    """DELETE ?request_id=: 204; 400 where it was carried out already; 404 where there is none."""
    params = await read.read_params(request)
    tenant = tenant_of(request, deps.tenancy)
    request_id = read.text(params, "request_id")
    if not request_id:
        raise InvalidParameter("request_id not set")
    await deps.bridge.run(lambda: deps.deletes.cancel(tenant, request_id))
    return Response(status_code=204)


def _shown(one: DeleteRequest) -> dict[str, object]:
    return {
        "request_id": one.request_id,
        "start_time": one.start_ns / 1e9,
        "end_time": one.end_ns / 1e9,
        "query": one.query,
        "status": one.status,
        "created_at": one.created_ns / 1e9,
    }
