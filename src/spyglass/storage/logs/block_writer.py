"""Writing block files: the bytes of one, in order, from parts that were just encoded or that lie in other blocks."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import zstandard

from spyglass.storage.logs import parquet
from spyglass.storage.logs.block import INDEX_MAGIC, MAGIC, TRAILER, VERSION, Block, Section
from spyglass.storage.logs.encode import Sections


@dataclass(frozen=True, slots=True)
class Piece:
    """A section to be written: its bytes in the file, its raw size (0: stored as it is), and where to get it."""

    size: int
    raw: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class PartSource:
    description: dict[str, Any]
    pieces: Sequence[Piece]


def block_chunks(parts: Sequence[Sections], *, journal_end: int, replaces: Sequence[str] = ()) -> Iterator[bytes]:
    """The bytes of a block with the parts.

    journal_end: the journal before this position is in blocks once this one is there. replaces: names of the blocks it was made of.
    """
    sources = [
        PartSource(part.description, [Piece(len(data), raw, lambda data=data: data) for data, raw in part.pieces])  # type: ignore[misc]
        for part in parts
    ]
    yield from _write(sources, journal_end, replaces)


def merged_chunks(blocks: Sequence[Block]) -> Iterator[bytes]:
    """The bytes of one block with all parts of the others, in that order; nothing is decoded, one section is in memory at a time."""
    sources = []
    for block in blocks:
        for entry in block.entries():
            pieces = [Piece(s[1], s[2], lambda block=block, s=s: block.read_stored(s)) for s in entry.sections]  # type: ignore[misc]
            sources.append(PartSource(entry.description, pieces))
    yield from _write(sources, max(block.journal_end for block in blocks), [block.path.name for block in blocks])


def _write(parts: Sequence[PartSource], journal_end: int, replaces: Sequence[str]) -> Iterator[bytes]:
    yield MAGIC
    at = len(MAGIC)
    columns = [parquet.chunks_of(part.description) for part in parts]
    schema = parquet.schema_of(columns)
    entries: list[dict[str, Any]] = []
    groups: list[tuple[int, list[parquet.Written]]] = []
    for part, chunks in zip(parts, columns, strict=True):
        writer = _PartWriter(part, at)
        for column, chunk in parquet.iterate(chunks, schema):
            yield from writer.column(column, chunk)
        yield from writer.rest()
        at = writer.at
        entries.append({"part": part.description, "sections": writer.sections})
        groups.append((part.description["n"], writer.written))
    index = {"version": VERSION, "journal_end": journal_end, "replaces": replaces, "parts": entries}
    packed = zstandard.ZstdCompressor(level=9).compress(orjson.dumps(index))
    footer = parquet.footer(schema, groups)
    yield packed
    yield TRAILER.pack(len(packed), zlib.crc32(packed), len(footer), INDEX_MAGIC)
    yield footer


class _PartWriter:
    """One part's columns as pages, then its other sections; remembers where everything came to lie."""

    def __init__(self, part: PartSource, at: int) -> None:
        self.part, self.at = part, at
        self.sections: list[Section | None] = [None] * len(part.pieces)
        self.written: list[parquet.Written] = []
        self.n: int = part.description["n"]

    def column(self, column: parquet.ColumnType, chunk: parquet.Chunk | None) -> Iterator[bytes]:
        start = self.at
        if chunk is None:
            page = parquet.null_page(column, self.n)
            yield self._pass(page)
            self.written.append(parquet.Written(column, (0,), start, start, len(page), len(page), nulls=True))
            return
        raw = 0
        if chunk.dictionary_size:
            data, size = self._dictionary(chunk)
            header = parquet.dictionary_header(chunk.dictionary_size, size, len(data))
            raw += len(header) + size
            yield self._pass(header)
            yield self._pass_section(chunk.dictionary, data)
        data_page = self.at
        data, size = (parquet.compress(chunk.inline), len(chunk.inline)) if chunk.inline else self._piece(chunk.data)
        header = parquet.data_header(chunk, self.n, size, len(data))
        raw += len(header) + size
        yield self._pass(header)
        yield self._pass_section(chunk.data, data)
        encodings = parquet.encodings_of(chunk)
        self.written.append(parquet.Written(column, encodings, start, data_page, self.at - start, raw, nulls=False))

    def rest(self) -> Iterator[bytes]:
        """What Parquet knows nothing of: lengths, filters, counts."""
        for index, piece in enumerate(self.part.pieces):
            if self.sections[index] is None:
                yield self._pass_section(index, piece.read())

    def _dictionary(self, chunk: parquet.Chunk) -> tuple[bytes, int]:
        if chunk.inline_dictionary:
            return parquet.compress(chunk.inline_dictionary), len(chunk.inline_dictionary)
        return self._piece(chunk.dictionary)

    def _piece(self, index: int) -> tuple[bytes, int]:
        piece = self.part.pieces[index]
        return piece.read(), piece.raw

    def _pass(self, data: bytes) -> bytes:
        self.at += len(data)
        return data

    def _pass_section(self, index: int, data: bytes) -> bytes:
        if index >= 0:
            self.sections[index] = (self.at, len(data), self.part.pieces[index].raw, zlib.crc32(data))
        return self._pass(data)
