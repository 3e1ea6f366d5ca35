"""Remote read: raw samples for another Prometheus. Source: Prometheus storage/remote/read_handler.go."""

from collections.abc import AsyncIterator, Iterator, Mapping

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from spyglass.api.bridge import CancellableBudget
from spyglass.api.prometheus.body import COMPRESSED_BYTES_MAX, read_body
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.pieces import NO_RUN, floats_by_row, histograms_by_row
from spyglass.api.prometheus.read_chunks import frames_of
from spyglass.api.prometheus.reading import store_of
from spyglass.formats import chunked_read, snappy
from spyglass.formats.remote_read import (
    ReadQuery,
    ReadRequest,
    ReadSeries,
    ResponseType,
    decode_read_request,
    encode_read_response,
)
from spyglass.model.errors import MalformedBody, QueryError
from spyglass.model.labels import labels_of
from spyglass.model.matchers import Matcher, MatchOp
from spyglass.model.samples import Selection
from spyglass.protocols.metric_store import MetricStore, SelectHints

HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "snappy"}


class TooManySamples(QueryError):
    """The answer has more samples than an unstreamed one may."""


async def read(request: Request, deps: PrometheusDeps) -> Response:
    """All samples of the series that each query selects, as samples or as streamed chunks, whichever the client takes first."""
    body = await read_body(request, COMPRESSED_BYTES_MAX)
    store, external = store_of(request, deps), dict(deps.external_labels())
    budget = deps.budget(deps.query_timeout_seconds)

    def work() -> bytes | Iterator[bytes]:
        asked = decode_read_request(snappy.decompress(body))
        if asked.response_type() is ResponseType.STREAMED_XOR_CHUNKS:
            return _begun(_frames(store, asked, external, budget, deps.read_frame_bytes_max))
        return _samples(store, asked, external, budget, deps.read_samples_max)

    try:
        answer = await deps.bridge.run(work, budget=budget, disconnected=request.is_disconnected)
    except (MalformedBody, TooManySamples) as err:
        return PlainTextResponse(f"{err}\n", status_code=400)
    except QueryError as err:
        return PlainTextResponse(f"{err}\n", status_code=500)
    if isinstance(answer, bytes):
        return Response(answer, headers=HEADERS)
    return StreamingResponse(_stream(answer, deps, budget), headers={"content-type": chunked_read.CONTENT_TYPE})


async def _stream(frames: Iterator[bytes], deps: PrometheusDeps, budget: CancellableBudget) -> AsyncIterator[bytes]:
    """Frames as they are made. An error on the way ends the answer before its end, which the client can tell."""
    while part := await deps.bridge.run(lambda: next(frames, b""), budget=budget):
        yield part


def _begun(frames: Iterator[bytes]) -> Iterator[bytes]:
    """The same frames, the first of them made: what fails up to there still has a status."""
    first = next(frames, b"")

    def again() -> Iterator[bytes]:
        yield first
        yield from frames

    return again()


def _frames(
    store: MetricStore, asked: ReadRequest, external: Mapping[str, str], budget: CancellableBudget, frame_bytes_max: int
) -> Iterator[bytes]:
    for index, query in enumerate(asked.queries):
        found = _select(store, query, external, budget)
        for part in frames_of(found, external, query_index=index, frame_bytes_max=frame_bytes_max):
            budget.check()
            yield part


def _samples(
    store: MetricStore, asked: ReadRequest, external: Mapping[str, str], budget: CancellableBudget, samples_max: int
) -> bytes:
    results = []
    for query in asked.queries:
        results.append(_series(_select(store, query, external, budget), external))
        if samples_max and sum(len(one.times) + len(one.histograms) for one in results[-1]) > samples_max:
            raise TooManySamples(f"exceeded sample limit ({samples_max})")
    return snappy.compress(encode_read_response(results))


def _series(found: Selection, external: Mapping[str, str]) -> list[ReadSeries]:
    """Sorted by labels. External labels give way to a series' own."""
    floats, histograms = floats_by_row(found), histograms_by_row(found)
    series = []
    for row in {*floats, *histograms}:
        times, values = floats.get(row, NO_RUN)
        labels = labels_of({**external, **dict(found.labels.labels(row))})
        series.append(ReadSeries(labels, times, values, tuple(histograms.get(row, ()))))
    return sorted(series, key=lambda one: one.labels)


def _select(store: MetricStore, query: ReadQuery, external: Mapping[str, str], budget: CancellableBudget) -> Selection:
    matchers = [_local(matcher, external) for matcher in query.matchers]
    return store.select(matchers, start_ms=query.start_ms, end_ms=query.end_ms, hints=SelectHints(), budget=budget)


def _local(matcher: Matcher, external: Mapping[str, str]) -> Matcher:
    """External labels are added to what leaves, so whoever asks for one gets the series that have none of that name here."""
    asks_for_external = matcher.op is MatchOp.EQUAL and external.get(matcher.name) == matcher.value
    return Matcher.of(matcher.name, "=", "") if asks_for_external else matcher
