"""Matchers over dictionary-coded columns: one vectorised comparison each, a regex once per distinct value.

Used for the head's index and for the blocks' alike: both are label columns.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from spyglass.model.arrays import I32, I64, Mask
from spyglass.model.labels import LabelColumn
from spyglass.model.matchers import Matcher, MatchOp

Columns = Mapping[str, LabelColumn]
CodeLookup = Callable[[str, str], int]
"""(label name, value) -> code, -1 where the value is not in the dictionary."""


def match_rows(columns: Columns, size: int, matchers: Sequence[Matcher], code_of: CodeLookup) -> I64:
    """The rows of `size` series, ascending, that pass all matchers.

    Cheap and selective matchers go first; each later one looks only at the rows that are left.
    """
    rows: I64 | None = None
    for matcher in sorted(matchers, key=_cost):
        rows = _narrow(rows, size, columns.get(matcher.name), matcher, code_of)
        if rows is not None and not len(rows):
            return rows
    return np.arange(size, dtype=np.int64) if rows is None else rows


def _cost(matcher: Matcher) -> int:
    if matcher.op is MatchOp.EQUAL and matcher.value:
        return 0 if matcher.name == "__name__" else 1
    if matcher.literal_alternatives() is not None:
        return 2
    return 3


def _narrow(
    rows: I64 | None, size: int, column: LabelColumn | None, matcher: Matcher, code_of: CodeLookup
) -> I64 | None:
    """The rows (None: all of them) that pass one matcher."""
    if column is None:
        return rows if matcher.matches_empty() else np.zeros(0, np.int64)
    codes = column.codes[:size] if rows is None else column.codes[rows]
    keep = _passing(codes, column.values, matcher, code_of)
    return np.flatnonzero(keep) if rows is None else rows[keep]


def _passing(codes: I32, values: Sequence[str], matcher: Matcher, code_of: CodeLookup) -> Mask:
    alternatives = matcher.literal_alternatives()
    if alternatives is not None and len(alternatives) <= 64:
        found = [code for code in (code_of(matcher.name, value) for value in alternatives) if code >= 0]
        keep: Mask = codes == found[0] if len(found) == 1 else np.isin(codes, found)
        return ~keep if matcher.is_negative else keep
    return _per_value(codes, values, matcher)


def _per_value(codes: I32, values: Sequence[str], matcher: Matcher) -> Mask:
    """Evaluate once per distinct value that occurs: of all values, or of those of the remaining rows if that is fewer."""
    matches = matcher.matches
    passes: Mask
    if len(codes) < len(values):
        used, inverse = np.unique(codes, return_inverse=True)
        passes = np.fromiter((matches(values[code]) for code in used.tolist()), np.bool_, len(used))
        return passes[inverse]
    occurs = np.zeros(len(values), np.bool_)
    occurs[codes] = True
    passes = np.zeros(len(values), np.bool_)
    for code in np.flatnonzero(occurs).tolist():
        passes[code] = matches(values[code])
    return passes[codes]
