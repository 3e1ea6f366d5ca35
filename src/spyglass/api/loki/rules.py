"""The ruler's endpoints. There are no rules on logs here: lists are empty, as Loki's are without rules."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import tenant_of


async def rule_groups(request: Request, deps: LokiDeps) -> Response:
    """GET /loki/api/v1/rules, also below a namespace: 404, as Loki says that there are none."""
    tenant_of(request, deps.tenancy)
    return PlainTextResponse("no rule groups found\n", status_code=404)


async def prometheus_rules(request: Request, deps: LokiDeps) -> Response:
    """GET /prometheus/api/v1/rules."""
    tenant_of(request, deps.tenancy)
    return JSONResponse({"status": "success", "data": {"groups": []}, "errorType": "", "error": ""})


async def prometheus_alerts(request: Request, deps: LokiDeps) -> Response:
    """GET /prometheus/api/v1/alerts."""
    tenant_of(request, deps.tenancy)
    return JSONResponse({"status": "success", "data": {"alerts": []}, "errorType": "", "error": ""})
