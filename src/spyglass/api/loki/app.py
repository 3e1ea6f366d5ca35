"""The Loki API as one ASGI application."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from spyglass.api.coalesce import Coalescer
from spyglass.api.loki import deletes, detected, legacy, otlp, patterns, push, query, rules, series, status, tail
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.errors import error_response
from spyglass.api.loki.self_metrics import RequestMetrics, register_log_metrics, route_name
from spyglass.api.loki.tenant import BadTenant, NoTenant
from spyglass.model.errors import SpyglassError

Handler = Callable[[Request, LokiDeps], Awaitable[Response]]

READ = ["GET", "POST"]


def create_loki_app(deps: LokiDeps) -> Starlette:
    """All endpoints. Errors of ours become answers in `error_response`."""
    if deps.answers is None:
        deps = replace(deps, answers=Coalescer(deps.bridge))

    metrics = RequestMetrics(deps.registry)
    register_log_metrics(deps.registry, deps.ingest, deps.stores, status.LOKI_VERSION)

    def route(path: str, handler: Handler, methods: list[str] = READ) -> Route:
        name = route_name(path)

        async def endpoint(request: Request) -> Response:
            started, code = time.perf_counter(), 500
            try:
                response = await answered(request)
                code = response.status_code
                return response
            finally:
                metrics.answered(request.method, name, code, time.perf_counter() - started)

        async def answered(request: Request) -> Response:
            try:
                return await handler(request, deps)
            except NoTenant as err:
                return PlainTextResponse(f"{err}\n", status_code=401)
            except BadTenant as err:
                return PlainTextResponse(f"{err}\n", status_code=400)
            except deletes.DeletionDisabled as err:
                return PlainTextResponse(f"{err}\n", status_code=403)
            except SpyglassError as err:
                return error_response(err)

        return Route(path, endpoint, methods=methods)

    async def tail_endpoint(socket: WebSocket) -> None:
        await tail.tail(socket, deps)

    async def legacy_tail_endpoint(socket: WebSocket) -> None:
        await tail.tail(socket, deps, legacy=True)

    routes: list[BaseRoute] = [
        route("/loki/api/v1/push", push.push, ["POST"]),
        route("/api/prom/push", push.push, ["POST"]),
        route("/loki/api/v1/query", query.query),
        route("/loki/api/v1/query_range", query.query_range),
        route("/api/prom/query", legacy.query),
        route("/loki/api/v1/format_query", query.format_query),
        route("/loki/api/v1/labels", series.labels),
        route("/loki/api/v1/label", series.labels),
        route("/api/prom/label", legacy.labels),
        route("/loki/api/v1/label/{name}/values", series.label_values),
        route("/api/prom/label/{name}/values", legacy.label_values),
        route("/loki/api/v1/series", series.series),
        route("/api/prom/series", series.series),
        route("/loki/api/v1/index/stats", series.index_stats),
        route("/loki/api/v1/index/shards", series.index_shards),
        route("/loki/api/v1/index/volume", series.volume),
        route("/loki/api/v1/index/volume_range", series.volume_range),
        route("/loki/api/v1/detected_labels", detected.labels),
        route("/loki/api/v1/detected_fields", detected.fields),
        route("/loki/api/v1/detected_field/{name}/values", detected.field_values),
        route("/loki/api/v1/detected_fields/{name}/values", detected.field_values),
        route("/loki/api/v1/patterns", patterns.patterns),
        route("/loki/api/v1/drilldown-limits", status.drilldown_limits, ["GET"]),
        route("/loki/api/v1/delete", deletes.create, ["POST", "PUT"]),
        route("/loki/api/v1/delete", deletes.listing, ["GET"]),
        route("/loki/api/v1/delete", deletes.cancel, ["DELETE"]),
        route("/loki/api/v1/rules", rules.rule_groups, ["GET"]),
        route("/loki/api/v1/rules/{namespace}", rules.rule_groups, ["GET"]),
        route("/loki/api/v1/rules/{namespace}/{group}", rules.rule_groups, ["GET"]),
        route("/api/prom/rules", rules.rule_groups, ["GET"]),
        route("/prometheus/api/v1/rules", rules.prometheus_rules, ["GET"]),
        route("/prometheus/api/v1/alerts", rules.prometheus_alerts, ["GET"]),
        route("/otlp/v1/logs", otlp.logs, ["POST"]),
        WebSocketRoute("/loki/api/v1/tail", tail_endpoint),
        WebSocketRoute("/api/prom/tail", legacy_tail_endpoint),
        route("/ready", status.ready, ["GET"]),
        route("/metrics", status.metrics, ["GET"]),
        route("/config", status.config, ["GET"]),
        route("/loki/api/v1/status/buildinfo", status.buildinfo, ["GET"]),
        route("/services", status.services, ["GET"]),
        route("/log_level", status.log_level, ["GET"]),
        route("/log_level", status.set_log_level, ["POST"]),
        route("/flush", status.flush),
        route("/ingester/flush", status.flush),
    ]
    return Starlette(routes=routes, exception_handlers={404: _not_found})


def _not_found(_: Request, __: Exception) -> Response:
    """In the words of Go's router."""
    return PlainTextResponse("404 page not found\n", status_code=404)
