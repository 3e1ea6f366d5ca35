"""Remote write bodies to columns: 1.0 (prometheus.WriteRequest) and 2.0 (io.prometheus.write.v2.Request).

A sender repeats the same label sets in every body. In 1.0 the bytes of a series up to its samples are its *key*: the receiver keeps a
cache from keys to references and reads labels only of keys that are new. Entries of labels and then samples are decoded by numpy
all at once (formats/usual_entries.py); a body that holds anything else takes the walk, field by field.
Source: prompb/remote.proto, prompb/types.proto, prompb/io/prometheus/write/v2/types.proto.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import decode_histogram
from spyglass.formats.usual_entries import usual_entries
from spyglass.model.arrays import F64, I64
from spyglass.model.errors import MalformedBody
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.samples import Exemplar, Metadata

Key = bytes | Labels
"""What names a series in a body."""


class KnownKeys(Protocol):
    """What a receiver remembers of earlier bodies."""

    def refs(self, keys: Sequence[Key]) -> I64:
        """The reference of each key, UNKNOWN where there is none."""
        ...


UNKNOWN = -1


class NoneKnown:
    """Remembers nothing."""

    def refs(self, keys: Sequence[Key]) -> I64:
        return np.full(len(keys), UNKNOWN, np.int64)


_NOTHING_KNOWN = NoneKnown()

KINDS = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")


class BadLabels(MalformedBody):
    """One series' labels cannot be used; the other series of the body can."""


@dataclass(frozen=True, slots=True)
class WriteColumns:
    """A decoded body of S series entries and n samples.

    keys [S]: what names a series: bytes (1.0) or canonical labels (2.0); `labels_of_key` reads it.
    counts [S]: samples of each entry.  times [n] ms, values [n]: in the order of the entries.
    histograms: (entry, time in ms, histogram).  exemplars: (entry, exemplar).
    starts [n] ms: start timestamps, 0 where a sample has none; None: no sample has one.
    known [S]: the references that the caller had for the keys, where they were looked up on the way.
    bad: what is wrong with entries whose labels cannot be used.
    """

    keys: Sequence[Key]
    counts: I64
    times: I64
    values: F64
    histograms: Sequence[tuple[int, int, FloatHistogram]] = ()
    exemplars: Sequence[tuple[int, Exemplar]] = ()
    metadata: dict[str, Metadata] = field(default_factory=dict)
    bad: Sequence[str] = ()
    known: I64 | None = None
    starts: I64 | None = None


def labels_of_key(key: Key) -> Labels:
    """The canonical labels of a series. Raises: BadLabels."""
    if not isinstance(key, bytes):
        return key
    return _checked([_label(wire.message(value)) for number, _, value in wire.fields(key) if number == 1])


def _label(data: bytes) -> tuple[str, str]:
    name = value = ""
    for number, _, content in wire.fields(data):
        if number == 1:
            name = wire.text(content)
        elif number == 2:
            value = wire.text(content)
    return name, value


def _checked(pairs: list[tuple[str, str]]) -> Labels:
    names = [name for name, _ in pairs]
    if "" in names:
        raise BadLabels(f"invalid labels for series, labels {_shown(pairs)}, an empty label name")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadLabels(f"invalid labels for series, labels {_shown(pairs)}, duplicated label {twice}")
    labels = tuple(sorted((name, value) for name, value in pairs if value))
    if not any(name == METRIC_NAME for name, _ in labels):
        raise BadLabels(f"invalid metric name or labels, got {_shown(pairs)}")
    return labels


def _shown(pairs: list[tuple[str, str]]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in pairs) + "}"


# 1.0


def decode_v1(data: bytes, known: KnownKeys = _NOTHING_KNOWN) -> WriteColumns:
    """A prometheus.WriteRequest. Raises: MalformedBody."""
    usual = usual_entries(data)
    if usual is None:
        return _walk_v1(data)
    found = known.refs(usual.keys)
    # What looked like a sample may have been the end of a label.
    if not all(_only_labels(usual.keys[at]) for at in np.flatnonzero(found == UNKNOWN).tolist()):
        return _walk_v1(data)
    return WriteColumns(usual.keys, usual.counts, usual.times, usual.values, known=found)


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """A length: nearly always one or two bytes."""
    try:
        first = data[at]
        if first < 0x80:
            return first, at + 1
        second = data[at + 1]
        if second < 0x80:
            return first & 0x7F | second << 7, at + 2
    except IndexError:
        raise MalformedBody("proto: unexpected end of message") from None
    return wire.read_varint(data, at)


def _only_labels(key: bytes) -> bool:
    """Whether a key holds whole label fields and nothing else, so that what follows it is one sample."""
    at, end = 0, len(key)
    while at < end:
        if key[at] != 0x0A:
            return False
        size, at = read_size(key, at + 1) if at + 1 < end else (1, end)
        at += size
    return at == end > 0


