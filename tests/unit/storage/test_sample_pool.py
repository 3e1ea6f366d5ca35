"""The head's sample pool: what was appended is read back, whatever pages it fell on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.model.samples import SampleRuns, SampleTile
from spyglass.storage.metrics.sample_pool import SamplePool

Samples = dict[int, list[tuple[int, float]]]

SLOTS = 9
STEP_MS = 15_000

_scrape = st.sets(st.integers(0, SLOTS - 1), min_size=1)
"""Which slots a scrape brings."""
_batches = st.lists(
    st.one_of(_scrape.map(lambda slots: [slots]), st.lists(_scrape, min_size=2, max_size=5)), max_size=60
)
"""One scrape at a time, or several in one batch."""


def _filled(batches: list[list[set[int]]], *, samples: int) -> tuple[SamplePool, Samples]:
    pool = SamplePool(samples, SLOTS)
    held: Samples = {slot: [] for slot in range(SLOTS)}
    number = 0
    for batch in batches:
        rows = []
        for scrape in batch:
            number += 1
            rows += [(slot, number * STEP_MS, float(number * 100 + slot)) for slot in sorted(scrape)]
        if not pool.has_room(len(rows)):
            break
        slots, times, values = zip(*rows, strict=True)
        pool.append(np.array(slots), np.array(times), np.array(values))
        for slot, time, value in rows:
            held[slot].append((time, value))
    return pool, held


def _by_row(pieces: list[SampleTile | SampleRuns]) -> Samples:
    """Row -> samples. Fails where two pieces hold one row."""
    found: Samples = {}
    for piece in pieces:
        for place, row in enumerate(piece.rows.tolist()):
            assert row not in found
            if isinstance(piece, SampleTile):
                found[row] = list(zip(piece.times.tolist(), piece.values[place].tolist(), strict=True))
            else:
                part = slice(piece.offsets[place], piece.offsets[place + 1])
                found[row] = list(zip(piece.times[part].tolist(), piece.values[part].tolist(), strict=True))
    return found


@given(_batches, st.lists(st.integers(0, SLOTS + 3), unique=True), st.integers(0, 70), st.integers(0, 70))
def test_a_selection_is_what_was_appended_in_its_range(
    batches: list[list[set[int]]], slots: list[int], start: int, end: int
) -> None:
    """Any series, some unknown, any range, pages of 8: each series' samples in order, each once."""
    pool, held = _filled(batches, samples=100)
    low, high = start * STEP_MS, end * STEP_MS
    want = {
        row: inside
        for row, slot in enumerate(slots)
        if (inside := [(t, v) for t, v in held.get(slot, []) if low <= t <= high])
    }
    assert _by_row(pool.select(np.array(slots, np.int64), low, high)) == want


@pytest.mark.parametrize("late", [0, 3, 20])
def test_series_that_are_scraped_together_are_one_tile(late: int) -> None:
    """Also where some of them began later, and so fill other pages: over a range that all of them span they share a tile."""
    batches = [[set(range(SLOTS if number >= late else 4))] for number in range(40)]
    pool, held = _filled(batches, samples=1000)
    (tile,) = pool.select(np.arange(SLOTS), (late + 5) * STEP_MS, 38 * STEP_MS)
    assert isinstance(tile, SampleTile)
    assert tile.rows.tolist() == list(range(SLOTS))
    assert tile.times.tolist() == [number * STEP_MS for number in range(late + 5, 39)]
    assert tile.values[8].tolist() == [v for t, v in held[8] if (late + 5) * STEP_MS <= t <= 38 * STEP_MS]


@given(
    st.lists(st.lists(st.integers(1, 8), min_size=3, max_size=3, unique=True).map(sorted), min_size=4, max_size=SLOTS),
    st.integers(0, 10),
    st.integers(0, 10),
)
def test_series_that_only_begin_and_end_alike_keep_their_own_times(
    middles: list[list[int]], start: int, end: int
) -> None:
    """The same first and last time and as many samples: what lies between may differ, and the range may cut it anywhere."""
    start, end = min(start, end), max(start, end)
    everyone = set(range(len(middles)))
    between = [{slot for slot, own in enumerate(middles) if number in own} for number in range(1, 9)]
    pool = SamplePool(1000, SLOTS)
    held: Samples = {slot: [] for slot in everyone}
    for number, scrape in enumerate([everyone, *between, everyone]):
        if scrape:
            slots = np.array(sorted(scrape))
            pool.append(slots, np.full(len(slots), number), slots * 100.0 + number)
        for slot in scrape:
            held[slot].append((number, slot * 100.0 + number))
    found = _by_row(pool.select(np.arange(len(middles)), start, end))
    expected = {slot: [one for one in own if start <= one[0] <= end] for slot, own in held.items()}
    assert found == {slot: own for slot, own in expected.items() if own}
