"""series, labels, label values, metadata."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.encode import listed
from spyglass.api.prometheus.label_json import metric_json
from spyglass.api.prometheus.params import Params
from spyglass.api.prometheus.query import TRUNCATED
from spyglass.api.prometheus.reading import store_of
from spyglass.api.prometheus.replies import ChunkedResponse, success
from spyglass.api.prometheus.selectors import selectors_of
from spyglass.model.errors import InvalidParameter
from spyglass.model.samples import Metadata
from spyglass.text.gofloat import format_json_float

_ESCAPED = re.compile(r"_([0-9a-fA-F]+)_|__")


async def series(request: Request, deps: PrometheusDeps) -> Response:
    """The label sets of the series that match."""
    params = await Params.of(request)
    limit, (start, end) = params.limit(), params.time_range()
    sets, store = params.matcher_sets(required=True), store_of(request, deps)

    def work() -> list[bytes]:
        found = store.series(sets, start_ms=start, end_ms=end, limit=limit + 1 if limit else 0)
        rows = sorted(found.all_labels())
        kept = rows[:limit] if limit else rows
        tail = b"}" if len(kept) == len(rows) else b',"warnings":["' + TRUNCATED.encode() + b'"]}'
        return [b'{"status":"success","data":', *listed([metric_json(row) for row in kept]), tail]

    return ChunkedResponse(await deps.bridge.run(work))


async def labels(request: Request, deps: PrometheusDeps) -> Response:
    """Label names."""
    params = await Params.of(request)
    limit, (start, end), sets = params.limit(), params.time_range(), params.matcher_sets()
    store = store_of(request, deps)
    names = await deps.bridge.run(
        lambda: store.label_names(sets, start_ms=start, end_ms=end, limit=limit + 1 if limit else 0)
    )
    return _limited(names, limit)


async def label_values(request: Request, deps: PrometheusDeps) -> Response:
    """The values of one label."""
    params = await Params.of(request)
    name = unescape_name(request.path_params["name"])
    if not name:
        raise InvalidParameter(f'invalid label name: "{name}"')
    limit, (start, end), sets = params.limit(), params.time_range(), params.matcher_sets()
    store = store_of(request, deps)
    values = await deps.bridge.run(
        lambda: store.label_values(name, sets, start_ms=start, end_ms=end, limit=limit + 1 if limit else 0)
    )
    return _limited(values, limit)


def _limited(found: list[str], limit: int) -> Response:
    cut = limit and len(found) > limit
    return success(found[:limit] if cut else found, warnings=[TRUNCATED] if cut else [])


def unescape_name(name: str) -> str:
    """`U__my_2e_label` -> `my.label`: how a UTF-8 name travels in a path.

    >>> unescape_name("U__my_2e_la__bel"), unescape_name("job")
    ('my.la_bel', 'job')
    """
    if not name.startswith("U__"):
        return name
    return _ESCAPED.sub(lambda m: chr(int(m.group(1), 16)) if m.group(1) else "_", name[3:])


async def metadata(request: Request, deps: PrometheusDeps) -> Response:
    """What targets say of their metric families."""
    params = await Params.of(request)
    limit, per_metric, metric = _count(params, "limit"), _count(params, "limit_per_metric"), params.get("metric")
    known = await deps.bridge.run(store_of(request, deps).metadata)
    chosen = {metric: known[metric]} if metric and metric in known else {} if metric else known
    answer: dict[str, list[dict[str, Any]]] = {}
    for name, entries in sorted(chosen.items()):
        if 0 <= limit <= len(answer):
            break
        answer[name] = [metadata_json(entry) for entry in entries[: per_metric if per_metric > 0 else None]]
    return success(answer)


def metadata_json(entry: Metadata) -> dict[str, str]:
    return {"type": entry.kind, "unit": entry.unit, "help": entry.help}


def _count(params: Params, name: str) -> int:
    """-1: not given."""
    text = params.get(name)
    if text and not re.fullmatch(r"[-+]?\d+", text):
        raise InvalidParameter(f"{name} must be a number")
    return int(text) if text else -1


async def query_exemplars(request: Request, deps: PrometheusDeps) -> Response:
    """Exemplars of the series that the selectors of a query name."""
    params = await Params.of(request)
    start, end = params.time_range()
    sets = selectors_of(params.get("query"))
    store = store_of(request, deps)
    found = await deps.bridge.run(lambda: store.exemplars(sets, start_ms=start, end_ms=end))
    data = [
        {
            "seriesLabels": dict(labels),
            "exemplars": [
                {"labels": dict(e.labels), "value": format_json_float(e.value), "timestamp": e.time_ms / 1000}
                for e in exemplars
            ],
        }
        for labels, exemplars in sorted(found, key=lambda item: item[0])
    ]
    return success(data)
