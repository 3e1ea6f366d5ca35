"""Quantiles by sorting, against numpy window by window."""

import random

import numpy as np
import pytest

from spyglass.storage.logs.quantiles import Events


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("range_ns", "q"), [(10, 0.95), (7, 0.5), (35, 0.0), (10, 1.0), (3, 0.25)])
def test_quantiles_of_windows(whole: bool, range_ns: int, q: float) -> None:
    """Numbers that come in overlapping parts, settled in between, give each window's quantile."""
    rng = random.Random(3)
    steps = np.arange(0, 200, 10)
    events = Events(steps, range_ns, q)
    seen: list[tuple[int, int, float]] = []
    for start in range(-20, 200, 15):
        rows = sorted((start + rng.randrange(20), rng.randrange(3), float(rng.randrange(50))) for _ in range(40))
        values = np.array([value if whole else value / 7 for _, _, value in rows])
        events.settle(start)
        assert events.add(
            np.array([group for _, group, _ in rows]), np.arange(3), np.array([time for time, _, _ in rows]), values
        )
        seen += [(time, group, value) for (time, group, _), value in zip(rows, values.tolist(), strict=True)]
    answer = events.quantiles(3)
    for group in range(3):
        for place, step in enumerate(steps.tolist()):
            inside = [value for time, of, value in seen if of == group and step - range_ns < time <= step]
            expected = np.quantile(inside, q) if inside else np.nan
            np.testing.assert_allclose(answer[group, place], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "range_ns", "q"), [([np.nan], 10, 0.5), ([np.inf], 10, 0.5), ([1.0], 1000, 0.5), ([1.0], 10, np.nan)]
)
def test_what_is_left_to_the_caller(values: list[float], range_ns: int, q: float) -> None:
    """Numbers that are none, windows that overlap too much, and a quantile that is no number."""
    assert not Events(np.arange(0, 1000, 10), range_ns, q).add(
        np.array([0]), np.array([0]), np.array([5]), np.array(values)
    )
