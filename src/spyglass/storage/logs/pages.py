"""How columns become the values of Parquet pages, and back. Pure codecs: bytes in, arrays out.

Parquet lets its writer choose bit widths, block sizes and run lengths. We choose them so that what stands in a page is a numpy
array: dictionary codes of 8, 16 or 32 bits in one run, deltas of 0, 8, 16, 32 or 64 bits in one block. zstd then takes away what
byte-wide packing wastes. Source: the Parquet format's Encodings.md.
"""

import numpy as np

from spyglass.model.arrays import I64, U8, Mask
from spyglass.model.log_columns import offsets_of
from spyglass.storage.logs.column import TextTable

_MASK64 = (1 << 64) - 1
_UNSIGNED = {8: "<u1", 16: "<u2", 32: "<u4", 64: "<u8"}


def encode_varint(value: int) -> bytes:
    """ULEB128."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes, at: int) -> tuple[int, int]:
    """(value, position after it)."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def zigzag(value: int) -> int:
    return ((value << 1) ^ (value >> 63)) & _MASK64


def unzigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def encode_deltas(values: I64) -> bytes:
    """DELTA_BINARY_PACKED int64 in one block of one miniblock."""
    n = len(values)
    if n < 2:
        first = int(values[0]) if n else 0
        return encode_varint(128) + encode_varint(1) + encode_varint(n) + encode_varint(zigzag(first))
    deltas = np.diff(values)
    low = int(deltas.min())
    spread = (deltas - low).view(np.uint64)
    bits = int(spread.max()).bit_length()
    width = next(w for w in (0, 8, 16, 32, 64) if w >= bits)
    block = -(-(n - 1) // 128) * 128
    head = encode_varint(block) + encode_varint(1) + encode_varint(n) + encode_varint(zigzag(int(values[0])))
    head += encode_varint(zigzag(low)) + bytes([width])
    if width == 0:
        return head
    packed = np.zeros(block, _UNSIGNED[width])
    packed[: n - 1] = spread
    return head + packed.tobytes()


def decode_deltas(data: bytes) -> tuple[I64, int]:
    """The values, and the position after them."""
    block, at = decode_varint(data, 0)
    _, at = decode_varint(data, at)
    n, at = decode_varint(data, at)
    first, at = decode_varint(data, at)
    values = np.empty(n, np.int64)
    if n == 0:
        return values, at
    values[0] = unzigzag(first)
    if n == 1:
        return values, at
    low, at = decode_varint(data, at)
    width = data[at]
    at += 1
    if width:
        packed = np.frombuffer(data, _UNSIGNED[width], block, at)
        at += packed.nbytes
        values[1:] = packed[: n - 1].astype(np.int64)
        values[1:] += unzigzag(low)
    else:
        values[1:] = unzigzag(low)
    np.cumsum(values, out=values)
    return values, at


def encode_codes(codes: I64) -> bytes:
    """RLE_DICTIONARY indices: the width in bits, one bit-packed run of that width."""
    width = codes.dtype.itemsize * 8
    groups = -(-len(codes) // 8)
    padded = np.zeros(groups * 8, _UNSIGNED[width])
    padded[: len(codes)] = codes
    return bytes([width]) + encode_varint(groups << 1 | 1) + padded.tobytes()


def decode_codes(data: bytes, n: int) -> I64:
    _, at = decode_varint(data, 1)
    return np.frombuffer(data, _UNSIGNED[data[0]], n, at)


def narrow_codes(codes: I64, distinct: int) -> I64:
    """The codes in the narrowest type that holds them."""
    return codes.astype(np.uint8 if distinct <= 256 else np.uint16 if distinct <= 65536 else np.uint32)


def encode_dictionary(table: TextTable) -> bytes:
    """A PLAIN dictionary page of byte arrays: u32 length, bytes, and so on."""
    lengths = np.diff(table.offsets)
    out = np.empty(len(table.blob) + 4 * table.size, np.uint8)
    keep = _value_bytes(lengths, len(out))
    out[keep] = np.frombuffer(table.blob, np.uint8)
    out[~keep] = lengths.astype("<u4").view(np.uint8)
    return out.tobytes()


def _value_bytes(lengths: I64, size: int) -> Mask:
    """[size] of a PLAIN page: True where a value's byte stands, False where a length does."""
    keep = np.ones(size, np.bool_)
    starts = offsets_of(lengths + 4)[:-1]
    keep[(starts[:, None] + np.arange(4)).ravel()] = False
    return keep


def decode_dictionary(data: bytes, lengths: I64) -> TextTable:
    """lengths [d], which a block keeps beside the page, so that nothing has to be walked."""
    keep = _value_bytes(lengths, len(data))
    return TextTable(np.frombuffer(data, np.uint8)[keep].tobytes(), offsets_of(lengths))


def walk_dictionary(data: bytes) -> list[bytes]:
    """The values of a short PLAIN page, one after the other."""
    values, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "little")
        values.append(data[at + 4 : end])
        at = end
    return values


def encode_text(table: TextTable) -> bytes:
    """DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes."""
    return encode_deltas(np.diff(table.offsets)) + table.blob


def decode_text(data: bytes) -> TextTable:
    lengths, at = decode_deltas(data)
    return TextTable(data[at:], offsets_of(lengths))


def encode_split(values: I64) -> bytes:
    """BYTE_STREAM_SPLIT int64: the lowest bytes of all values, then the next ones."""
    planes: U8 = values.astype("<i8").view(np.uint8).reshape(-1, 8).T
    return planes.tobytes()


def decode_split(data: bytes, n: int) -> I64:
    planes = np.frombuffer(data, np.uint8).reshape(8, n)
    return np.ascontiguousarray(planes.T).reshape(-1).view("<i8")
