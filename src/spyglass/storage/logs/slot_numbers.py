"""Text of a slot that is a number or a time, parsed in columns. matrix [r, w]: the texts, zero padded, w a multiple of 8."""

import numpy as np

from spyglass.model.arrays import I64, U8, U64
from spyglass.storage.logs.column import ISO_WIDTH

MAX_DIGITS = 18
_MINUTE_MS = 60_000


def _every_byte(value: int) -> np.uint64:
    return np.uint64(value * 0x0101010101010101)


def parse_integers(matrix: U8, lengths: I64) -> I64 | None:
    """The values where every row is a canonical integer (`0`, `17`, never `017` or `-1`), else None."""
    width = int(lengths.max(initial=0))
    if width == 0 or width > MAX_DIGITS or lengths.min() == 0:
        return None
    if ((matrix[:, 0] == 48) & (lengths > 1)).any():
        return None
    return _parse_short(matrix, lengths) if width <= 8 else _parse_long(matrix[:, :width], lengths)


def _parse_short(matrix: U8, lengths: I64) -> I64 | None:
    """Up to eight digits: in one word, the first in the lowest byte. Pairs are put together, then pairs of pairs."""
    missing = (np.uint64(8) - lengths.astype(np.uint64)) << np.uint64(3)
    # Moved up, so that the last digit is in the highest byte, with zeros before the first.
    words = matrix[:, :8].copy().view("<u8")[:, 0] << missing
    words |= _every_byte(48) & ((np.uint64(1) << missing) - np.uint64(1))
    if not _are_digits(words, _every_byte(255)):
        return None
    words &= _every_byte(15)
    words = (words * np.uint64(10) + (words >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    words = (words * np.uint64(100) + (words >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    words = (words * np.uint64(10000) + (words >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    values: I64 = words.astype(np.int64)
    return values


def _are_digits(words: U64, where: np.uint64) -> bool:
    """Whether the bytes of the mask are `0` to `9` in every word: their high half is 3, also with six added."""
    high, three = _every_byte(0xF0) & where, _every_byte(0x30) & where
    six = _every_byte(6) & where
    return bool((((words & high) == three) & (((words & (where & _every_byte(0x7F))) + six) & high == three)).all())


def _parse_long(digits: U8, lengths: I64) -> I64 | None:
    inside = np.arange(digits.shape[1]) < lengths[:, None]
    if not (((digits >= 48) & (digits <= 57)) | ~inside).all():
        return None
    values = np.zeros(len(lengths), np.int64)
    for position in range(digits.shape[1]):
        here = inside[:, position]
        values = np.where(here, values * 10 + (digits[:, position].astype(np.int64) - 48), values)
    return values


def parse_iso(matrix: U8, lengths: I64) -> I64 | None:
    """Milliseconds since 1970 where every row is `2026-11-23T19:23:08.123Z`, a real date between 1970 and 2261; else None.

    Lines in order of time share their minute with the line before: each minute is parsed once.
    """
    if len(lengths) == 0 or not (lengths == ISO_WIDTH).all():
        return None
    words = matrix[:, :ISO_WIDTH].copy().view("<u8")
    changed = (words[1:, 0] != words[:-1, 0]) | (words[1:, 1] != words[:-1, 1])
    firsts = np.concatenate(([0], np.flatnonzero(changed) + 1))
    minutes, below = _parse_dates(matrix[firsts]), _seconds(words[:, 2])
    if minutes is None or below is None:
        return None
    minutes -= minutes % _MINUTE_MS
    return np.repeat(minutes, np.diff(firsts, append=len(lengths))) + below


_COLON_POINT_Z = np.frombuffer(b"\xff\0\0\xff\0\0\0\xff", "<u8")[0]
_TAIL_FIXED = np.frombuffer(b":\0\0.\0\0\0Z", "<u8")[0]


def _seconds(words: U64) -> I64 | None:
    """Milliseconds in `:08.123Z`, or None where a word is something else."""
    if ((words & _COLON_POINT_Z) != _TAIL_FIXED).any() or not _are_digits(words, ~_COLON_POINT_Z):
        return None
    digits = (words & _every_byte(15)).astype(np.int64)
    second = (digits >> 8 & 15) * 10 + (digits >> 16 & 15)
    if (second >= 60).any():
        return None
    milli: I64 = (digits >> 32 & 15) * 100 + (digits >> 40 & 15) * 10 + (digits >> 48 & 15)
    return second * 1000 + milli


_ISO_FIXED = ((4, 45), (7, 45), (10, 84), (13, 58), (16, 58), (19, 46), (23, 90))
_ISO_DIGITS = tuple(i for i in range(23) if i not in {4, 7, 10, 13, 16, 19})


def _parse_dates(matrix: U8) -> I64 | None:
    """Milliseconds of whole timestamps."""
    if not all((matrix[:, at] == byte).all() for at, byte in _ISO_FIXED):
        return None
    digits = matrix[:, list(_ISO_DIGITS)]
    if not ((digits >= 48) & (digits <= 57)).all():
        return None
    d = digits.astype(np.int64) - 48
    year = d[:, 0] * 1000 + d[:, 1] * 100 + d[:, 2] * 10 + d[:, 3]
    month, day = d[:, 4] * 10 + d[:, 5], d[:, 6] * 10 + d[:, 7]
    hour, minute, second = d[:, 8] * 10 + d[:, 9], d[:, 10] * 10 + d[:, 11], d[:, 12] * 10 + d[:, 13]
    milli = d[:, 14] * 100 + d[:, 15] * 10 + d[:, 16]
    in_range = (year >= 1970) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1)
    if not (in_range & (hour < 24) & (minute < 60) & (second < 60)).all():
        return None
    months = ((year - 1970) * 12 + month - 1).view("M8[M]")
    first = months.astype("M8[D]")
    if not (first.astype(np.int64) + day <= (months + 1).astype("M8[D]").astype(np.int64)).all():
        return None
    days = first.astype(np.int64) + day - 1
    milliseconds: I64 = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli
    return milliseconds
