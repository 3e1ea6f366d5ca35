"""Columns of a slot over the n lines of a part: dictionary-coded text, plain text, integers, ISO timestamps.

A column gives back the exact text of every row. What a filter needs beyond that (its distinct values, numbers) is computed
per distinct value where there is a dictionary, and in numpy otherwise.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spyglass.model.arrays import F64, I64, Mask, Objects
from spyglass.model.log_columns import offsets_of

ISO_WIDTH = 24
"""`2026-11-23T19:23:08.123Z`"""


@dataclass(frozen=True)
class TextTable:
    """Byte strings one after the other: value i is blob[offsets[i]:offsets[i+1]]."""

    blob: bytes
    offsets: I64

    @property
    def size(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def texts(self) -> list[str]:
        """All values decoded; kept, so for dictionaries only."""
        return self.take(np.arange(self.size))

    def take(self, rows: I64) -> list[str]:
        starts, ends, blob = self.offsets[rows].tolist(), self.offsets[rows + 1].tolist(), self.blob
        if len(starts) * 4 > self.size and blob.isascii():
            text = blob.decode("ascii")
            return [text[a:b] for a, b in zip(starts, ends, strict=True)]
        return [blob[a:b].decode("utf-8", "replace") for a, b in zip(starts, ends, strict=True)]

    @staticmethod
    def of(values: Sequence[bytes]) -> "TextTable":
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        return TextTable(b"".join(values), offsets_of(lengths))


@dataclass(frozen=True)
class DictColumn:
    """codes [n] (uint8, uint16 or int32) into `values`. Values are distinct."""

    codes: I64
    values: TextTable

    @property
    def size(self) -> int:
        return len(self.codes)

    @property
    def memory_bytes(self) -> int:
        return self.codes.nbytes + len(self.values.blob) + self.values.offsets.nbytes

    def strings(self, rows: I64) -> list[str]:
        texts = self.values.texts
        return [texts[code] for code in self.codes[rows].tolist()]

    def lengths(self) -> I64:
        return np.diff(self.values.offsets)[self.codes]

    def where(self, test: Callable[[str], bool]) -> Mask:
        """[n]: whether the text of the row passes; `test` runs once per distinct value."""
        passes = np.fromiter(map(test, self.values.texts), np.bool_, self.values.size)
        return passes[self.codes]

    def numbers(self) -> F64 | None:
        return None


@dataclass(frozen=True)
class PlainColumn:
    """Text with mostly distinct values."""

    values: TextTable

    @property
    def size(self) -> int:
        return self.values.size

    @property
    def memory_bytes(self) -> int:
        return len(self.values.blob) + self.values.offsets.nbytes

    def strings(self, rows: I64) -> list[str]:
        return self.values.take(rows)

    def lengths(self) -> I64:
        return np.diff(self.values.offsets)

    def where(self, test: Callable[[str], bool]) -> Mask:
        return np.fromiter(map(test, self.strings(np.arange(self.size))), np.bool_, self.size)

    def numbers(self) -> F64 | None:
        return None


@dataclass(frozen=True)
class IntColumn:
    """Canonical non-negative decimal integers of at most 18 digits: the text is str(value). values: int32 or int64."""

    values: I64

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes

    def strings(self, rows: I64) -> list[str]:
        return [str(value) for value in self.values[rows].tolist()]

    def lengths(self) -> I64:
        return np.searchsorted(_POWERS, self.values, side="right").astype(np.int64) + 1

    def where(self, test: Callable[[str], bool]) -> Mask:
        distinct, inverse = ranked(self.values)
        passes = np.fromiter((test(str(value)) for value in distinct.tolist()), np.bool_, len(distinct))
        return passes[inverse]

    def numbers(self) -> F64 | None:
        return self.values.astype(np.float64)


@dataclass(frozen=True)
class IsoColumn:
    """Timestamps of the form 2026-11-23T19:23:08.123Z, as milliseconds since 1970."""

    values: I64

    @property
    def size(self) -> int:
        return len(self.values)

    @property
    def memory_bytes(self) -> int:
        return self.values.nbytes

    def strings(self, rows: I64) -> list[str]:
        texts: Objects = np.datetime_as_string(self.values[rows].view("M8[ms]"))
        return [text + "Z" for text in texts.tolist()]

    def lengths(self) -> I64:
        return np.full(self.size, ISO_WIDTH, np.int64)

    def where(self, test: Callable[[str], bool]) -> Mask:
        return np.fromiter(map(test, self.strings(np.arange(self.size))), np.bool_, self.size)

    def numbers(self) -> F64 | None:
        return None


def ranked(values: I64) -> tuple[I64, I64]:
    """(distinct values ascending, rank of each value). By counting where the values are close together, else by sorting."""
    low, high = int(values.min(initial=0)), int(values.max(initial=0))
    if high - low > 1 << 20:
        distinct, inverse = np.unique(values, return_inverse=True)
        return distinct, inverse
    shifted = values - low
    present = np.bincount(shifted, minlength=1) > 0
    distinct = np.flatnonzero(present) + low
    return distinct, (np.cumsum(present) - 1)[shifted]


Column = DictColumn | PlainColumn | IntColumn | IsoColumn

_POWERS = 10 ** np.arange(1, 19, dtype=np.int64)
