"""Every kernel of a range function against a plain twin that looks at one window at a time."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.arrays import F64, Mask
from spyglass.model.samples import STALE, SampleRuns, SampleTile
from spyglass.query.exec.window import KERNELS
from spyglass.query.kernels import rates, summation, trends
from spyglass.query.kernels.instant import newest
from spyglass.query.kernels.over_time import quantile_over_time
from spyglass.query.kernels.windows import (
    Piece,
    Reaches,
    Windows,
    as_runs,
    row_blocks,
    separate,
    windows_of,
    without_stale,
)

Window = Sequence[tuple[int, float]]


def _rate(window: Window, start: int, end: int, *, is_counter: bool, is_rate: bool) -> float | None:
    """Upstream's extrapolation, sample by sample."""
    if len(window) < 2:
        return None
    change = window[-1][1] - window[0][1]
    if is_counter:
        change += sum(a for (_, a), (_, b) in pairwise(window) if b < a)
    sampled = (window[-1][0] - window[0][0]) / 1000
    average = sampled / (len(window) - 1)
    to_start, to_end = (window[0][0] - start) / 1000, (end - window[-1][0]) / 1000
    to_start = average / 2 if to_start >= average * 1.1 else to_start
    if is_counter and change > 0 and window[0][1] >= 0:
        to_start = min(to_start, sampled * window[0][1] / change)
    to_end = average / 2 if to_end >= average * 1.1 else to_end
    factor = (sampled + to_start + to_end) / sampled
    return change * factor / ((end - start) / 1000 if is_rate else 1)


def _quantile(values: Sequence[float], quantile: float) -> float:
    ordered = sorted(values)
    rank = quantile * (len(ordered) - 1)
    low = math.floor(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] * (1 - (rank - low)) + ordered[high] * (rank - low)


def _slope(window: Window) -> float | None:
    if len(window) < 2:
        return None
    xs, ys = [t / 1000 for t, _ in window], [v for _, v in window]
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    over = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return over / math.fsum((x - mean_x) ** 2 for x in xs)


TWINS: dict[str, Callable[[Window], float | None]] = {
    "sum_over_time": lambda w: math.fsum(v for _, v in w),
    "avg_over_time": lambda w: math.fsum(v for _, v in w) / len(w),
    "count_over_time": lambda w: float(len(w)),
    "min_over_time": lambda w: min(v for _, v in w),
    "max_over_time": lambda w: max(v for _, v in w),
    "first_over_time": lambda w: w[0][1],
    "last_over_time": lambda w: w[-1][1],
    "present_over_time": lambda _: 1.0,
    "stdvar_over_time": lambda w: float(np.var([v for _, v in w])),
    "stddev_over_time": lambda w: float(np.std([v for _, v in w])),
    "mad_over_time": lambda w: _quantile([abs(v - _quantile([x for _, x in w], 0.5)) for _, v in w], 0.5),
    "changes": lambda w: float(sum(a != b for (_, a), (_, b) in pairwise(w))),
    "resets": lambda w: float(sum(b < a for (_, a), (_, b) in pairwise(w))),
    "ts_of_first_over_time": lambda w: w[0][0] / 1000,
    "ts_of_last_over_time": lambda w: w[-1][0] / 1000,
    "ts_of_max_over_time": lambda w: max((v, t) for t, v in w)[1] / 1000,
    "ts_of_min_over_time": lambda w: -min((v, -t) for t, v in w)[1] / 1000,
    "idelta": lambda w: w[-1][1] - w[-2][1] if len(w) > 1 else None,
    "irate": lambda w: (
        None if len(w) < 2 else (w[-1][1] - (w[-2][1] if w[-1][1] >= w[-2][1] else 0)) / ((w[-1][0] - w[-2][0]) / 1000)
    ),
    "deriv": _slope,
}

values = st.floats(-1e6, 1e6, allow_nan=False).map(lambda v: round(v, 3))
series_strategy = st.lists(st.dictionaries(st.integers(1, 40), values, max_size=25), min_size=1, max_size=4)


