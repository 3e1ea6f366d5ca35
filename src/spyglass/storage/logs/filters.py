"""What a slot's text can be, known without reading it: lengths, characters, and a bloom filter over whole values.

A needle that is longer than every value, or has a character that no value has, is in none of them. One that is as long as the
longest value can only *be* a value: then the bloom filter decides.

The filter is a blocked one: 64-byte blocks, a value sets 6 bits in one block, so a look-up reads 64 bytes of the file.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from spyglass.model.arrays import U8, U64
from spyglass.storage.logs.column import TextTable
from spyglass.storage.logs.hashes import MAX_HASH_BYTES, hash_matrix

BITS_PER_VALUE = 12
_PROBES = 6
_BLOCK_BYTES = 64
_FIRST_LOOK = 2048
MAX_VALUE_BYTES = 128
"""Columns with longer values get no bloom filter: they are prose, and nobody looks for a whole one."""


def describe(values: TextTable, store: Callable[[bytes], int]) -> dict[str, Any]:
    """Statistics for the part's description; the filter itself goes through `store`."""
    lengths = np.diff(values.offsets)
    longest = int(lengths.max(initial=0))
    out: dict[str, Any] = {
        "min_len": int(lengths.min(initial=longest)),
        "max_len": longest,
        "chars": charset(values.blob),
    }
    if 0 < longest <= MAX_VALUE_BYTES:
        out["bloom"] = store(build_bloom(padded_matrix(values)))
    return out


def charset(blob: bytes) -> str:
    """Which bytes occur, as a hexadecimal number: bit b is byte b."""
    found = set(blob[:_FIRST_LOOK])
    # What was seen is deleted until nothing is left: most often once.
    while blob := blob.translate(None, bytes(found)):
        found |= set(blob[:_FIRST_LOOK])
    seen = np.zeros(256, np.bool_)
    seen[list(found)] = True
    return np.packbits(seen, bitorder="little").tobytes().hex()


def charset_has(chars: str, needle: bytes) -> bool:
    """Whether every byte of the needle occurs somewhere."""
    seen = bytes.fromhex(chars)
    return all(seen[byte >> 3] >> (byte & 7) & 1 for byte in set(needle))


def padded_matrix(values: TextTable) -> U8:
    """[d, w] zero padded values, w a multiple of 8."""
    lengths = np.diff(values.offsets)
    width = max(8, -(-int(lengths.max(initial=0)) // 8) * 8)
    assert width <= MAX_HASH_BYTES, "only short values are hashed"
    matrix = np.zeros((values.size, width), np.uint8)
    blob = np.frombuffer(values.blob, np.uint8)
    longest = int(lengths.max(initial=0))
    if longest == int(lengths.min(initial=longest)):
        matrix[:, :longest] = blob.reshape(values.size, longest)
    else:
        matrix[np.arange(width) < lengths[:, None]] = blob
    return matrix


def build_bloom(matrix: U8) -> bytes:
    hashes = hash_matrix(matrix)
    blocks = max(1, -(-len(hashes) * BITS_PER_VALUE // (_BLOCK_BYTES * 8)))
    bits = np.zeros(blocks * _BLOCK_BYTES * 8, np.bool_)
    base = _block_of(hashes, blocks) * np.uint64(_BLOCK_BYTES * 8)
    for probe in range(_PROBES):
        bits[base + ((hashes >> np.uint64(9 * probe)) & np.uint64(511))] = True
    return np.packbits(bits, bitorder="little").tobytes()


def bloom_block(value_hash: int, size_bytes: int) -> int:
    """Offset in the filter of the 64 bytes that decide about the value."""
    hashes = np.asarray([value_hash], np.uint64)
    return int(_block_of(hashes, size_bytes // _BLOCK_BYTES)[0]) * _BLOCK_BYTES


def bloom_may_hold(block: bytes, value_hash: int) -> bool:
    return all(block[bit >> 3] >> (bit & 7) & 1 for bit in ((value_hash >> (9 * p)) & 511 for p in range(_PROBES)))


def _block_of(hashes: U64, blocks: int) -> U64:
    # The probes use the low 54 bits; the block comes from a remix, so that the two are independent.
    mixed = (hashes * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
    return (mixed * np.uint64(blocks)) >> np.uint64(32)


BLOCK_BYTES = _BLOCK_BYTES
