"""One segment of a journal as bytes: headers, records, and reading on after damage. Format: docs/formats/journal.md."""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from spyglass.model.errors import StorageError

MAGIC = b"SPYGJRNL"
VERSION = 1

_HEADER = struct.Struct("<8sIIQI")
"""magic, version, zero, base position, CRC-32 of the 24 bytes before."""

HEADER_BYTES = _HEADER.size

MARKER = b"\xf5REC"
"""Starts each record, so that reading can go on after a corrupt stretch. 0xF5 never occurs in UTF-8."""

_RECORD = struct.Struct("<4sII")
"""marker, payload length, CRC-32 of (position u64, length u32, payload)."""

_PLACE = struct.Struct("<QI")

RECORD_OVERHEAD_BYTES = _RECORD.size

_SCAN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class BadRange:
    """Offsets [start, end) in a segment that hold no valid record."""

    start: int
    end: int


def encode_header(base: int) -> bytes:
    head = _HEADER.pack(MAGIC, VERSION, 0, base, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def record_head(position: int, parts: Sequence[bytes | bytearray | memoryview]) -> bytes:
    """What stands before the parts of the record at `position`.

    Its place is under the checksum, so a record copied elsewhere by mistake is not believed.
    """
    length = sum(len(part) for part in parts)
    crc = zlib.crc32(_PLACE.pack(position, length))
    for part in parts:
        crc = zlib.crc32(part, crc)
    return _RECORD.pack(MARKER, length, crc)


def read_records(path: Path, base: int, max_record_bytes: int) -> Iterator[tuple[int, bytes] | BadRange]:
    """Records as (position after it, payload), and the stretches between them that are damaged.

    A segment with a damaged header is read nevertheless: its name says where it starts.
    Raises: StorageError if a later version of the format wrote it.
    """
    with open(path, "rb") as file:
        if not _header_is_good(file.read(HEADER_BYTES), base, path):
            yield BadRange(0, HEADER_BYTES)
        offset, size = HEADER_BYTES, os.fstat(file.fileno()).st_size
        while offset < size:
            payload = _read_record(file, offset, base, max_record_bytes)
            if payload is None:
                following = min(_next_valid(file, offset + 1, base, max_record_bytes), size)
                yield BadRange(offset, following)
                offset = following
            else:
                offset += RECORD_OVERHEAD_BYTES + len(payload)
                yield base + offset, payload


def _header_is_good(head: bytes, base: int, path: Path) -> bool:
    if len(head) < HEADER_BYTES:
        return False
    magic, version, _, stored_base, crc = _HEADER.unpack(head)
    if crc != zlib.crc32(head[:-4]) or magic != MAGIC or stored_base != base:
        return False
    if version != VERSION:
        raise StorageError(f"{path}: journal version {version}, this program reads version {VERSION}: use a newer one")
    return True


def _read_record(file: BinaryIO, offset: int, base: int, max_record_bytes: int) -> bytes | None:
    """The payload of the record at `offset`, or None where there is no valid one. The file is left after it."""
    if file.tell() != offset:
        file.seek(offset)
    head = file.read(RECORD_OVERHEAD_BYTES)
    if len(head) < RECORD_OVERHEAD_BYTES:
        return None
    marker, length, crc = _RECORD.unpack(head)
    if marker != MARKER or length + RECORD_OVERHEAD_BYTES > max_record_bytes:
        return None
    payload = file.read(length)
    if len(payload) < length or zlib.crc32(payload, zlib.crc32(_PLACE.pack(base + offset, length))) != crc:
        return None
    return payload


def _next_valid(file: BinaryIO, offset: int, base: int, max_record_bytes: int) -> int:
    """The offset of the next valid record at or after `offset`, or the size of the file."""
    while True:
        file.seek(offset)
        window = file.read(_SCAN_BYTES)
        at = window.find(MARKER)
        while at >= 0:
            if _read_record(file, offset + at, base, max_record_bytes) is not None:
                return offset + at
            at = window.find(MARKER, at + 1)
        if len(window) < _SCAN_BYTES:
            return offset + len(window)
        # A marker may lie across two windows.
        offset += _SCAN_BYTES - len(MARKER) + 1
