"""What the field and label browsers ask: detected_labels, detected_fields, detected_field/{name}/values."""

import re
from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.encode import JSON_TYPE
from spyglass.api.loki.reader import index_of, least, reading_tenants
from spyglass.api.loki.series import matchers_of
from spyglass.query.log_fields import DetectedField, detected_fields

MAX_FIELDS = 1000
LINES = 1000
"""How many of the newest lines are looked at unless line_limit says otherwise."""

ALWAYS_SHOWN = frozenset(["cluster", "namespace", "instance", "pod"])
"""Labels that people browse by even where all values look like identifiers."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def labels(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/detected_labels: labels worth browsing by, with how many values each has."""
    params = await read.read_params(request)
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    matchers, store = matchers_of(read.text(params, "query")), index_of(deps, tenant)
    table = await deps.bridge.run(lambda: store.series([matchers], start_ns=start, end_ns=end))
    values: dict[str, set[str]] = {}
    for row in table.all_labels():
        for name, value in row:
            values.setdefault(name, set()).add(value)
    shown = [
        {"label": name, "cardinality": len(found)}
        for name, found in sorted(values.items())
        if name in ALWAYS_SHOWN or not all(map(is_identifier, found))
    ]
    return Response(orjson.dumps({"detectedLabels": shown}), media_type=JSON_TYPE)


def is_identifier(value: str) -> bool:
    """A number or a UUID: nothing to browse by.

    >>> is_identifier("42"), is_identifier("1.5"), is_identifier("backend")
    (True, True, False)
    """
    try:
        float(value)
    except ValueError:
        return _UUID.fullmatch(value) is not None
    return True


async def fields(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/detected_fields."""
    params = await read.read_params(request)
    limit = read.positive(params, "limit", MAX_FIELDS)
    found = await _fields(request, params, limit, deps)
    shown = [
        {"label": one.label, "type": one.type, "cardinality": one.cardinality, "parsers": one.parsers or None}
        for one in found
    ]
    return Response(orjson.dumps({"fields": shown, "limit": limit}), media_type=JSON_TYPE)


async def field_values(request: Request, deps: LokiDeps) -> Response:
    """GET or POST /loki/api/v1/detected_field/{name}/values (also detected_fields): the most frequent first."""
    params = await read.read_params(request)
    limit, name = read.positive(params, "limit", MAX_FIELDS), request.path_params["name"]
    found = await _fields(request, params, MAX_FIELDS, deps)
    counts = next((one.values for one in found if one.label == name), {})
    values = sorted(counts, key=lambda value: -counts[value])[:limit]
    return Response(orjson.dumps({"values": values, "limit": limit}), media_type=JSON_TYPE)


async def _fields(request: Request, params: read.Params, limit: int, deps: LokiDeps) -> Sequence[DetectedField]:
    tenant = reading_tenants(request, deps)
    start, end = read.time_range(params, deps.clock.now_ns())
    query, budget = read.required(params, "query"), deps.budget(tenant)
    maximum = least(deps, tenant, "max_entries_limit_per_query")
    lines = read.positive(params, "line_limit", min(LINES, maximum or LINES))
    return await deps.bridge.run(
        lambda: detected_fields(
            deps.queries,
            query,
            start_ns=start,
            end_ns=end,
            line_limit=lines,
            limit=limit,
            tenant=tenant,
            budget=budget,
        ),
        budget=budget,
        disconnected=request.is_disconnected,
    )
