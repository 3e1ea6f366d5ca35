"""How alike two texts are."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from spyglass.text import similarity
from spyglass.text.similarity import jaro_winkler, subsequence

WORDS = st.text("ab_", max_size=8)


def test_examples() -> None:
    """The docstrings are true."""
    assert doctest.testmod(similarity).failed == 0


@given(WORDS, WORDS)
def test_jaro_winkler_is_a_similarity(left: str, right: str) -> None:
    """Between 0 and 1, 1 exactly for what is equal, the same both ways."""
    score = jaro_winkler(left, right)
    assert 0 <= score <= 1
    assert (score == 1) == (left == right)
    assert abs(score - jaro_winkler(right, left)) < 1e-12


@given(WORDS, WORDS)
def test_a_subsequence_has_a_score_and_nothing_else_has(query: str, text: str) -> None:
    """The obvious way: take the query's characters from the text one after the other."""
    rest = iter(text)
    holds = all(char in rest for char in query)
    assert (subsequence(query, text) > 0) == holds
    assert subsequence(query, query + text) == 1
