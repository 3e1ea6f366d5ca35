"""Remote read bodies: prometheus.ReadRequest in, prometheus.ReadResponse (samples) out; the streamed answer is in chunked_read.py.

Source: prompb/remote.proto, prompb/types.proto.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import encode_histogram
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.model.matchers import Matcher

_OPS = ("=", "!=", "=~", "!~")
_USUAL_FROM_MS, _USUAL_TO_MS = 1 << 35, 1 << 42
"""Times between these take six bytes as a varint, so that a sample takes 18."""

_SHIFTS = np.arange(0, 42, 7, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """Bounds are closed."""

    start_ms: int
    end_ms: int
    matchers: tuple[Matcher, ...]


class ResponseType(IntEnum):
    """How a client takes its answer. Values as on the wire."""

    SAMPLES = 0
    STREAMED_XOR_CHUNKS = 1


_TYPES = frozenset(ResponseType)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """accepted: the numbers of response types, best first; unknown ones included."""

    queries: tuple[ReadQuery, ...]
    accepted: tuple[int, ...] = ()

    def response_type(self) -> ResponseType:
        """The first that we have too; samples where none is asked for. Raises: MalformedBody."""
        known = [number for number in self.accepted or (0,) if number in _TYPES]
        if known:
            return ResponseType(known[0])
        supported = " ".join(f"{kind.name}:{{}}" for kind in ResponseType)
        asked = " ".join(map(str, self.accepted))
        raise MalformedBody(
            f"server does not support any of the requested response types: [{asked}]; supported: map[{supported}]"
        )


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """One series of an answer: times [n], values [n]; histograms as (time, histogram)."""

    labels: Labels
    times: I64
    values: F64
    histograms: tuple[tuple[int, FloatHistogram], ...] = ()


def decode_read_request(data: bytes) -> ReadRequest:
    """Raises: MalformedBody."""
    queries: list[ReadQuery] = []
    accepted: list[int] = []
    for number, kind, value in wire.fields(data):
        if number == 1:
            queries.append(_query(wire.message(value)))
        elif number == 2:
            accepted += wire.packed_varints(kind, value)
    return ReadRequest(tuple(queries), tuple(accepted))


def _query(data: bytes) -> ReadQuery:
    start = end = 0
    matchers: list[Matcher] = []
    for number, _, value in wire.fields(data):
        if number == 1:
            start = wire.signed(value)
        elif number == 2:
            end = wire.signed(value)
        elif number == 3:
            matchers.append(_matcher(wire.message(value)))
    return ReadQuery(start, end, tuple(matchers))


def _matcher(data: bytes) -> Matcher:
    kind, name, text = 0, "", ""
    for number, _, value in wire.fields(data):
        if number == 1:
            kind = wire.whole(value)
        elif number == 2:
            name = wire.text(value)
        elif number == 3:
            text = wire.text(value)
    if kind >= len(_OPS):
        raise MalformedBody("invalid matcher type")
    try:
        return Matcher.of(name, _OPS[kind], text)
    except ValueError as err:
        raise MalformedBody(str(err)) from None


def encode_read_request(queries: Iterable[ReadQuery], accepted: Iterable[int] = ()) -> bytes:
    """As a client sends it. accepted: none asks for samples."""
    asked = b"".join(wire.put_bytes(1, _put_query(query)) for query in queries)
    return asked + wire.put_packed_varints(2, accepted)


def _put_query(query: ReadQuery) -> bytes:
    matchers = [
        wire.put_int(1, _OPS.index(m.op.value)) + wire.put_text(2, m.name) + wire.put_text(3, m.value)
        for m in query.matchers
    ]
    bounds = wire.put_int(1, query.start_ms) + wire.put_int(2, query.end_ms)
    return bounds + b"".join(wire.put_bytes(3, matcher) for matcher in matchers)


def encode_read_response(results: Iterable[Iterable[ReadSeries]]) -> bytes:
    """One result per query, in their order; series sorted by labels."""
    return b"".join(wire.put_bytes(1, b"".join(wire.put_bytes(1, _series(s)) for s in result)) for result in results)


def _series(series: ReadSeries) -> bytes:
    labels = [wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value)) for name, value in series.labels]
    histograms = [wire.put_bytes(4, encode_histogram(histogram, time_ms)) for time_ms, histogram in series.histograms]
    return b"".join([*labels, _samples(series.times, series.values), *histograms])


def _samples(times: I64, values: F64) -> bytes:
    if len(times) and (times.min() < _USUAL_FROM_MS or times.max() >= _USUAL_TO_MS):
        rows = zip(times.tolist(), values.tolist(), strict=True)
        return b"".join(wire.put_bytes(2, wire.put_double(1, v) + wire.put_int(2, t)) for t, v in rows)
    out = np.empty((len(times), 18), np.uint8)
    out[:, :3] = (0x12, 0x10, 0x09)
    out[:, 3:11] = np.ascontiguousarray(values, "<f8").view(np.uint8).reshape(-1, 8)
    out[:, 11] = 0x10
    out[:, 12:] = (times[:, None] >> _SHIFTS) & 0x7F
    out[:, 12:17] |= 0x80
    return out.tobytes()