def _runs(series: Sequence[dict[int, float]]) -> SampleRuns:
    counts = [len(one) for one in series]
    times = [t * 1000 for one in series for t in sorted(one)]
    found = [one[t] for one in series for t in sorted(one)]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return SampleRuns(np.arange(len(series)), offsets, np.array(times, np.int64), np.array(found, np.float64), False)


def _tile(series: Sequence[dict[int, float]]) -> SampleTile:
    """All series on one time vector, with gaps."""
    times = sorted({t for one in series for t in one} | {1})
    values = np.array([[one.get(t, 0.0) for t in times] for one in series], np.float64).reshape(len(series), -1)
    present = np.array([[t in one for t in times] for one in series], bool).reshape(values.shape)
    return SampleTile(np.arange(len(series)), np.array(times, np.int64) * 1000, values, present, False)


def _reaches(range_s: int) -> Reaches:
    ends = np.array([3_500, 10_000, 21_500, 40_000, 47_000], np.int64)
    return Reaches(ends - range_s * 1000, ends, ends)


def _windows(one: dict[int, float], reaches: Reaches) -> list[Window]:
    samples = [(t * 1000, v) for t, v in sorted(one.items())]
    bounds = zip(reaches.starts.tolist(), reaches.ends.tolist(), strict=True)
    return [[(t, v) for t, v in samples if start < t <= end] for start, end in bounds]


def _evaluated(
    piece: Piece, reaches: Reaches, kernel: Callable[[Windows], tuple[F64, Mask]], size: int
) -> list[list[float | None]]:
    out: list[list[float | None]] = [[None] * len(reaches.ends) for _ in range(size)]
    for part in without_stale(piece):
        if part.values.size == 0:
            continue
        with np.errstate(all="ignore"):
            found, present = kernel(windows_of(part, reaches))
        for at, row in enumerate(part.rows.tolist()):
            out[row] = [float(v) if p else None for v, p in zip(found[at], present[at], strict=True)]
    return out


