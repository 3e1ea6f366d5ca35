"""The active series: label columns, references, and the way from labels to a series.

A *slot* is a row of the columns. A *reference* is `generation << 32 | slot`: when a series is dropped its slot may serve another, under a
higher generation, so a stale reference is noticed instead of writing into someone else's series. Not thread-safe: the store locks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import I32, I64, U64, Mask
from spyglass.model.labels import LabelColumn, Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.row_table import RowTable
from spyglass.storage.metrics.fingerprints import fingerprints_of, table_fingerprints
from spyglass.storage.metrics.matching import match_rows

SLOT_BITS = 32
SLOT_MASK = (1 << SLOT_BITS) - 1
NEVER_MS = -(2**63)
_FIRST_CAPACITY = 1024


@dataclass(slots=True)
class _Dictionary:
    """One label name's values and the code of each slot. codes has the index's capacity."""

    codes: I32
    values: list[str] = field(default_factory=lambda: [""])
    code_of: dict[str, int] = field(default_factory=lambda: {"": 0})

    def encode(self, value: str) -> int:
        code = self.code_of.get(value)
        if code is None:
            code = self.code_of[value] = len(self.values)
            self.values.append(value)
        return code


class SeriesIndex:
    """Columns over slots [capacity]; `size` slots were ever used, the free ones among them have no fingerprint."""

    def __init__(self) -> None:
        self.size = 0
        self._capacity = _FIRST_CAPACITY
        self._dictionaries: dict[str, _Dictionary] = {}
        self._slot_of = RowTable()
        self._free: list[int] = []
        self.generations: I64 = np.zeros(_FIRST_CAPACITY, np.int64)
        self.live: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.last_ms: I64 = np.full(_FIRST_CAPACITY, NEVER_MS, np.int64)
        self.last_bits: U64 = np.zeros(_FIRST_CAPACITY, np.uint64)

    @property
    def count(self) -> int:
        """Live series."""
        return self._slot_of.count

    @property
    def capacity(self) -> int:
        return self._capacity

    @property
    def fingerprints(self) -> U64:
        """[slots,2]; of free slots whatever was there."""
        return self._slot_of.words

    def resolve(self, labels: Sequence[Labels], limit: int = 0) -> tuple[I64, I64]:
        """The slots [n] of label sets, and the rows of those that are new (each series once).

        limit: so many series at most, 0 for any number; what is new beyond it gets the slot -1.
        """
        words = fingerprints_of(labels)
        slots = self._slot_of.find(words)
        missing = np.flatnonzero(slots < 0)
        if not len(missing):
            return slots, missing
        first, which = _distinct(words[missing])
        created = missing[first]
        if limit:
            created = created[: max(limit - self.count, 0)]
        fresh = self._free_slots(len(created))
        self._fill(fresh, self._generations_after(fresh), words[created], [labels[row] for row in created.tolist()])
        refused = np.full(len(first) - len(created), -1)
        slots[missing] = np.append(fresh, refused)[which]
        return slots, created

    def _generations_after(self, slots: I64) -> I64:
        """What the next series in these slots have."""
        within = slots < self._capacity
        generations = np.zeros(len(slots), np.int64)
        generations[within] = self.generations[slots[within]]
        return generations + 1

    def _free_slots(self, count: int) -> I64:
        """Slots for so many new series: the free ones first, then new ones."""
        reused = min(count, len(self._free))
        taken = self._free[len(self._free) - reused :][::-1]
        del self._free[len(self._free) - reused :]
        return np.array([*taken, *range(self.size, self.size + count - reused)], np.int64)

    def _fill(self, slots: I64, generations: I64, words: U64, labels: Sequence[Labels]) -> None:
        """Put new series into free slots."""
        if not len(slots):
            return
        self.size = max(self.size, int(slots.max()) + 1)
        self._reserve(self.size)
        self._slot_of.add(words, slots)
        self.generations[slots] = generations
        self.live[slots] = True
        self.last_ms[slots], self.last_bits[slots] = NEVER_MS, 0
        rows: dict[str, tuple[list[int], list[int]]] = {}
        for slot, one in zip(slots.tolist(), labels, strict=True):
            for name, value in one:
                places, codes = rows.get(name) or rows.setdefault(name, ([], []))
                places.append(slot)
                codes.append(self._dictionary(name).encode(value))
        for name, (places, codes) in rows.items():
            self._dictionaries[name].codes[places] = codes

    def _dictionary(self, name: str) -> _Dictionary:
        found = self._dictionaries.get(name)
        if found is None:
            found = self._dictionaries[name] = _Dictionary(np.zeros(self._capacity, np.int32))
        return found

    def restore(self, series: Sequence[tuple[int, Labels]]) -> None:
        """Take series from the log, (reference, labels), at the places that they had."""
        start = 0
        for at, (ref, labels) in enumerate(series):
            before = series[at - 1][0] & SLOT_MASK if at > start else -1
            if ref & SLOT_MASK < self.size or ref & SLOT_MASK <= before:
                self._restore_fresh(series[start:at])
                self._restore_one(ref, labels)
                start = at + 1
        self._restore_fresh(series[start:])

    def _restore_fresh(self, series: Sequence[tuple[int, Labels]]) -> None:
        """Series of ascending slots that were never used."""
        if not series:
            return
        refs = np.array([ref for ref, _ in series], np.int64)
        slots = refs & SLOT_MASK
        skipped = np.setdiff1d(np.arange(self.size, int(slots[-1])), slots, assume_unique=True)
        self._free.extend(skipped.tolist())
        self._refill(slots, refs >> SLOT_BITS, [labels for _, labels in series])

    def _restore_one(self, ref: int, labels: Labels) -> None:
        slot, generation = ref & SLOT_MASK, ref >> SLOT_BITS
        if slot >= self.size:
            self._restore_fresh([(ref, labels)])
            return
        if self.generations[slot] >= generation:
            # Known, or of a series that was dropped since.
            return
        if self.live[slot]:
            self.drop(np.asarray([slot]))
        if slot in self._free:
            self._free.remove(slot)
        self._refill(np.asarray([slot]), np.asarray([generation]), [labels])

    def _refill(self, slots: I64, generations: I64, labels: Sequence[Labels]) -> None:
        words = fingerprints_of(labels)
        # A series that was dropped and came again before its dropping was saved: the later place is the one that is found.
        earlier = self._slot_of.find(words)
        self._slot_of.remove(earlier[earlier >= 0])
        self._fill(slots, generations, words, labels)

    def drop(self, slots: I64) -> None:
        """Forget live series; their references become unknown."""
        self._slot_of.remove(slots)
        self._free.extend(slots.tolist())
        self.live[slots] = False
        self.last_ms[slots] = NEVER_MS
        for dictionary in self._dictionaries.values():
            dictionary.codes[slots] = 0
        self._shrink_dictionaries()

    def refs(self, slots: I64) -> I64:
        return (self.generations[slots] << SLOT_BITS) | slots

    def slots_of(self, refs: I64) -> tuple[I64, Mask]:
        """Slots [n] and which of the references are known; the slot of an unknown one is 0."""
        slots = refs & SLOT_MASK
        known = (refs > 0) & (slots < self.size)
        if not known.all():
            slots = np.where(known, slots, 0)
        if not self.size:
            return slots, known
        known &= (self.generations[slots] == refs >> SLOT_BITS) & self.live[slots]
        return slots, known

    def load(self, table: LabelTable, generations: I64, live: Mask, last_ms: I64, last_bits: U64) -> None:
        """Become what a checkpoint holds. The index is empty before."""
        size = table.size
        self._reserve(size)
        self.size = size
        for name, column in table.columns.items():
            codes = np.zeros(self._capacity, np.int32)
            codes[:size] = column.codes
            values = list(column.values)
            code_of = {value: code for code, value in enumerate(values)}
            self._dictionaries[name] = _Dictionary(codes, values, code_of)
        self.generations[:size], self.live[:size] = generations, live
        self.last_ms[:size], self.last_bits[:size] = last_ms, last_bits
        slots = np.flatnonzero(live)
        self._slot_of.reserve(size)
        self._slot_of.add(table_fingerprints(table)[slots], slots)
        self._free = np.flatnonzero(~live).tolist()

    def match(self, matchers: Sequence[Matcher]) -> I64:
        """Slots of the live series that pass all matchers, ascending."""
        columns = {m.name: self._column(m.name) for m in matchers if m.name in self._dictionaries}
        slots = match_rows(columns, self.size, matchers, self._code_of)
        return slots if len(slots) == 0 or not self._free else slots[self.live[slots]]

    def table(self, slots: I64) -> LabelTable:
        """The labels of some series. Names that none of them has are left out."""
        columns = {}
        for name, dictionary in self._dictionaries.items():
            codes = dictionary.codes[slots]
            if codes.any():
                columns[name] = LabelColumn(codes, dictionary.values)
        return LabelTable(len(slots), columns)

    def distinct_values(self) -> int:
        """Length of all dictionaries together."""
        return sum(len(dictionary.values) for dictionary in self._dictionaries.values())

    def _column(self, name: str) -> LabelColumn:
        dictionary = self._dictionaries[name]
        return LabelColumn(dictionary.codes, dictionary.values)

    def _code_of(self, name: str, value: str) -> int:
        return self._dictionaries[name].code_of.get(value, -1)

    def _reserve(self, wanted: int) -> None:
        if wanted <= self._capacity:
            return
        capacity = max(wanted, self._capacity * 2)
        self.generations = _grown(self.generations, capacity)
        self.live = _grown(self.live, capacity)
        self.last_ms = _grown(self.last_ms, capacity)
        self.last_bits = _grown(self.last_bits, capacity)
        for dictionary in self._dictionaries.values():
            dictionary.codes = _grown(dictionary.codes, capacity)
        self._capacity = capacity

    def _shrink_dictionaries(self) -> None:
        """Rebuild the dictionaries of which most values went: tables that left hold the old lists, so a new list is made."""
        for name, dictionary in list(self._dictionaries.items()):
            used = np.unique(dictionary.codes[: self.size])
            if not used.any():
                del self._dictionaries[name]
            elif len(used) * 2 < len(dictionary.values):
                self._rebuild(dictionary, used)

    def _rebuild(self, dictionary: _Dictionary, used: I32) -> None:
        kept = used[used != 0]
        mapping = np.zeros(len(dictionary.values), np.int32)
        mapping[kept] = np.arange(1, len(kept) + 1, dtype=np.int32)
        dictionary.values = ["", *(dictionary.values[code] for code in kept.tolist())]
        dictionary.code_of = {value: code for code, value in enumerate(dictionary.values)}
        dictionary.codes[: self.size] = mapping[dictionary.codes[: self.size]]


def _distinct(words: U64) -> tuple[I64, I64]:
    """Of words [n,2]: where each distinct one occurs first, in order of occurrence [d], and the place of each among those [n]."""
    order = np.lexsort((words[:, 1], words[:, 0]))
    ordered = words[order]
    fresh = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    first = order[fresh]
    by_occurrence = np.argsort(first)
    place = np.empty(len(first), np.int64)
    place[by_occurrence] = np.arange(len(first))
    which = np.empty(len(order), np.int64)
    which[order] = place[np.cumsum(fresh) - 1]
    return first[by_occurrence], which


def _grown(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", capacity: int):  # type: ignore[no-untyped-def]
    """A longer copy; what is new is zero. np.zeros maps memory lazily, and stretches of zeros are left untouched."""
    longer = np.zeros((capacity, *array.shape[1:]), array.dtype)
    for at in range(0, len(array), 4096):
        stretch = array[at : at + 4096]
        if stretch.any():
            longer[at : at + len(stretch)] = stretch
    return longer
