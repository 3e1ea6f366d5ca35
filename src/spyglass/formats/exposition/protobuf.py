"""The protobuf exposition: delimited io.prometheus.client.MetricFamily messages, the one format with native histograms.

    body = { varint length, MetricFamily }

Summaries and classic histograms become the series that the text format would have for them. A histogram with spans, a zero bucket or
a zero threshold is a native one; its classic buckets are then left out unless asked for.
Source: prometheus/client_model io/prometheus/client/metrics.proto; Prometheus model/textparse/protobufparse.go.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import bucket_columns, read_span
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram, ResetHint
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.samples import Exemplar, Metadata
from spyglass.text.gofloat import format_label_float

KINDS = ("counter", "gauge", "summary", "unknown", "histogram", "gaugehistogram")
_VALUE_FIELDS = {2: 1, 3: 1, 5: 1}
"""Metric's field of a gauge, counter and untyped message, and the field of the value in it."""

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ProtoSample:
    """One sample: a float, or a native histogram. time_ms None: the scrape's. start_ms: since when it has been counting, 0: not said."""

    labels: Labels
    value: float
    time_ms: int | None = None
    histogram: FloatHistogram | None = None
    exemplars: tuple[tuple[Labels, float, int | None], ...] = ()
    start_ms: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to make of a native histogram."""

    native: bool
    classic: bool


@dataclass(slots=True)
class _Point:
    """One Metric message as it is read."""

    labels: Pairs = field(default_factory=list)
    time_ms: int | None = None
    bodies: list[tuple[int, bytes]] = field(default_factory=list)


def read_families(body: bytes, *, native: bool, classic_too: bool) -> Iterator[tuple[str, Metadata, list[ProtoSample]]]:
    """(name, metadata, samples) of each family. native: read native histograms; classic_too: and their classic buckets.

    Raises: MalformedBody.
    """
    at, number = 0, 0
    while at < len(body):
        size, at = wire.read_varint(body, at)
        number += 1
        if at + size > len(body):
            raise MalformedBody(f"metric family {number}: proto: unexpected end of message")
        try:
            yield _family(body[at : at + size], _Wanted(native, classic_too or not native))
        except MalformedBody as err:
            raise MalformedBody(f"metric family {number}: {err}") from None
        at += size


def _family(data: bytes, wanted: _Wanted) -> tuple[str, Metadata, list[ProtoSample]]:
    name = help_text = unit = ""
    kind = 0
    points: list[bytes] = []
    for number, _, value in wire.fields(data):
        if number == 1:
            name = wire.text(value)
        elif number == 2:
            help_text = wire.text(value)
        elif number == 3:
            kind = wire.whole(value)
        elif number == 4:
            points.append(wire.message(value))
        elif number == 5:
            unit = wire.text(value)
    if not name:
        raise MalformedBody("a metric family has no name")
    metadata = Metadata(KINDS[kind] if kind < len(KINDS) else "unknown", help_text, unit)
    return name, metadata, [sample for point in points for sample in _samples(name, _point(point), wanted)]


def _point(data: bytes) -> _Point:
    point = _Point()
    for number, _, value in wire.fields(data):
        if number == 1:
            point.labels.append(wire.text_pair(wire.message(value)))
        elif number == 6:
            point.time_ms = wire.signed(value) or None
        elif number in (2, 3, 4, 5, 7):
            point.bodies.append((number, wire.message(value)))
    return point


def _samples(name: str, point: _Point, wanted: _Wanted) -> Iterator[ProtoSample]:
    for number, data in point.bodies:
        if number in _VALUE_FIELDS:
            yield _number(name, point, number, data)
        elif number == 4:
            yield from _summary(name, point, data)
        else:
            yield from _histogram(name, point, data, wanted)


def _labelled(name: str, point: _Point, *extra: tuple[str, str]) -> Labels:
    pairs = [(METRIC_NAME, name), *point.labels, *extra]
    if len({label for label, _ in pairs}) != len(pairs):
        raise MalformedBody(f"a series of {name} has a label name twice")
    return tuple(sorted((label, value) for label, value in pairs if value))


def _number(name: str, point: _Point, kind: int, data: bytes) -> ProtoSample:
    value, start_ms = 0.0, 0
    exemplars: list[tuple[Labels, float, int | None]] = []
    for number, _, content in wire.fields(data):
        if number == 1:
            value = wire.double(content)
        elif number == 2 and kind == 3:
            exemplars.append(_exemplar(wire.message(content)))
        elif number == 3 and kind == 3:
            start_ms = _timestamp_ms(wire.message(content))
    return ProtoSample(_labelled(name, point), value, point.time_ms, exemplars=tuple(exemplars), start_ms=start_ms)


def _exemplar(data: bytes) -> tuple[Labels, float, int | None]:
    pairs: Pairs = []
    value, time_ms = 0.0, None
    for number, _, content in wire.fields(data):
        if number == 1:
            pairs.append(wire.text_pair(wire.message(content)))
        elif number == 2:
            value = wire.double(content)
        elif number == 3:
            time_ms = _timestamp_ms(wire.message(content))
    return tuple(sorted(pair for pair in pairs if pair[1])), value, time_ms


def _timestamp_ms(data: bytes) -> int:
    found = {1: 0, 2: 0}
    for number, _, content in wire.fields(data):
        if number in found:
            found[number] = wire.signed(content)
    return found[1] * 1000 + found[2] // 1_000_000


def _summary(name: str, point: _Point, data: bytes) -> Iterator[ProtoSample]:
    count = total = 0.0
    start_ms = 0
    quantiles: list[tuple[float, float]] = []
    for number, _, content in wire.fields(data):
        if number == 1:
            count = float(wire.whole(content))
        elif number == 2:
            total = wire.double(content)
        elif number == 3:
            quantiles.append(_two_doubles(wire.message(content)))
        elif number == 4:
            start_ms = _timestamp_ms(wire.message(content))
    yield ProtoSample(_labelled(f"{name}_count", point), count, point.time_ms, start_ms=start_ms)
    yield ProtoSample(_labelled(f"{name}_sum", point), total, point.time_ms, start_ms=start_ms)
    for quantile, value in quantiles:
        labels = _labelled(name, point, ("quantile", format_label_float(quantile)))
        yield ProtoSample(labels, value, point.time_ms, start_ms=start_ms)


def _two_doubles(data: bytes) -> tuple[float, float]:
    found = {1: 0.0, 2: 0.0}
    for number, _, content in wire.fields(data):
        if number in found:
            found[number] = wire.double(content)
    return found[1], found[2]


@dataclass(slots=True)
class _Read:
    """The fields of a Histogram message."""

    count: float = 0.0
    total: float = 0.0
    schema: int = 0
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    buckets: list[bytes] = field(default_factory=list)
    spans: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: {9: [], 12: []})
    deltas: dict[int, list[int]] = field(default_factory=lambda: {10: [], 13: []})
    counts: dict[int, list[float]] = field(default_factory=lambda: {11: [], 14: []})
    exemplars: list[tuple[Labels, float, int | None]] = field(default_factory=list)
    start_ms: int = 0

    @property
    def is_native(self) -> bool:
        return bool(self.spans[9] or self.spans[12] or self.zero_threshold or self.zero_count)


_SETTERS: dict[int, Callable[[_Read, int | bytes], None]] = {
    1: lambda read, value: setattr(read, "count", float(wire.whole(value))),
    2: lambda read, value: setattr(read, "total", wire.double(value)),
    3: lambda read, value: read.buckets.append(wire.message(value)),
    4: lambda read, value: setattr(read, "count", wire.double(value)),
    5: lambda read, value: setattr(read, "schema", wire.zigzag(wire.whole(value))),
    6: lambda read, value: setattr(read, "zero_threshold", wire.double(value)),
    7: lambda read, value: setattr(read, "zero_count", float(wire.whole(value))),
    8: lambda read, value: setattr(read, "zero_count", wire.double(value)),
    15: lambda read, value: setattr(read, "start_ms", _timestamp_ms(wire.message(value))),
    16: lambda read, value: read.exemplars.append(_exemplar(wire.message(value))),
}


def _histogram(name: str, point: _Point, data: bytes, wanted: _Wanted) -> Iterator[ProtoSample]:
    read = _Read()
    for number, kind, value in wire.fields(data):
        if number in _SETTERS:
            _SETTERS[number](read, value)
        elif number in read.spans:
            read.spans[number].append(read_span(wire.message(value)))
        elif number in read.deltas:
            read.deltas[number].extend(map(wire.zigzag, wire.packed_varints(kind, value)))
        elif number in read.counts:
            read.counts[number].extend(wire.packed_doubles(kind, value))
    if read.is_native and wanted.native:
        yield ProtoSample(_labelled(name, point), 0.0, point.time_ms, _native(read), tuple(read.exemplars))
    if not read.is_native or wanted.classic:
        yield from _classic(name, point, read)


def _native(read: _Read) -> FloatHistogram:
    negative_index, negative = bucket_columns(read.spans[9], read.deltas[10], read.counts[11])
    positive_index, positive = bucket_columns(read.spans[12], read.deltas[13], read.counts[14])
    return FloatHistogram(
        schema=read.schema,
        count=read.count,
        sum=read.total,
        zero_threshold=read.zero_threshold,
        zero_count=read.zero_count,
        positive_index=positive_index,
        positive_counts=positive,
        negative_index=negative_index,
        negative_counts=negative,
        reset_hint=ResetHint.UNKNOWN,
    )


def _classic(name: str, point: _Point, read: _Read) -> Iterator[ProtoSample]:
    start = read.start_ms
    yield ProtoSample(_labelled(f"{name}_count", point), read.count, point.time_ms, start_ms=start)
    yield ProtoSample(_labelled(f"{name}_sum", point), read.total, point.time_ms, start_ms=start)
    infinite = False
    for data in read.buckets:
        count, bound, exemplars = _bucket(data)
        infinite = infinite or bound == np.inf
        labels = _labelled(f"{name}_bucket", point, ("le", format_label_float(bound)))
        yield ProtoSample(labels, count, point.time_ms, exemplars=exemplars, start_ms=start)
    if not infinite:
        # The protobuf form may leave the last bucket out: it is the count.
        labels = _labelled(f"{name}_bucket", point, ("le", "+Inf"))
        yield ProtoSample(labels, read.count, point.time_ms, start_ms=start)


def _bucket(data: bytes) -> tuple[float, float, tuple[tuple[Labels, float, int | None], ...]]:
    count = bound = 0.0
    exemplars: list[tuple[Labels, float, int | None]] = []
    for number, _, value in wire.fields(data):
        if number == 1:
            count = float(wire.whole(value))
        elif number == 2:
            bound = wire.double(value)
        elif number == 3:
            exemplars.append(_exemplar(wire.message(value)))
        elif number == 4:
            count = wire.double(value)
    return count, bound, tuple(exemplars)


def exemplars_of(sample: ProtoSample, time_ms: int) -> list[Exemplar]:
    """Its exemplars; `time_ms` stands for a time that is missing."""
    return [Exemplar(labels, value, time_ms if at is None else at) for labels, value, at in sample.exemplars]
