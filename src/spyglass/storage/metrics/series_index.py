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
from spyglass.storage.metrics.fingerprints import as_ints, fingerprint, table_fingerprints
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
        self._slot_of: dict[int, int] = {}
        self._free: list[int] = []
        self.generations: I64 = np.zeros(_FIRST_CAPACITY, np.int64)
        self.live: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.fingerprints: U64 = np.zeros((_FIRST_CAPACITY, 2), np.uint64)
        self.last_ms: I64 = np.full(_FIRST_CAPACITY, NEVER_MS, np.int64)
        self.last_bits: U64 = np.zeros(_FIRST_CAPACITY, np.uint64)

    @property
    def count(self) -> int:
        """Live series."""
        return len(self._slot_of)

    @property
    def capacity(self) -> int:
        return self._capacity

    def find(self, labels: Labels) -> int:
        """The slot, -1 where there is no such series."""
        return self._slot_of.get(fingerprint(labels), -1)

    def add(self, labels: Labels, generation: int = 0, slot: int = -1) -> int:
        """Create a series and return its slot. Replay gives the generation and slot that the log holds."""
        if slot < 0:
            slot = self._free.pop() if self._free else self.size
        self._reserve(slot + 1)
        print_ = fingerprint(labels)
        self._slot_of[print_] = slot
        self.fingerprints[slot] = print_ >> 64, print_ & (2**64 - 1)
        self.generations[slot] = generation or self.generations[slot] + 1
        self.live[slot] = True
        self.last_ms[slot], self.last_bits[slot] = NEVER_MS, 0
        for name, value in labels:
            dictionary = self._dictionaries.get(name)
            if dictionary is None:
                dictionary = self._dictionaries[name] = _Dictionary(np.zeros(self._capacity, np.int32))
            dictionary.codes[slot] = dictionary.encode(value)
        self.size = max(self.size, slot + 1)
        return slot

    def restore(self, labels: Labels, ref: int) -> int:
        """Take a series from the log, at the place it had."""
        slot, generation = ref & SLOT_MASK, ref >> SLOT_BITS
        if slot < self.size:
            if self.generations[slot] >= generation:
                # Known, or of a series that was dropped since.
                return slot
            if self.live[slot]:
                self.drop(np.asarray([slot]))
            if slot in self._free:
                self._free.remove(slot)
        self._free.extend(range(self.size, slot))
        return self.add(labels, generation, slot)

    def drop(self, slots: I64) -> None:
        """Forget series; their references become unknown."""
        for print_ in as_ints(self.fingerprints[slots]):
            self._slot_of.pop(print_, None)
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
        self.fingerprints[:size] = table_fingerprints(table)
        slots = np.flatnonzero(live)
        self._slot_of = dict(zip(as_ints(self.fingerprints[slots]), slots.tolist(), strict=True))
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
        self.fingerprints = _grown(self.fingerprints, capacity)
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


def _grown(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", capacity: int):  # type: ignore[no-untyped-def]
    """A longer copy; what is new is zero. np.zeros maps memory lazily, and stretches of zeros are left untouched."""
    longer = np.zeros((capacity, *array.shape[1:]), array.dtype)
    for at in range(0, len(array), 4096):
        stretch = array[at : at + 4096]
        if stretch.any():
            longer[at : at + len(stretch)] = stretch
    return longer
