"""Bit streams in columns: Prometheus' chunk encodings write numbers of some bits each, the most significant bit first.

A *cell* is one number as two fields, a prefix that says how it is written and its bits: arrays values [..., 2] uint64 and widths
[..., 2] int64 (0..64). What is above a field's width in its value is ignored.
Source: Prometheus tsdb/docs/format/chunks.md, tsdb/chunkenc/varbit.go, tsdb/chunkenc/xor.go.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64, U64

TIME_WIDTHS = np.array([14, 17, 20, 64], np.int64)
"""Delta of deltas of times in XOR chunks; the prefixes are 10, 110, 1110, 1111."""

VARBIT_WIDTHS = np.array([3, 6, 9, 12, 18, 25, 56, 64], np.int64)
"""varbit_int and varbit_uint of histogram chunks; the prefixes are 10, 110, ... 11111110, 11111111."""

_ONE = np.uint64(1)
_LEADING_MAX = 31
"""The count of leading zeros is written in five bits."""


@dataclass(frozen=True, slots=True)
class Cells:
    """values [..., 2] and widths [..., 2] of numbers: prefix and bits."""

    values: U64
    widths: I64


def pack(values: U64, widths: I64, starts: I64) -> tuple[bytes, I64]:
    """Write fields one after the other. Each stream begins at a byte and is padded with zeros.

    Args:    values [F], widths [F]: the fields.  starts [C]: the first field of each stream, ascending, starts[0] = 0.
    Returns: the streams' bytes, joined, and their offsets [C+1] in it.
    """
    ends = np.concatenate([[0], np.cumsum(widths)])
    bounds = np.append(starts, len(widths))
    bits = ends[bounds]
    offsets = np.concatenate([[0], np.cumsum((np.diff(bits) + 7) >> 3)])
    begins = ends[:-1] + np.repeat(offsets[:-1] * 8 - bits[:-1], np.diff(bounds))
    out = np.zeros((int(offsets[-1]) >> 3) + 2, np.uint64)
    _write(out, values, widths, begins)
    return out.astype(">u8").tobytes()[: int(offsets[-1])], offsets


def _write(out: U64, values: U64, widths: I64, begins: I64) -> None:
    """Put each field at its bit of `out`, which is all zeros. Fields ascend and do not overlap, so that a sum is a union."""
    kept = widths > 0
    widths, begins = widths[kept], begins[kept]
    if not len(widths):
        return
    values = values[kept] & (np.uint64(2**64 - 1) >> (64 - widths).astype(np.uint64))
    word, room = begins >> 6, 64 - (begins & 63) - widths
    spills = room < 0
    high = np.where(spills, values >> np.abs(room).astype(np.uint64), values << np.maximum(room, 0).astype(np.uint64))
    first = np.flatnonzero(np.diff(word, prepend=-1))
    out[word[first]] = np.add.reduceat(high, first)
    # At most one field crosses into a word.
    out[word[spills] + 1] += values[spills] << (64 + room[spills]).astype(np.uint64)


def signed_cells(numbers: I64, classes: I64) -> Cells:
    """Each number in the narrowest class that holds it: -(2**(n-1)) < number <= 2**(n-1). 0 is a single bit."""
    magnitude = np.where(numbers > 0, numbers - 1, -numbers).view(np.uint64)
    return _in_classes(numbers.view(np.uint64), magnitude, classes, _ONE << (classes[:-1] - 1).astype(np.uint64))


def unsigned_cells(numbers: U64, classes: I64) -> Cells:
    """Each number in the narrowest class that holds it. 0 is a single bit."""
    return _in_classes(numbers, numbers, classes, _ONE << classes[:-1].astype(np.uint64))


def _in_classes(numbers: U64, magnitude: U64, classes: I64, limits: U64) -> Cells:
    place = np.searchsorted(limits, magnitude, side="right")
    zero = numbers == 0
    last = place == len(classes) - 1
    # k + 1 ones and a zero; the last class needs no zero.
    prefix = (_ONE << (place + 2).astype(np.uint64)) - np.uint64(2)
    prefix = np.where(last, prefix >> _ONE, prefix)
    values = np.stack([np.where(zero, np.uint64(0), prefix), numbers], axis=-1)
    widths = np.stack([np.where(zero, 1, place + 2 - last), np.where(zero, 0, classes[place])], axis=-1)
    return Cells(values, widths)


def varint_cells(numbers: U64) -> Cells:
    """Groups of seven bits, the lowest first, as encoding/binary's uvarint: up to eight bytes in the prefix, the rest in the bits."""
    size = np.maximum((bit_lengths(numbers) + 6) // 7, 1)
    parts = [np.zeros(numbers.shape, np.uint64), np.zeros(numbers.shape, np.uint64)]
    for at in range(10):
        group = (numbers >> np.uint64(7 * at)) & np.uint64(127)
        group |= np.where(size > at + 1, np.uint64(128), np.uint64(0))
        half = at // 8
        parts[half] = np.where(size > at, (parts[half] << np.uint64(8)) | group, parts[half])
    widths = np.stack([np.minimum(size, 8) * 8, np.maximum(size - 8, 0) * 8], axis=-1)
    return Cells(np.stack(parts, axis=-1), widths)


def raw_cells(numbers: U64) -> Cells:
    """All 64 bits."""
    values = np.stack([np.zeros_like(numbers), numbers], axis=-1)
    return Cells(values, np.broadcast_to(np.array([0, 64], np.int64), values.shape))


def xor_cells(bits: U64) -> Cells:
    """Columns of floats' bits [N,C], each number XORed with the one above it; the first row is raw.

    A change is written in the window (leading and trailing zeros) of the change before it where it fits, else with a new window.
    """
    changes = bits[1:] ^ bits[:-1]
    zero = changes == 0
    fresh, leading, trailing = _windows(changes, zero)
    width = 64 - leading - trailing
    header = np.uint64(3 << 11) | (leading << 6).astype(np.uint64) | (width & 63).astype(np.uint64)
    prefix = np.where(zero, np.uint64(0), np.where(fresh, header, np.uint64(2)))
    values = np.stack([prefix, changes >> trailing.astype(np.uint64)], axis=-1)
    widths = np.stack([np.where(zero, 1, np.where(fresh, 13, 2)), np.where(zero, 0, width)], axis=-1)
    first = raw_cells(bits[:1])
    return Cells(np.concatenate([first.values, values]), np.concatenate([first.widths, widths]))


def _windows(changes: U64, zero: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> tuple[I64, I64, I64]:
    """fresh, leading, trailing, each [N,C]: which rows open a window, and the window of each row. A step per row, all columns at once."""
    lead = np.minimum(64 - bit_lengths(changes), _LEADING_MAX)
    trail = np.maximum(bit_lengths(changes & (~changes + _ONE)) - 1, 0)
    fresh, leading, trailing = np.zeros(changes.shape, np.bool_), np.zeros_like(lead), np.zeros_like(trail)
    window_lead = np.full(changes.shape[1], 64)
    window_trail = np.zeros(changes.shape[1], np.int64)
    for row in range(len(changes)):
        opens = fresh[row] = ~zero[row] & ((lead[row] < window_lead) | (trail[row] < window_trail))
        leading[row] = window_lead = np.where(opens, lead[row], window_lead)
        trailing[row] = window_trail = np.where(opens, trail[row], window_trail)
    return fresh.astype(np.int64), leading, trailing


def bit_lengths(numbers: U64) -> I64:
    """How many bits each number needs; 0 needs none. Halves of 32 bits are exact as floats."""
    high, low = numbers >> np.uint64(32), numbers & np.uint64(0xFFFF_FFFF)
    _, high_bits = np.frexp(high.astype(np.float64))
    _, low_bits = np.frexp(low.astype(np.float64))
    lengths: I64 = np.where(high > 0, high_bits + 32, low_bits).astype(np.int64)
    return lengths
