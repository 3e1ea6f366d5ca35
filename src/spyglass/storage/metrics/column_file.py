"""A file of named columns: the container of blocks and checkpoints. Format: docs/formats/metrics-block.md.

    magic, version | column bytes, one after the other | table of contents | footer

Every column has a checksum that is verified when it is read; columns are read on demand with pread, so an open file costs only its
table of contents.
"""

import os
import struct
import weakref
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import zstandard
from pcodec import ChunkConfig, standalone

from spyglass.model.errors import CorruptData, StorageError

VERSION = 2
"""The newest; what an older one can say is written as that, so that older programs read on."""

_HEADER = struct.Struct("<8sII")
"""magic, version, zero."""
_FOOTER = struct.Struct("<QIII4s")
"""offset of the table of contents, its size, its CRC-32, CRC-32 of the header and the 16 bytes before, end mark."""
_END_MARK = b"SPYE"
_TOC_BYTES_MAX = 256 << 20
_SMALL_COLUMN = 64
_PCO = ChunkConfig(compression_level=8)

Array = npt.NDArray[Any]


class ColumnFileWriter:
    """Yields a file's bytes piece by piece, so that it is never in memory whole. Call in order: start, columns, finish."""

    def __init__(self, magic: bytes, version: int = 1) -> None:
        self._header = _HEADER.pack(magic, version, 0)
        self._toc: dict[str, list[object]] = {}
        self.offset = 0

    def start(self) -> bytes:
        return self._count(self._header)

    def raw(self, data: bytes) -> bytes:
        """Bytes that the caller finds again by itself (`offset` says where they begin)."""
        return self._count(data)

    def array(self, name: str, values: Array) -> bytes:
        """A column of numbers: pcodec, or plain where it is short."""
        values = np.ascontiguousarray(values)
        small = values.size < _SMALL_COLUMN or values.dtype.itemsize < 2
        data = values.tobytes() if small else standalone.simple_compress(values.reshape(-1), _PCO)
        return self._column(name, data, "raw" if small else "pco", values.dtype.str, list(values.shape))

    def json(self, name: str, value: object) -> bytes:
        return self._column(name, zstandard.compress(orjson.dumps(value), 3), "json", "", [])

    def finish(self, meta: Mapping[str, object]) -> bytes:
        toc = zstandard.compress(orjson.dumps({"columns": self._toc, "meta": meta}), 3)
        head = struct.pack("<QII", self.offset, len(toc), zlib.crc32(toc))
        check = zlib.crc32(head, zlib.crc32(self._header))
        return self._count(toc + head + struct.pack("<I4s", check, _END_MARK))

    def _column(self, name: str, data: bytes, codec: str, dtype: str, shape: list[int]) -> bytes:
        self._toc[name] = [self.offset, len(data), zlib.crc32(data), codec, dtype, shape]
        return self._count(data)

    def _count(self, data: bytes) -> bytes:
        self.offset += len(data)
        return data


class ColumnFile:
    """An open file. Thread-safe; its descriptor is closed with the last reference, also after the file was removed.

    Raises: CorruptData naming the file; StorageError where a newer version wrote it.
    """

    def __init__(self, path: Path, magic: bytes) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as err:
            raise StorageError(f"opening {path}: {err.strerror}") from err
        weakref.finalize(self, os.close, self._fd)
        self.size_bytes = os.fstat(self._fd).st_size
        toc = self._read_toc(magic)
        self.meta: dict[str, Any] = toc["meta"]
        self._columns: dict[str, list[Any]] = toc["columns"]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def names(self) -> Iterator[str]:
        return iter(self._columns)

    def array(self, name: str) -> Array:
        """Decode a column. The caller owns it."""
        data, codec, dtype, shape = self._checked(name)
        try:
            flat = np.frombuffer(data, dtype) if codec == "raw" else standalone.simple_decompress(data)
            return np.asarray(flat, np.dtype(dtype)).reshape(shape)
        except (ValueError, TypeError, RuntimeError) as err:
            raise self.corrupt(f"column {name}: {err}") from err

    def json(self, name: str) -> Any:
        data, _, _, _ = self._checked(name)
        return orjson.loads(zstandard.decompress(data))

    def read(self, offset: int, size: int, crc: int) -> bytes:
        """Bytes that were written with `raw`."""
        data = os.pread(self._fd, size, offset)
        if len(data) != size or zlib.crc32(data) != crc:
            raise self.corrupt(f"{size} bytes at offset {offset} fail their checksum")
        return data

    def corrupt(self, what: str) -> CorruptData:
        return CorruptData(f"{self.path}: {what}")

    def _checked(self, name: str) -> tuple[bytes, str, str, list[int]]:
        offset, size, crc, codec, dtype, shape = self._columns[name]
        return self.read(offset, size, crc), codec, dtype, shape

    def _read_toc(self, magic: bytes) -> dict[str, Any]:
        head = os.pread(self._fd, _HEADER.size, 0)
        foot = os.pread(self._fd, _FOOTER.size, max(0, self.size_bytes - _FOOTER.size))
        if len(head) < _HEADER.size or len(foot) < _FOOTER.size:
            raise self.corrupt("shorter than a header and a footer")
        offset, size, crc, check, mark = _FOOTER.unpack(foot)
        if mark != _END_MARK or check != zlib.crc32(foot[:16], zlib.crc32(head)) or head[:8] != magic:
            raise self.corrupt("the header or the footer is damaged")
        version = _HEADER.unpack(head)[1]
        if not 1 <= version <= VERSION:
            raise StorageError(f"{self.path}: version {version}, this program reads version {VERSION}: use a newer one")
        return self._parse_toc(self.read(offset, size, crc))

    def _parse_toc(self, data: bytes) -> dict[str, Any]:
        try:
            toc = orjson.loads(zstandard.decompress(data, max_output_size=_TOC_BYTES_MAX))
        except (zstandard.ZstdError, orjson.JSONDecodeError) as err:
            raise self.corrupt(f"the table of contents cannot be read: {err}") from err
        assert isinstance(toc, dict)
        return toc
