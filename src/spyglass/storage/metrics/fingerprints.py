"""A series' identity in 128 bits, so that series are compared across head and blocks without comparing labels.

BLAKE2b over the canonical labels: a collision needs about 2^64 series, so equal fingerprints are taken to mean equal labels.
"""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from spyglass.model.arrays import U64
from spyglass.model.labels import Labels

FINGERPRINT_BYTES = 16


def fingerprint(labels: Labels) -> bytes:
    """16 bytes. 0xFF separates names and values: it occurs in no UTF-8."""
    parts = [text.encode("utf-8", "surrogatepass") for pair in labels for text in pair]
    return blake2b(b"\xff".join(parts), digest_size=FINGERPRINT_BYTES).digest()


def fingerprint_columns(prints: Iterable[bytes]) -> U64:
    """[n, 2] uint64."""
    joined = b"".join(prints)
    return np.frombuffer(joined, np.uint64).reshape(-1, 2)
