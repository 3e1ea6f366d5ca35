"""Loki's push body, both ways: snappy-compressed protobuf, and JSON. No I/O, no protobuf run time.

    PushRequest  { repeated Stream streams = 1; }
    Stream       { string labels = 1; repeated Entry entries = 2; uint64 hash = 3; }
    Entry        { Timestamp timestamp = 1; string line = 2; repeated LabelPair structuredMetadata = 3; }
    Timestamp    { int64 seconds = 1; int32 nanos = 2; }          LabelPair { string name = 1; string value = 2; }

The protobuf form is one snappy block (no framing). The JSON form is
`{"streams": [{"stream": {"job": "x"}, "values": [["<ns>", "line", {"trace_id": "y"}]]}]}`.
Unknown protobuf fields are skipped. Source: Loki's HTTP API documentation, pkg/push/push.proto.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any

import cramjam
import numpy as np
import orjson

from spyglass.formats.push_entries import read_entries
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_columns import LogColumns, encode_lines, offsets_of
from spyglass.model.log_entry import LogEntry
from spyglass.text.golayout import parse_time
from spyglass.text.gostring import quote, unquote

MAX_BODY_BYTES = 100 << 20
"""Upper bound of a decompressed body (Loki: 100 MiB); a snappy header that claims more is refused before any memory is taken."""

_PAIR = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)\s*')
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")

Stream = tuple[Labels, LogColumns]
Streams = list[Stream]


class BadLabels(MalformedBody):
    """One stream's labels cannot be read; the other streams of the body can."""


# --- label strings -----------------------------------------------------------------------------------------------------


def parse_label_pairs(text: str) -> list[tuple[str, str]]:
    """The pairs of `{a="b", c="d"}` as written: in order, empty values kept. Raises MalformedBody."""
    body = text.strip()
    if len(body) < 2 or body[0] != "{" or body[-1] != "}":
        raise BadLabels(f'error parsing labels {text!r}: should be of the form {{name="value", ...}}')
    pairs: list[tuple[str, str]] = []
    at, end = 1, len(body) - 1
    while body[at:end].strip():
        match = _PAIR.match(body, at, end)
        if match is None:
            raise BadLabels(f'error parsing labels {text!r}: expected name="value" at column {at + 1}')
        try:
            pairs.append((match.group(1), unquote(match.group(2))))
        except ValueError as err:
            raise BadLabels(f"error parsing labels {text!r}: {err} in the value of {match.group(1)}") from None
        at = match.end()
        if at < end:
            if body[at] != ",":
                raise BadLabels(f"error parsing labels {text!r}: expected a comma at column {at + 1}")
            at += 1
    return pairs


@lru_cache(maxsize=8192)
def parse_label_string(text: str) -> Labels:
    """Canonical labels of `{a="b"}`; cached, since senders repeat their streams. Raises MalformedBody.

    >>> parse_label_string('{job="x", empty=""}')
    (('job', 'x'),)
    """
    pairs = parse_label_pairs(text)
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadLabels(f"error parsing labels {text!r}: a label is given twice")
    return labels_of(pairs)


def render_label_string(labels: Iterable[tuple[str, str]]) -> str:
    """`{a="b", c="d"}` in the order given.

    >>> render_label_string((("job", "x"),))
    '{job="x"}'
    """
    return "{" + ", ".join(f"{name}={quote(value)}" for name, value in labels) + "}"


# --- protobuf: reading -------------------------------------------------------------------------------------------------


def decode_protobuf(body: bytes, *, max_bytes: int = MAX_BODY_BYTES, problems: list[str] | None = None) -> Streams:
    """A snappy-compressed PushRequest as streams in the order sent. Raises MalformedBody.

    problems: where given, a stream whose labels cannot be read is named there and left out, and the others are returned.
    """
    return decode_push_request(decompress(body, max_bytes=max_bytes), problems=problems)


