"""Protobuf's wire format by hand: fields of a message, varints, packed numbers; reading and writing.

A message is a run of fields; a field is a varint key (number << 3 | type) and its value: type 0 varint, 1 eight bytes,
2 length and bytes, 5 four bytes. Unknown fields are skipped, groups (3, 4) are refused, as proto3 has none.
"""

import struct
from collections.abc import Iterable, Iterator

from spyglass.model.errors import MalformedBody

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_DOUBLE = struct.Struct("<d")


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number and the position after it. Raises: MalformedBody."""
    result = shift = 0
    try:
        while True:
            byte = data[at]
            at += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                return result & 0xFFFF_FFFF_FFFF_FFFF, at
            shift += 7
            if shift > 63:
                raise MalformedBody("proto: a varint has more than ten bytes")
    except IndexError:
        raise MalformedBody("proto: unexpected end of message in a varint") from None


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value): an int for varints and fixed numbers (raw bits), bytes for the rest.

    Raises: MalformedBody.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = read_varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise MalformedBody("proto: field number 0")
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = read_varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise MalformedBody(f"proto: wire type {kind} is not supported")
        if at + size > end:
            raise MalformedBody("proto: unexpected end of message")
        piece = data[at : at + size]
        at += size
        yield number, kind, piece if kind == BYTES else int.from_bytes(piece, "little")


def text(value: int | bytes) -> str:
    """A string field. Raises: MalformedBody."""
    if not isinstance(value, bytes):
        raise MalformedBody("proto: a string field has another wire type")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedBody("proto: a string field is not UTF-8") from None


def text_pair(data: bytes) -> tuple[str, str]:
    """(field 1, field 2) of a message of two texts, as labels are in Prometheus' messages. Raises: MalformedBody."""
    first = second = ""
    for number, _, value in fields(data):
        if number == 1:
            first = text(value)
        elif number == 2:
            second = text(value)
    return first, second


def message(value: int | bytes) -> bytes:
    """A field that holds a message. Raises: MalformedBody."""
    if not isinstance(value, bytes):
        raise MalformedBody("proto: a message field has another wire type")
    return value


def whole(value: int | bytes) -> int:
    """An unsigned or enum field. Raises: MalformedBody."""
    if isinstance(value, bytes):
        raise MalformedBody("proto: a number field has another wire type")
    return value


def signed(value: int | bytes) -> int:
    """An int64 field: two's complement."""
    number = whole(value)
    return number - (1 << 64) if number >= 1 << 63 else number


def zigzag(number: int) -> int:
    """A sint32 or sint64 field: 0, -1, 1, -2 ..."""
    return (number >> 1) ^ -(number & 1)


def double(value: int | bytes) -> float:
    """A double field, from its bits."""
    result: float = _DOUBLE.unpack(whole(value).to_bytes(8, "little"))[0]
    return result


def packed_varints(kind: int, value: int | bytes) -> list[int]:
    """A repeated number field: packed, or one element of an unpacked one."""
    if kind == VARINT:
        return [whole(value)]
    data, at, out = message(value), 0, []
    while at < len(data):
        number, at = read_varint(data, at)
        out.append(number)
    return out


def packed_doubles(kind: int, value: int | bytes) -> list[float]:
    """A repeated double field: packed, or one element of an unpacked one."""
    if kind == FIXED64:
        return [double(value)]
    data = message(value)
    if len(data) % 8:
        raise MalformedBody("proto: a packed list of doubles ends within one")
    return list(struct.unpack(f"<{len(data) // 8}d", data))


# Writing.


def put_varint(number: int) -> bytes:
    out = bytearray()
    number &= 0xFFFF_FFFF_FFFF_FFFF
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def put_bytes(field: int, data: bytes) -> bytes:
    return put_varint(field << 3 | BYTES) + put_varint(len(data)) + data


def put_text(field: int, value: str) -> bytes:
    """Nothing for an empty text, as proto3 writes it."""
    return put_bytes(field, value.encode()) if value else b""


def put_int(field: int, number: int) -> bytes:
    """An int64, uint64 or enum. Nothing for 0."""
    return put_varint(field << 3 | VARINT) + put_varint(number) if number else b""


def put_zigzag(field: int, number: int) -> bytes:
    return put_int(field, number * 2 if number >= 0 else -number * 2 - 1)


def put_double(field: int, value: float) -> bytes:
    return put_varint(field << 3 | FIXED64) + _DOUBLE.pack(value)


def put_packed_varints(field: int, numbers: Iterable[int]) -> bytes:
    data = b"".join(map(put_varint, numbers))
    return put_bytes(field, data) if data else b""


def put_packed_doubles(field: int, values: Iterable[float]) -> bytes:
    data = b"".join(map(_DOUBLE.pack, values))
    return put_bytes(field, data) if data else b""
