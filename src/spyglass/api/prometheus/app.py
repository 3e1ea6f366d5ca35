"""The Prometheus API as one ASGI application."""

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import cache

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from spyglass.api.coalesce import Coalescer
from spyglass.api.prometheus import (
    admin,
    features,
    federate,
    management,
    notifications,
    openapi,
    query,
    read,
    scrape_pools,
    search,
    self_metrics_json,
    series,
    status,
    targets,
    write,
)
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.replies import error_reply, failure
from spyglass.api.prometheus.self_metrics import RequestMetrics, register_store_metrics
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.errors import SpyglassError

log = logging.getLogger(__name__)

Handler = Callable[[Request, PrometheusDeps], Awaitable[Response]]

GET = ("GET",)
READ = ("GET", "POST")
CHANGE = ("POST", "PUT")
API = "/api/v1"


def create_prometheus_app(deps: PrometheusDeps) -> Starlette:
    """All endpoints. Errors of ours become answers in `error_reply`."""
    if deps.remote_write is None:
        deps = replace(deps, remote_write=RemoteWriteIngest(deps.ingest))
    if deps.answers is None:
        deps = replace(deps, answers=Coalescer(deps.bridge))
    api: Sequence[tuple[str, Handler, Sequence[str]]] = (
        ("/query", query.query, READ),
        ("/query_range", query.query_range, READ),
        ("/query_exemplars", series.query_exemplars, READ),
        ("/format_query", query.format_query, READ),
        ("/parse_query", query.parse_query, READ),
        ("/series", series.series, READ),
        ("/labels", series.labels, READ),
        ("/label/{name}/values", series.label_values, GET),
        ("/metadata", series.metadata, GET),
        ("/search/metric_names", search.metric_names, READ),
        ("/search/label_names", search.label_names, READ),
        ("/search/label_values", search.label_values, READ),
        ("/targets", targets.targets, GET),
        ("/targets/metadata", targets.target_metadata, GET),
        ("/targets/relabel_steps", scrape_pools.relabel_steps_of, GET),
        ("/scrape_pools", scrape_pools.scrape_pools, GET),
        ("/scrape_pools/config", scrape_pools.scrape_pool_config, GET),
        ("/alertmanagers", targets.alertmanagers, GET),
        ("/rules", targets.rules, GET),
        ("/alerts", targets.alerts, GET),
        ("/status/buildinfo", status.buildinfo, GET),
        ("/status/config", status.config, GET),
        ("/status/flags", status.flags, GET),
        ("/status/runtimeinfo", status.runtimeinfo, GET),
        ("/status/tsdb", status.tsdb, GET),
        ("/status/tsdb/blocks", status.tsdb_blocks, GET),
        ("/status/walreplay", status.walreplay, GET),
        ("/status/self_metrics", self_metrics_json.self_metrics, GET),
        ("/features", features.features, GET),
        ("/notifications", notifications.notifications, GET),
        ("/notifications/live", notifications.live, GET),
        ("/write", write.write, ("POST",)),
        ("/read", read.read, READ),
        ("/admin/tsdb/delete_series", admin.delete_series, CHANGE),
        ("/admin/tsdb/clean_tombstones", admin.clean_tombstones, CHANGE),
        ("/admin/tsdb/snapshot", admin.snapshot, CHANGE),
    )
    outside: Sequence[tuple[str, Handler, Sequence[str]]] = (
        ("/-/healthy", management.healthy, GET),
        ("/-/ready", management.ready, GET),
        ("/-/reload", management.reload, ("GET", *CHANGE)),
        ("/-/quit", management.quit, ("GET", *CHANGE)),
        ("/metrics", management.metrics, GET),
        ("/federate", federate.federate, GET),
        ("/version", management.version, GET),
        ("/", management.home, GET),
        ("/graph", management.home, GET),
    )
    metrics = RequestMetrics(deps.registry)
    register_store_metrics(deps.registry, deps.stores, deps.ready)
    listed = [(path, _summary(handler), methods) for path, handler, methods in api]

    @cache
    def described() -> bytes:
        """Made when it is first asked for: writing YAML takes longer than opening a port."""
        return openapi.describe(listed, prefix=API, version=deps.version)

    async def description(request: Request, deps: PrometheusDeps) -> Response:
        """This API, described for tools."""
        del request, deps
        return Response(described(), media_type=openapi.OPENAPI_TYPE)

    api = (*api, ("/openapi.yaml", description, GET))
    routes = [_route(API + path, handler, methods, deps, metrics) for path, handler, methods in api]
    routes += [_route(path, handler, methods, deps, metrics) for path, handler, methods in outside]
    return Starlette(routes=routes, exception_handlers={HTTPException: management.plain_error})


def _summary(handler: Handler) -> str:
    """The first sentence of its docstring; its name where it has none."""
    return (handler.__doc__ or handler.__name__.replace("_", " ")).strip().splitlines()[0]


def _route(path: str, handler: Handler, methods: Sequence[str], deps: PrometheusDeps, metrics: RequestMetrics) -> Route:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        response = await answer(request)
        metrics.answered(path, response.status_code, time.perf_counter() - started)
        return response

    async def answer(request: Request) -> Response:
        reason = deps.ready() if path.startswith(API) else ""
        if reason:
            # Upstream's words for a server that has not loaded its data yet.
            return PlainTextResponse(f"Service Unavailable: {reason}", status_code=503)
        try:
            return await handler(request, deps)
        except SpyglassError as err:
            return error_reply(err)
        except Exception:
            log.exception("%s %s failed", request.method, request.url.path)
            return failure(500, "internal", "an unexpected error; the log has it")

    return Route(path, endpoint, methods=list(methods))
