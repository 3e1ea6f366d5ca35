"""The Parquet side of a block: which sections are which columns, their page headers, and the footer.

A part is a row group. Columns: time_ms, time_ns (what is left below the millisecond), stream (labels as JSON), metadata (likewise),
template (the constants of the line, `{}` between them), line (where there is no template), and a column per field: `field.<path>`,
constants of the line as JSON), line (where there is no template), and a column per field: `field.<path>`, with `:int` or `:time` behind it
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import zstandard

from spyglass.storage.logs.pages import encode_varint
from spyglass.storage.logs.thrift import I32, Struct, encode_struct, struct

_INT64, _BYTE_ARRAY = 2, 6
_UTF8, _TIMESTAMP_MILLIS = 0, 9
_REQUIRED, _OPTIONAL = 0, 1
_PLAIN, _RLE, _DELTA, _DELTA_LENGTH, _RLE_DICTIONARY, _SPLIT = 0, 3, 5, 6, 8, 9
_ZSTD = 6
_DICTIONARY_PAGE, _DATA_PAGE_V2 = 2, 3


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A leaf of the schema."""

    name: str
    physical: int
    converted: int | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column's values in one part: the numbers of its sections, and how they are encoded. inline: the page's bytes, not a section."""

    column: ColumnType
    encoding: int
    data: int = -1
    dictionary: int = -1
    dictionary_size: int = 0
    inline: bytes = b""
    inline_dictionary: bytes = b""


TIME_MS = ColumnType("time_ms", _INT64, _TIMESTAMP_MILLIS, required=True)
TIME_NS = ColumnType("time_ns", _INT64, required=True)
STREAM = ColumnType("stream", _BYTE_ARRAY, _UTF8, required=True)
METADATA = ColumnType("metadata", _BYTE_ARRAY, _UTF8)
TEMPLATE = ColumnType("template", _BYTE_ARRAY, _UTF8)
LINE = ColumnType("line", _BYTE_ARRAY, _UTF8)


def chunks_of(description: dict[str, Any]) -> list[Chunk]:
    """The columns that a part has."""
    streams, meta, template = description["streams"], description["meta"], description["template"]
    found = [
        Chunk(TIME_MS, _DELTA, description["ms"]),
        Chunk(TIME_NS, _DELTA, description["ns"]),
        Chunk(STREAM, _RLE_DICTIONARY, description["codes"], streams["labels"], streams["n"]),
    ]
    if meta is not None:
        found.append(Chunk(METADATA, _RLE_DICTIONARY, meta["codes"], meta["dict"], meta["d"]))
    if template["kind"] == "raw":
        return [*found, _slot_chunk(LINE, description["slots"][0])]
    found.append(_template_chunk(template["consts"], description["n"]))
    names: set[str] = set()
    for path, slot in zip(template["paths"], description["slots"], strict=True):
        name = "field." + ".".join(path) + {"int": ":int", "iso": ":time"}.get(slot["kind"], "")
        while name in names:
            name += "'"
        names.add(name)
        converted = {"int": None, "iso": _TIMESTAMP_MILLIS}.get(slot["kind"], _UTF8)
        physical = _INT64 if slot["kind"] in ("int", "iso") else _BYTE_ARRAY
        found.append(_slot_chunk(ColumnType(name, physical, converted), slot))
    return found


def _slot_chunk(column: ColumnType, slot: dict[str, Any]) -> Chunk:
    kind = slot["kind"]
    if kind == "dict":
        return Chunk(column, _RLE_DICTIONARY, slot["codes"], slot["dict"], slot["d"])
    if kind == "plain":
        return Chunk(column, _DELTA_LENGTH, slot["text"])
    return Chunk(column, _SPLIT if kind == "int" else _DELTA, slot["values"])


def _template_chunk(consts: Sequence[str], n: int) -> Chunk:
    """The same text for every row: a dictionary of one, one run."""
    text = "{}".join(consts).encode()
    page = bytes([1]) + encode_varint(n << 1) + b"\0"
    dictionary = len(text).to_bytes(4, "little") + text
    return Chunk(TEMPLATE, _RLE_DICTIONARY, dictionary_size=1, inline=page, inline_dictionary=dictionary)


def schema_of(parts: Sequence[Sequence[Chunk]]) -> list[ColumnType]:
    """All columns of a file, in order of first occurrence."""
    return list(dict.fromkeys(chunk.column for chunks in parts for chunk in chunks))


def levels(column: ColumnType, n: int, *, present: bool) -> bytes:
    """Definition levels of a page: one run of 1 (there) or 0 (null); a required column has none."""
    return b"" if column.required else encode_varint(n << 1) + (b"\1" if present else b"\0")


def data_header(chunk: Chunk, n: int, raw_bytes: int, stored_bytes: int) -> bytes:
    """What stands before a data page: its header and definition levels. Sizes are of the values alone."""
    level = levels(chunk.column, n, present=True)
    version_2 = struct(
        (1, I32(n)), (2, I32(0)), (3, I32(n)), (4, I32(chunk.encoding)), (5, I32(len(level))), (6, I32(0)), (7, True)
    )  # fmt: skip
    return _header(_DATA_PAGE_V2, raw_bytes + len(level), stored_bytes + len(level), (8, version_2)) + level


def null_page(column: ColumnType, n: int) -> bytes:
    """A whole page of nulls."""
    level = levels(column, n, present=False)
    version_2 = struct(
        (1, I32(n)), (2, I32(n)), (3, I32(n)), (4, I32(_PLAIN)), (5, I32(len(level))), (6, I32(0)), (7, False)
    )  # fmt: skip
    return _header(_DATA_PAGE_V2, len(level), len(level), (8, version_2)) + level


def dictionary_header(size: int, raw_bytes: int, stored_bytes: int) -> bytes:
    return _header(_DICTIONARY_PAGE, raw_bytes, stored_bytes, (7, struct((1, I32(size)), (2, I32(_PLAIN)))))


def _header(kind: int, raw_bytes: int, stored_bytes: int, details: tuple[int, Struct]) -> bytes:
    return encode_struct(struct((1, I32(kind)), (2, I32(raw_bytes)), (3, I32(stored_bytes)), details))


@dataclass(frozen=True, slots=True)
class Written:
    """Where a column of a part came to lie: the chunk's first byte, its data page, bytes with headers, and bytes uncompressed."""

    column: ColumnType
    encodings: tuple[int, ...]
    start: int
    data_page: int
    stored_bytes: int
    raw_bytes: int
    nulls: bool


