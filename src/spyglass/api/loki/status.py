"""ready, metrics, config, buildinfo, services, log_level, flush, drilldown-limits."""

import logging

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE
from spyglass.api.loki.params import read_params, text
from spyglass.api.loki.tenant import tenant_of
from spyglass.ingest.levels import NAMES
from spyglass.text.bytesize import format_binary_bytes
from spyglass.text.durations import format_go_duration

LOKI_VERSION = "3.7.6"
"""The version whose API this is."""

LEVELS = ("debug", "info", "warn", "error")


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
        "version": LOKI_VERSION,
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


async def flush(_: Request, deps: LokiDeps) -> Response:
    """GET or POST /flush: 204 when what was in memory is in blocks."""
    await deps.ingest_bridge.run(deps.flush)
    return Response(status_code=204)


async def log_level(_: Request, __: LokiDeps) -> Response:
    """GET /log_level."""
    name = logging.getLevelName(logging.getLogger("spyglass").getEffectiveLevel()).lower().replace("warning", "warn")
    return _json({"message": f"Current log level is {name}"})


async def set_log_level(request: Request, _: LokiDeps) -> Response:
    """POST /log_level with log_level=debug, info, warn or error."""
    level = text(await read_params(request), "log_level").lower()
    if level not in LEVELS:
        return _json({"status": "failed", "message": f'unrecognized log level "{level}"'}, status=400)
    logging.getLogger("spyglass").setLevel(level.upper().replace("WARN", "WARNING"))
    return _json({"status": "success", "message": f"Log level set to {level}"})


async def drilldown_limits(request: Request, deps: LokiDeps) -> Response:
    """GET /loki/api/v1/drilldown-limits: what Logs Drilldown adapts itself to. Durations as Go prints them."""
    tenant = tenant_of(request, deps.tenancy)
    limits, ingest = deps.limits_of(tenant), deps.ingest.limits_of(tenant)
    shown = {
        "discover_log_levels": ingest.discover_levels,
        "discover_service_name": list(ingest.service_labels),
        "log_level_fields": sorted(NAMES),
        "max_entries_limit_per_query": limits.max_entries_limit_per_query,
        "max_line_size_truncate": limits.max_line_size_truncate,
        "max_query_bytes_read": format_binary_bytes(limits.max_query_bytes_read),
        "max_query_length": format_go_duration(limits.max_query_length),
        "max_query_lookback": format_go_duration(limits.max_query_lookback),
        "max_query_range": format_go_duration(limits.max_query_range),
        "max_query_series": limits.max_query_series,
        "query_timeout": format_go_duration(limits.query_timeout),
        "retention_period": format_go_duration(limits.retention_period),
        "retention_stream": [
            {"selector": one.selector, "period": format_go_duration(one.period), "priority": one.priority}
            for one in limits.retention_stream
        ],
        "volume_enabled": limits.volume_enabled,
        "volume_max_series": limits.volume_max_series,
    }
    return _json({"limits": shown, "pattern_ingester_enabled": True, "version": LOKI_VERSION})


def _json(data: object, *, status: int = 200) -> Response:
    return Response(orjson.dumps(data), status_code=status, media_type=JSON_TYPE)
