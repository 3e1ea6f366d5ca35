"""Snappy's block format with a limit that holds before anything is decompressed."""

import cramjam

from spyglass.formats.wire import read_varint
from spyglass.model.errors import MalformedBody

MAX_BODY_BYTES = 128 << 20
"""Decompressed. Senders put a few thousand samples (some hundred KiB) into one body."""


def decompress(body: bytes, *, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Raises: MalformedBody: not snappy, or larger than max_bytes."""
    size, _ = read_varint(body, 0)
    if size > max_bytes:
        raise MalformedBody(f"snappy: decompressed it has {size} bytes, at most {max_bytes} are taken")
    try:
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise MalformedBody("snappy: corrupt input") from None


def compress(data: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(data))
