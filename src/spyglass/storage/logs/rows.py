"""Rows: lines in columns as they arrived. What an append becomes, what the journal holds, and what a part is cut from.

The journal record (little endian, one per append; docs/formats/logs-block.md draws it):

    u32 version = 1   u32 n   u32 streams_bytes   u32 metas_bytes
    streams: JSON [[[name, value], ...], ...]     metas: JSON, likewise, without the empty set; absent where no line has any
    i64 times [n]   u32 stream [n]   u32 line length in bytes [n]   u32 meta [n] (0: none; only if metas_bytes)   the lines
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson

from spyglass.model.arrays import I32, I64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import Labels
from spyglass.model.log_columns import LogColumns, offsets_of, slices
from spyglass.protocols.log_store import LogEntry

_HEADER = struct.Struct("<IIII")
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """n lines in order of arrival.

    times [n]; stream [n]: index into `streams`; offsets [n+1] into `blob` (UTF-8); meta [n]: index into `metas` (0 is no metadata), or
    None where no line has any. Arrays are never written to once built.
    """

    streams: Sequence[Labels]
    times: I64
    stream: I32
    offsets: I64
    blob: bytes
    meta: I32 | None = None
    metas: Sequence[Labels] = field(default=((),))

    @property
    def size(self) -> int:
        return len(self.times)

    @property
    def memory_bytes(self) -> int:
        return len(self.blob) + self.size * 24

    def lengths(self) -> I64:
        return np.diff(self.offsets)

    def lines(self, rows: I64) -> list[str]:
        """The lines of the rows, decoded."""
        starts, ends, blob = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist(), self.blob
        return [blob[a:b].decode("utf-8", "replace") for a, b in zip(starts, ends, strict=True)]

    def metadata(self, rows: I64) -> list[Labels] | None:
        if self.meta is None:
            return None
        metas = self.metas
        return [metas[code] for code in self.meta[rows].tolist()]

    def encode(self) -> list[bytes]:
        """The journal record, in pieces."""
        streams = orjson.dumps(self.streams)
        metas = b"" if self.meta is None else orjson.dumps(self.metas[1:])
        pieces = [
            _HEADER.pack(_VERSION, self.size, len(streams), len(metas)),
            streams,
            metas,
            self.times.astype("<i8", copy=False).tobytes(),
            self.stream.astype("<u4").tobytes(),
            self.lengths().astype("<u4").tobytes(),
        ]
        if self.meta is not None:
            pieces.append(self.meta.astype("<u4").tobytes())
        pieces.append(self.blob)
        return pieces

    @staticmethod
    def decode(record: bytes) -> "Rows":
        """Raises: CorruptData where the record is not what `encode` writes (its checksum held, so a foreign version)."""
        return decode_records([record])

    @staticmethod
    def concat(parts: Sequence["Rows"], *, padding: int = 0) -> "Rows":
        """All rows, one part after the other, on one stream table and one metadata table.

        padding: so many bytes follow the last line, for who reads past it (`matching.Lines`); such rows are not for the journal.
        """
        if len(parts) == 1 and not padding:
            return parts[0]
        streams: dict[Labels, int] = {}
        metas: dict[Labels, int] = {(): 0}
        stream = [_recode(p.streams, streams)[p.stream] for p in parts]
        meta = None
        if any(p.meta is not None for p in parts):
            meta = np.concatenate(
                [np.zeros(p.size, np.int32) if p.meta is None else _recode(p.metas, metas)[p.meta] for p in parts]
            )
        lengths = np.concatenate([p.lengths() for p in parts])
        return Rows(
            list(streams),
            np.concatenate([p.times for p in parts]),
            np.concatenate(stream),
            offsets_of(lengths),
            b"".join([*(memoryview(p.blob)[: p.offsets[-1]] for p in parts), bytes(padding)]),
            meta,
            list(metas),
        )

    def take(self, rows: I64) -> "Rows":
        """The rows given, in that order. The tables stay as they are."""
        lengths = self.lengths()[rows]
        offsets = offsets_of(lengths)
        blob = slices(np.frombuffer(self.blob, np.uint8), self.offsets[rows], lengths)
        meta = None if self.meta is None else self.meta[rows]
        return Rows(self.streams, self.times[rows], self.stream[rows], offsets, blob, meta, self.metas)


def rows_of(streams: Iterable[tuple[Labels, Sequence[LogEntry]]]) -> Rows:
    """What a writer hands in, on one stream table and one metadata table."""
    table: dict[Labels, int] = {}
    metas: dict[Labels, int] = {(): 0}
    codes: list[I32] = []
    columns: list[LogColumns] = []
    for labels, entries in streams:
        codes.append(np.full(len(entries), table.setdefault(labels, len(table)), np.int32))
        columns.append(LogColumns.of(entries))
    if not columns:
        return Rows([], np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(1, np.int64), b"")
    meta = None
    if any(c.meta is not None for c in columns):
        meta = np.concatenate(
            [np.zeros(len(c), np.int32) if c.meta is None else _recode(c.metas, metas)[c.meta] for c in columns]
        )
    return Rows(
        list(table),
        np.concatenate([c.times_ns for c in columns]),
        np.concatenate(codes),
        offsets_of(np.concatenate([c.lengths() for c in columns])),
        b"".join([c.text for c in columns]),
        meta,
        list(metas),
    )


def _recode(local: Sequence[Labels], table: dict[Labels, int]) -> I32:
    return np.fromiter((table.setdefault(labels, len(table)) for labels in local), np.int32, len(local))


def _labels_list(text: bytes) -> list[Labels]:
    return [tuple((name, value) for name, value in pairs) for pairs in orjson.loads(text)]


@dataclass(slots=True)
class _Tables:
    """Label sets of many records on one table: where each record's own numbers begin in `mapped`, which leads to the table."""

    table: dict[Labels, int]
    mapped: list[int] = field(default_factory=list)
    bases: list[int] = field(default_factory=list)
    _known: dict[bytes, int] = field(default_factory=dict)

    def add(self, text: bytes, *, none_first: bool = False) -> None:
        """One record's label sets as JSON. Records of one sender mostly have the same text: it is read once."""
        base = self._known.get(text)
        if base is None:
            base = self._known[text] = len(self.mapped)
            if none_first:
                self.mapped.append(0)
            labels = _labels_list(text) if text else []
            self.mapped += [self.table.setdefault(pairs, len(self.table)) for pairs in labels]
        self.bases.append(base)

    def codes(self, local: bytes, sizes: I64) -> I32:
        places = np.frombuffer(local, "<u4") + np.repeat(np.asarray(self.bases, np.int64), sizes)
        codes: I32 = np.asarray(self.mapped, np.int32)[places]
        return codes


