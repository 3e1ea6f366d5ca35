"""Sums and counts of groups of rows, against plain twins."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.groups import Groups, total


def _made(sizes: list[int], steps: int, seed: int, *, gaps: bool) -> tuple[Groups, I64, F64, Mask]:
    """Rows of groups in no order; values of very different size."""
    random = np.random.default_rng(seed)
    group_ids = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    shape = (len(group_ids), steps)
    values = random.normal(0, 1, shape) * 10.0 ** random.integers(-8, 9, shape)
    present = random.random(shape) < 0.7 if gaps else np.ones(shape, bool)
    return Groups.of(group_ids, len(sizes)), group_ids, values, present


@settings(max_examples=40)
@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), st.integers(1, 5), st.integers(0, 2**32), st.booleans())
def test_groups_of_any_size_are_summed_without_loss(sizes: list[int], steps: int, seed: int, gaps: bool) -> None:
    """As math.fsum of the members that are there; small groups together, large ones by blocks."""
    groups, group_ids, values, present = _made(sizes, steps, seed, gaps=gaps)
    found = total(groups, values, present)
    for group in range(len(sizes)):
        for step in range(steps):
            members = values[(group_ids == group) & present[:, step], step]
            assert found[group, step] == pytest.approx(math.fsum(members), rel=1e-15, abs=1e-300)


def test_a_group_larger_than_a_block_is_summed_without_loss() -> None:
    """40,000 rows: the sum goes on from block to block, and so do its errors."""
    groups, _, values, present = _made([40_000], 2, 7, gaps=False)
    found = total(groups, values, present)
    assert found[0].tolist() == [math.fsum(values[:, 0]), math.fsum(values[:, 1])]


def test_an_infinite_member_makes_an_infinite_sum() -> None:
    """Not NaN, which the rounding error of such a sum is."""
    values = np.array([[1.0], [np.inf], [2.0]])
    assert total(Groups.of(np.zeros(3, np.int64), 1), values, np.ones((3, 1), bool)).tolist() == [[np.inf]]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.integers(0, 2**32), st.booleans())
def test_counts_and_presence_are_those_of_the_members(sizes: list[int], seed: int, gaps: bool) -> None:
    """With and without members that are missing."""
    groups, group_ids, _, present = _made(sizes, 3, seed, gaps=gaps)
    want = [present[group_ids == group].sum(axis=0).tolist() for group in range(len(sizes))]
    assert groups.count(present).tolist() == want
    assert groups.any(present).tolist() == [[count > 0 for count in row] for row in want]
