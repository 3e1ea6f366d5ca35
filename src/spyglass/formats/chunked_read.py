"""The streamed answer of remote read: frames, each a prometheus.ChunkedReadResponse with chunks of one series.

    frame = length of the message as an uvarint, its CRC-32C in four bytes (big-endian), the message

Source: Prometheus storage/remote/chunked.go, prompb/remote.proto, prompb/types.proto.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spyglass.formats import wire
from spyglass.formats.crc32c import crc32c
from spyglass.formats.prometheus_chunks import EncodedChunk
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of

CONTENT_TYPE = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"


@dataclass(frozen=True, slots=True)
class ChunkedSeries:
    """What one frame tells of a series. query_index: which of the request's queries it answers."""

    labels: Labels
    chunks: tuple[EncodedChunk, ...]
    query_index: int = 0


def encode_frames(
    labels: Labels, chunks: Iterable[EncodedChunk], *, query_index: int, frame_bytes_max: int
) -> Iterator[bytes]:
    """One series in frames. A frame ends with the chunk that reaches the limit, which it may pass by that chunk."""
    head = b"".join(wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value)) for name, value in labels)
    room = frame_bytes_max - len(head)
    parts: list[bytes] = []
    size = 0
    for chunk in chunks:
        parts.append(wire.put_bytes(2, _put_chunk(chunk)))
        size += len(parts[-1])
        if size >= room:
            yield _frame(head, parts, query_index)
            parts, size = [], 0
    if parts:
        yield _frame(head, parts, query_index)


def _put_chunk(chunk: EncodedChunk) -> bytes:
    bounds = wire.put_int(1, chunk.min_ms) + wire.put_int(2, chunk.max_ms)
    return bounds + wire.put_int(3, chunk.encoding) + wire.put_bytes(4, chunk.data)


def _frame(head: bytes, chunks: Sequence[bytes], query_index: int) -> bytes:
    message = wire.put_bytes(1, head + b"".join(chunks)) + wire.put_int(2, query_index)
    return wire.put_varint(len(message)) + crc32c(message).to_bytes(4, "big") + message


def decode_frames(data: bytes) -> list[ChunkedSeries]:
    """A whole answer. Raises: MalformedBody: a frame ends early or fails its checksum."""
    out: list[ChunkedSeries] = []
    at = 0
    while at < len(data):
        size, at = wire.read_varint(data, at)
        message = data[at + 4 : at + 4 + size]
        if len(message) < size:
            raise MalformedBody("chunked read: the answer ends within a frame")
        if crc32c(message) != int.from_bytes(data[at : at + 4], "big"):
            raise MalformedBody("chunked read: a frame fails its checksum")
        out += _read_message(message)
        at += 4 + size
    return out


def _read_message(data: bytes) -> list[ChunkedSeries]:
    series: list[tuple[Labels, tuple[EncodedChunk, ...]]] = []
    query_index = 0
    for number, _, value in wire.fields(data):
        if number == 1:
            series.append(_read_series(wire.message(value)))
        elif number == 2:
            query_index = wire.signed(value)
    return [ChunkedSeries(labels, chunks, query_index) for labels, chunks in series]


def _read_series(data: bytes) -> tuple[Labels, tuple[EncodedChunk, ...]]:
    pairs: list[tuple[str, str]] = []
    chunks: list[EncodedChunk] = []
    for number, _, value in wire.fields(data):
        if number == 1:
            found = {n: wire.text(v) for n, _, v in wire.fields(wire.message(value))}
            pairs.append((found.get(1, ""), found.get(2, "")))
        elif number == 2:
            chunks.append(_read_chunk(wire.message(value)))
    return labels_of(pairs), tuple(chunks)


def _read_chunk(data: bytes) -> EncodedChunk:
    numbers = {1: 0, 2: 0, 3: 0}
    content = b""
    for number, _, value in wire.fields(data):
        if number in numbers:
            numbers[number] = wire.signed(value)
        elif number == 4:
            content = wire.message(value)
    return EncodedChunk(numbers[1], numbers[2], numbers[3], content)
