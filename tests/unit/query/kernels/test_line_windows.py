"""Window kernels over events, each against a plain twin."""

import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.arrays import F64
from spyglass.query.kernels import line_windows as kernels

Event = tuple[int, int, float]
events_strategy = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 100), st.integers(-50, 50).map(float)), max_size=40
)


def plain(
    events: list[Event], reduce: Callable[[list[float]], float], ends: list[int], reach: int
) -> list[list[float | None]]:
    """Per series and end: reduce over the values in (end - reach, end], None where there is none."""
    found = []
    for series in range(3):
        row: list[float | None] = []
        for end in ends:
            values = [v for s, t, v in sorted(events, key=lambda e: e[1]) if s == series and end - reach < t <= end]
            row.append(reduce(values) if values else None)
        found.append(row)
    return found


def shown(values: F64, counts: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> list[list[float | None]]:
    return [
        [value if count else None for value, count in zip(row, numbers, strict=True)]
        for row, numbers in zip(values.tolist(), counts.tolist(), strict=True)
    ]


REDUCTIONS: dict[str, tuple[Callable[[F64, kernels.Windows], F64], Callable[[list[float]], float]]] = {
    "sum": (kernels.sum_windows, sum),
    "mean": (kernels.mean_windows, statistics.fmean),
    "min": (kernels.min_windows, min),
    "max": (kernels.max_windows, max),
    "first": (kernels.first_windows, lambda values: values[0]),
    "last": (kernels.last_windows, lambda values: values[-1]),
    "variance": (kernels.variance_windows, statistics.pvariance),
    "median": (lambda values, found: kernels.quantile_windows(values, found, 0.5), statistics.median),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(events=events_strategy, first=st.integers(-5, 60), step=st.integers(1, 40), reach=st.integers(1, 60))
def test_reductions_equal_their_plain_twins(name: str, events: list[Event], first: int, step: int, reach: int) -> None:
    """Any events, any grid, overlapping windows or gaps between them."""
    kernel, reduce = REDUCTIONS[name]
    ids = np.array([e[0] for e in events], np.int64)
    times = np.array([e[1] for e in events], np.int64)
    values = np.array([e[2] for e in events], np.float64)
    order = kernels.order_events(ids, times)
    steps = 4
    found = kernels.find_windows(
        ids[order], times[order], series=3, first_end_ns=first, step_ns=step, steps=steps, range_ns=reach
    )
    expected = plain(events, reduce, [first + i * step for i in range(steps)], reach)
    got = shown(kernel(values[order], found), found.counts)
    for got_row, expected_row in zip(got, expected, strict=True):
        for got_value, expected_value in zip(got_row, expected_row, strict=True):
            assert (got_value is None) == (expected_value is None)
            if got_value is not None and expected_value is not None:
                assert math.isclose(got_value, expected_value, abs_tol=1e-9)


def test_quantiles_outside_zero_and_one_are_infinite() -> None:
    """As Prometheus has it."""
    found = kernels.find_windows(
        np.zeros(1, np.int64), np.ones(1, np.int64), series=1, first_end_ns=1, step_ns=1, steps=1, range_ns=5
    )
    assert kernels.quantile_windows(np.ones(1), found, -1.0)[0, 0] == -np.inf
    assert kernels.quantile_windows(np.ones(1), found, 2.0)[0, 0] == np.inf


def test_large_windows_are_laid_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same values whatever the size of a part."""
    rng = np.random.default_rng(7)
    times = np.sort(rng.integers(0, 1000, 500))
    values = rng.normal(size=500)
    found = kernels.find_windows(
        np.zeros(500, np.int64), times, series=1, first_end_ns=0, step_ns=10, steps=100, range_ns=300
    )
    whole = kernels.quantile_windows(values, found, 0.9), kernels.variance_windows(values, found)
    monkeypatch.setattr(kernels, "MAX_EXPANDED", 700)
    parts = kernels.quantile_windows(values, found, 0.9), kernels.variance_windows(values, found)
    np.testing.assert_allclose(whole, parts)


def test_counter_rate_extrapolates_over_the_window_and_survives_resets() -> None:
    """590 s of a counter that rises by 1 each 10 s and starts anew once."""
    seconds = np.arange(10, 600, 10, dtype=np.int64)
    values = np.arange(1, 60, dtype=np.float64)
    values[30:] -= 30
    ids = np.zeros(values.size, np.int64)
    times = seconds * 10**9
    found = kernels.find_windows(
        ids, times, series=1, first_end_ns=600 * 10**9, step_ns=10**9, steps=1, range_ns=600 * 10**9
    )
    rate, present = kernels.counter_rate_windows(values, times, ids, found)
    # It rises by 58 in 580 s; both ends are one sample away from the window's, so that is stretched to all of it.
    assert present[0, 0]
    assert math.isclose(rate[0, 0], 58 / 580)
