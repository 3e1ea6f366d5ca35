"""The working set of a pipeline: lines in columns, and what is known of each line's labels.

A line's labels come from three places, which an answer can keep apart: its stream, its structured metadata, and what stages
extracted. A name is looked up in the reverse of that order. Streams are numbered once per query; a stage that takes a label away
from a stream makes a variant of that stream, so that lines share label work.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from spyglass.model.arrays import I32, I64
from spyglass.model.labels import Labels, LabelTable
from spyglass.protocols.log_store import LogBatch
from spyglass.text.xxhash64 import xxhash64

ERROR = "__error__"
ERROR_DETAILS = "__error_details__"
PRESERVE_ERROR = "__preserve_error__"
SPECIAL = frozenset({ERROR, ERROR_DETAILS, PRESERVE_ERROR})
EXTRACTED = "_extracted"

Fields = dict[str, str]


@dataclass(slots=True)
class StreamSet:
    """The streams of one query by number. labels[i]: name -> value as now visible; base[i]: the names it had at first."""

    labels: list[Fields] = field(default_factory=list)
    base: list[frozenset[str]] = field(default_factory=list)
    _ids: dict[Labels, int] = field(default_factory=dict)
    _variants: dict[tuple[int, frozenset[str]], int] = field(default_factory=dict)
    _columns: dict[str, tuple[list[str | None], bool]] = field(default_factory=dict)
    _hashes: dict[int, int] = field(default_factory=dict)
    _metadata: dict[tuple[int, Labels], Fields] = field(default_factory=dict)
    _table: tuple[LabelTable, I32] | None = None

    def number(self, table: LabelTable) -> I32:
        """The numbers of a batch's streams [S]."""
        if self._table is not None and self._table[0] is table:
            return self._table[1]
        ids = np.fromiter((self._add(labels) for labels in table.all_labels()), np.int32, table.size)
        self._table = (table, ids)
        return ids

    def _add(self, labels: Labels) -> int:
        known = self._ids.get(labels)
        if known is not None:
            return known
        self._ids[labels] = number = len(self.labels)
        self.labels.append(dict(labels))
        self.base.append(frozenset(name for name, _ in labels))
        return number

    def without(self, number: int, names: frozenset[str]) -> int:
        """The variant of a stream that lacks `names`."""
        labels = self.labels[number]
        gone = frozenset(names & labels.keys())
        if not gone:
            return number
        key = (number, gone)
        known = self._variants.get(key)
        if known is None:
            self._variants[key] = known = len(self.labels)
            self.labels.append({name: value for name, value in labels.items() if name not in gone})
            self.base.append(self.base[number])
        return known

    def column(self, name: str) -> tuple[list[str | None], bool]:
        """The value of one label in every stream, and whether any has it."""
        values, there = self._columns.get(name) or ([], False)
        if len(values) < len(self.labels):
            added = [labels.get(name) for labels in self.labels[len(values) :]]
            values.extend(added)
            there = there or any(value is not None for value in added)
            self._columns[name] = (values, there)
        return values, there

    def hash(self, number: int) -> int:
        """Upstream's hash of a stream's labels, by which it orders lines of one time."""
        if number not in self._hashes:
            pairs = sorted((name, self.labels[number].get(name, "")) for name in self.base[number])
            text = b"".join(name.encode() + b"\xff" + value.encode() + b"\xff" for name, value in pairs)
            self._hashes[number] = xxhash64(text)
        return self._hashes[number]

    def metadata(self, number: int, labels: Labels) -> Fields:
        """A line's structured metadata; names that its stream has get `_extracted`. Shared: do not change."""
        key = (number, labels)
        known = self._metadata.get(key)
        if known is None:
            base = self.base[number]
            known = {name + EXTRACTED if name in base else name: value for name, value in labels}
            if len(self._metadata) < MAX_CACHED_METADATA:
                self._metadata[key] = known
        return known


MAX_CACHED_METADATA = 20_000
"""Distinct metadata sets remembered per query; more are built again for each line."""


def _metadata_of(streams: StreamSet, numbers: list[int], metadata: Sequence[Labels]) -> list[Fields]:
    """Each line's metadata as it is seen beside its stream. Equal sets are mostly one object: they are told apart by that first."""
    known: dict[tuple[int, int], Fields] = {}
    found = []
    for key, labels in zip(zip(numbers, map(id, metadata), strict=True), metadata, strict=True):
        fields = known.get(key)
        if fields is None:
            fields = known[key] = streams.metadata(key[0], labels) if labels else _NONE
        found.append(fields)
    return found


