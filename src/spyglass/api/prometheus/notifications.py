"""notifications: what the server itself wants to be known, such as a configuration that could not be loaded."""

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.replies import success
from spyglass.api.prometheus.targets import rfc3339


async def notifications(request: Request, deps: PrometheusDeps) -> Response:
    """Those that hold now."""
    del request
    return success([{"text": text, "date": rfc3339(ns), "active": True} for text, ns in deps.notices()])


async def live(request: Request, deps: PrometheusDeps) -> Response:
    """No live stream is kept: 204 is what upstream answers when it has no stream to give, and ends a client's attempts."""
    del request, deps
    return Response(status_code=204)
