"""From what names a series in a sender's bodies to its reference.

A sender repeats its series in much the same order. So keys are kept in the order of their first arrival, and a stretch of a body that
equals a stretch of that order is known in one comparison of lists; what does not fit is looked up key by key.
"""

import threading
from collections.abc import Sequence
from itertools import compress, count
from operator import ne

import numpy as np

from spyglass.formats.remote_write.columns import UNKNOWN, Key
from spyglass.model.arrays import I64

KEYS_MAX = 2_000_000
"""Beyond it the cache starts over. A key takes about 250 bytes."""

STRETCHES_MAX = 32
"""A body in more pieces than this is looked up key by key."""


class KeyCache:
    """Thread-safe. formats.remote_write.columns.KnownKeys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._place: dict[Key, int] = {}
        self._order: list[Key] = []
        self._refs = np.zeros(1024, np.int64)

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
            for key, ref in pairs:
                place = self._place.setdefault(key, len(self._order))
                if place == len(self._order):
                    self._order.append(key)
                self._refs[place] = ref


def _room(array: I64, size: int) -> I64:
    """The array with room for `size` elements, doubled until it has."""
    if size <= len(array):
        return array
    grown = np.zeros(max(size, 2 * len(array)), np.int64)
    grown[: len(array)] = array
    return grown