def _walk_v1(data: bytes) -> WriteColumns:
    """The general case: field by field."""
    out = _Gathered()
    metadata: dict[str, Metadata] = {}
    for number, _, value in wire.fields(data):
        if number == 1:
            _entry_v1(out, wire.message(value))
        elif number == 3:
            name, entry = _metadata_v1(wire.message(value))
            metadata[name] = entry
    return out.columns(metadata)


def _entry_v1(out: "_Gathered", entry: bytes) -> None:
    key = _labels_prefix(entry)
    _fields_v1(out, len(out.keys), key, entry[len(key) :])


def _labels_prefix(entry: bytes) -> bytes:
    """The label fields that an entry begins with."""
    at, end = 0, len(entry)
    while at < end and entry[at] == 0x0A:
        size, after = read_size(entry, at + 1)
        if after + size > end:
            raise MalformedBody("proto: unexpected end of message")
        at = after + size
    return entry[:at]


def _fields_v1(out: "_Gathered", index: int, key: bytes, rest: bytes) -> None:
    times: list[int] = []
    values: list[float] = []
    for number, _, value in wire.fields(rest):
        if number == 1:
            # Labels behind samples: legal, and nobody does it. They belong to the key all the same.
            key += wire.put_bytes(1, wire.message(value))
        elif number == 2:
            sample, time_ms = read_sample(wire.message(value))
            values.append(sample)
            times.append(time_ms)
        elif number == 3:
            out.exemplars.append((index, _exemplar_v1(wire.message(value))))
        elif number == 4:
            time_ms, histogram = decode_histogram(wire.message(value))
            out.histograms.append((index, time_ms, histogram))
    out.block(key, times, np.array(values, np.float64))


def read_sample(data: bytes) -> tuple[float, int]:
    """(value, time in ms)."""
    sample, time_ms = 0.0, 0
    for number, _, value in wire.fields(data):
        if number == 1:
            sample = wire.double(value)
        elif number == 2:
            time_ms = wire.signed(value)
    return sample, time_ms


def _exemplar_v1(data: bytes) -> Exemplar:
    pairs: list[tuple[str, str]] = []
    sample, time_ms = 0.0, 0
    for number, _, value in wire.fields(data):
        if number == 1:
            pairs.append(_label(wire.message(value)))
        elif number == 2:
            sample = wire.double(value)
        elif number == 3:
            time_ms = wire.signed(value)
    return Exemplar(tuple(sorted(pair for pair in pairs if pair[1])), sample, time_ms)


def _metadata_v1(data: bytes) -> tuple[str, Metadata]:
    kind, name, help_text, unit = 0, "", "", ""
    for number, _, value in wire.fields(data):
        if number == 1:
            kind = wire.whole(value)
        elif number == 2:
            name = wire.text(value)
        elif number == 4:
            help_text = wire.text(value)
        elif number == 5:
            unit = wire.text(value)
    return name, Metadata(_kind(kind), help_text, unit)


def _kind(number: int) -> str:
    return KINDS[number] if number < len(KINDS) else "unknown"


# 2.0


def decode_v2(data: bytes, known: KnownKeys = _NOTHING_KNOWN) -> WriteColumns:
    """An io.prometheus.write.v2.Request; its keys are labels, so `known` does not matter. Raises: MalformedBody."""
    del known
    symbols: list[str] = []
    entries: list[bytes] = []
    for number, _, value in wire.fields(data):
        if number == 4:
            symbols.append(wire.text(value))
        elif number == 5:
            entries.append(wire.message(value))
    if symbols and symbols[0] != "":
        raise MalformedBody("the first symbol of a remote write 2.0 body must be empty")
    out = _Gathered()
    metadata: dict[str, Metadata] = {}
    for entry in entries:
        _entry_v2(out, entry, symbols, metadata)
    return out.columns(metadata)


def _entry_v2(out: "_Gathered", entry: bytes, symbols: list[str], metadata: dict[str, Metadata]) -> None:
    index = len(out.keys)
    times: list[int] = []
    values: list[float] = []
    starts: list[int] = []
    created_ms = 0
    refs: list[int] = []
    exemplars: list[Exemplar] = []
    histograms: list[tuple[int, FloatHistogram]] = []
    described: Metadata | None = None
    for number, kind, value in wire.fields(entry):
        if number == 1:
            refs.extend(wire.packed_varints(kind, value))
        elif number == 2:
            sample, time_ms, start_ms = _sample_v2(wire.message(value))
            values.append(sample)
            times.append(time_ms)
            starts.append(start_ms)
        elif number == 3:
            histograms.append(decode_histogram(wire.message(value)))
        elif number == 4:
            exemplars.append(_exemplar_v2(wire.message(value), symbols))
        elif number == 5:
            described = _metadata_v2(wire.message(value), symbols)
        elif number == 6:
            # Before 2.0-rc.4 a series had one start for all of its samples.
            created_ms = wire.signed(value)
    try:
        labels = _checked(_pairs(refs, symbols))
    except BadLabels as err:
        out.bad.append(str(err))
        return
    if not (times or histograms):
        if exemplars or described is None:
            out.bad.append(
                f"TimeSeries must contain at least one sample or histogram for series {_shown(list(labels))}"
            )
        return
    out.note_starts([start or created_ms for start in starts])
    out.block(labels, times, np.array(values, np.float64))
    out.exemplars.extend((index, exemplar) for exemplar in exemplars)
    out.histograms.extend((index, time_ms, histogram) for time_ms, histogram in histograms)
    if described is not None and described != Metadata():
        metadata[dict(labels)[METRIC_NAME]] = described


