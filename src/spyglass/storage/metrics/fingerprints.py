"""A series' identity in 128 bits, so that series are compared across head and blocks without comparing labels.

    fingerprint(labels) = sum over the labels of (mix(h), mix(h ^ C)), each word modulo 2^64;  h = hash(name) * K + hash(value)

A sum, so that it is computed column by column from the dictionaries: each distinct value is hashed once. Python's string hash is
keyed anew in every process, so nobody can choose labels that collide, and fingerprints are never stored. Two series collide by
chance with 2^-64 times their number of pairs at the worst: equal fingerprints are taken to mean equal labels.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from spyglass.model.arrays import U64
from spyglass.model.labels import Labels, LabelTable

_WORD = (1 << 64) - 1
_NAME_FACTOR = 0x9E3779B97F4A7C15
_SECOND = 0xD6E8FEB86659FD93
_M1, _M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_LANE = 96
"""Both words are summed in one Python integer, so many bits apart that one never carries into the other."""

_TOTAL_BYTES = 24


def fingerprints_of(labels: Sequence[Labels]) -> U64:
    """[n,2]: label sets' fingerprints."""
    totals = b"".join(sum(map(_pair_words, one)).to_bytes(_TOTAL_BYTES, "little") for one in labels)
    octets = np.frombuffer(totals, np.uint8).reshape(len(labels), _TOTAL_BYTES)
    lanes = [np.ascontiguousarray(octets[:, at : at + 8]).view("<u8")[:, 0] for at in (_LANE // 8, 0)]
    return np.stack(lanes, axis=1)


def table_fingerprints(table: LabelTable, words_of: Callable[[str, Sequence[str]], U64] | None = None) -> U64:
    """[S,2]. Equals `fingerprints_of` the rows' labels. words_of: value_words, or what remembers them."""
    words = np.zeros((table.size, 2), np.uint64)
    for name, column in table.columns.items():
        lanes = (words_of or value_words)(name, column.values)
        words += lanes[column.codes]
    return words


def value_words(name: str, values: Sequence[str]) -> U64:
    """[V,2]: what each value of the label adds; the empty value adds nothing."""
    hashes = np.fromiter(map(hash, values), np.int64, len(values)).view(np.uint64)
    hashes = hashes + np.uint64(hash(name) * _NAME_FACTOR & _WORD)
    words = np.stack([_mix_words(hashes), _mix_words(hashes ^ np.uint64(_SECOND))], axis=1)
    if len(values) and not values[0]:
        words[0] = 0
    return words


@lru_cache(maxsize=1 << 14)
def _pair_words(pair: tuple[str, str]) -> int:
    name, value = pair
    word = (hash(name) * _NAME_FACTOR + hash(value)) & _WORD
    return _mix(word) << _LANE | _mix(word ^ _SECOND)


def _mix(word: int) -> int:
    """splitmix64's finaliser."""
    word = ((word ^ word >> 30) * _M1) & _WORD
    word = ((word ^ word >> 27) * _M2) & _WORD
    return word ^ word >> 31


def _mix_words(words: U64) -> U64:
    words = (words ^ words >> np.uint64(30)) * np.uint64(_M1)
    words = (words ^ words >> np.uint64(27)) * np.uint64(_M2)
    return words ^ words >> np.uint64(31)
