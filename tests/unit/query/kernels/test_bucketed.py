"""Range functions over buckets against the same functions over the samples that the buckets are of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.samples import SampleRuns, SampleTile
from spyglass.protocols.metric_store import BUCKET_COLUMNS
from spyglass.query.exec.window import apply_kernel
from spyglass.query.kernels import bucketed
from spyglass.query.kernels.windows import Piece, Reaches, windows_of
from spyglass.storage.metrics.buckets import Buckets, aggregate
from spyglass.storage.metrics.ragged import Ragged, offsets_of

RESOLUTION = 10_000
POINTS = st.dictionaries(st.integers(1, 120_000), st.integers(0, 40).map(float), min_size=1, max_size=60)


def reaches_of(window: int, step: int) -> Reaches:
    ends = np.arange(RESOLUTION, 140_000, step * RESOLUTION)
    return Reaches(ends - window * RESOLUTION, ends, ends)


def column(buckets: Buckets, name: str, *, as_tile: bool) -> Piece:
    values = getattr(buckets, name).astype(np.float64)
    if as_tile:
        return SampleTile(buckets.rows, buckets.ends, values.reshape(1, -1), None, False)
    return SampleRuns(buckets.rows, buckets.offsets, buckets.ends, values, False)


@pytest.mark.parametrize("as_tile", [False, True])
@pytest.mark.parametrize("function", sorted(BUCKET_COLUMNS))
@settings(max_examples=40)
@given(points=POINTS, window=st.integers(1, 4), step=st.integers(1, 3))
def test_windows_of_whole_buckets(
    function: str, as_tile: bool, points: dict[int, float], window: int, step: int
) -> None:
    """The same windows are present, with the same values."""
    times, values = (np.array(column) for column in zip(*sorted(points.items()), strict=True))
    samples = Ragged(np.zeros(1, np.int64), offsets_of(np.array([len(times)])), times, values)
    reaches = reaches_of(window, step)
    runs = SampleRuns(samples.rows, samples.offsets, times, values, False)
    with np.errstate(all="ignore"):
        wanted, there = apply_kernel(function, windows_of(runs, reaches), [], window * RESOLUTION)
        buckets = aggregate(samples, RESOLUTION)
        columns = {
            name: windows_of(column(buckets, name, as_tile=as_tile), reaches) for name in BUCKET_COLUMNS[function]
        }
        found, present = bucketed.apply(function, columns, window * RESOLUTION)
    assert np.broadcast_to(present, found.shape).tolist() == np.broadcast_to(there, wanted.shape).tolist()
    np.testing.assert_allclose(found[present], wanted[there], rtol=1e-12, atol=1e-12)


def test_amounts_of_widened_windows_are_scaled() -> None:
    """A range of half a bucket: half of what the bucket counts and adds up; rates and extremes are the bucket's."""
    samples = Ragged(np.zeros(1, np.int64), np.array([0, 3]), np.array([1000, 4000, 9000]), np.array([1.0, 3.0, 5.0]))
    buckets = aggregate(samples, RESOLUTION)
    reaches = Reaches(np.array([0]), np.array([RESOLUTION]), np.array([RESOLUTION]))

    def value(function: str) -> float:
        columns = {name: windows_of(column(buckets, name, as_tile=False), reaches) for name in BUCKET_COLUMNS[function]}
        return float(bucketed.apply(function, columns, RESOLUTION // 2)[0][0, 0])

    assert (value("sum_over_time"), value("count_over_time")) == (4.5, 1.5)
    assert (value("avg_over_time"), value("max_over_time")) == (3.0, 5.0)
    assert value("increase") == pytest.approx(value("rate") * 5)