def decode_records(records: Sequence[bytes]) -> Rows:
    """The rows of journal records, one record after the other. Work per record is a handful of slices.

    Raises: CorruptData where one of them is no record of this version.
    """
    streams, metas = _Tables({}), _Tables({(): 0})
    sizes: list[int] = []
    columns: tuple[list[bytes], ...] = ([], [], [], [], [])
    any_meta = False
    for record in records:
        try:
            n, has_meta = _cut_record(record, streams, metas, columns)
        except (struct.error, ValueError, IndexError) as err:
            raise CorruptData(f"a journal record of {len(record)} bytes is not a log record: {err}") from err
        sizes.append(n)
        any_meta |= has_meta
    counts = np.asarray(sizes, np.int64)
    times, stream, lengths, meta, blobs = (b"".join(pieces) for pieces in columns)
    return Rows(
        list(streams.table),
        np.frombuffer(times, "<i8").astype(np.int64),
        streams.codes(stream, counts),
        offsets_of(np.frombuffer(lengths, "<u4").astype(np.int64)),
        blobs,
        metas.codes(meta, counts) if any_meta else None,
        list(metas.table),
    )


def _cut_record(record: bytes, streams: _Tables, metas: _Tables, columns: tuple[list[bytes], ...]) -> tuple[int, bool]:
    """Hand out the pieces of one record. Returns: its lines, whether any has metadata. Nothing is handed out of a bad one."""
    version, n, streams_bytes, metas_bytes = _HEADER.unpack_from(record, 0)
    if version != _VERSION:
        raise ValueError(f"version {version} is not {_VERSION}")
    at = _HEADER.size + streams_bytes + metas_bytes
    meta_column = 4 * n if metas_bytes else 0
    lines_at = at + 16 * n + meta_column
    lengths = record[at + 12 * n : at + 16 * n]
    total = int.from_bytes(lengths, "little") if n == 1 else int(np.frombuffer(lengths, "<u4").sum())
    if lines_at + total != len(record):
        raise ValueError("its lengths do not add up")
    streams.add(record[_HEADER.size : _HEADER.size + streams_bytes])
    metas.add(record[_HEADER.size + streams_bytes : at], none_first=True)
    times, stream, sizes, meta, blobs = columns
    times.append(record[at : at + 8 * n])
    stream.append(record[at + 8 * n : at + 12 * n])
    sizes.append(lengths)
    meta.append(record[at + 16 * n : lines_at] if metas_bytes else bytes(4 * n))
    blobs.append(record[lines_at:])
    return n, metas_bytes > 0
