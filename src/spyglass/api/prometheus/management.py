"""/-/ready, /-/healthy, /-/reload, /-/quit, /metrics, /version, and the way to the UI."""

from urllib.parse import urlencode

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.status import build_info
from spyglass.formats.exposition.encode import OPENMETRICS_TYPE, TEXT_TYPE, encode_openmetrics, encode_text
from spyglass.model.errors import ConfigError

NO_LIFECYCLE = "Lifecycle API is not enabled."
WRONG_METHOD = "Only POST or PUT requests allowed"


async def healthy(request: Request, deps: PrometheusDeps) -> Response:
    del request, deps
    return PlainTextResponse("Prometheus Server is Healthy.\n")


async def ready(request: Request, deps: PrometheusDeps) -> Response:
    del request
    reason = deps.ready()
    if reason:
        return PlainTextResponse(f"Service Unavailable: {reason}\n", status_code=503)
    return PlainTextResponse("Prometheus Server is Ready.\n")


async def reload(request: Request, deps: PrometheusDeps) -> Response:
    """Load the configuration again; the old one stays where the new one is wrong."""
    refused = _refused(request, deps)
    if refused is not None or deps.reload is None:
        return refused or PlainTextResponse(NO_LIFECYCLE, status_code=403)
    try:
        await deps.reload()
    except ConfigError as err:
        return PlainTextResponse(f"failed to reload config: {err}\n", status_code=500)
    return PlainTextResponse("")


async def quit(request: Request, deps: PrometheusDeps) -> Response:
    """End the process, cleanly."""
    refused = _refused(request, deps)
    if refused is not None or deps.quit is None:
        return refused or PlainTextResponse(NO_LIFECYCLE, status_code=403)
    deps.quit()
    return PlainTextResponse("Requesting termination... Goodbye!")


def _refused(request: Request, deps: PrometheusDeps) -> Response | None:
    if request.method not in ("POST", "PUT"):
        return PlainTextResponse(WRONG_METHOD, status_code=405)
    if not deps.lifecycle_enabled:
        return PlainTextResponse(NO_LIFECYCLE, status_code=403)
    return None


async def metrics(request: Request, deps: PrometheusDeps) -> Response:
    """Our own metrics, OpenMetrics where it is asked for."""
    families = await deps.ingest_bridge.run(deps.registry.collect)
    if "application/openmetrics-text" in request.headers.get("accept", ""):
        return Response(encode_openmetrics(families), headers={"content-type": OPENMETRICS_TYPE})
    return Response(encode_text(families), headers={"content-type": TEXT_TYPE})


async def plain_error(_: Request, error: Exception) -> Response:
    """Go's texts for paths and methods that are not served."""
    assert isinstance(error, HTTPException), "it is registered for these alone"
    text = "404 page not found" if error.status_code == 404 else error.detail
    return PlainTextResponse(f"{text}\n", status_code=error.status_code, headers=error.headers)


async def version(request: Request, deps: PrometheusDeps) -> Response:
    del request
    return PlainTextResponse(orjson.dumps(build_info(deps)) + b"\n")


async def home(request: Request, deps: PrometheusDeps) -> Response:
    """Where people look for a UI: the web UI on its own port, Prometheus' `/graph?g0.expr=...` with its query in Explore."""
    port = deps.ui_port()
    if not port:
        return RedirectResponse(deps.external_url or "/api/v1/targets", status_code=302)
    shown = request.query_params
    query = {"datasource": "prometheus", "from": f"now-{shown.get('g0.range_input', '1h')}", "to": "now"}
    if expression := shown.get("g0.expr"):
        query["expr"] = expression
    page = f"/explore?{urlencode(query)}" if request.url.path.endswith("/graph") else "/"
    return RedirectResponse(f"{request.url.scheme}://{request.url.hostname}:{port}{page}", status_code=302)
