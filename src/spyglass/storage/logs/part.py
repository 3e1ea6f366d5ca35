"""A part: lines of one template in order of time, as columns. In memory (hot) or in a block file (read lazily).

Rows are numbered 0..n-1 by (time, arrival). A part answers with columns; who asks for text gets it for the rows asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, IsoColumn
from spyglass.storage.logs.template import Template
from spyglass.storage.logs.ticks import Ticks

FEW_VALUES = 512
"""Dictionaries up to this size are looked through whole, without asking a filter first."""


@dataclass(frozen=True, slots=True)
class SlotHint:
    """What is known of a slot's text without reading it. Unknown: the defaults, which exclude nothing.

    values: all distinct texts, where they are few.  chars: the bytes that occur, as a bit set of 32 bytes.  may_equal: whether a
    whole value of this hash can be there.
    """

    kind: str
    values: Sequence[str] | None = None
    max_len: int = 2**62
    chars: bytes = b"\xff" * 32
    may_equal: Callable[[int], bool] | None = None
    low: int = 0
    high: int = 2**62
    joined: str = ""
    """All values with line feeds between: a needle that is not in it is in no value."""


def hint_of_values(values: Sequence[str]) -> SlotHint:
    return SlotHint("dict", values, joined="\n".join(values))


class StreamTable:
    """The streams of a part: their labels, as columns where they are matched. Shared by parts with the same streams."""

    def __init__(self, labels: tuple[Labels, ...]) -> None:
        self.labels = labels
        self.names = frozenset(frozenset(name for name, _ in stream) for stream in labels)
        self._matched: dict[tuple[Matcher, ...], Mask] = {}

    @cached_property
    def table(self) -> LabelTable:
        return LabelTable.from_labels(self.labels)

    def matching(self, matchers: Sequence[Matcher]) -> Mask:
        """[streams]: one test per distinct value and matcher; the last few answers are kept. Do not write to it."""
        key = tuple(matchers)
        found = self._matched.get(key)
        if found is None:
            if len(self._matched) >= MATCHES_KEPT:
                self._matched = {}
            found = self._matched[key] = match_table(self.table, matchers)
        return found


MATCHES_KEPT = 16


@dataclass(frozen=True)
class StreamSet:
    """The streams that occur in a part, with their counts and bytes of lines. Codes of a part index it."""

    shared: StreamTable
    counts: I64
    sizes: I64

    @property
    def labels(self) -> tuple[Labels, ...]:
        return self.shared.labels

    def matching(self, matchers: Sequence[Matcher]) -> Mask:
        return self.shared.matching(matchers)


def match_table(table: LabelTable, matchers: Sequence[Matcher]) -> Mask:
    passes = np.ones(table.size, np.bool_)
    for matcher in matchers:
        column = table.columns.get(matcher.name)
        if column is None:
            if not matcher.matches_empty():
                passes[:] = False
            continue
        used, inverse = np.unique(column.codes, return_inverse=True)
        verdicts = np.fromiter((matcher.matches(column.values[c]) for c in used.tolist()), np.bool_, len(used))
        passes &= verdicts[inverse]
    return passes


class Part(Protocol):
    """The read side, the same for memory and disk."""

    @property
    def template(self) -> Template: ...
    @property
    def size(self) -> int: ...
    @property
    def min_ns(self) -> int: ...
    @property
    def max_ns(self) -> int: ...
    def streams(self) -> StreamSet: ...
    def times(self) -> I64:
        """[n] ascending."""
        ...

    def codes(self) -> I64:
        """[n] stream codes."""
        ...

    def seqs(self) -> I64:
        """[n] arrival numbers."""
        ...

    def column(self, slot: int) -> Column: ...
    def hint(self, slot: int) -> SlotHint: ...
    def ticks(self) -> Ticks | None: ...
    def metadata(self) -> tuple[I64, Sequence[Labels]] | None:
        """(codes [n], label sets), or None where no line has any."""
        ...


@dataclass(frozen=True, eq=False)
class MemoryPart:
    """A part whose columns are all in memory."""

    template: Template
    stream_set: StreamSet
    time_values: I64
    code_values: I64
    seq_values: I64
    columns: tuple[Column, ...]
    meta: I64 | None
    metas: Sequence[Labels]

    def __init__(
        self,
        *,
        template: Template,
        streams: StreamSet,
        times: I64,
        codes: I64,
        seqs: I64,
        columns: tuple[Column, ...],
        meta: I64 | None,
        metas: Sequence[Labels],
    ) -> None:
        for name, value in (
            ("template", template),
            ("stream_set", streams),
            ("time_values", times),
            ("code_values", codes),
            ("seq_values", seqs),
            ("columns", columns),
            ("meta", meta),
            ("metas", metas),
        ):
            object.__setattr__(self, name, value)

    @property
    def size(self) -> int:
        return len(self.time_values)

    @property
    def min_ns(self) -> int:
        return int(self.time_values[0])

    @property
    def max_ns(self) -> int:
        return int(self.time_values[-1])

    def streams(self) -> StreamSet:
        return self.stream_set

    def times(self) -> I64:
        return self.time_values

    def codes(self) -> I64:
        return self.code_values

    def seqs(self) -> I64:
        return self.seq_values

    def column(self, slot: int) -> Column:
        return self.columns[slot]

    def hint(self, slot: int) -> SlotHint:
        column = self.columns[slot]
        if isinstance(column, DictColumn):
            few = column.values.size <= FEW_VALUES
            return hint_of_values(column.values.texts) if few else SlotHint("dict")
        if isinstance(column, IntColumn):
            return SlotHint("int", low=int(column.values.min()), high=int(column.values.max()))
        return SlotHint("iso" if isinstance(column, IsoColumn) else "plain")

    def ticks(self) -> Ticks | None:
        return None

    def metadata(self) -> tuple[I64, Sequence[Labels]] | None:
        return None if self.meta is None else (self.meta, self.metas)


def lines_of(part: Part, rows: I64) -> list[str]:
    """The exact lines of the rows: the constants and the slots' text, put together again."""
    template = part.template
    if template.kind == "raw":
        return part.column(0).strings(rows)
    pieces: list[Sequence[str]] = []
    n = len(rows)
    for slot in range(template.slot_count):
        pieces.append([template.consts[slot].decode()] * n)
        pieces.append(part.column(slot).strings(rows))
    pieces.append([template.consts[-1].decode()] * n)
    return list(map("".join, zip(*pieces, strict=True)))


def line_sizes(part: Part) -> I64:
    """[n] bytes of each line, without building any."""
    total = np.full(part.size, part.template.const_bytes, np.int64)
    for slot in range(part.template.slot_count):
        total += part.column(slot).lengths()
    return total


def metadata_of(part: Part, rows: I64) -> list[Labels] | None:
    found = part.metadata()
    if found is None:
        return None
    codes, metas = found
    return [metas[code] for code in codes[rows].tolist()]
