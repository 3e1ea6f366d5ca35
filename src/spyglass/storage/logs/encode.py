"""A part as compressed sections: what of it goes into a block file. The other half is `stored_part.py`, which reads them.

A section is the values of one Parquet page, compressed with zstd, or one of our own beside them. The part's description (JSON in
the block's index) says which section holds what.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import zstandard

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels
from spyglass.model.log_columns import offsets_of
from spyglass.storage.logs import filters, pages
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, IsoColumn, TextTable
from spyglass.storage.logs.part import Part, StreamSet, line_sizes
from spyglass.storage.logs.ticks import make_ticks

NS_PER_MS = 1_000_000
LEVEL, FAST_LEVEL = 3, 1
"""zstd's levels. On text 3 saves a twentieth of what 1 leaves; on hexadecimal ids it takes five times as long for nothing."""
SAMPLE_BYTES = 16 << 10
WORTH_IT = 0.97
"""A large section gets LEVEL where that leaves less of a sample than this part of what FAST_LEVEL leaves."""
INLINE_DICTIONARY_BYTES = 4096
"""Dictionaries up to this size are repeated in the index, so that a filter can exclude a part without reading its sections."""
TEXTS_AT_ONCE = 1024
"""Labels as JSON that are held one by one: each keeps some 4 KB of buffer until it is copied, and a part may have 65,000 streams."""

Put = Callable[[bytes, int], int]


@dataclass(slots=True)
class Sections:
    """Compressed sections of one part, and its description. pieces[i] is section i: (compressed, raw size)."""

    pieces: list[tuple[bytes, int]] = field(default_factory=list)
    description: dict[str, Any] = field(default_factory=dict)

    def add(self, raw: bytes) -> int:
        self.pieces.append((_compressed(raw, _level_for(raw)), len(raw)))
        return len(self.pieces) - 1

    def add_stored(self, raw: bytes) -> int:
        """Uncompressed: read in slices, or too random to shrink."""
        self.pieces.append((raw, 0))
        return len(self.pieces) - 1


def _level_for(raw: bytes) -> int:
    if len(raw) < 4 * SAMPLE_BYTES:
        return LEVEL
    sample = raw[len(raw) // 2 :][:SAMPLE_BYTES]
    pays = len(_compressed(sample, LEVEL)) < WORTH_IT * len(_compressed(sample, FAST_LEVEL))
    return LEVEL if pays else FAST_LEVEL


def _compressed(raw: bytes, level: int) -> bytes:
    # A compressor per call: it must not be shared between threads, and making one is cheap beside what it does.
    return zstandard.ZstdCompressor(level=level, write_content_size=True).compress(raw)


def encode_part(part: Part) -> Sections:
    """All of a part. Cost: about 0.5 us a line of ten fields."""
    out = Sections()
    times = part.times()
    milliseconds, rest = np.divmod(times, NS_PER_MS)
    streams = part.streams()
    out.description = {
        "n": part.size,
        "min": part.min_ns,
        "max": part.max_ns,
        "bytes": int(streams.sizes.sum()),
        "template": part.template.to_json(),
        "ms": out.add(pages.encode_deltas(milliseconds)),
        "ns": out.add(pages.encode_deltas(rest)),
        "whole_ms": not rest.any(),
        "codes": out.add(pages.encode_codes(pages.narrow_codes(part.codes(), len(streams.labels)))),
        "streams": _streams(out, streams),
        "slots": [_slot(out, part.column(slot)) for slot in range(part.template.slot_count)],
    }
    _sequence(out, part.seqs())
    _ticks(out, part)
    _metadata(out, part)
    return out


def _sequence(out: Sections, seqs: I64) -> None:
    first = int(seqs[0])
    out.description["seq"] = first
    out.description["seqs"] = None if (np.diff(seqs) == 1).all() else out.add(pages.encode_deltas(seqs - first))
    out.description["last_seq"] = int(seqs.max())


def _texts(labels: Sequence[Labels]) -> TextTable:
    lengths: list[int] = []
    blobs: list[bytes] = []
    for at in range(0, len(labels), TEXTS_AT_ONCE):
        texts = [orjson.dumps(dict(pairs)) for pairs in labels[at : at + TEXTS_AT_ONCE]]
        lengths += map(len, texts)
        blobs.append(b"".join(texts))
    return TextTable(b"".join(blobs), offsets_of(np.asarray(lengths, np.int64)))


def _streams(out: Sections, streams: StreamSet) -> dict[str, int]:
    counts = np.concatenate([streams.counts, streams.sizes]).astype("<i8").tobytes()
    return {
        "n": len(streams.labels),
        "labels": out.add(pages.encode_dictionary(_texts(streams.labels))),
        "counts": out.add(counts),
    }


def _ticks(out: Sections, part: Part) -> None:
    ticks = make_ticks(part.times(), part.codes(), line_sizes(part), len(part.streams().labels))
    if ticks is None:
        out.description["ticks"] = None
        return
    columns = (ticks.tick, ticks.code, ticks.count, ticks.size)
    out.description["ticks"] = [out.add(pages.encode_deltas(column)) for column in columns]


def _metadata(out: Sections, part: Part) -> None:
    found = part.metadata()
    if found is None:
        out.description["meta"] = None
        return
    codes, metas = found
    texts = _texts(metas)
    out.description["meta"] = _dictionary(out, DictColumn(pages.narrow_codes(codes, len(metas)), texts))


def _dictionary(out: Sections, column: DictColumn) -> dict[str, Any]:
    lengths = np.diff(column.values.offsets)
    return {
        "kind": "dict",
        "d": column.values.size,
        "dict": out.add(pages.encode_dictionary(column.values)),
        "lengths": out.add(lengths.astype("<u4").tobytes()),
        "codes": out.add(pages.encode_codes(column.codes)),
    }


def _slot(out: Sections, column: Column) -> dict[str, Any]:
    if isinstance(column, DictColumn):
        description = _dictionary(out, column)
        if len(column.values.blob) <= INLINE_DICTIONARY_BYTES and column.values.size <= 512:
            description["values"] = column.values.texts
        else:
            description |= filters.describe(column.values, out.add_stored)
        return description
    if isinstance(column, IntColumn):
        low, high = int(column.values.min()), int(column.values.max())
        return {"kind": "int", "values": out.add(pages.encode_split(column.values)), "low": low, "high": high}
    if isinstance(column, IsoColumn):
        low, high = int(column.values.min()), int(column.values.max())
        return {"kind": "iso", "values": out.add(pages.encode_deltas(column.values)), "low": low, "high": high}
    return {
        "kind": "plain",
        "text": out.add(pages.encode_text(column.values)),
        **filters.describe(column.values, out.add_stored),
    }
