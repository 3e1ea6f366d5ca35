"""Read the chunks that a Prometheus head has mapped from disk: the folder chunks_head.

    file    magic 0x0130BC91, version 1, three zeros; chunks; zeros to the end where it was allocated ahead
    chunk   series ref u64, first and last ms u64, encoding u8 (+ 128: out of order), length uvarint, data, CRC-32C of all that u32

Source: Prometheus tsdb/docs/format/head_chunks.md, tsdb/chunks/head_chunks.go.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spyglass.formats.byte_reader import ByteReader
from spyglass.formats.crc32c import crc32c
from spyglass.formats.prometheus_chunks import EncodedChunk

_MAGIC = 0x0130BC91
_HEADER_BYTES = 8
_OUT_OF_ORDER = 128


@dataclass(frozen=True, slots=True)
class HeadChunk:
    """ref: the series' number in the write-ahead log."""

    ref: int
    chunk: EncodedChunk
    out_of_order: bool


def read_head_chunks(folder: Path, notes: list[str]) -> Iterator[HeadChunk]:
    """All chunks, file by file. Where a file cannot be read on, that is noted and its rest left out."""
    files = (
        sorted((p for p in folder.iterdir() if p.name.isdigit()), key=lambda p: int(p.name)) if folder.is_dir() else []
    )
    for path in files:
        data = path.read_bytes()
        if len(data) < _HEADER_BYTES:
            continue
        if struct.unpack_from(">I", data)[0] != _MAGIC or data[4] != 1:
            notes.append(f"{path}: not a file of head chunks of version 1")
            continue
        reader = ByteReader(data, _HEADER_BYTES)
        # A series' number is never 0: zeros are what was allocated and not used.
        while any(data[reader.at : reader.at + 25]):
            start = reader.at
            try:
                yield _chunk(reader)
            except (IndexError, struct.error, ValueError) as err:
                notes.append(
                    f"{path}: no chunk at byte {start} of {len(data)} ({err}); the rest of this file is left out"
                )
                break


def _chunk(reader: ByteReader) -> HeadChunk:
    start = reader.at
    ref, low, high, encoding, size = reader.u64(), reader.i64(), reader.i64(), reader.byte(), reader.uvarint()
    end = reader.at + size
    if end + 4 > len(reader.data):
        raise ValueError("it is cut off")
    content = reader.data[reader.at : end]
    if crc32c(reader.data[start:end]) != int.from_bytes(reader.data[end : end + 4], "big"):
        raise ValueError("it fails its checksum")
    reader.at = end + 4
    return HeadChunk(ref, EncodedChunk(low, high, encoding & ~_OUT_OF_ORDER, content), bool(encoding & _OUT_OF_ORDER))
