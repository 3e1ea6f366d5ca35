"""Native histograms: layouts, arithmetic, resets, text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.histogram_arithmetic import (
    IncompatibleSchemas,
    add,
    add_compensated,
    counts_fell,
    detected_hints,
    is_reset,
    stored_hints,
    subtract,
    to_schema,
    with_wider_zero,
)
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram, ResetHint, exponential_bound


def histogram(
    counts: dict[int, float], *, schema: int = 0, zero: float = 0, custom: tuple[float, ...] = ()
) -> FloatHistogram:
    index = np.array(sorted(counts), np.int64)
    values = np.array([counts[i] for i in sorted(counts)], np.float64)
    return FloatHistogram(
        schema=schema,
        count=float(values.sum()) + zero,
        sum=float(values.sum()) * 2,
        zero_threshold=0.001,
        zero_count=zero,
        positive_index=index,
        positive_counts=values,
        custom_values=custom,
    )


def counts_of(one: FloatHistogram) -> dict[int, float]:
    return dict(zip(one.positive_index.tolist(), one.positive_counts.tolist(), strict=True))


bucket_counts = st.dictionaries(st.integers(-20, 20), st.integers(0, 1000).map(float), max_size=8)


@given(left=bucket_counts, right=bucket_counts, left_schema=st.integers(-2, 3), right_schema=st.integers(-2, 3))
def test_addition_keeps_observations_and_subtraction_undoes_it(
    left: dict[int, float], right: dict[int, float], left_schema: int, right_schema: int
) -> None:
    """Whatever the schemas: the coarser one wins, and no observation is lost."""
    a, b = histogram(left, schema=left_schema), histogram(right, schema=right_schema)
    both = add(a, b).histogram
    assert both.schema == min(left_schema, right_schema)
    assert both.count == a.count + b.count
    assert both.positive_counts.sum() + both.zero_count == pytest.approx(both.count)
    back = subtract(both, b).histogram.compacted()
    assert back.same_as(to_schema(a, both.schema).compacted()) or both.zero_threshold != a.zero_threshold


@given(counts=bucket_counts, shift=st.integers(0, 3))
def test_coarser_buckets_cover_the_finer_ones(counts: dict[int, float], shift: int) -> None:
    """Every observation stays below its bucket's upper bound and above its lower one."""
    fine = histogram(counts, schema=3)
    coarse = to_schema(fine, 3 - shift)
    assert coarse.positive_counts.sum() == fine.positive_counts.sum()
    for index in fine.positive_index.tolist():
        parent = ((index - 1) >> shift) + 1
        assert coarse.bound(parent) >= fine.bound(index) * (1 - 1e-12)
        assert coarse.bound(parent - 1) <= fine.bound(index - 1) * (1 + 1e-12)


def test_bounds() -> None:
    """2 to the power of the index, in steps of the schema; the last finite bucket ends at the largest float."""
    assert [exponential_bound(i, 0) for i in (-1, 0, 1, 2)] == [0.5, 1.0, 2.0, 4.0]
    assert exponential_bound(1, 1) == pytest.approx(math.sqrt(2))
    assert exponential_bound(1, -1) == 4.0
    assert exponential_bound(1024, 0) == 1.7976931348623157e308
    assert exponential_bound(1025, 0) == math.inf


def test_wider_zero_bucket_swallows_whole_buckets() -> None:
    """A threshold inside of a populated bucket moves to its end."""
    one = with_wider_zero(histogram({0: 5, 1: 7, 2: 9}, zero=1), 1.5)
    assert (one.zero_threshold, one.zero_count) == (2.0, 13.0)
    assert counts_of(one) == {2: 9.0}


def test_custom_bounds_meet_where_both_have_them() -> None:
    """What differs is joined into the next common bucket, and said."""
    a = histogram({0: 1, 1: 2, 2: 3, 3: 4}, schema=CUSTOM_SCHEMA, custom=(1, 2, 3))
    b = histogram({0: 10, 2: 20}, schema=CUSTOM_SCHEMA, custom=(1, 3))
    result = add(a, b)
    assert result.bounds_reconciled
    assert result.histogram.custom_values == (1, 3)
    assert counts_of(result.histogram) == {0: 11.0, 1: 5.0, 2: 24.0}


def test_exponential_and_custom_buckets_do_not_mix() -> None:
    """There is no common layout."""
    with pytest.raises(IncompatibleSchemas):
        add(histogram({0: 1}), histogram({0: 1}, schema=CUSTOM_SCHEMA, custom=(1.0,)))


def test_hints_of_combinations() -> None:
    """Gauge wins, unknown blurs, reset and no reset contradict each other."""
    one = histogram({0: 1})
    reset, fine = one.with_hint(ResetHint.RESET), one.with_hint(ResetHint.NOT_RESET)
    gauge = one.with_hint(ResetHint.GAUGE)
    assert add(reset, gauge).histogram.reset_hint is ResetHint.GAUGE
    assert add(fine, one).histogram.reset_hint is ResetHint.UNKNOWN
    assert add(fine, fine).histogram.reset_hint is ResetHint.NOT_RESET
    assert add(reset, fine).hint_collision


def test_resets_show_in_any_bucket() -> None:
    """A bucket that lost observations, or a finer layout, is a new counter; hints that say so decide."""
    before, after = histogram({0: 5, 1: 5}), histogram({0: 4, 1: 9})
    assert counts_fell(after, before)
    assert not counts_fell(histogram({0: 5, 1: 9}), before)
    assert counts_fell(histogram({0: 50}, schema=1), before)
    assert not is_reset(after.with_hint(ResetHint.NOT_RESET), before)
    assert is_reset(before.with_hint(ResetHint.RESET), before)


def test_hints_that_storage_and_comparison_give() -> None:
    """A chunk's first histogram is unknown, the others no resets; comparing neighbours tells more."""
    rising = [histogram({0: 1}), histogram({0: 2}), histogram({0: 1})]
    stored = [one.reset_hint for one in stored_hints(rising) if one is not None]
    assert stored == [ResetHint.UNKNOWN, ResetHint.NOT_RESET, ResetHint.UNKNOWN]
    assert [one.reset_hint for one in detected_hints(rising)] == [
        ResetHint.UNKNOWN,
        ResetHint.NOT_RESET,
        ResetHint.RESET,
    ]


def test_compensated_addition_keeps_small_addends() -> None:
    """What a plain sum loses is in the compensation."""
    running, lost = histogram({0: 1e16}), None
    for _ in range(10):
        step = add_compensated(running, histogram({0: 1.0}), lost)
        running, lost = step.histogram, step.lost
    assert lost is not None
    assert counts_of(running)[0] + counts_of(lost)[0] - 1e16 == 10.0


def test_text() -> None:
    """As upstream writes them, for count_values."""
    one = histogram({0: 2, 2: 1}, zero=3)
    assert str(one) == "{count:6, sum:6, [-0.001,0.001]:3, (0.5,1]:2, (2,4]:1}"


def test_division_by_zero_leaves_no_buckets() -> None:
    """Nothing tells them apart any more."""
    one = histogram({0: 2}).divided(0)
    assert math.isinf(one.count)
    assert len(one.positive_index) == 0


def test_negative_factors_make_gauges() -> None:
    """A counter cannot count down."""
    assert histogram({0: 2}).scaled(-1).reset_hint is ResetHint.GAUGE
    assert histogram({0: 2}).scaled(2).reset_hint is ResetHint.UNKNOWN
