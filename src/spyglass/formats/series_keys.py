"""The keys of a body's series, sliced from it when they are asked for, and 128-bit digests of all of them at once.

Of a key of n bytes, words w[0] .. w[m-1] of eight bytes each (the last one ends with the key, so it may overlap the one before):

    lane(key) = n * L + sum over j of mix(mix(w[j] ^ A[j]) * B[j])    modulo 2^64; two lanes with constants of their own

The constants are drawn when the process starts, so nobody can choose keys that collide; digests are never stored. Keys that differ in
one word differ in both lanes; others collide by chance, with 2^-128 for a pair: equal digests are taken to mean equal keys.
"""

import secrets
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import orjson

from spyglass.model.arrays import I64, U64
from spyglass.model.labels import Labels

Key = bytes | Labels
"""What names a series in a body."""

WORD = 8
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
_SHIFTS = (np.uint64(32), np.uint64(29))


class _Constants:
    """A, and B of either lane, for as many words as the longest key so far had; odd, so that no multiplication loses anything."""

    def __init__(self) -> None:
        self._drawn: list[tuple[np.uint64, ...]] = []

    def of(self, words: int) -> list[tuple[np.uint64, ...]]:
        while len(self._drawn) < words:
            self._drawn.append(tuple(np.uint64(secrets.randbits(64) | 1) for _ in range(3)))
        return self._drawn[:words]


_CONSTANTS = _Constants()
_OF_LENGTH = np.array([secrets.randbits(64) | 1 for _ in range(2)], np.uint64)


class KeySlices(Sequence[bytes]):
    """Keys [S] that lie in `data` from `begins` to `ends`. Not changed once made."""

    def __init__(self, data: bytes, begins: I64, ends: I64) -> None:
        self.data, self.begins, self.ends = data, begins, ends

    def __len__(self) -> int:
        return len(self.begins)

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> "KeySlices": ...
    def __getitem__(self, at: int | slice) -> "bytes | KeySlices":
        if isinstance(at, slice):
            return KeySlices(self.data, self.begins[at], self.ends[at])
        return self.data[self.begins[at] : self.ends[at]]

    def __iter__(self) -> Iterator[bytes]:
        data = self.data
        return (data[begin:end] for begin, end in zip(self.begins.tolist(), self.ends.tolist(), strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def digests_of(keys: Sequence[Key]) -> U64:
    """[S,2]. The same key has the same digest whether it is a slice or stands for itself."""
    if isinstance(keys, KeySlices):
        lengths = keys.ends - keys.begins
        is_long = lengths >= WORD
        if is_long.all():
            return _digests(keys, lengths)
        if is_long.any():
            found = np.empty((len(lengths), 2), np.uint64)
            long = KeySlices(keys.data, keys.begins[is_long], keys.ends[is_long])
            found[is_long] = _digests(long, lengths[is_long])
            found[~is_long] = digests_of([keys[at] for at in np.flatnonzero(~is_long).tolist()])
            return found
    texts = [key if isinstance(key, bytes) else orjson.dumps(key) for key in keys]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(np.maximum(lengths, WORD))
    padded = b"".join([text.ljust(WORD, b"\0") for text in texts])
    return _digests(KeySlices(padded, ends - np.maximum(lengths, WORD), ends), lengths)


def _digests(keys: KeySlices, lengths: I64) -> U64:
    """Keys of a word at least. lengths: what they had before they were filled up with zeros."""
    lanes = lengths.astype(np.uint64)[:, None] * _OF_LENGTH
    if not len(lengths):
        return lanes
    sizes = keys.ends - keys.begins
    # The longest first: those that are not over yet are always the first ones.
    order = np.argsort(-sizes, kind="stable")
    first, second = lanes[order, 0], lanes[order, 1]
    at, last, ascending = keys.begins[order], keys.ends[order] - WORD, np.sort(sizes)
    words: U64 = np.ndarray((len(keys.data) - WORD + 1,), "<u8", keys.data, strides=(1,))
    for place, (secret, one, two) in enumerate(_CONSTANTS.of(-(-int(ascending[-1]) // WORD))):
        left = len(order) - int(np.searchsorted(ascending, place * WORD, side="right"))
        mixed = _mixed(words[np.minimum(at[:left], last[:left])], secret)
        first[:left] += _scattered(mixed, one)
        second[:left] += _scattered(mixed, two)
        at += WORD
    lanes[order, 0], lanes[order, 1] = first, second
    return lanes


def _mixed(words: U64, secret: np.uint64) -> U64:
    words = (words ^ secret) * _MULTIPLIER
    words ^= words >> _SHIFTS[0]
    return words


def _scattered(words: U64, factor: np.uint64) -> U64:
    words = words * factor
    words ^= words >> _SHIFTS[1]
    return words
