"""Remote read: raw samples for another Prometheus. Source: Prometheus storage/remote/read_handler.go."""

from collections.abc import Mapping

import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spyglass.api.bridge import CancellableBudget
from spyglass.api.prometheus.body import COMPRESSED_BYTES_MAX, read_body
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.pieces import floats_by_row, histograms_by_row
from spyglass.api.prometheus.reading import store_of
from spyglass.formats import snappy
from spyglass.formats.remote_read import ReadQuery, ReadSeries, decode_read_request, encode_read_response
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import MalformedBody, QueryError
from spyglass.model.labels import labels_of
from spyglass.model.matchers import Matcher, MatchOp
from spyglass.protocols.metric_store import MetricStore, SelectHints

HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}
NO_TIMES: I64 = np.zeros(0, np.int64)
NO_VALUES: F64 = np.zeros(0)


async def read(request: Request, deps: PrometheusDeps) -> Response:
    """All samples of the series that each query selects."""
    body = await read_body(request, COMPRESSED_BYTES_MAX)
    store, external = store_of(request, deps), dict(deps.external_labels())
    budget = deps.budget(deps.query_timeout_seconds)

    def work() -> bytes:
        queries = decode_read_request(snappy.decompress(body))
        return snappy.compress(encode_read_response([_answer(store, query, external, budget) for query in queries]))

    try:
        answer = await deps.bridge.run(work, budget=budget, disconnected=request.is_disconnected)
    except MalformedBody as err:
        return PlainTextResponse(f"{err}\n", status_code=400)
    except QueryError as err:
        return PlainTextResponse(f"{err}\n", status_code=500)
    return Response(answer, headers=HEADERS)


def _answer(
    store: MetricStore, query: ReadQuery, external: Mapping[str, str], budget: CancellableBudget
) -> list[ReadSeries]:
    """External labels are added to what leaves, so a matcher that asks for just them matches everything here."""
    matchers = [matcher for matcher in query.matchers if not _is_external(matcher, external)]
    found = store.select(matchers, start_ms=query.start_ms, end_ms=query.end_ms, hints=SelectHints(), budget=budget)
    floats, histograms = floats_by_row(found), histograms_by_row(found)
    series = []
    for row in sorted({*floats, *histograms}):
        times, values = floats.get(row, (NO_TIMES, NO_VALUES))
        labels = labels_of({**external, **dict(found.labels.labels(row))})
        series.append(ReadSeries(labels, times, values, tuple(histograms.get(row, ()))))
    return sorted(series, key=lambda one: one.labels)


def _is_external(matcher: Matcher, external: Mapping[str, str]) -> bool:
    return matcher.op is MatchOp.EQUAL and external.get(matcher.name) == matcher.value
