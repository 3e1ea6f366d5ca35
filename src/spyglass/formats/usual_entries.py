"""The entries of a remote write 1.0 body that hold labels and then samples, found by numpy all at once.

    entry    0a  length  labels  sample ...
    sample   12 10 09 value(8) 10 time(6)       18 bytes
             12 07 10 time(6)                   9 bytes: proto3 leaves a value of 0 out

Every time between 2004 and 2109 takes six bytes in ms. So a sample shows at its time: 10, five bytes with and one without the high bit, and
before it one of the two heads. Where a byte of a label or value looks like that too, the lengths of the entries do not fit, and
the caller walks the body field by field.
"""

from dataclasses import dataclass

import numpy as np

from spyglass.formats.series_keys import KeySlices
from spyglass.model.arrays import F64, I64, U8, U64, Mask

FULL, ZERO = 18, 9
"""Bytes of a sample with and without its value."""

TIME = 7
"""Bytes from a sample's time tag to its end."""

_TIME_BITS, _TIME_IS = np.uint64(0x80_80_80_80_80_80_FF_00), np.uint64(0x00_80_80_80_80_80_10_00)
"""The eight bytes that end with a sample: any, the tag, five with the high bit, one without (little endian)."""

_ZERO_BITS, _ZERO_IS = np.uint64(0xFFFF), np.uint64(0x07_12)
_FULL_BITS, _FULL_IS = np.uint64(0xFFFFFF), np.uint64(0x09_10_12)


@dataclass(frozen=True, slots=True)
class UsualEntries:
    """S entries, n samples. keys [S]: the bytes of the labels, not looked at.  counts [S].  times [n] in ms, values [n]."""

    keys: KeySlices
    counts: I64
    times: I64
    values: F64


def usual_entries(data: bytes) -> UsualEntries | None:
    """None where the body holds anything else. Entries without a sample are something else."""
    if len(data) < ZERO + 2:
        return None
    words = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    ends, zero = _samples(np.frombuffer(data, np.uint8), words)
    if not len(ends):
        return None
    heads = ends - np.where(zero, ZERO, FULL)
    # A sample is followed by the next one of its entry, by the next entry, or by nothing.
    lasts = np.flatnonzero(np.append(heads[1:] != ends[:-1], True))
    firsts = np.append(0, lasts[:-1] + 1)
    begins = _begins(np.frombuffer(data, np.uint8), ends[lasts])
    if begins is None or not (begins < heads[firsts]).all():
        return None
    keys = KeySlices(data, begins, heads[firsts])
    values = np.where(zero, 0, words[ends - 15]).view(np.float64)
    return UsualEntries(keys, lasts - firsts + 1, _times(words[ends - 8]), values)


def _samples(body: U8, words: U64) -> tuple[I64, Mask]:
    """Where samples end, and which have no value. words[i]: the eight bytes from i on."""
    ends = np.flatnonzero(body[8 : 1 - TIME] == 0x10) + 8 + TIME
    word = words[ends - 8]
    ends = ends[word & _TIME_BITS == _TIME_IS]
    zero = words[ends - ZERO] & _ZERO_BITS == _ZERO_IS
    found = zero | (words[np.maximum(ends - FULL, 0)] & _FULL_BITS == _FULL_IS)
    return (ends, zero) if found.all() else (ends[found], zero[found])


def _begins(body: U8, ends: I64) -> I64 | None:
    """Where the labels of the entries that end at `ends` begin; None where tags and lengths say otherwise."""
    starts = np.append(0, ends[:-1])
    if ends[-1] != len(body) or not (body[starts] == 0x0A).all():
        return None
    first, second = body[starts + 1].astype(np.int64), body[starts + 2].astype(np.int64)
    short = first < 0x80
    begins = starts + np.where(short, 2, 3)
    sizes = np.where(short, first, first & 0x7F | second << 7)
    return begins if ((second < 0x80) | short).all() and (begins + sizes == ends).all() else None


def _times(words: U64) -> I64:
    """The times in the upper six of eight bytes, seven bits of each."""
    times = words >> np.uint64(16) & np.uint64(0x7F)
    for place in range(1, 6):
        times |= (words >> np.uint64(16 + 8 * place) & np.uint64(0x7F)) << np.uint64(7 * place)
    return times.view(np.int64)