@dataclass(slots=True)
class Rows:
    """n lines on their way through a pipeline, in order of time.

    stream [n]: numbers in `streams`.  times [n] ns.  metadata, parsed: per line, or None where no line has any.
    failed: some line may carry `__error__`.
    """

    streams: StreamSet
    stream: I32
    times: I64
    lines: Sequence[str]
    metadata: list[Fields] | None = None
    parsed: list[Fields] | None = None
    failed: bool = False

    @property
    def size(self) -> int:
        return len(self.times)

    @staticmethod
    def of(batch: LogBatch, streams: StreamSet) -> "Rows":
        stream = streams.number(batch.labels)[batch.stream]
        metadata = None
        if batch.metadata is not None and any(batch.metadata):
            metadata = _metadata_of(streams, stream.tolist(), batch.metadata)
        rows = Rows(streams, stream, batch.times_ns, batch.lines, metadata)
        if batch.fields:
            parsed = rows.writable()
            for name, values in batch.fields.items():
                for fields, value in zip(parsed, values, strict=True):
                    if value is not None:
                        fields[name] = value
            rows.failed = ERROR in batch.fields
        return rows

    def take(self, keep: Sequence[int]) -> "Rows":
        """The lines at these places, in this order."""
        places = np.asarray(keep, np.int64)
        lines, metadata, parsed = self.lines, self.metadata, self.parsed
        return replace(
            self,
            stream=self.stream[places],
            times=self.times[places],
            lines=[lines[i] for i in keep],
            metadata=None if metadata is None else [metadata[i] for i in keep],
            parsed=None if parsed is None else [parsed[i] for i in keep],
        )

    def ties_ordered(self) -> "Rows":
        """The same lines, those of one time in upstream's order of streams."""
        ties = (self.times[1:] == self.times[:-1]) & (self.stream[1:] != self.stream[:-1])
        if not ties.any():
            return self
        used, inverse = np.unique(self.stream, return_inverse=True)
        ranks = np.argsort(np.argsort(np.asarray([self.streams.hash(number) for number in used.tolist()], np.uint64)))
        time_ids = np.cumsum(np.concatenate(([0], (self.times[1:] != self.times[:-1]).astype(np.int64))))
        order: list[int] = np.lexsort((ranks[inverse], time_ids)).tolist()
        return self.take(order)

    def where(self, mask: Iterable[bool]) -> "Rows":
        keep = [i for i, kept in enumerate(mask) if kept]
        return self if len(keep) == self.size else self.take(keep)

    def writable(self) -> list[Fields]:
        """The extracted fields of each line, made if there were none."""
        if self.parsed is None:
            self.parsed = [{} for _ in range(self.size)]
        return self.parsed

    def column(self, name: str) -> list[str | None]:
        """Every line's value of one label; None where it has none."""
        of_stream, there = self.streams.column(name)
        values: list[str | None] | None = None
        if there:
            values = [of_stream[s] for s in self.stream.tolist()]
        if self.metadata is not None:
            if values is None:
                values = [fields.get(name) for fields in self.metadata]
            else:
                values = [fields.get(name, v) for fields, v in zip(self.metadata, values, strict=True)]
        if self.parsed is not None:
            if values is None:
                return [fields.get(name) for fields in self.parsed]
            return [fields.get(name, v) for fields, v in zip(self.parsed, values, strict=True)]
        return [None] * self.size if values is None else values

    def texts(self, name: str) -> list[str]:
        """As column, with "" for what is not there."""
        return [value or "" for value in self.column(name)]

    def merged(self, place: int) -> Fields:
        """All labels of one line, as a new dictionary."""
        found = dict(self.streams.labels[self.stream[place]])
        if self.metadata is not None:
            found.update(self.metadata[place])
        if self.parsed is not None:
            found.update(self.parsed[place])
        return found

    def fail(self, place: int, error: str, details: str = "") -> None:
        """Mark a line: it stays, with `__error__`."""
        fields = self.writable()[place]
        fields[ERROR] = error
        if details:
            fields[ERROR_DETAILS] = details
        self.failed = True

    def failures(self) -> list[bool]:
        """Which lines carry an error."""
        if not self.failed or self.parsed is None:
            return [False] * self.size
        return [ERROR in fields for fields in self.parsed]

    def delete(self, place: int, names: frozenset[str]) -> None:
        """Take labels away from one line, wherever they come from."""
        number = int(self.stream[place])
        variant = self.streams.without(number, names)
        if variant != number:
            if not self.stream.flags.writeable or self.stream.base is not None:
                self.stream = self.stream.copy()
            self.stream[place] = variant
        if self.metadata is not None and not names.isdisjoint(self.metadata[place]):
            self.metadata[place] = {n: v for n, v in self.metadata[place].items() if n not in names}
        if self.parsed is not None:
            for name in names:
                self.parsed[place].pop(name, None)

    def restrict(self, keeps: Callable[[str], bool]) -> None:
        """Take away every label, of all lines, whose name does not pass. Work per stream, not per line, where it can be."""
        streams = self.streams
        used, inverse = np.unique(self.stream, return_inverse=True)
        variants = [
            streams.without(number, frozenset(name for name in streams.labels[number] if not keeps(name)))
            for number in used.tolist()
        ]
        self.stream = np.asarray(variants, np.int32)[inverse]
        if self.metadata is not None:
            # Lines share these: they are replaced, not changed.
            self.metadata = [
                {n: v for n, v in fields.items() if keeps(n)} if fields else fields for fields in self.metadata
            ]
        if self.parsed is not None:
            self.parsed = [{n: v for n, v in fields.items() if keeps(n)} for fields in self.parsed]

    def set(self, place: int, name: str, value: str) -> None:
        """Give one line a label; what its stream or metadata had under this name gives way."""
        self.delete(place, frozenset((name,)))
        self.writable()[place][name] = value


_NONE: Fields = {}
