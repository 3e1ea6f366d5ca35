"""Lines in columns: to whoever wants entries they are a sequence of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.labels import labels_of
from spyglass.model.log_columns import LogColumns, slices
from spyglass.model.log_entry import LogEntry

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_LABELS = st.dictionaries(st.sampled_from("abc"), _TEXT.filter(bool), max_size=2).map(labels_of)
_ENTRIES = st.lists(st.builds(LogEntry, st.integers(-(2**63), 2**63 - 1), _TEXT, _LABELS), max_size=8)


@given(_ENTRIES)
def test_columns_hold_what_the_entries_hold(entries: list[LogEntry]) -> None:
    """All at once, one by one, from the end, and in slices."""
    columns = LogColumns.of(entries)
    assert list(columns) == entries
    assert [columns[at] for at in range(len(columns))] == entries
    assert [columns[-1 - at] for at in range(len(columns))] == entries[::-1]
    assert list(columns[1:3]) == entries[1:3]
    assert columns.lines() == [entry.line for entry in entries]


def test_columns_of_columns_are_the_same() -> None:
    """Nothing is copied where nothing is to be done."""
    columns = LogColumns.of([LogEntry(1, "x")])
    assert LogColumns.of(columns) is columns


def test_rows_beyond_the_end_are_none() -> None:
    """As with any sequence."""
    with pytest.raises(IndexError):
        LogColumns.of([LogEntry(1, "x")])[1]


def test_what_columns_cannot_hold_is_replaced() -> None:
    """Lone surrogates have no encoding; times beyond 64 bits stay as far away as can be."""
    columns = LogColumns.of([LogEntry(2**70, "a\ud800b"), LogEntry(-(2**70), "é")])
    assert list(columns) == [LogEntry(2**63 - 1, "a?b"), LogEntry(-(2**63), "é")]


@pytest.mark.parametrize("size", [3, 300])
@pytest.mark.parametrize("count", [0, 5, 200])
def test_pieces_are_put_together(size: int, count: int) -> None:
    """Few or many, short or long: the same bytes as from slices."""
    data = bytes(range(256)) * 40
    starts = np.arange(count) * 7 % 5000
    lengths = np.full(count, size)
    wanted = b"".join(data[a : a + size] for a in starts.tolist())
    assert slices(np.frombuffer(data, np.uint8), starts, lengths) == wanted
