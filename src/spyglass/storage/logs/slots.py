"""From the pieces of a slot to the column that suits them best."""

import numpy as np

from spyglass.model.arrays import I64, U8, U64
from spyglass.model.log_columns import offsets_of
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, IsoColumn, PlainColumn, TextTable
from spyglass.storage.logs.hashes import hash_matrix
from spyglass.storage.logs.matching import Pieces
from spyglass.storage.logs.pages import narrow_codes
from spyglass.storage.logs.slot_numbers import parse_integers, parse_iso

_SAMPLE = 2048
_MOSTLY_DISTINCT = 1980
"""So many different values in a sample: a dictionary would not shrink."""


def encode_slot(pieces: Pieces, buffer: U8, *, quoted: bool) -> Column:
    """It gives back the exact text of the pieces, which lie in the buffer."""
    matrix, lengths = pieces.matrix, pieces.lengths
    if matrix is not None:
        if not quoted and (integers := parse_integers(matrix, lengths)) is not None:
            return IntColumn(integers)
        if quoted and (times := parse_iso(matrix, lengths)) is not None:
            return IsoColumn(times)
        column = _dictionary(matrix, lengths)
        if column is not None:
            return column
    return PlainColumn(TextTable(pieces.text(buffer), offsets_of(lengths)))


def _dictionary(matrix: U8, lengths: I64) -> DictColumn | None:
    """None where most values are distinct, or (once in a universe) two values share a hash."""
    n = len(lengths)
    hashes = hash_matrix(matrix)
    if n > 2 * _SAMPLE and _distinct(np.sort(hashes[:: n // _SAMPLE])) > _MOSTLY_DISTINCT:
        return None
    first, codes = numbered(hashes)
    if len(first) > max(n // 2, 16):
        return None
    # Raw lines may end in NULs, which padding would hide: lengths are part of a value.
    same = first[codes]
    if not (lengths[same] == lengths).all() or not _equal_rows(matrix, same):
        return None
    distinct = Pieces(first, lengths[first], matrix[first])
    return DictColumn(narrow_codes(codes, len(first)), TextTable(distinct.text(matrix), offsets_of(lengths[first])))


def _equal_rows(matrix: U8, same: I64) -> bool:
    """Whether each row equals the one named. Of a single word the hash tells: it is a bijection."""
    width = matrix.shape[1]
    if width == 8:
        return True
    others = np.ndarray((len(matrix),), dtype=f"V{width}", buffer=matrix)[same]
    return bool((others.view(np.uint64) == matrix.reshape(-1).view(np.uint64)).all())


def _distinct(ordered: U64) -> int:
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1


def numbered(hashes: U64) -> tuple[I64, I64]:
    """(the first row of each distinct hash, for each row the number of its hash), in order of first occurrence.

    As a hash table does it: the first row in each bucket stands for all of its hash; those of another hash are sorted.
    """
    n = len(hashes)
    bits = max(10, n.bit_length() + 1)
    bucket = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    table = np.empty(1 << bits, np.int64)
    # Of several writes to one bucket the last stays: backwards, that is the first row.
    table[bucket[::-1]] = np.arange(n - 1, -1, -1)
    same = table[bucket]
    others = np.flatnonzero(hashes[same] != hashes)
    if len(others):
        same[others] = others[_firsts(hashes[others])]
    is_first = same == np.arange(n)
    numbers = np.cumsum(is_first) - 1
    return np.flatnonzero(is_first), numbers[same]


def _firsts(hashes: U64) -> I64:
    """[r] the first row with the same hash."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    firsts = np.empty(len(hashes), np.int64)
    firsts[order] = np.repeat(order[starts], np.diff(starts, append=len(hashes)))
    return firsts
