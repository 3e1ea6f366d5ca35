"""Prometheus' XOR chunk: float samples with delta-of-delta times and XORed values, bit by bit.

Source: Prometheus tsdb/docs/format/chunks.md and the Gorilla paper. Decoding only; prometheus_xor_write.py encodes.
"""

import struct

import numpy as np

from spyglass.formats.bit_fields import TIME_WIDTHS
from spyglass.formats.bit_reader import BitReader, XorReader
from spyglass.model.arrays import F64, I64, U64

_TIME_WIDTHS = tuple(TIME_WIDTHS.tolist())


class XorError(ValueError):
    """The chunk ends too early or says what it cannot mean."""


def decode_xor_chunk(data: bytes) -> tuple[I64, F64]:
    """times [n] ms, values [n]. data: the chunk's data without length, encoding and checksum. Raises: XorError."""
    if len(data) < 2:
        raise XorError("a chunk of less than two bytes")
    (count,) = struct.unpack_from(">H", data)
    times, bits = np.empty(count, np.int64), np.empty(count, np.uint64)
    try:
        _decode(BitReader(data, 16), times, bits)
    except IndexError:
        raise XorError(f"the chunk ends before its {count} samples") from None
    except OverflowError as err:
        raise XorError(f"a number beyond 64 bits: {err}") from None
    return times, bits.view(np.float64)


def _decode(stream: BitReader, times: I64, bits: U64) -> None:
    if not len(times):
        return
    time, delta = stream.varint(), 0
    column = XorReader(stream.take(64))
    times[0], bits[0] = time, column.value
    for at in range(1, len(times)):
        delta += stream.uvarint() if at == 1 else _delta_of_delta(stream)
        time += delta
        times[at], bits[at] = time, column.read(stream)


def _delta_of_delta(stream: BitReader) -> int:
    ones = stream.ones(4)
    return stream.signed(_TIME_WIDTHS[ones - 1]) if ones else 0
