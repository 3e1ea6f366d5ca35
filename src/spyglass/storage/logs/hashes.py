"""The hash that dictionaries and filters use. Part of the block format: it must not change within a version.

A value is padded with zeros to 64-bit words w[j]; h = sum of w[j] * odd[j] modulo 2^64, mixed by splitmix64's finaliser. Values
hold no NUL in templated slots, so padding does not make two values one.
"""

from functools import lru_cache

import numpy as np

from spyglass.model.arrays import U8, U64

MAX_HASH_BYTES = 256


def _odd_constants() -> U64:
    """32 odd constants: successive outputs of splitmix64 from seed 1."""
    out, state = [], 1
    for _ in range(MAX_HASH_BYTES // 8):
        state = (state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        out.append((z ^ (z >> 31)) | 1)
    return np.asarray(out, np.uint64)


_ODD = _odd_constants()


def hash_matrix(matrix: U8) -> U64:
    """[r] from zero-padded rows [r, w], w a multiple of 8 and at most MAX_HASH_BYTES."""
    words = np.ascontiguousarray(matrix).view("<u8")
    total = np.zeros(len(matrix), np.uint64)
    for index in range(words.shape[1]):
        total += words[:, index] * _ODD[index]
    total ^= total >> np.uint64(30)
    total *= np.uint64(0xBF58476D1CE4E5B9)
    total ^= total >> np.uint64(27)
    total *= np.uint64(0x94D049BB133111EB)
    total ^= total >> np.uint64(31)
    return total


@lru_cache(maxsize=256)
def hash_value(value: bytes) -> int:
    """The hash of one value of at most MAX_HASH_BYTES bytes."""
    padded = value.ljust(max(8, -(-len(value) // 8) * 8), b"\0")
    return int(hash_matrix(np.frombuffer(padded, np.uint8)[None, :])[0])
