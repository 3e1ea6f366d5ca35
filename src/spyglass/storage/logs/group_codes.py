"""Grouping lines by labels: for each chosen row of a part the number of its group, and the groups' labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels, labels_of
from spyglass.storage.logs.chosen import Chosen, indices_of, size_of
from spyglass.storage.logs.column import Column, DictColumn, IntColumn, ranked
from spyglass.storage.logs.fields import Parser, slot_values, source_of, value_in
from spyglass.storage.logs.part import Part


@dataclass(frozen=True, slots=True)
class Coded:
    """values[codes[i]] is the label's text of row i; None: it has none. Values may repeat. codes of any integer type."""

    codes: I64
    values: Sequence[str | None]


def label_of_rows(part: Part, name: str, parser: Parser | None, rows: Chosen) -> Coded | None:
    """The label of the rows, or None where the columns do not tell."""
    source = source_of(part, name, parser)
    if source.unsettled:
        return None
    if source.slot is not None and parser is not None:
        codes, values = _of_column(part.column(source.slot), rows)
        texts = slot_values(part.template, source.slot, parser, values)
        if None not in texts:
            return Coded(codes, texts)
        return None
    if source.in_metadata:
        return None
    labels = part.streams().labels
    return Coded(part.codes()[rows], [value_in(stream, name) for stream in labels])


def _of_column(column: Column, rows: Chosen) -> tuple[I64, list[str]]:
    """The codes of the rows, and the texts that they stand for."""
    if isinstance(column, DictColumn):
        return column.codes[rows], column.values.texts
    if isinstance(column, IntColumn):
        distinct, inverse = ranked(column.values[rows])
        return inverse, [str(value) for value in distinct.tolist()]
    texts = column.strings(indices_of(rows))
    places: dict[str, int] = {}
    codes = np.fromiter((places.setdefault(text, len(places)) for text in texts), np.int64, len(texts))
    return codes, list(places)


def groups_of_rows(
    part: Part, by: Sequence[str] | None, parser: Parser | None, rows: Chosen
) -> tuple[I64, list[Labels]] | None:
    """(group of each row, in any integer type, and the groups' labels); by None: one group per stream.

    None where the columns do not tell.
    """
    if by is None:
        if part.metadata() is not None:
            return None
        return part.codes()[rows], list(part.streams().labels)
    columns: list[Coded] = []
    for name in by:
        coded = label_of_rows(part, name, parser, rows)
        if coded is None:
            return None
        columns.append(coded)
    if not columns:
        return np.zeros(size_of(rows), np.int64), [()]
    if len(columns) == 1:
        return columns[0].codes, [((by[0], value),) if value else () for value in columns[0].values]
    sizes = [len(coded.values) for coded in columns]
    key = columns[0].codes.astype(np.int64)
    for coded in columns[1:]:
        key *= len(coded.values)
        key += coded.codes
    used, inverse = np.unique(key, return_inverse=True)
    places = np.unravel_index(used, sizes)
    labels = [
        labels_of({name: coded.values[place] or "" for name, coded, place in zip(by, columns, row, strict=True)})
        for row in zip(*(place.tolist() for place in places), strict=True)
    ]
    return inverse, labels
