"""Label tables: grouping, unification, decoding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.labels import LabelColumn, Labels, LabelTable, labels_of, unify

_names = st.sampled_from(["a", "b", "__name__"])
_labels = st.dictionaries(_names, st.sampled_from(["", "x", "y", "z"]), max_size=3).map(labels_of)


@given(st.lists(_labels, max_size=20))
def test_labels_survive_the_round_trip_through_columns(rows: list[Labels]) -> None:
    """Encoding label sets as columns and decoding them gives the same label sets."""
    table = LabelTable.from_labels(rows)
    assert table.all_labels() == rows
    assert [table.labels(i) for i in range(table.size)] == rows


@given(st.lists(_labels, max_size=20))
def test_group_ids_number_distinct_label_sets_by_first_occurrence(rows: list[Labels]) -> None:
    """Series get the same group exactly where their labels are equal; groups are numbered as they appear."""
    group_ids, first_rows = LabelTable.from_labels(rows).group_ids()
    seen: dict[Labels, int] = {}
    expected = [seen.setdefault(row, len(seen)) for row in rows]
    assert group_ids.tolist() == expected
    assert [rows[i] for i in first_rows.tolist()] == list(seen)


@given(st.lists(_labels, max_size=20))
def test_order_is_that_of_the_label_sets(rows: list[Labels]) -> None:
    """Rows are ordered as their label sets sort, also where labels are missing; equal ones stay as they are."""
    table = LabelTable.from_labels(rows)
    assert table.order().tolist() == sorted(range(len(rows)), key=rows.__getitem__)


@given(st.lists(st.integers(0, 5), max_size=9), st.sampled_from([6, 200]))
def test_distinct_codes_and_places_give_the_column_back(codes: list[int], size: int) -> None:
    """Few values or a long dictionary of a store: the codes that occur, ascending, and where each series' code is among them."""
    used, places = LabelColumn(np.array(codes, np.int32), [str(n) for n in range(size)]).distinct()
    assert used.tolist() == sorted(set(codes))
    assert used[places].tolist() == codes


@given(st.lists(_labels, max_size=9), st.lists(_labels, max_size=9))
def test_concat_keeps_every_row(left: list[Labels], right: list[Labels]) -> None:
    """Tables with different dictionaries concatenate to the rows of both."""
    table = LabelTable.concat([LabelTable.from_labels(left), LabelTable.from_labels(right)])
    assert table.all_labels() == left + right


def test_unify_makes_codes_comparable() -> None:
    """Two columns with different dictionaries get one, and equal values get equal codes."""
    left, right = unify(LabelColumn.encode(["a", "", "b"]), LabelColumn.encode(["b", "a", "c"]))
    assert left.values is right.values
    assert np.array_equal(left.codes == right.codes, [False, False, False])
    assert left.decode() == ["a", "", "b"]
    assert right.decode() == ["b", "a", "c"]
