"""Read a Prometheus write-ahead log: folders of segments, pages, and the records that lie across pages.

    segment   pages of 32 KiB; 00000000, 00000001, ...
    page      fragments; the rest of a page may be zeros
    fragment  type (1: whole record, 2: first, 3: middle, 4: last; + 8: snappy, + 16: zstd), length u16, CRC-32C u32 (big-endian), data
    checkpoint.00000042   a folder of segments that stands for the segments 0..42

Source: Prometheus tsdb/docs/format/wal.md, tsdb/wlog. Records are in prometheus_wal_records.py.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from spyglass.formats import snappy
from spyglass.formats.crc32c import crc32c
from spyglass.model.errors import MalformedBody

PAGE_BYTES = 32 << 10
RECORD_BYTES_MAX = snappy.MAX_BODY_BYTES
SNAPPY, ZSTD = 8, 16
_HEADER = struct.Struct(">BHI")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


@dataclass(slots=True)
class WalReport:
    """notes: where a segment ended early, for people. What comes after such a place in its segment is left out."""

    records: int = 0
    notes: list[str] = field(default_factory=list)


class _Torn(ValueError):
    """The segment does not go on sensibly here."""


def wal_segments(folder: Path) -> list[Path]:
    """The files to read, in order: the newest checkpoint's, then the segments behind it. Empty where there is no log."""
    if not folder.is_dir():
        return []
    checkpoints = {
        int(path.suffix[1:]): path
        for path in folder.glob("checkpoint.*")
        if path.suffix[1:].isdigit() and path.is_dir()
    }
    newest = max(checkpoints, default=-1)
    covered = _numbered(checkpoints[newest]) if checkpoints else []
    return [*covered, *(path for path in _numbered(folder) if int(path.name) > newest)]


def _numbered(folder: Path) -> list[Path]:
    return sorted(
        (path for path in folder.iterdir() if path.is_file() and path.name.isdigit()), key=lambda p: int(p.name)
    )


def read_records(segments: list[Path], report: WalReport) -> Iterator[bytes]:
    """Every record that is whole, decompressed. A record never lies across segments, so damage costs the rest of one segment at most."""
    for path in segments:
        data = path.read_bytes()
        at = 0
        try:
            for end, record in _records(data):
                at = end
                report.records += 1
                yield record
        except _Torn as err:
            report.notes.append(f"{path}: {err} after byte {at} of {len(data)}; the rest of this file is left out")


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(position behind the record, record). Raises: _Torn."""
    parts: list[bytes] = []
    for at, kind, fragment in _fragments(data):
        place = kind & 7
        if (place in (_WHOLE, _FIRST)) == bool(parts):
            raise _Torn("fragments are out of order")
        parts.append(fragment)
        if place in (_WHOLE, _LAST):
            yield at, _decompressed(kind, b"".join(parts))
            parts = []
    if parts:
        raise _Torn("a record has no end")


def _fragments(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(position behind it, type, data) of each fragment. Raises: _Torn."""
    at, end = 0, len(data)
    while at < end:
        page_end = at - at % PAGE_BYTES + PAGE_BYTES
        if data[at] == 0:
            if any(data[at : min(page_end, end)]):
                raise _Torn("a page's padding is not empty")
            at = page_end
            continue
        start = at + _HEADER.size
        if start > end:
            raise _Torn("a fragment's header is cut off")
        kind, size, crc = _HEADER.unpack_from(data, at)
        fragment = data[start : start + size]
        if len(fragment) < size or start + size > page_end:
            raise _Torn("a fragment is cut off")
        if not _WHOLE <= kind & 7 <= _LAST or kind > 31:
            raise _Torn(f"a fragment has the unknown type {kind}")
        if crc32c(fragment) != crc:
            raise _Torn("a fragment fails its checksum")
        at = start + size
        yield at, kind, fragment


def _decompressed(kind: int, record: bytes) -> bytes:
    try:
        if kind & SNAPPY:
            return snappy.decompress(record, max_bytes=RECORD_BYTES_MAX)
        if kind & ZSTD:
            return zstandard.ZstdDecompressor().decompress(record, max_output_size=RECORD_BYTES_MAX)
    except (MalformedBody, zstandard.ZstdError) as err:
        raise _Torn(f"a record cannot be decompressed ({err})") from None
    return record
