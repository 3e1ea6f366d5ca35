"""Label tables in column files, and the order of series in a block."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from spyglass.model.arrays import I64, U64
from spyglass.model.labels import METRIC_NAME, LabelColumn, LabelTable
from spyglass.storage.metrics.column_file import ColumnFile, ColumnFileWriter
from spyglass.storage.metrics.fingerprints import value_words


def label_order(table: LabelTable, known: Sequence[str]) -> list[str]:
    """The labels by which series are ordered: the metric name, then those of few values first.

    So neighbours are alike, which compresses well (0.403 bytes a sample against 0.416 in order of the names), and a matcher on any one
    label finds its series in few chunks: `status=~"5.."` as well as one path. What earlier blocks settled (`known`) stays and new
    names go behind: merging blocks whose series lie in different orders would decode each chunk many times.
    """
    fresh = [name for name in table.columns if name not in known]
    counts = {name: len(np.unique(table.columns[name].codes)) for name in fresh}
    return [*known, *sorted(fresh, key=lambda name: (name != METRIC_NAME, counts[name], name))]


def sort_order(table: LabelTable, names: Sequence[str]) -> I64:
    """Rows by the values of the labels `names`, which hold all that the table has."""
    keys = [_ranks(table.columns[name]) for name in names if name in table.columns]
    return np.lexsort(keys[::-1]) if keys else np.arange(table.size)


def _ranks(column: LabelColumn) -> I64:
    """Each row's place among the sorted distinct values that occur."""
    used, inverse = np.unique(column.codes, return_inverse=True)
    order = sorted(range(len(used)), key=[column.values[code] for code in used.tolist()].__getitem__)
    ranks = np.empty(len(used), np.int64)
    ranks[order] = np.arange(len(used))
    return ranks[inverse]


def write_labels(writer: ColumnFileWriter, table: LabelTable) -> Iterator[bytes]:
    """Columns `labels` (names), `codes/<n>` and `values/<n>`."""
    names = sorted(table.columns)
    yield writer.json("labels", names)
    for number, name in enumerate(names):
        column = table.columns[name].compact()
        yield writer.array(f"codes/{number}", column.codes)
        yield writer.json(f"values/{number}", list(column.values))


class StoredLabels(Mapping[str, LabelColumn]):
    """The label columns of a file, each read when it is first asked for."""

    def __init__(self, file: ColumnFile) -> None:
        self._file = file
        self._number = {name: number for number, name in enumerate(file.json("labels"))}
        self._columns: dict[str, LabelColumn] = {}
        self._code_of: dict[str, dict[str, int]] = {}
        self._words: dict[str, U64] = {}

    def __getitem__(self, name: str) -> LabelColumn:
        column = self._columns.get(name)
        if column is None:
            number = self._number[name]
            codes = self._file.array(f"codes/{number}").astype(np.int32, copy=False)
            column = self._columns[name] = LabelColumn(codes, self._file.json(f"values/{number}"))
        return column

    def __iter__(self) -> Iterator[str]:
        return iter(self._number)

    def __len__(self) -> int:
        return len(self._number)

    def __contains__(self, name: object) -> bool:
        return name in self._number

    def code_of(self, name: str, value: str) -> int:
        """The value's code, -1 where it does not occur."""
        codes = self._code_of.get(name)
        if codes is None:
            codes = self._code_of[name] = {v: code for code, v in enumerate(self[name].values)}
        return codes.get(value, -1)

    def words(self, name: str, values: Sequence[str]) -> U64:
        """fingerprints.value_words of a column's values, computed once."""
        words = self._words.get(name)
        if words is None:
            words = self._words[name] = value_words(name, values)
        return words
