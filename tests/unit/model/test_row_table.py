"""The table of 128-bit words answers as a dictionary would, whatever collides."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.arrays import U64
from spyglass.model.row_table import RowTable

# Few different low bits, equal first words, and one word that only the second half tells apart: chains grow long.
words = st.tuples(st.sampled_from([0, 1, 2, 2047, 2048, 2**63, 2**64 - 1]), st.integers(0, 6))
Word = tuple[int, int]


def array_of(some: list[Word]) -> U64:
    return np.array(some, np.uint64).reshape(-1, 2)


@given(st.lists(st.tuples(st.lists(words, unique=True), st.lists(words, unique=True)), max_size=6))
def test_it_is_a_dictionary(rounds: list[tuple[list[Word], list[Word]]]) -> None:
    """Rows come and go in any order; every word is found in the row that it was entered under last."""
    table, twin, fresh = RowTable(), dict[Word, int](), 0
    for added, removed in rounds:
        new = [word for word in added if word not in twin]
        rows = range(fresh, fresh + len(new))
        table.add(array_of(new), np.array(rows, np.int64))
        twin.update(zip(new, rows, strict=True))
        fresh += len(new)
        table.remove(np.array([twin.pop(word) for word in removed if word in twin], np.int64))
        asked = [*added, *removed]
        assert table.find(array_of(asked)).tolist() == [twin.get(word, -1) for word in asked]
        assert table.count == len(twin)


def test_it_grows_and_forgets_without_losing_rows() -> None:
    """Many times the first size, and most of it removed and entered again under other rows."""
    table, size = RowTable(), 20_000
    some = np.random.default_rng(7).integers(0, 2**64, (size, 2), dtype=np.uint64)
    rows = np.arange(size)
    table.add(some, rows)
    for turn in range(5):
        table.remove(rows[100:])
        assert (table.find(some)[100:] == -1).all()
        rows = np.append(rows[:100], rows[100:] + (size if turn % 2 == 0 else -size))
        table.add(some[100:], rows[100:])
        assert table.find(some).tolist() == rows.tolist()
    assert table.count == size


def test_rows_that_are_not_there_can_be_removed() -> None:
    """Nothing happens, and what is there stays."""
    table = RowTable()
    table.add(array_of([(5, 5)]), np.array([0]))
    table.remove(np.array([3, 4]))
    assert table.find(array_of([(5, 5), (0, 0)])).tolist() == [0, -1]
    assert table.count == 1
