"""From what names a series in a sender's bodies to its reference.

Keys are told apart by their digests (formats/series_keys.py), which stand in the order of first arrival. A sender repeats its series in
much the same order: so what follows one key in that order is compared with what follows it in the body at once, and
only what does not fit is looked up in the table.
"""

import threading
from collections.abc import Sequence

import numpy as np

from spyglass.formats.remote_write.columns import UNKNOWN
from spyglass.formats.series_keys import Key, digests_of
from spyglass.model.arrays import I64, U64
from spyglass.model.row_table import RowTable

KEYS_MAX = 4_000_000
"""Beyond it the cache starts over. A key takes about 40 bytes."""


class KeyCache:
    """Thread-safe. formats.remote_write.columns.KnownKeys."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._row_of = RowTable()
        self._refs = np.zeros(1024, np.int64)

    def refs(self, keys: Sequence[Key]) -> I64:
        """The reference of each key, UNKNOWN where there is none."""
        digests = digests_of(keys)
        with self._lock:
            rows = self._rows(digests)
            return np.where(rows < 0, UNKNOWN, self._refs[np.maximum(rows, 0)])

    def _rows(self, digests: U64) -> I64:
        if not len(digests):
            return np.zeros(0, np.int64)
        start = int(self._row_of.find(digests[:1])[0])
        if start < 0:
            return self._row_of.find(digests)
        rows = np.arange(start, start + len(digests))
        known = self._row_of.words[start : min(start + len(digests), self._row_of.count)]
        fits = np.zeros(len(digests), np.bool_)
        fits[: len(known)] = (known[:, 0] == digests[: len(known), 0]) & (known[:, 1] == digests[: len(known), 1])
        if not fits.all():
            rows[~fits] = self._row_of.find(digests[~fits])
        return rows

    def learn(self, pairs: Sequence[tuple[Key, int]]) -> None:
        """Remember references; a key that is known gets the new one."""
        # Of a key that occurs twice the last reference counts.
        refs_of = dict(pairs)
        digests = digests_of(list(refs_of))
        refs = np.fromiter(refs_of.values(), np.int64, len(refs_of))
        with self._lock:
            if self._row_of.count + len(refs) > KEYS_MAX:
                self._clear()
            rows = self._row_of.find(digests)
            fresh = np.flatnonzero(rows < 0)
            rows[fresh] = np.arange(self._row_of.count, self._row_of.count + len(fresh))
            self._row_of.add(digests[fresh], rows[fresh])
            self._refs = _room(self._refs, self._row_of.count)
            self._refs[rows] = refs


def _room(array: I64, size: int) -> I64:
    """The array with room for `size` elements, doubled until it has."""
    if size <= len(array):
        return array
    grown = np.zeros(max(size, 2 * len(array)), np.int64)
    grown[: len(array)] = array
    return grown
