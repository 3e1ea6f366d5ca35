"""From 128-bit words to rows: a hash table in numpy arrays, asked for many words at once.

    words [R,2]   each row's words; whoever owns the rows numbers them
    places [2^k]  a row, EMPTY or GONE; a row stands at the first free place from `first word mod 2^k` on

About 28 bytes a row, where a dictionary of Python integers takes 150. Words are expected to be hashes: their low bits spread.
"""

import numpy as np

from spyglass.model.arrays import I32, I64, U64, Mask

EMPTY, GONE = -1, -2
_FIRST_PLACES = 2048


class RowTable:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._places: I32 = np.full(_FIRST_PLACES, EMPTY, np.int32)
        self._gone = 0
        self.count = 0
        """Rows in the table."""
        self.words: U64 = np.zeros((1024, 2), np.uint64)

    def find(self, words: U64) -> I64:
        """The row [n] of each of the words [n,2], -1 where there is none."""
        found = np.full(len(words), -1, np.int64)
        asked, at = np.arange(len(words)), self._home(words)
        while len(asked):
            rows = self._places[at]
            hit = (rows >= 0) & self._equal(rows, words, asked)
            found[asked[hit]] = rows[hit]
            further = ~hit & (rows != EMPTY)
            asked, at = asked[further], self._next(at[further])
        return found

    def add(self, words: U64, rows: I64) -> None:
        """Enter rows [n] under words [n,2], which are distinct and not in the table."""
        if not len(rows):
            return
        self.reserve(int(rows.max()) + 1)
        self.words[rows] = words
        if 2 * (self.count + self._gone + len(rows)) > len(self._places):
            self._rebuild(self.count + len(rows))
        self._place(rows)
        self.count += len(rows)

    def remove(self, rows: I64) -> None:
        """Take out distinct rows; those that are not in the table do not matter."""
        left, at = rows, self._home(self.words[rows])
        while len(left):
            held = self._places[at]
            hit = held == left
            self._places[at[hit]] = GONE
            self.count -= int(np.count_nonzero(hit))
            self._gone += int(np.count_nonzero(hit))
            further = ~hit & (held != EMPTY)
            left, at = left[further], self._next(at[further])

    def reserve(self, rows: int) -> None:
        """Make room for the words of so many rows. New memory is touched as it is used."""
        if rows > len(self.words):
            longer = np.zeros((max(rows, 2 * len(self.words)), 2), np.uint64)
            longer[: len(self.words)] = self.words
            self.words = longer

    def _home(self, words: U64) -> I64:
        return (words[:, 0] & np.uint64(len(self._places) - 1)).astype(np.int64)

    def _next(self, at: I64) -> I64:
        return (at + 1) & (len(self._places) - 1)

    def _equal(self, rows: I32, words: U64, asked: I64) -> Mask:
        rows = np.maximum(rows, 0)
        same: Mask = (self.words[rows, 0] == words[asked, 0]) & (self.words[rows, 1] == words[asked, 1])
        return same

    def _place(self, rows: I64) -> None:
        at = self._home(self.words[rows])
        while len(rows):
            free = self._places[at] < 0
            # Of rows that want one place the last gets it; the others go on with the next.
            self._places[at[free]] = rows[free]
            left = self._places[at] != rows
            rows, at = rows[left], self._next(at[left])

    def _rebuild(self, count: int) -> None:
        """A table of which `count` rows fill between a quarter and half."""
        rows = self._places[self._places >= 0].astype(np.int64)
        self._places = np.full(max(_FIRST_PLACES, 1 << (2 * count - 1).bit_length()), EMPTY, np.int32)
        self._gone = 0
        self._place(rows)
