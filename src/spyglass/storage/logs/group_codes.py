"""Grouping lines by labels: for each chosen row of a part the number of its group, and the groups' labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels, labels_of
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, ranked
from spyglass.storage.logs.fields import Parser, slot_value, source_of, value_in
from spyglass.storage.logs.part import Part


@dataclass(frozen=True, slots=True)
class Coded:
    """values[codes[i]] is the label's text of row i; None: it has none. Values may repeat."""

    codes: I64
    values: Sequence[str | None]


def label_of_rows(part: Part, name: str, parser: Parser | None, rows: I64) -> Coded | None:
    """The label of the rows, or None where the columns do not tell."""
    source = source_of(part, name, parser)
    if source.unsettled:
        return None
    if source.slot is not None and parser is not None:
        coded = _of_column(part.column(source.slot), rows)
        value = slot_value(part.template, source.slot, parser)
        texts = [value(text) if text is not None else None for text in coded.values]
        if None not in texts:
            return Coded(coded.codes, texts)
        return None
    if source.in_metadata:
        return None
    labels = part.streams().labels
    return Coded(part.codes()[rows].astype(np.int64), [value_in(stream, name) for stream in labels])


def _of_column(column: Column, rows: I64) -> Coded:
    if isinstance(column, DictColumn):
        return Coded(column.codes[rows].astype(np.int64), column.values.texts)
    if isinstance(column, IntColumn):
        distinct, inverse = ranked(column.values[rows])
        return Coded(inverse, [str(value) for value in distinct.tolist()])
    texts = column.strings(rows)
    places: dict[str, int] = {}
    codes = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.int64, len(texts))
    return Coded(codes, list(places))


def groups_of_rows(
    part: Part, by: Sequence[str] | None, parser: Parser | None, rows: I64
) -> tuple[I64, list[Labels]] | None:
    """(group of each row, the groups' labels); by None: one group per stream. None where the columns do not tell."""
    if by is None:
        if part.metadata() is not None:
            return None
        return part.codes()[rows].astype(np.int64), list(part.streams().labels)
    key: I64 = np.zeros(len(rows), np.int64)
    columns: list[Coded] = []
    for name in by:
        coded = label_of_rows(part, name, parser, rows)
        if coded is None:
            return None
        columns.append(coded)
        key = key * len(coded.values) + coded.codes
    if not columns:
        return key, [()]
    sizes = [len(coded.values) for coded in columns]
    if len(columns) == 1:
        return key, [labels_of({by[0]: value or ""}) for value in columns[0].values]
    used, inverse = np.unique(key, return_inverse=True)
    places = np.unravel_index(used, sizes)
    labels = [
        labels_of({name: coded.values[place] or "" for name, coded, place in zip(by, columns, row, strict=True)})
        for row in zip(*(place.tolist() for place in places), strict=True)
    ]
    return inverse, labels