def _assert_close(found: list[list[float | None]], wanted: list[list[float | None]]) -> None:
    for got_row, want_row in zip(found, wanted, strict=True):
        for got, want in zip(got_row, want_row, strict=True):
            assert (got is None) == (want is None), (got, want)
            if got is not None and want is not None:
                assert got == pytest.approx(want, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", sorted(KERNELS))
@given(series=series_strategy, range_s=st.integers(1, 30), as_tile=st.booleans())
@settings(max_examples=25)
def test_kernel_equals_its_twin(name: str, series: list[dict[int, float]], range_s: int, as_tile: bool) -> None:
    """On runs and on tiles with gaps, whatever the windows hold."""
    reaches = _reaches(range_s)
    wanted = [[TWINS[name](w) if w else None for w in _windows(one, reaches)] for one in series]
    piece = _tile(series) if as_tile else _runs(series)
    _assert_close(_evaluated(piece, reaches, KERNELS[name], len(series)), wanted)


@given(series=series_strategy, range_s=st.integers(1, 30), is_counter=st.booleans(), is_rate=st.booleans())
@settings(max_examples=60)
def test_extrapolation_equals_its_twin(
    series: list[dict[int, float]], range_s: int, is_counter: bool, is_rate: bool
) -> None:
    """rate, increase and delta, with resets anywhere."""
    reaches = _reaches(range_s)
    wanted = [
        [
            _rate(w, start, end, is_counter=is_counter, is_rate=is_rate)
            for w, start, end in zip(
                _windows(one, reaches), reaches.starts.tolist(), reaches.ends.tolist(), strict=True
            )
        ]
        for one in series
    ]

    def kernel(windows: Windows) -> tuple[F64, Mask]:
        margins = rates.margins_of(windows)
        return rates.extrapolated(windows, margins, is_counter=is_counter, is_rate=is_rate, range_ms=range_s * 1000)

    for piece in (_tile(series), _runs(series)):
        found = _evaluated(piece, reaches, kernel, len(series))
        _assert_close(found, wanted)


@given(series=series_strategy, quantile=st.floats(0, 1))
@settings(max_examples=40)
def test_quantile_equals_its_twin(series: list[dict[int, float]], quantile: float) -> None:
    """Between neighbours it is interpolated."""
    reaches = _reaches(20)
    wanted = [[_quantile([v for _, v in w], quantile) if w else None for w in _windows(one, reaches)] for one in series]
    at_each_step = np.full(len(reaches.ends), quantile)
    found = _evaluated(_runs(series), reaches, lambda w: quantile_over_time(w, at_each_step), len(series))
    _assert_close(found, wanted)


@given(series=series_strategy, lookback_s=st.integers(1, 30))
@settings(max_examples=60)
def test_newest_equals_its_twin(series: list[dict[int, float]], lookback_s: int) -> None:
    """The newest sample of the left-open lookback, on tiles with gaps and on runs."""
    reaches = _reaches(lookback_s)
    wanted = [[w[-1][1] if w else None for w in _windows(one, reaches)] for one in series]
    for piece in (_tile(series), _runs(series)):
        found = newest(piece, reaches)
        got = [
            [float(v) if p else None for v, p in zip(row, there, strict=True)]
            for row, there in zip(found.values, found.present, strict=True)
        ]
        assert got == wanted


def test_stale_markers_end_a_series_and_are_no_samples() -> None:
    """An instant sees that the series ended; a range does not see the marker."""
    tile = SampleTile(np.arange(1), np.array([1_000, 2_000, 3_000]), np.array([[1.0, 2.0, STALE]]))
    reaches = Reaches(np.array([0]), np.array([3_000]), np.array([3_000]))
    assert not newest(tile, reaches).present.any()
    (part,) = without_stale(tile)
    found, _ = KERNELS["count_over_time"](windows_of(part, reaches))
    assert found.tolist() == [[2.0]]


def test_pieces_of_one_series_are_joined() -> None:
    """Blocks of the same series end to end stay a tile; other overlaps become runs in order of time."""
    first = SampleTile(np.arange(2), np.array([1, 2]), np.array([[1.0, 2.0], [3.0, 4.0]]), None, False)
    second = SampleTile(np.arange(2), np.array([3]), np.array([[5.0], [6.0]]), None, False)
    (joined,) = separate([first, second], 2)
    assert isinstance(joined, SampleTile)
    assert joined.values.tolist() == [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]
    other = SampleRuns(np.array([1]), np.array([0, 1]), np.array([3]), np.array([6.0]), False)
    (merged,) = separate([first, other], 2)
    runs = as_runs(merged)
    assert runs.offsets.tolist() == [0, 2, 5]
    assert runs.values.tolist() == [1.0, 2.0, 3.0, 4.0, 6.0]


@pytest.mark.parametrize("as_tile", [True, False])
def test_running_sums_keep_small_addends(as_tile: bool) -> None:
    """With many samples the sums come from running sums, and are as exact as exact ones."""
    rng = np.random.default_rng(7)
    size = summation.MANY_SAMPLES
    matrix = np.concatenate([rng.normal(0, 1e9, (2, size)), np.full((1, size), 0.1)])
    times = np.arange(size, dtype=np.int64) * 1000
    tile = SampleTile(np.arange(3), times, matrix, None, False)
    ends = np.array([60_000, 5_000_000, 90_000_000])
    reaches = Reaches(ends - 50_000, ends, ends)
    found, _ = KERNELS["sum_over_time"](windows_of(tile if as_tile else as_runs(tile), reaches))
    for row in range(3):
        for step, end in enumerate((ends // 1000).tolist()):
            assert found[row, step] == pytest.approx(math.fsum(matrix[row, end - 49 : end + 1]), rel=1e-15)


def test_running_sums_step_aside_for_infinities() -> None:
    """NaN and infinities would spoil everything behind them: their series are summed sample by sample."""
    matrix = np.ones((2, summation.MANY_SAMPLES))
    matrix[1, 10], matrix[1, 20] = np.inf, np.nan
    times = np.arange(summation.MANY_SAMPLES, dtype=np.int64) * 1000
    tile = SampleTile(np.arange(2), times, matrix, None, False)
    ends = np.array([5_000, 15_000, 25_000, 50_000])
    with np.errstate(all="ignore"):
        found, _ = KERNELS["sum_over_time"](windows_of(tile, Reaches(ends - 8_000, ends, ends)))
    assert found[0].tolist() == [6.0, 8.0, 8.0, 8.0]
    assert found[1, 0] == 6.0
    assert math.isinf(found[1, 1])
    assert math.isnan(found[1, 2])
    assert found[1, 3] == 8.0


def test_predict_linear_follows_the_line() -> None:
    """A straight line goes on."""
    times = np.arange(20, dtype=np.int64) * 10_000
    tile = SampleTile(np.arange(1), times, (3.0 + 2.0 * times / 1000)[None, :], None, False)
    ends = np.array([150_000])
    windows = windows_of(tile, Reaches(ends - 100_000, ends, ends))
    found, _ = trends.predict_linear(windows, np.array([60.0]))
    assert found[0, 0] == pytest.approx(3.0 + 2.0 * 210)


def test_resets_of_one_series_do_not_blur_another() -> None:
    """A byte counter that loses a terabyte and a request counter that loses ten are corrected each by its own."""
    times = np.arange(6, dtype=np.int64) * 10_000
    values = np.array([[1e12, 1e12 + 1, 1.0, 2.0, 3.0, 4.0], [8.0, 9.0, 10.0, 0.5, 1.0, 1.5]])
    tile = SampleTile(np.arange(2), times, values, None, False)
    ends = np.array([50_000])
    reaches = Reaches(ends - 51_000, ends, ends)
    for piece in (tile, as_runs(tile)):
        windows = windows_of(piece, reaches)
        found, _ = rates.extrapolated(
            windows, rates.margins_of(windows), is_counter=True, is_rate=False, range_ms=51_000
        )
        assert found[1, 0] == pytest.approx(3.5 * 51 / 50, rel=1e-12)


def test_a_large_tile_falls_into_blocks_of_series() -> None:
    """In order, every series once, all of its samples; one with many samples has few series to a block."""
    rows, times = np.arange(100, 600), np.arange(400) * 15_000
    tile = SampleTile(rows, times, np.arange(500 * 400, dtype=np.float64).reshape(500, 400), None, False)
    ends = np.arange(240) * 15_000
    blocks = list(row_blocks(windows_of(tile, Reaches(ends - 60_000, ends, ends))))
    assert len(blocks) > 3
    assert np.array_equal(np.concatenate([rows[part] for part, _ in blocks]), rows)
    assert np.array_equal(np.concatenate([block.matrix for _, block in blocks]), tile.values)
    assert all(block.shape == (part.stop - part.start, 240) for part, block in blocks)
    assert all(np.shares_memory(block.values, tile.values) for _, block in blocks)


@pytest.mark.parametrize("name", ["stddev_over_time", "mad_over_time", "deriv", "avg_over_time"])
@pytest.mark.parametrize("step_ms", [15_000, 60_000])
def test_windows_that_overlap_evenly_give_what_scattered_ones_do(name: str, step_ms: int) -> None:
    """A tile's windows of equally many samples are one view of its values; as runs, each window is gathered. A NaN spoils its own alone."""
    times = np.arange(90, dtype=np.int64) * 15_000
    values = np.random.default_rng(3).normal(50, 20, (3, 90))
    values[1, 40] = np.nan
    tile = SampleTile(np.arange(3), times, values, None, False)
    ends = np.arange(300_000, 1_300_000, step_ms)
    reaches = Reaches(ends - 300_000, ends, ends)
    (of_tile, _), (of_runs, _) = (KERNELS[name](windows_of(piece, reaches)) for piece in (tile, as_runs(tile)))
    np.testing.assert_allclose(of_tile, of_runs, rtol=1e-12)
    assert np.isnan(of_tile[1]).sum() == np.count_nonzero((ends >= 600_000) & (ends - 300_000 < 600_000))
    assert not np.isnan(of_tile[[0, 2]]).any()
