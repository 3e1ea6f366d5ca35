"""From what names a series in a sender's bodies to its reference.

A sender repeats its series in much the same order. So keys are kept in the order of their first arrival, and beside them the
bytes that a body of 1.0 has for them: an entry is

    0a  length  key (the labels)  12 10 09 value(8) 10 time(6)          the last 18 bytes are the sample

and the template holds it with the sample zeroed. A stretch of a body that equals a stretch of the template but for the samples is
known in one comparison of arrays: no entry is looked at by itself. What does not fit is compared key by key, then looked up.
"""

import threading
from collections.abc import Sequence
from itertools import compress, count
from operator import ne
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spyglass.formats.remote_write import SAMPLE_BYTES, UNKNOWN, Key, KnownBody, read_size
from spyglass.formats.wire import put_bytes
from spyglass.model.arrays import I64, U8

KEYS_MAX = 2_000_000
"""Beyond it the cache starts over. A key takes about 250 bytes."""

TEMPLATE_KEYS_MAX = 300_000
"""So many keys are in the template, which takes about 180 bytes for each; later ones are compared key by key."""

Number = TypeVar("Number", np.int64, np.uint8)

_SAMPLE = np.arange(-SAMPLE_BYTES, 0)

STRETCHES_MAX = 32
"""A body in more pieces than this is looked up key by key."""


class KeyCache:
    """Thread-safe. formats.remote_write.KnownKeys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._place: dict[Key, int] = {}
        self._order: list[Key] = []
        self._refs = np.zeros(1024, np.int64)
        # The template of the first `_templated` keys; entry i is template[ends[i-1]:ends[i]].
        self._template = np.zeros(1 << 16, np.uint8)
        self._ends = np.zeros(1024, np.int64)
        self._templated = 0

    def match(self, data: bytes) -> KnownBody | None:
        """The whole body in stretches of the template; None where it does not fit."""
        with self._lock:
            stretches = self._matched(data)
            if not stretches:
                return None
            keys = [key for start, size, _ in stretches for key in self._order[start : start + size]]
            refs = np.concatenate([self._refs[start : start + size] for start, size, _ in stretches])
            ends = np.concatenate([at + self._sizes(start, size) for start, size, at in stretches])
            return KnownBody(keys, ends, refs)

    def _matched(self, data: bytes) -> list[tuple[int, int, int]] | None:
        """(first key, number of keys, where in the body) of each stretch."""
        body = np.frombuffer(data, np.uint8)
        found: list[tuple[int, int, int]] = []
        at = 0
        while at < len(data):
            start = self._place_at(data, at)
            if start is None or start >= self._templated or len(found) == STRETCHES_MAX:
                return None
            size = self._stretch(body, at, start)
            if size == 0:
                return None
            found.append((start, size, at))
            at += int(self._sizes(start, size)[-1])
        return found

    def _place_at(self, data: bytes, at: int) -> int | None:
        if data[at] != 0x0A or at + 1 >= len(data):
            return None
        size, begin = read_size(data, at + 1)
        return self._place.get(data[begin : begin + size - SAMPLE_BYTES])

    def _sizes(self, start: int, size: int) -> I64:
        """Where each of the entries from `start` on ends, counted from the first one's begin."""
        begin = int(self._ends[start - 1]) if start else 0
        return self._ends[start : start + size] - begin

    def _stretch(self, body: U8, at: int, start: int) -> int:
        """How many entries from `at` on are those of the template from `start` on."""
        sizes = self._sizes(start, self._templated - start)
        fitting = int(np.searchsorted(sizes, len(body) - at, "right"))
        if fitting == 0:
            return 0
        sizes = sizes[:fitting]
        piece = body[at : at + int(sizes[-1])].copy()
        piece[sizes[:, None] + _SAMPLE] = 0
        begin = int(self._ends[start - 1]) if start else 0
        differs = piece != self._template[begin : begin + len(piece)]
        first = int(differs.argmax())
        return fitting if not differs[first] else int(np.searchsorted(sizes, first, "right"))

    def refs(self, keys: Sequence[Key]) -> I64:
        """The reference of each key, UNKNOWN where there is none."""
        with self._lock:
            places = self._stretches(keys)
            if places is None:
                places = np.fromiter((self._place.get(key, UNKNOWN) for key in keys), np.int64, len(keys))
            return np.where(places == UNKNOWN, UNKNOWN, self._refs[places])

    def _stretches(self, keys: Sequence[Key]) -> I64 | None:
        """Places by comparing stretches; None where a key is unknown or the order is all different."""
        places = np.empty(len(keys), np.int64)
        at = 0
        for _ in range(STRETCHES_MAX):
            if at == len(keys):
                return places
            start = self._place.get(keys[at])
            if start is None:
                return None
            known = self._order[start : start + len(keys) - at]
            size = next(compress(count(), map(ne, known, keys[at : at + len(known)])), len(known))
            places[at : at + size] = np.arange(start, start + size)
            at += size
        return places if at == len(keys) else None

    def learn(self, pairs: Sequence[tuple[Key, int]]) -> None:
        """Remember references; a key that is known gets the new one."""
        with self._lock:
            if len(self._order) + len(pairs) > KEYS_MAX:
                self._clear()
            self._refs = _room(self._refs, len(self._order) + len(pairs))
            fresh: list[Key] = []
            for key, ref in pairs:
                place = self._place.setdefault(key, len(self._order))
                if place == len(self._order):
                    self._order.append(key)
                    fresh.append(key)
                self._refs[place] = ref
            self._extend_template(fresh)

    def _extend_template(self, fresh: list[Key]) -> None:
        """Only while the template holds every key so far: its places are the order's."""
        if self._templated != len(self._order) - len(fresh) or len(self._order) > TEMPLATE_KEYS_MAX:
            return
        keys = [key for key in fresh if isinstance(key, bytes)]
        if len(keys) != len(fresh) or not keys:
            return
        entries = [put_bytes(1, key + bytes(SAMPLE_BYTES)) for key in keys]
        begin = int(self._ends[self._templated - 1]) if self._templated else 0
        ends = begin + np.cumsum([len(entry) for entry in entries])
        self._template = _room(self._template, int(ends[-1]))
        self._template[begin : int(ends[-1])] = np.frombuffer(b"".join(entries), np.uint8)
        self._ends = _room(self._ends, self._templated + len(keys))
        self._ends[self._templated : self._templated + len(keys)] = ends
        self._templated += len(keys)


def _room(array: npt.NDArray[Number], size: int) -> npt.NDArray[Number]:
    """The array with room for `size` elements, doubled until it has."""
    if size <= len(array):
        return array
    grown = np.zeros(max(size, 2 * len(array)), array.dtype)
    grown[: len(array)] = array
    return grown