def compress(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(data)


def column_meta(written: Written, n: int) -> Struct:
    has_dictionary = written.data_page != written.start
    encodings = [I32(encoding) for encoding in dict.fromkeys((*written.encodings, _RLE))]
    meta = struct(
        (1, I32(written.column.physical)), (2, encodings), (3, [written.column.name]), (4, I32(_ZSTD)), (5, n),
        (6, written.raw_bytes), (7, written.stored_bytes), (9, written.data_page),
        (11, written.start if has_dictionary else None),
    )  # fmt: skip
    return struct((2, written.start), (3, meta))


def footer(schema: Sequence[ColumnType], groups: Sequence[tuple[int, Sequence[Written]]]) -> bytes:
    """FileMetaData with its length and the closing magic. groups: (rows, columns) per part."""
    root = struct((4, "schema"), (5, I32(len(schema)))) if schema else struct((4, "schema"), (5, I32(0)))
    leaves = [
        struct(
            (1, I32(column.physical)), (3, I32(_REQUIRED if column.required else _OPTIONAL)), (4, column.name),
            (6, None if column.converted is None else I32(column.converted)),
        )
        for column in schema
    ]  # fmt: skip
    row_groups = [
        struct((1, [column_meta(w, n) for w in columns]), (2, sum(w.raw_bytes for w in columns)), (3, n))
        for n, columns in groups
    ]
    about = struct((1, "spyglass.logs"), (2, "1"))
    meta = struct(
        (1, I32(2)), (2, [root, *leaves]), (3, sum(n for n, _ in groups)), (4, row_groups or None), (5, [about]), (6, "spyglass")
    )  # fmt: skip
    data = encode_struct(meta)
    return data + len(data).to_bytes(4, "little") + b"PAR1"


def encodings_of(chunk: Chunk) -> tuple[int, ...]:
    return (_PLAIN, _RLE_DICTIONARY) if chunk.encoding == _RLE_DICTIONARY else (chunk.encoding,)


def iterate(chunks: Sequence[Chunk], schema: Sequence[ColumnType]) -> Iterator[tuple[ColumnType, Chunk | None]]:
    """Every column of the file with this part's chunk of it."""
    by_column = {chunk.column: chunk for chunk in chunks}
    for column in schema:
        yield column, by_column.get(column)
