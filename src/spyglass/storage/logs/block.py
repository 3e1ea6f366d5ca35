"""Block files: parts, an index, and a trailer. Written once under a temporary name, never changed. docs/formats/logs-block.md.

A block is read by position (pread), so readers share one descriptor and a removed file stays readable to those who have it.
"""

import os
import struct
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import zstandard

from spyglass.model.errors import CorruptData, StorageError

MAGIC = b"PAR1"
INDEX_MAGIC = b"SPYLOGS1"
VERSION = 1
TRAILER = struct.Struct("<QII8s")
"""index bytes, CRC-32 of the index, length of Parquet's footer behind the trailer, magic."""
_TAIL_BYTES = TRAILER.size

Section = tuple[int, int, int, int]
"""offset in the file, bytes in the file, raw bytes (0: stored as it is), CRC-32 of the bytes in the file"""


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One part in a block's index: its description and where its sections lie."""

    description: dict[str, Any]
    sections: tuple[Section, ...]


class Block:
    """An open block file. Thread-safe.

    Raises: CorruptData where the file is not a whole block.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = str(path)
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as err:
            raise StorageError(f"opening {path}: {err.strerror}") from err
        self._close = weakref.finalize(self, os.close, self._fd)
        self.size_bytes = os.fstat(self._fd).st_size
        index = self._read_index()
        self.journal_end: int = index["journal_end"]
        self.replaces: tuple[str, ...] = tuple(index["replaces"])
        parts = [entry["part"] for entry in index["parts"]]
        self.part_count = len(parts)
        self.rows: int = sum(part["n"] for part in parts)
        self.line_bytes = sum(part["bytes"] for part in parts)
        self.min_ns = min((part["min"] for part in parts), default=0)
        self.max_ns = max((part["max"] for part in parts), default=0)
        self.last_seq = max((part["last_seq"] for part in parts), default=-1)

    def entries(self) -> list[PartEntry]:
        """Read anew each time: whoever asks often keeps them in the cache."""
        index = self._read_index()
        return [PartEntry(e["part"], tuple(tuple(s) for s in e["sections"])) for e in index["parts"]]

    def read(self, section: Section) -> bytes:
        """A section's raw bytes. Raises: CorruptData."""
        data = self.read_stored(section)
        if not section[2]:
            return data
        try:
            return zstandard.ZstdDecompressor().decompress(data, max_output_size=section[2])
        except zstandard.ZstdError as err:
            raise CorruptData(f"{self.path}: section at {section[0]}: {err}") from err

    def read_stored(self, section: Section) -> bytes:
        offset, size, _, checksum = section
        data = self.read_at(offset, size)
        if zlib.crc32(data) != checksum:
            raise CorruptData(f"{self.path}: the checksum of the section at {offset} does not hold")
        return data

    def read_at(self, offset: int, size: int) -> bytes:
        """Bytes as they are in the file, unchecked."""
        try:
            data = os.pread(self._fd, size, offset)
        except OSError as err:
            raise StorageError(f"reading {self.path}: {err.strerror}") from err
        if len(data) != size:
            raise CorruptData(f"{self.path}: ends before {offset + size}")
        return data

    def close(self) -> None:
        """Only when nobody reads; else leave it to the garbage collector."""
        self._close()

    def _read_index(self) -> dict[str, Any]:
        if self.size_bytes < len(MAGIC) + _TAIL_BYTES:
            raise CorruptData(f"{self.path}: too short for a block")
        last = self.read_at(self.size_bytes - 8, 8)
        end = self.size_bytes - 8 - int.from_bytes(last[:4], "little")
        tail = self.read_at(end - _TAIL_BYTES, _TAIL_BYTES) if last[4:] == MAGIC and end >= _TAIL_BYTES else b""
        if tail[-8:] != INDEX_MAGIC:
            raise CorruptData(f"{self.path}: not a log block, or cut short")
        size, checksum, _, _ = TRAILER.unpack(tail)
        start = end - _TAIL_BYTES - size
        packed = self.read_at(start, size) if start >= len(MAGIC) else b""
        if zlib.crc32(packed) != checksum:
            raise CorruptData(f"{self.path}: the checksum of the index does not hold")
        index: dict[str, Any] = orjson.loads(zstandard.ZstdDecompressor().decompress(packed))
        if index.get("version") != VERSION:
            raise CorruptData(f"{self.path}: format version {index.get('version')} is not known here")
        return index
