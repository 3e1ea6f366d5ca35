"""ready, metrics, config, buildinfo, services."""

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE


async def ready(_: Request, deps: LokiDeps) -> Response:
    """200 `ready`, or 503 with what is missing."""
    reason = deps.ready()
    return PlainTextResponse(f"{reason or 'ready'}\n", status_code=503 if reason else 200)


async def metrics(_: Request, deps: LokiDeps) -> Response:
    return Response(deps.render_metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


async def config(_: Request, deps: LokiDeps) -> Response:
    """The file as it was loaded."""
    return PlainTextResponse(deps.config_text or "# no configuration file\n")


async def buildinfo(_: Request, deps: LokiDeps) -> Response:
    """The version of Loki whose API this is; `application` says who answers."""
    info = {
        "version": "3.7.6",
        "revision": f"spyglass-{deps.version}",
        "branch": "main",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
        "application": "Spyglass",
    }
    return Response(orjson.dumps(info), media_type=JSON_TYPE)


async def services(_: Request, deps: LokiDeps) -> Response:
    state = "Starting" if deps.ready() else "Running"
    return PlainTextResponse(
        "".join(f"{name} => {state}\n" for name in ("server", "distributor", "ingester", "querier"))
    )
