"""admin/tsdb/*: only where the admin API is switched on."""

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params, invalid
from spyglass.api.prometheus.reading import store_of
from spyglass.api.prometheus.replies import AdminDisabled, success


async def delete_series(request: Request, deps: PrometheusDeps) -> Response:
    _check(deps)
    params = await Params.of(request)
    sets, (start, end) = params.matcher_sets(required=True), params.time_range()
    store = store_of(request, deps)
    await deps.ingest_bridge.run(lambda: store.delete(sets, start_ms=start, end_ms=end))
    return Response(status_code=204)


async def clean_tombstones(request: Request, deps: PrometheusDeps) -> Response:
    _check(deps)
    await deps.ingest_bridge.run(store_of(request, deps).clean_tombstones)
    return Response(status_code=204)


async def snapshot(request: Request, deps: PrometheusDeps) -> Response:
    _check(deps)
    text = (await Params.of(request)).get("skip_head")
    if text not in ("", "true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False"):
        raise invalid("skip_head", f'unable to parse boolean "{text}"')
    store = store_of(request, deps)
    skip = text.lower() in ("true", "1", "t")
    return success({"name": await deps.ingest_bridge.run(lambda: store.snapshot(skip_head=skip))})


def _check(deps: PrometheusDeps) -> None:
    if not deps.admin_enabled:
        raise AdminDisabled("admin APIs disabled")
