"""Remote read bodies: prometheus.ReadRequest in, prometheus.ReadResponse (samples) out.

The streamed form (XOR chunks) is optional in the protocol: a server answers in samples where it has nothing else.
Source: prompb/remote.proto, prompb/types.proto.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class ReadSeries:
    """One series of an answer: times [n], values [n]; histograms as (time, histogram)."""

    labels: Labels
    times: I64
    values: F64
    histograms: tuple[tuple[int, FloatHistogram], ...] = ()


def decode_read_request(data: bytes) -> list[ReadQuery]:
    """Raises: MalformedBody."""
    return [_query(wire.message(value)) for number, _, value in wire.fields(data) if number == 1]


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


def encode_read_request(queries: Iterable[ReadQuery]) -> bytes:
    """As a client sends it, asking for samples."""
    return b"".join(wire.put_bytes(1, _put_query(query)) for query in queries)


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
