"""Thrift's compact protocol, the writing half: just what Parquet's headers and footer need.

A struct is a list of (field id, value) in ascending order; the Python type says the Thrift type: bool, int (i64), I32, str, list, Struct.
Source: the Thrift project's compact protocol description.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from spyglass.storage.logs.pages import encode_varint, zigzag

_TRUE, _FALSE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 2, 5, 6, 8, 9, 12


@dataclass(frozen=True, slots=True)
class I32:
    """A 32-bit integer or an enum's value."""

    value: int


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields by id, ascending."""

    fields: tuple[tuple[int, "Value"], ...]


Value = bool | int | I32 | str | Sequence["Value"] | Struct


def struct(*fields: tuple[int, Value | None]) -> Struct:
    """A struct without the fields that are None."""
    return Struct(tuple((number, value) for number, value in fields if value is not None))


def encode_struct(value: Struct) -> bytes:
    out = bytearray()
    last = 0
    for number, field in value.fields:
        kind = _kind(field)
        if isinstance(field, bool):
            kind = _TRUE if field else _FALSE
        if 0 < number - last <= 15:
            out.append((number - last) << 4 | kind)
        else:
            out.append(kind)
            out += encode_varint(zigzag(number))
        if not isinstance(field, bool):
            out += _encode(field)
        last = number
    out.append(0)
    return bytes(out)


def _kind(value: Value) -> int:
    if isinstance(value, I32):
        return _I32
    if isinstance(value, bool):
        return _TRUE
    if isinstance(value, int):
        return _I64
    if isinstance(value, str):
        return _BINARY
    return _STRUCT if isinstance(value, Struct) else _LIST


def _encode(value: Value) -> bytes:
    if isinstance(value, I32):
        return encode_varint(zigzag(value.value))
    if isinstance(value, int):
        return encode_varint(zigzag(value))
    if isinstance(value, str):
        data = value.encode()
        return encode_varint(len(data)) + data
    if isinstance(value, Struct):
        return encode_struct(value)
    assert value, "an empty list has no type here"
    head = len(value) << 4 if len(value) < 15 else 0xF0
    size = b"" if len(value) < 15 else encode_varint(len(value))
    return bytes([head | _kind(value[0])]) + size + b"".join(_encode(item) for item in value)