def decompress(body: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """One snappy block. Raises MalformedBody where it is not one, or claims more than `max_bytes`."""
    try:
        size, _ = _varint(body, 0)
    except IndexError:
        raise MalformedBody("snappy: corrupt input") from None
    if size > max_bytes:
        raise MalformedBody(f"the body holds {size} bytes; at most {max_bytes} are taken")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise MalformedBody("snappy: corrupt input") from None


def decode_push_request(data: bytes, *, problems: list[str] | None = None) -> Streams:
    """An uncompressed PushRequest. Raises MalformedBody."""
    try:
        places = [(start, end) for field, start, end in _fields(data, 0, len(data)) if field == 1 and end >= 0]
        return _readable((partial(_stream, data, at, end) for at, end in places), problems)
    except IndexError:
        raise MalformedBody("proto: unexpected EOF") from None
    except UnicodeDecodeError as err:
        raise MalformedBody(f"proto: a string holds invalid UTF-8 ({err.reason})") from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + 1
        shift += 7
        if shift > 63:
            raise MalformedBody("proto: integer overflow")


def _fields(data: bytes, at: int, end: int) -> Iterable[tuple[int, int, int]]:
    """Every length-delimited field in [at, end) as (number, start, end); scalars as (number, value, -1)."""
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 2:
            size, at = _varint(data, at)
            stop = at + size
            if stop > end:
                raise MalformedBody("proto: unexpected EOF")
            yield key >> 3, at, stop
            at = stop
        elif kind == 0:
            value, at = _varint(data, at)
            yield key >> 3, value, -1
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise MalformedBody(f"proto: illegal wire type {kind}")
    if at != end:
        raise MalformedBody("proto: unexpected EOF")


def _stream(data: bytes, at: int, end: int) -> Stream:
    labels: Labels = ()
    entries: list[LogEntry] = []
    if end > at and data[at] == 0x0A:
        # As every client writes it: the labels, then nothing but entries.
        size, start = _varint(data, at + 1)
        at_once = read_entries(data, start + size, end)
        if at_once is not None:
            return parse_label_string(data[start : start + size].decode()), at_once
    for field, start, stop in _fields(data, at, end):
        if field == 2 and stop >= 0:
            entries.append(_entry(data, start, stop))
        elif field == 1 and stop >= 0:
            labels = parse_label_string(data[start:stop].decode())
    return labels, LogColumns.of(entries)


def _entry(data: bytes, at: int, end: int) -> LogEntry:
    time_ns, line = 0, ""
    metadata: list[tuple[str, str]] = []
    for field, start, stop in _fields(data, at, end):
        if field == 2 and stop >= 0:
            # Loki stores bytes; a line that is not UTF-8 is kept with replacement characters rather than refused.
            line = data[start:stop].decode("utf-8", "replace")
        elif field == 1 and stop >= 0:
            time_ns = _timestamp(data, start, stop)
        elif field == 3 and stop >= 0:
            metadata.append(_label_pair(data, start, stop))
    return LogEntry(time_ns, line, labels_of(metadata) if metadata else ())


def _timestamp(data: bytes, at: int, end: int) -> int:
    seconds = nanos = 0
    for field, value, stop in _fields(data, at, end):
        if stop == -1 and field == 1:
            seconds = value - (1 << 64) if value >> 63 else value
        elif stop == -1 and field == 2:
            nanos = value - (1 << 64) if value >> 63 else value
    return seconds * 1_000_000_000 + nanos


def _label_pair(data: bytes, at: int, end: int) -> tuple[str, str]:
    name = value = ""
    for field, start, stop in _fields(data, at, end):
        if field == 1 and stop >= 0:
            name = data[start:stop].decode()
        elif field == 2 and stop >= 0:
            value = data[start:stop].decode()
    return name, value


# --- protobuf: writing -------------------------------------------------------------------------------------------------


def encode_protobuf(streams: Iterable[tuple[str, Sequence[LogEntry]]]) -> bytes:
    """A snappy-compressed PushRequest. Streams are named by their label string (see render_label_string)."""
    return bytes(cramjam.snappy.compress_raw(encode_push_request(streams)))


def encode_push_request(streams: Iterable[tuple[str, Sequence[LogEntry]]]) -> bytes:
    """The uncompressed PushRequest."""
    return b"".join(_delimited(b"\x0a", _encode_stream(labels, entries)) for labels, entries in streams)


def _encode_stream(labels: str, entries: Sequence[LogEntry]) -> bytes:
    parts = [_delimited(b"\x0a", labels.encode("utf-8", "replace"))]
    parts.extend(_delimited(b"\x12", _encode_entry(entry)) for entry in entries)
    return b"".join(parts)


def _encode_entry(entry: LogEntry) -> bytes:
    seconds, nanos = divmod(entry.time_ns, 1_000_000_000)
    stamp = (b"\x08" + _encode_varint(seconds) if seconds else b"") + (
        b"\x10" + _encode_varint(nanos) if nanos else b""
    )
    body = b"\x0a" + _encode_varint(len(stamp)) + stamp
    if entry.line:
        body += _delimited(b"\x12", entry.line.encode("utf-8", "replace"))
    for name, value in entry.metadata:
        body += _delimited(b"\x1a", _delimited(b"\x0a", name.encode()) + _delimited(b"\x12", value.encode()))
    return body


def _delimited(key: bytes, body: bytes) -> bytes:
    return key + _encode_varint(len(body)) + body


def _encode_varint(value: int) -> bytes:
    if 0 <= value < 0x80:
        return _SMALL[value]
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_SMALL = [bytes([n]) for n in range(128)]


# --- JSON ---------------------------------------------------------------------------------------------------------------


def decode_json(body: bytes, *, problems: list[str] | None = None) -> Streams:
    """The JSON form, `stream`/`values` or the older `labels`/`entries`. Raises MalformedBody naming the place at fault.

    problems: as for decode_protobuf.
    """
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise MalformedBody(f"the body is not JSON: {err}") from None
    streams = data.get("streams") if isinstance(data, dict) else None
    if streams is None:
        streams = []
    if not isinstance(data, dict) or not isinstance(streams, list):
        raise MalformedBody('the body should be an object with a list "streams"')
    reads = (partial(_json_stream, one, f"streams[{at}]") for at, one in enumerate(streams))
    return _readable(reads, problems)


def _readable(reads: Iterable[Callable[[], Stream]], problems: list[str] | None) -> Streams:
    """The streams that can be read; those with bad labels go to `problems`, or end it all where there is none."""
    streams: Streams = []
    for read in reads:
        try:
            streams.append(read())
        except BadLabels as err:
            if problems is None:
                raise
            problems.append(str(err))
    return streams


def _json_stream(stream: Any, place: str) -> Stream:
    if not isinstance(stream, dict):
        raise MalformedBody(f"{place} should be an object")
    if "stream" not in stream and isinstance(stream.get("labels"), str):
        labels = parse_label_string(stream["labels"])
        return labels, LogColumns.of(_json_old_entries(stream.get("entries"), f"{place}.entries"))
    pairs = stream.get("stream")
    if not isinstance(pairs, dict):
        raise MalformedBody(f"{place}.stream should be an object of labels")
    for name, value in pairs.items():
        if not isinstance(value, str):
            raise MalformedBody(f"{place}.stream.{name} should be a string")
        if _NAME.fullmatch(name) is None:
            raise BadLabels(f"error parsing labels of {place}.stream: {name!r} is no label name")
    values = stream.get("values") or []
    if not isinstance(values, list):
        raise MalformedBody(f"{place}.values should be a list")
    return labels_of(pairs), _json_plain(values) or LogColumns.of(
        [_json_entry(value, f"{place}.values", index) for index, value in enumerate(values)]
    )


def _json_plain(values: list[Any]) -> LogColumns | None:
    """Columns of values that are all a time and a line, as nearly always; None where each must be looked at."""
    if not values or set(map(type, values)) != {list} or set(map(len, values)) != {2}:
        return None
    times, lines = zip(*values, strict=True)
    if set(map(type, times)) != {str} or set(map(type, lines)) != {str}:
        return None
    try:
        times_ns = np.asarray(list(map(int, times)), np.int64)
    except (ValueError, OverflowError):
        return None
    text, lengths = encode_lines(lines)
    return LogColumns(times_ns, offsets_of(lengths), text)


def _json_entry(value: Any, place: str, index: int) -> LogEntry:
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise MalformedBody(
            f'{place}[{index}] should be ["<unix time in nanoseconds>", "<line>", {{structured metadata}}]'
        )
    time, line = value[0], value[1]
    if not isinstance(time, str) or not isinstance(line, str):
        raise MalformedBody(f"{place}[{index}]: the time and the line should be strings")
    try:
        time_ns = int(time)
    except ValueError:
        raise MalformedBody(f"{place}[{index}]: {time!r} is no unix time in nanoseconds") from None
    if not -(2**63) <= time_ns < 2**63:
        raise MalformedBody(f"{place}[{index}]: {time!r} is out of range")
    if len(value) == 2 or not value[2]:
        return LogEntry(time_ns, line)
    return LogEntry(time_ns, line, _json_metadata(value[2], f"{place}[{index}]"))


def _json_metadata(metadata: Any, place: str) -> Labels:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise MalformedBody(f"{place}: structured metadata should be an object of strings")
    return labels_of(metadata)


def _json_old_entries(entries: Any, place: str) -> list[LogEntry]:
    """`[{"ts": "2026-03-02T10:00:00Z", "line": "x"}]`, as /api/prom/push takes it."""
    found: list[LogEntry] = []
    for index, entry in enumerate(entries if isinstance(entries, list) else [None]):
        if (
            not isinstance(entry, dict)
            or not isinstance(entry.get("ts"), str)
            or not isinstance(entry.get("line"), str)
        ):
            raise MalformedBody(f'{place}[{index}] should be {{"ts": "<RFC 3339 time>", "line": "<line>"}}')
        try:
            found.append(LogEntry(parse_time("RFC3339Nano", entry["ts"]).unix_ns, entry["line"]))
        except ValueError as err:
            raise MalformedBody(f"{place}[{index}]: {err}") from None
    return found


def encode_json(streams: Iterable[tuple[Labels, Sequence[LogEntry]]]) -> bytes:
    """The JSON form of the same streams."""
    return orjson.dumps(
        {
            "streams": [
                {"stream": dict(labels), "values": [_json_value(entry) for entry in entries]}
                for labels, entries in streams
            ]
        }
    )


def _json_value(entry: LogEntry) -> list[Any]:
    pair: list[Any] = [str(entry.time_ns), entry.line]
    return [*pair, dict(entry.metadata)] if entry.metadata else pair
