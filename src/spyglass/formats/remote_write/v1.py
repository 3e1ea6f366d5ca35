"""Remote write 1.0 (prometheus.WriteRequest), read and written.

Entries of labels and then samples are decoded by numpy all at once (formats/usual_entries.py); a body that holds anything else takes
the walk, field by field.
Source: prompb/remote.proto, prompb/types.proto.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import decode_histogram
from spyglass.formats.remote_write.columns import (
    NOTHING_KNOWN,
    UNKNOWN,
    Gathered,
    KnownKeys,
    WriteColumns,
    metadata_kind,
)
from spyglass.formats.usual_entries import usual_entries
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels
from spyglass.model.samples import Exemplar, Metadata


def decode_v1(data: bytes, known: KnownKeys = NOTHING_KNOWN) -> WriteColumns:
    """A prometheus.WriteRequest. Raises: MalformedBody."""
    usual = usual_entries(data)
    if usual is None:
        return _walk_v1(data)
    found = known.refs(usual.keys)
    # What looked like a sample may have been the end of a label.
    if not all(_only_labels(usual.keys[at]) for at in np.flatnonzero(found == UNKNOWN).tolist()):
        return _walk_v1(data)
    return WriteColumns(usual.keys, usual.counts, usual.times, usual.values, known=found)


def _read_size(data: bytes, at: int) -> tuple[int, int]:
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
        size, at = _read_size(key, at + 1) if at + 1 < end else (1, end)
        at += size
    return at == end > 0


def _walk_v1(data: bytes) -> WriteColumns:
    """The general case: field by field."""
    out = Gathered()
    metadata: dict[str, Metadata] = {}
    for number, _, value in wire.fields(data):
        if number == 1:
            _entry_v1(out, wire.message(value))
        elif number == 3:
            name, entry = _metadata_v1(wire.message(value))
            metadata[name] = entry
    return out.columns(metadata)


def _entry_v1(out: Gathered, entry: bytes) -> None:
    key = _labels_prefix(entry)
    _fields_v1(out, len(out.keys), key, entry[len(key) :])


def _labels_prefix(entry: bytes) -> bytes:
    """The label fields that an entry begins with."""
    at, end = 0, len(entry)
    while at < end and entry[at] == 0x0A:
        size, after = _read_size(entry, at + 1)
        if after + size > end:
            raise MalformedBody("proto: unexpected end of message")
        at = after + size
    return entry[:at]


def _fields_v1(out: Gathered, index: int, key: bytes, rest: bytes) -> None:
    times: list[int] = []
    values: list[float] = []
    for number, _, value in wire.fields(rest):
        if number == 1:
            # Labels behind samples: legal, and nobody does it. They belong to the key all the same.
            key += wire.put_bytes(1, wire.message(value))
        elif number == 2:
            sample, time_ms = _read_sample(wire.message(value))
            values.append(sample)
            times.append(time_ms)
        elif number == 3:
            out.exemplars.append((index, _exemplar_v1(wire.message(value))))
        elif number == 4:
            time_ms, histogram = decode_histogram(wire.message(value))
            out.histograms.append((index, time_ms, histogram))
    out.block(key, times, np.array(values, np.float64))


def _read_sample(data: bytes) -> tuple[float, int]:
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
            pairs.append(wire.text_pair(wire.message(value)))
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
    return name, Metadata(metadata_kind(kind), help_text, unit)


# Writing.


def encode_v1(series: Iterable[tuple[Labels, Sequence[tuple[int, float]]]]) -> bytes:
    """A prometheus.WriteRequest of (labels, [(time in ms, value)])."""
    return b"".join(wire.put_bytes(1, _entry(labels, samples)) for labels, samples in series)


def _entry(labels: Labels, samples: Sequence[tuple[int, float]]) -> bytes:
    pairs = [wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value)) for name, value in labels]
    rows = [wire.put_bytes(2, wire.put_double(1, value) + wire.put_int(2, time_ms)) for time_ms, value in samples]
    return b"".join([*pairs, *rows])
