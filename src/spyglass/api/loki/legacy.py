"""/api/prom/*: the paths and forms from before Loki 1.0, which old drivers and dashboards still use.

query   {"streams": [{"labels": "{job=\\"x\\"}", "entries": [{"ts": "2026-01-02T03:04:05.6Z", "line": "..."}]}], "stats": {}}
label   {"values": ["..."]}
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki import params as read
from spyglass.api.loki import series
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE
from spyglass.api.loki.reader import least, reading_tenants
from spyglass.formats.loki_push import render_label_string
from spyglass.model.errors import InvalidParameter
from spyglass.model.labels import Labels
from spyglass.model.log_entry import LogEntry
from spyglass.protocols.queries import StreamsResult


async def query(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /api/prom/query: lines only."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    expression = read.required(params, "query")
    start, end = read.time_range(params, deps.clock.now_ns())
    limit = read.limit_of(params, maximum=least(deps, tenant, "max_entries_limit_per_query"))
    direction, budget = read.direction_of(params), deps.budget(tenant)

    def answer() -> bytes:
        result = deps.queries.range(
            expression,
            start_ns=start,
            end_ns=end,
            step_ns=max((end - start) // 250, 10**9),
            limit=limit,
            direction=direction,
            tenant=tenant,
            budget=budget,
        )
        if not isinstance(result, StreamsResult):
            raise InvalidParameter("legacy endpoints only support streams result type")
        return orjson.dumps({"streams": legacy_streams(result.streams), "stats": {}})

    body = await deps.bridge.run(answer, budget=budget, disconnected=request.is_disconnected)
    return Response(body, media_type=JSON_TYPE)


async def labels(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /api/prom/label."""
    return _values(await series.labels(request, deps))


async def label_values(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /api/prom/label/{name}/values."""
    return _values(await series.label_values(request, deps))


def _values(answer: Response) -> Response:
    return Response(orjson.dumps({"values": orjson.loads(answer.body)["data"]}), media_type=JSON_TYPE)


def legacy_streams(streams: Sequence[tuple[Labels, Sequence[LogEntry]]]) -> list[dict[str, Any]]:
    """Labels as text, times as RFC 3339."""
    return [
        {
            "labels": render_label_string(labels),
            "entries": [{"ts": rfc3339(entry.time_ns), "line": entry.line} for entry in entries],
        }
        for labels, entries in streams
    ]


def rfc3339(time_ns: int) -> str:
    """As Go prints it with nanoseconds.

    >>> rfc3339(1_700_000_000_500_000_000), rfc3339(1_700_000_000_000_000_000)
    ('2023-11-14T22:13:20.5Z', '2023-11-14T22:13:20Z')
    """
    seconds, nanos = divmod(time_ns, 10**9)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f"{fraction}Z"
