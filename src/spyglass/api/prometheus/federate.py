"""/federate: the newest samples of matching series in the text format, for another Prometheus to scrape.

Source: Prometheus web/federate.go. The answer is Prometheus text 0.0.4, floats only: native histograms need the protobuf format.
"""

from itertools import groupby

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spyglass.api.bridge import CancellableBudget
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params
from spyglass.api.prometheus.pieces import floats_by_row
from spyglass.api.prometheus.reading import store_of
from spyglass.api.prometheus.replies import ChunkedResponse
from spyglass.formats.exposition.encode import TEXT_TYPE, series_text
from spyglass.model.errors import ParseError, QueryError
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.matchers import Matcher
from spyglass.model.samples import is_stale
from spyglass.protocols.metric_store import MetricStore, SelectHints
from spyglass.query.promql.parser import parse_selector
from spyglass.text.gofloat import format_shortest

LOOKBACK_MS = 300_000

Newest = dict[Labels, tuple[int, float]]


async def federate(request: Request, deps: PrometheusDeps) -> Response:
    """The newest sample of each series that any match[] selects, none older than five minutes."""
    params = await Params.of(request)
    try:
        sets = [parse_selector(text) for text in params.all("match[]")]
    except ParseError as err:
        return PlainTextResponse(f"{err}\n", status_code=400)
    now_ms = deps.clock.now_ns() // 1_000_000
    store, budget = store_of(request, deps), deps.budget(deps.query_timeout_seconds)
    external = dict(deps.external_labels())

    def work() -> list[bytes]:
        newest: Newest = {}
        for matchers in sets:
            newest.update(_newest(store, matchers, now_ms, budget))
        return [_text(newest, external).encode()]

    try:
        chunks = await deps.bridge.run(work, budget=budget, disconnected=request.is_disconnected)
    except QueryError as err:
        return PlainTextResponse(f"{err}\n", status_code=500)
    return ChunkedResponse(chunks, media_type=TEXT_TYPE)


def _newest(store: MetricStore, matchers: tuple[Matcher, ...], now_ms: int, budget: CancellableBudget) -> Newest:
    hints = SelectHints(function="last_over_time", range_ms=LOOKBACK_MS)
    found = store.select(matchers, start_ms=now_ms - LOOKBACK_MS + 1, end_ms=now_ms, hints=hints, budget=budget)
    last = {row: (int(times[-1]), float(values[-1])) for row, (times, values) in floats_by_row(found).items()}
    stale = is_stale(np.array([value for _, value in last.values()], np.float64)).tolist()
    kept = zip(last.items(), stale, strict=True)
    return {found.labels.labels(row): sample for (row, sample), ended in kept if not ended}


def _text(newest: Newest, external: dict[str, str]) -> str:
    """Families sorted by name. A series without an instance label says so, as upstream makes it."""
    named = sorted((dict(labels).get(METRIC_NAME, ""), labels, sample) for labels, sample in newest.items())
    out: list[str] = []
    for name, rows in groupby(named, key=lambda row: row[0]):
        out.append(f"# TYPE {name} untyped\n")
        for _, labels, (time_ms, value) in rows:
            pairs = {label: text for label, text in labels if label != METRIC_NAME}
            missing = {label: text for label, text in external.items() if label not in pairs}
            instance = {} if "instance" in pairs or "instance" in missing else {"instance": ""}
            shown = sorted({**pairs, **missing, **instance}.items())
            out.append(f"{series_text(name, shown)} {format_shortest(value)} {time_ms}\n")
    return "".join(out)
