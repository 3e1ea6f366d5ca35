"""Many floats at once are printed as each by itself."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spyglass.text.gofloat import format_float, format_floats

NEAR_THE_EDGES = [
    1e-4,
    9.999999e-5,
    1e15,
    999999999999999.9,
    1e16,
    1e21,
    5e-324,
    0.1 + 0.2,
    2.5,
    -0.0,
    0.0,
    100.0,
    10.05,
]


@given(st.lists(st.one_of(st.floats(), st.integers(-50, 50).map(float), st.sampled_from(NEAR_THE_EDGES)), max_size=60))
@example([])
@example([0.0, -0.0])
@example([-3.0, -0.0, 2.0])
def test_many_are_printed_as_each(values: list[float]) -> None:
    """Whatever they are: counts, quantiles, numbers that need an exponent elsewhere, no numbers."""
    assert format_floats(np.asarray(values, np.float64)) == [format_float(value) for value in values]


@pytest.mark.parametrize("digits", range(6))
def test_rounded_numbers(digits: int) -> None:
    """Digits behind the point, with zeros at the end of some."""
    values = np.round(np.random.default_rng(digits).random(2000) * 1000 - 500, digits)
    assert format_floats(values) == [format_float(value) for value in values.tolist()]