def _sample_v2(data: bytes) -> tuple[float, int, int]:
    """(value, time in ms, start timestamp in ms or 0)."""
    sample, time_ms, start_ms = 0.0, 0, 0
    for number, _, value in wire.fields(data):
        if number == 1:
            sample = wire.double(value)
        elif number == 2:
            time_ms = wire.signed(value)
        elif number == 3:
            start_ms = wire.signed(value)
    return sample, time_ms, start_ms


def _pairs(refs: list[int], symbols: list[str]) -> list[tuple[str, str]]:
    if len(refs) % 2:
        raise MalformedBody(f"invalid labelRefs length {len(refs)}")
    try:
        return [(symbols[refs[at]], symbols[refs[at + 1]]) for at in range(0, len(refs), 2)]
    except IndexError:
        raise MalformedBody(
            f"labelRefs {max(refs)} (name or value) outside of symbols table (size {len(symbols)})"
        ) from None


def _exemplar_v2(data: bytes, symbols: list[str]) -> Exemplar:
    refs: list[int] = []
    sample, time_ms = 0.0, 0
    for number, kind, value in wire.fields(data):
        if number == 1:
            refs.extend(wire.packed_varints(kind, value))
        elif number == 2:
            sample = wire.double(value)
        elif number == 3:
            time_ms = wire.signed(value)
    return Exemplar(tuple(sorted(pair for pair in _pairs(refs, symbols) if pair[1])), sample, time_ms)


def _metadata_v2(data: bytes, symbols: list[str]) -> Metadata:
    found = {1: 0, 3: 0, 4: 0}
    for number, _, value in wire.fields(data):
        if number in found:
            found[number] = wire.whole(value)
    if max(found[3], found[4]) >= max(len(symbols), 1):
        raise MalformedBody(f"a metadata reference is outside of the symbols table (size {len(symbols)})")
    texts = symbols or [""]
    return Metadata(_kind(found[1]), texts[found[3]], texts[found[4]])


class _Gathered:
    """What the walks collect."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.counts: list[int] = []
        self.times: list[int] = []
        self.values: list[F64] = []
        self.histograms: list[tuple[int, int, FloatHistogram]] = []
        self.exemplars: list[tuple[int, Exemplar]] = []
        self.bad: list[str] = []
        self.starts: list[tuple[int, list[int]]] = []

    def note_starts(self, starts: list[int]) -> None:
        """Start timestamps of the samples that the next block adds."""
        if any(starts):
            self.starts.append((len(self.times), starts))

    def block(self, key: Key, times: list[int], values: F64) -> None:
        self.keys.append(key)
        self.counts.append(len(times))
        self.times.extend(times)
        self.values.append(values)

    def columns(self, metadata: dict[str, Metadata]) -> WriteColumns:
        values = np.concatenate(self.values) if self.values else np.zeros(0)
        counts, times = np.array(self.counts, np.int64), np.array(self.times, np.int64)
        return WriteColumns(
            self.keys,
            counts,
            times,
            values,
            self.histograms,
            self.exemplars,
            metadata,
            tuple(self.bad),
            starts=self._starts() if self.starts else None,
        )

    def _starts(self) -> I64:
        starts = np.zeros(len(self.times), np.int64)
        for first, some in self.starts:
            starts[first : first + len(some)] = some
        return starts


DECODERS: dict[str, Callable[[bytes, KnownKeys], WriteColumns]] = {
    "prometheus.WriteRequest": decode_v1,
    "io.prometheus.write.v2.Request": decode_v2,
}
"""By the `proto` parameter of the content type."""


# Writing.


def encode_v1(series: Iterable[tuple[Labels, Sequence[tuple[int, float]]]]) -> bytes:
    """A prometheus.WriteRequest of (labels, [(time in ms, value)])."""
    return b"".join(wire.put_bytes(1, _entry(labels, samples)) for labels, samples in series)


def _entry(labels: Labels, samples: Sequence[tuple[int, float]]) -> bytes:
    pairs = [wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value)) for name, value in labels]
    rows = [wire.put_bytes(2, wire.put_double(1, value) + wire.put_int(2, time_ms)) for time_ms, value in samples]
    return b"".join([*pairs, *rows])
