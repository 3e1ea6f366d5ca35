"""A part in a block file: columns are read when asked for and kept in the cache."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import orjson

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import Labels
from spyglass.storage.logs import filters, pages
from spyglass.storage.logs.block import Block, PartEntry, Section
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, IsoColumn, PlainColumn
from spyglass.storage.logs.encode import NS_PER_MS
from spyglass.storage.logs.part import SlotHint, StreamSet, StreamTable, hint_of_values
from spyglass.storage.logs.template import Template
from spyglass.storage.logs.ticks import Ticks

STREAM_BYTES = 600
"""What a stream's labels take in memory, about."""
META_BYTES = 300
"""What one metadata set takes."""


def _stream_table(encoded: bytes) -> StreamTable:
    return StreamTable(tuple(tuple(orjson.loads(text).items()) for text in pages.walk_dictionary(encoded)))


class StoredPart:
    """`Part` over one entry of a block's index. Raises CorruptData, naming the file, from any method that reads."""

    def __init__(self, block: Block, entry: PartEntry, cache: ColumnCache) -> None:
        self._block, self._sections, self._cache = block, entry.sections, cache
        self.description = entry.description
        self.template = Template.from_json(entry.description["template"])
        self.size: int = entry.description["n"]
        self.min_ns: int = entry.description["min"]
        self.max_ns: int = entry.description["max"]
        self._hints: dict[int, SlotHint] = {}

    @property
    def block(self) -> Block:
        return self._block

    def streams(self) -> StreamSet:
        section = self._section(self.description["streams"]["labels"])
        return self._cache.get((self._block.key, "streams", section[0]), self._read_streams)

    def times(self) -> I64:
        return self._cached("ms", self._times)

    def codes(self) -> I64:
        return self._cached("codes", self._codes)

    def seqs(self) -> I64:
        first, section = self.description["seq"], self.description["seqs"]
        if section is None:
            return np.arange(first, first + self.size)
        return self._cached("seqs", lambda: pages.decode_deltas(self._read(section))[0] + first)

    def column(self, slot: int) -> Column:
        section = self._section(self._any_section(self.description["slots"][slot]))
        return self._cache.get((self._block.key, section[0]), lambda: self._sized(slot))

    def hint(self, slot: int) -> SlotHint:
        found = self._hints.get(slot)
        if found is None:
            found = self._hints[slot] = self._hint(self.description["slots"][slot])
        return found

    def _hint(self, description: dict[str, Any]) -> SlotHint:
        kind = description["kind"]
        if kind in ("int", "iso"):
            return SlotHint(kind, low=description["low"], high=description["high"])
        if "values" in description:
            return hint_of_values(description["values"])
        chars, bloom = bytes.fromhex(description["chars"]), description.get("bloom")
        may_equal = None if bloom is None else partial(self.bloom_may_hold, bloom)
        return SlotHint(kind, max_len=description["max_len"], chars=chars, may_equal=may_equal)

    def metadata(self) -> tuple[I64, Sequence[Labels]] | None:
        description = self.description["meta"]
        if description is None:
            return None

        def load() -> tuple[tuple[I64, Sequence[Labels]], int]:
            column = self._dictionary(description)
            metas: list[Labels] = [tuple(orjson.loads(text).items()) for text in column.values.texts]
            return (column.codes, metas), column.memory_bytes + META_BYTES * len(metas)

        return self._cache.get((self._block.key, "meta", self._section(description["codes"])[0]), load)

    def ticks(self) -> Ticks | None:
        sections = self.description["ticks"]
        if sections is None:
            return None

        def load() -> tuple[Ticks, int]:
            ticks = Ticks(*(pages.decode_deltas(self._read(section))[0] for section in sections))
            return ticks, ticks.memory_bytes

        return self._cache.get((self._block.key, "ticks", self._section(sections[0])[0]), load)

    def bloom_may_hold(self, section: int, value_hash: int) -> bool:
        offset, size, _, _ = self._section(section)
        block = self._block.read_at(offset + filters.bloom_block(value_hash, size), filters.BLOCK_BYTES)
        return filters.bloom_may_hold(block, value_hash)

    def _section(self, index: int) -> Section:
        return self._sections[index]

    def _read(self, index: int) -> bytes:
        return self._block.read(self._sections[index])

    def _cached(self, name: str, load: Any) -> I64:
        def sized() -> tuple[I64, int]:
            values = load()
            if len(values) != self.size:
                raise CorruptData(f"{self._block.path}: a column has {len(values)} values, not {self.size}")
            return values, values.nbytes

        key = (self._block.key, name, self._sections[self.description["ms"]][0])
        return self._cache.get(key, sized)

    def _times(self) -> I64:
        times = pages.decode_deltas(self._read(self.description["ms"]))[0] * NS_PER_MS
        if not self.description["whole_ms"]:
            times += pages.decode_deltas(self._read(self.description["ns"]))[0]
        return times

    def _codes(self) -> I64:
        return pages.decode_codes(self._read(self.description["codes"]), self.size)

    def _read_streams(self) -> tuple[StreamSet, int]:
        described = self.description["streams"]
        encoded = self._read(described["labels"])
        size = STREAM_BYTES * described["n"]
        # Parts of a quiet time mostly have the same streams: they share one table.
        shared = self._cache.get(("streams", encoded), lambda: (_stream_table(encoded), size))
        counts = np.frombuffer(self._read(described["counts"]), "<i8")
        return StreamSet(shared, counts[: described["n"]], counts[described["n"] :]), size

    def _any_section(self, description: dict[str, Any]) -> int:
        index: int = description[
            "codes" if description["kind"] == "dict" else "text" if description["kind"] == "plain" else "values"
        ]
        return index

    def _sized(self, slot: int) -> tuple[Column, int]:
        description = self.description["slots"][slot]
        column = self._column(description)
        if column.size != self.size:
            raise CorruptData(f"{self._block.path}: a column has {column.size} values, not {self.size}")
        return column, column.memory_bytes

    def _column(self, description: dict[str, Any]) -> Column:
        kind = description["kind"]
        if kind == "dict":
            return self._dictionary(description)
        if kind == "plain":
            return PlainColumn(pages.decode_text(self._read(description["text"])))
        if kind == "int":
            values = pages.decode_split(self._read(description["values"]), self.size)
            # Half the memory, where that holds them: the cache keeps twice as many.
            return IntColumn(values.astype(np.int32) if description["high"] < 2**31 else values)
        return IsoColumn(pages.decode_deltas(self._read(description["values"]))[0])

    def _dictionary(self, description: dict[str, Any]) -> DictColumn:
        lengths = np.frombuffer(self._read(description["lengths"]), "<u4").astype(np.int64)
        table = pages.decode_dictionary(self._read(description["dict"]), lengths)
        return DictColumn(pages.decode_codes(self._read(description["codes"]), self.size), table)
