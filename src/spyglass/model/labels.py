"""Labels: one series' label set, and the label columns of many series.

A `LabelTable` holds the labels of S series as dictionary-coded columns: per label name an int32 code per series and the
list of values that the codes index. Code 0 is the empty string, which in the Prometheus data model is the same as the
label being absent. Dictionaries are append-only and shared by reference between a store and the tables that leave it;
within one dictionary a value occurs once, so equal codes mean equal values. Across dictionaries use `unify`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.arrays import I32, I64

METRIC_NAME = "__name__"

Labels = tuple[tuple[str, str], ...]
"""One label set: (name, value) pairs, sorted by name, no empty values, names unique."""


def labels_of(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
    """Canonical labels: sorted by name, empty values dropped. Later pairs win over earlier ones."""
    items = dict(pairs)
    return tuple(sorted((name, value) for name, value in items.items() if value))


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """One label over S series: `codes [S]` index `values`; values[0] is "" and means absent."""

    codes: I32
    values: Sequence[str]

    def take(self, rows: I64 | I32) -> "LabelColumn":
        return LabelColumn(self.codes[rows], self.values)

    def decode(self) -> list[str]:
        """The value of every series, "" where absent."""
        values = self.values
        return [values[code] for code in self.codes.tolist()]

    def distinct(self) -> tuple[I64, I64]:
        """The codes that occur, ascending [V], and for each series the place of its code among them [S]."""
        if len(self.values) > 4 * len(self.codes):
            used, places = np.unique(self.codes, return_inverse=True)
            return used.astype(np.int64), places
        # Codes are small numbers: marking those that occur is cheaper than sorting.
        occurs = np.zeros(len(self.values), np.bool_)
        occurs[self.codes] = True
        rank = np.cumsum(occurs) - 1
        return np.flatnonzero(occurs), rank[self.codes]

    def ranks(self) -> I64:
        """Each series' place [S] among the distinct values in order of text; -1 where the label is absent."""
        codes, places = self.distinct()
        texts = [self.values[code] for code in codes.tolist()]
        rank = np.empty(len(texts), np.int64)
        rank[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
        rank -= "" in texts
        return rank[places]

    @staticmethod
    def encode(values: Sequence[str]) -> "LabelColumn":
        """Dictionary-code a value per series."""
        codes_of: dict[str, int] = {"": 0}
        codes = np.fromiter((codes_of.setdefault(v, len(codes_of)) for v in values), np.int32, len(values))
        return LabelColumn(codes, list(codes_of))

    @staticmethod
    def constant(value: str, size: int) -> "LabelColumn":
        return LabelColumn(np.full(size, 1 if value else 0, np.int32), ["", value] if value else [""])

    def compact(self) -> "LabelColumn":
        """The same values with a dictionary of only those that occur (a store's dictionary can be long)."""
        used, inverse = self.distinct()
        kept = [self.values[code] for code in used.tolist()]
        if not kept or kept[0] != "":
            return LabelColumn((inverse + 1).astype(np.int32), ["", *kept])
        return LabelColumn(inverse.astype(np.int32), kept)


def unify(left: LabelColumn, right: LabelColumn) -> tuple[LabelColumn, LabelColumn]:
    """The two columns on one dictionary, so that their codes can be compared. Cost: distinct values, not series."""
    if left.values is right.values:
        return left, right
    left, right = left.compact(), right.compact()
    codes_of = {value: code for code, value in enumerate(left.values)}
    mapping = np.fromiter((codes_of.setdefault(v, len(codes_of)) for v in right.values), np.int32, len(right.values))
    merged = list(codes_of)
    return LabelColumn(left.codes, merged), LabelColumn(mapping[right.codes], merged)


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The labels of `size` series as columns. A name with no column is absent from every series."""

    size: int
    columns: Mapping[str, LabelColumn] = field(default_factory=dict)

    def take(self, rows: I64 | I32) -> "LabelTable":
        return LabelTable(len(rows), {name: column.take(rows) for name, column in self.columns.items()})

    def without(self, names: Iterable[str]) -> "LabelTable":
        dropped = set(names)
        return LabelTable(self.size, {n: c for n, c in self.columns.items() if n not in dropped})

    def only(self, names: Iterable[str]) -> "LabelTable":
        kept = set(names)
        return LabelTable(self.size, {n: c for n, c in self.columns.items() if n in kept})

    def replaced(self, name: str, column: LabelColumn) -> "LabelTable":
        return LabelTable(self.size, {**self.columns, name: column})

    def labels(self, row: int) -> Labels:
        """One series' labels, built on demand."""
        pairs = ((name, column.values[int(column.codes[row])]) for name, column in self.columns.items())
        return tuple(sorted((name, value) for name, value in pairs if value))

    def all_labels(self) -> list[Labels]:
        """Every series' labels. For answers and tests, never for a hot path."""
        names = sorted(self.columns)
        rows = zip(*(self.columns[name].decode() for name in names), strict=True) if names else ((),) * self.size
        return [tuple((n, v) for n, v in zip(names, row, strict=True) if v) for row in rows]

    def order(self) -> I64:
        """The rows [S] in order of their label sets, as sorting `all_labels` would have it."""
        ended = np.ones(self.size, np.bool_)
        keys = []
        for name in sorted(self.columns, reverse=True):
            rank = self.columns[name].ranks()
            there = rank >= 0
            # Where a label is missing the next name decides, and that is greater; a set that ends here comes first.
            keys.append(np.where(there, rank, np.where(ended, -1, self.size)))
            ended &= ~there
        return np.lexsort(keys) if keys else np.arange(self.size)

    def group_ids(self) -> tuple[I64, I64]:
        """Number the distinct label sets.

        Returns: group_ids [S] in 0..G-1, numbered by first occurrence; first_rows [G], the first row of each group.
        """
        if self.size == 0:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        key = np.zeros(self.size, np.int64)
        width = 1
        for column in self.columns.values():
            used, codes = column.distinct()
            if len(used) == 1:
                continue
            if width * len(used) >= 2**62:
                # The combined key would overflow: renumber what is there first.
                _, key = np.unique(key, return_inverse=True)
                width = int(key.max()) + 1
            key = key * len(used) + codes
            width *= len(used)
        return _numbered(key, width)

    @staticmethod
    def from_labels(rows: Sequence[Labels]) -> "LabelTable":
        """Columns from label sets; for ingestion of the unknown and for tests."""
        names = sorted({name for row in rows for name, _ in row})
        dicts = [dict(row) for row in rows]
        return LabelTable(len(rows), {n: LabelColumn.encode([d.get(n, "") for d in dicts]) for n in names})

    @staticmethod
    def concat(tables: Sequence["LabelTable"]) -> "LabelTable":
        """The rows of all tables, one after the other."""
        if len(tables) == 1:
            return tables[0]
        size = sum(table.size for table in tables)
        names = dict.fromkeys(name for table in tables for name in table.columns)
        return LabelTable(size, {name: _concat_column(name, tables) for name in names})


def _numbered(keys: I64, width: int) -> tuple[I64, I64]:
    """Number the distinct keys [S], all in 0..width-1, by first occurrence. Returns: numbers [S], first rows [G]."""
    size = len(keys)
    if width <= 8 * size:
        # A table of all keys is cheaper than sorting. Of several rows written to one place the last stays: the first row.
        rows = np.arange(size - 1, -1, -1)
        first_of = np.full(width, size)
        first_of[keys[::-1]] = rows
        of_row = first_of[keys]
        is_first = of_row == np.arange(size)
        return (np.cumsum(is_first) - 1)[of_row], np.flatnonzero(is_first)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[inverse], first[order].astype(np.int64)


def _concat_column(name: str, tables: Sequence[LabelTable]) -> LabelColumn:
    present = [t.columns[name] for t in tables if name in t.columns]
    if all(c.values is present[0].values for c in present):
        values: Sequence[str] = present[0].values
        parts = [t.columns[name].codes if name in t.columns else np.zeros(t.size, np.int32) for t in tables]
        return LabelColumn(np.concatenate(parts), values)
    codes_of: dict[str, int] = {"": 0}
    parts = []
    for table in tables:
        column = table.columns.get(name)
        if column is None:
            parts.append(np.zeros(table.size, np.int32))
            continue
        column = column.compact()
        mapping = [codes_of.setdefault(value, len(codes_of)) for value in column.values]
        parts.append(np.asarray(mapping, np.int32)[column.codes])
    return LabelColumn(np.concatenate(parts), list(codes_of))
