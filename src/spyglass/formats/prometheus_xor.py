"""Prometheus' XOR chunk: float samples with delta-of-delta times and XORed values, bit by bit.

Source: Prometheus tsdb/docs/format/chunks.md and the Gorilla paper. Decoding only: nothing here writes that format.
"""

import struct

import numpy as np

from spyglass.model.arrays import F64, I64

_DELTA_BITS = (14, 17, 20, 64)
"""Width of the delta of deltas for the prefixes 10, 110, 1110, 1111."""


class XorError(ValueError):
    """The chunk ends too early or says what it cannot mean."""


def decode_xor_chunk(data: bytes) -> tuple[I64, F64]:
    """times [n] ms, values [n]. data: the chunk's data without length, encoding and checksum. Raises: XorError."""
    if len(data) < 2:
        raise XorError("a chunk of less than two bytes")
    (count,) = struct.unpack_from(">H", data)
    times, bits = np.empty(count, np.int64), np.empty(count, np.uint64)
    try:
        _decode(_Bits(data, 16), count, times, bits)
    except IndexError:
        raise XorError(f"the chunk ends before its {count} samples") from None
    except OverflowError:
        raise XorError("a time beyond 64 bits") from None
    return times, bits.view(np.float64)


def _decode(stream: "_Bits", count: int, times: I64, bits: "np.ndarray[tuple[int], np.dtype[np.uint64]]") -> None:
    time = delta = value = leading = trailing = 0
    for at in range(count):
        if at == 0:
            time, value = stream.varint(), stream.take(64)
        else:
            if at == 1:
                delta = stream.uvarint()
            else:
                delta += _delta_of_delta(stream)
            time += delta
            if stream.take(1):
                if stream.take(1):
                    leading = stream.take(5)
                    width = stream.take(6) or 64
                    trailing = 64 - leading - width
                    if trailing < 0:
                        raise XorError("a value wider than 64 bits")
                value ^= stream.take(64 - leading - trailing) << trailing
        times[at], bits[at] = time, value


def _delta_of_delta(stream: "_Bits") -> int:
    prefix = 0
    while prefix < 4 and stream.take(1):
        prefix += 1
    if prefix == 0:
        return 0
    width = _DELTA_BITS[prefix - 1]
    found = stream.take(width)
    limit = 1 << (width - 1)
    # 64 bits are two's complement; the narrower ones keep +2^(n-1) and give up -2^(n-1).
    return found - (1 << width) if found > limit or (width == 64 and found == limit) else found


class _Bits:
    """Reads bits from the most significant on."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, position: int) -> None:
        # Nine bytes of padding, so that a window of 72 bits can always be cut.
        self._data, self._position, self._end = data + b"\0" * 9, position, len(data) * 8

    def take(self, count: int) -> int:
        position = self._position
        after = position + count
        if after > self._end:
            raise IndexError
        self._position = after
        byte = position >> 3
        window = int.from_bytes(self._data[byte : byte + 9])
        return window >> (72 - (position & 7) - count) & ((1 << count) - 1)

    def uvarint(self) -> int:
        found = shift = 0
        while True:
            byte = self.take(8)
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            shift += 7
            if shift > 63:
                raise XorError("a varint of more than ten bytes")

    def varint(self) -> int:
        found = self.uvarint()
        return found >> 1 ^ -(found & 1)
