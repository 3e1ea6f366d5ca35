"""Aggregating samples into buckets, and buckets into coarser ones: each against a plain twin."""

import math
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spyglass.model.samples import STALE, is_stale
from spyglass.storage.metrics.buckets import (
    COLUMNS,
    Buckets,
    aggregate,
    coarsen,
    keep_buckets,
    merge_buckets,
    with_rows,
)
from spyglass.storage.metrics.ragged import Ragged, offsets_of

Series = list[tuple[int, float]]
Plain = dict[tuple[int, int], dict[str, float]]

VALUES = st.one_of(st.integers(-5, 50).map(float), st.sampled_from([math.nan, math.inf, STALE, STALE, 1e300, -0.0]))
SERIES = st.lists(
    st.dictionaries(st.integers(-40, 200), VALUES, max_size=25).map(lambda points: sorted(points.items())), max_size=4
)


def ragged_of(series: list[Series]) -> Ragged:
    """Rows 0, 2, 4...: not the same as their places."""
    rows = [n for n, one in enumerate(series) if one]
    lengths = np.asarray([len(series[n]) for n in rows], np.int64)
    points = [point for one in series for point in one]
    times = np.asarray([time for time, _ in points], np.int64)
    return Ragged(np.asarray(rows, np.int64) * 2, offsets_of(lengths), times, np.asarray([v for _, v in points], float))


def stale(value: float) -> bool:
    return bool(is_stale(np.asarray([value]))[0])


def plain_aggregate(series: list[Series], resolution: int) -> tuple[Plain, set[tuple[int, int]]]:
    """Bucket by bucket, and the markers that end one: (row, time)."""
    held: dict[tuple[int, int], Series] = defaultdict(list)
    for n, one in enumerate(series):
        for time, value in one:
            held[n * 2, math.ceil(time / resolution) * resolution].append((time, value))
    markers = {(row, points[-1][0]) for (row, _), points in held.items() if stale(points[-1][1])}
    fresh = {key: [point for point in points if not stale(point[1])] for key, points in held.items()}
    return {key: plain_bucket(points) for key, points in fresh.items() if points}, markers


def plain_bucket(points: Series) -> dict[str, float]:
    values = [value for _, value in points]
    numbers = [value for value in values if not math.isnan(value)] or [math.nan]
    lost = sum((before for before, value in pairwise(values) if value < before), 0.0)
    total = 0.0
    for value in values:
        total += value
    return {
        "first_times": points[0][0],
        "last_times": points[-1][0],
        "first": values[0],
        "last": values[-1],
        "min": min(numbers),
        "max": max(numbers),
        "sum": total,
        "count": len(values),
        "lost": lost,
    }


def as_plain(buckets: Buckets) -> Plain:
    owners = np.repeat(buckets.rows, buckets.lengths).tolist()
    return {
        (row, int(buckets.ends[at])): {name: float(getattr(buckets, name)[at]) for name in COLUMNS if name != "ends"}
        for at, row in enumerate(owners)
    }


def assert_equal(found: Plain, wanted: Plain) -> None:
    assert found.keys() == wanted.keys()
    for key in wanted:
        assert found[key] == pytest.approx(wanted[key], nan_ok=True), key


def markers_of(buckets: Buckets) -> set[tuple[int, int]]:
    return set(zip(buckets.markers.rows.tolist(), buckets.markers.times.tolist(), strict=True))


@settings(max_examples=100)
@given(SERIES, st.sampled_from([1, 7, 30]))
def test_aggregate_is_its_plain_twin(series: list[Series], resolution: int) -> None:
    """Every bucket's aggregates, and which stale markers end one."""
    found = aggregate(ragged_of(series), resolution)
    wanted, markers = plain_aggregate(series, resolution)
    assert_equal(as_plain(found), wanted)
    assert markers_of(found) == markers
    assert found.rows.tolist() == sorted({row for row, _ in wanted})


@settings(max_examples=100)
@given(SERIES, st.sampled_from([2, 5]))
def test_coarsening_is_aggregating_at_once(series: list[Series], factor: int) -> None:
    """Buckets of buckets are the buckets of the samples; resets between the fine ones count."""
    samples = ragged_of(series)
    found, wanted = coarsen(aggregate(samples, 6), 6 * factor), aggregate(samples, 6 * factor)
    assert_equal(as_plain(found), as_plain(wanted))
    assert markers_of(found) == markers_of(wanted)


@settings(max_examples=100)
@given(SERIES, st.integers(-40, 200))
def test_parts_merge_to_the_whole(series: list[Series], cut: int) -> None:
    """Buckets of the samples before and after the end of a bucket, merged, are those of all samples."""
    cut = cut // 10 * 10
    early = aggregate(ragged_of([[point for point in one if point[0] <= cut] for one in series]), 10)
    late = aggregate(ragged_of([[point for point in one if point[0] > cut] for one in series]), 10)
    whole = aggregate(ragged_of(series), 10)
    merged = merge_buckets([early, late])
    assert merged is not None
    assert_equal(as_plain(merged), as_plain(whole))
    assert markers_of(merged) == markers_of(whole)


def test_of_two_buckets_at_one_place_the_earlier_part_stays() -> None:
    """As with samples."""
    first, second = (aggregate(ragged_of([[(3, value)]]), 10) for value in (1.0, 2.0))
    merged = merge_buckets([first, second])
    assert merged is not None
    assert merged.sum.tolist() == [1.0]


def test_keeping_and_renaming() -> None:
    """Some buckets go, and a series with all of its own; rows get new numbers, or go."""
    buckets = aggregate(ragged_of([[(1, 1.0), (11, 2.0)], [(1, 3.0), (2, STALE)], [(5, 4.0)]]), 10)
    kept = keep_buckets(buckets, buckets.sum != 3.0)
    assert (kept.rows.tolist(), kept.sum.tolist()) == ([0, 4], [1.0, 2.0, 4.0])
    renamed = with_rows(buckets, np.array([1, -1, 5, -1, 0]))
    assert (renamed.rows.tolist(), renamed.sum.tolist()) == ([0, 1, 5], [4.0, 1.0, 2.0, 3.0])
    assert markers_of(renamed) == {(5, 2)}
    assert markers_of(with_rows(buckets, np.array([1, -1, -1, -1, 0]))) == set()
