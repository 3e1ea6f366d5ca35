"""What selections matched is remembered, within bounds."""

from collections.abc import Sequence

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.matchers import Matcher
from spyglass.storage.metrics.match_memo import ROWS_MAX, SELECTIONS_MAX, MatchMemo


class Counting:
    """Finds `size` rows, and counts how often it was asked."""

    def __init__(self, size: int) -> None:
        self._size, self.asked = size, 0

    def __call__(self, matchers: Sequence[Matcher]) -> I64:
        del matchers
        self.asked += 1
        return np.arange(self._size)


def named(name: str) -> list[Matcher]:
    return [Matcher.of("__name__", "=", name)]


def test_the_same_selection_is_matched_once() -> None:
    """Equal matchers, not the same objects; others are matched by themselves."""
    memo, match = MatchMemo(), Counting(7)
    first = memo.matched(named("a"), match)
    assert memo.matched(named("a"), match) is first
    assert first.rows.tolist() == [*range(7)]
    assert memo.matched(named("b"), match) is not first
    assert match.asked == 2


def test_a_large_selection_is_not_remembered_and_displaces_nothing() -> None:
    """It would take memory for good."""
    memo, small, large = MatchMemo(), Counting(5), Counting(ROWS_MAX + 1)
    memo.matched(named("small"), small)
    for _ in range(3):
        assert len(memo.matched(named("large"), large).rows) == ROWS_MAX + 1
    memo.matched(named("small"), small)
    assert (small.asked, large.asked) == (1, 3)


def test_what_was_not_asked_for_longest_goes_first() -> None:
    """By rows, and by number where selections match little."""
    memo, match = MatchMemo(), Counting(ROWS_MAX // 2)
    for name in ("a", "b", "a", "c"):
        memo.matched(named(name), match)
    assert match.asked == 3
    memo.matched(named("a"), match)
    assert match.asked == 3
    memo.matched(named("b"), match)
    assert match.asked == 4
    nothing = Counting(0)
    for number in range(SELECTIONS_MAX + 1):
        memo.matched(named(f"absent_{number}"), nothing)
    memo.matched(named("absent_0"), nothing)
    assert nothing.asked == SELECTIONS_MAX + 2
