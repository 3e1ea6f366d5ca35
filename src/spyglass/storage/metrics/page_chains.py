"""Reading a sample pool: a series' pages are found by going back from the one it writes to, so that a selection costs what it selects.

Series scraped together fill their pages alike: those are laid out as one tile, page by page, without an index per sample.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I32, I64
from spyglass.model.samples import SampleRuns, SampleTile
from spyglass.storage.metrics.ragged import TILE_SERIES_MIN, Ragged, gather_index, keep_where, offsets_of, pieces

Piece = SampleTile | SampleRuns


@dataclass(frozen=True, slots=True)
class Pages:
    """A pool's arrays, see `sample_pool`; previous [P]: the page that its series filled before, -1 where there is none."""

    fill: I32
    times: I64
    values: F64
    previous: I32
    open_page: I32

    @property
    def size(self) -> int:
        """Samples per page."""
        return int(self.times.shape[1])


def read_pages(pages: Pages, slots: I64, start_ms: int, end_ms: int, *, may_be_stale: bool) -> list[Piece]:
    """Copies of the samples in [start_ms, end_ms]; rows are places in `slots`, which are distinct. No row is in two pieces."""
    chains = _chains(pages, slots, start_ms, end_ms)
    tiles: list[SampleTile] = []
    rest: list[I64] = []
    for rows, of_rows in _alike(pages, chains):
        tile = _tile(pages, rows, of_rows, start_ms, end_ms, may_be_stale) if len(rows) >= TILE_SERIES_MIN else None
        if tile is None:
            rest.append(rows)
        elif len(tile.times):
            tiles.append(tile)
    found: list[Piece] = [*_with_equal_times_joined(tiles)]
    if rest:
        ragged = _ragged(pages, np.sort(np.concatenate(rest)), chains)
        inside = (ragged.times >= start_ms) & (ragged.times <= end_ms)
        found.extend(pieces(keep_where(ragged, inside), may_be_stale=may_be_stale))
    return found


def _chains(pages: Pages, slots: I64, start_ms: int, end_ms: int) -> I64:
    """The pages of each slot that may hold samples of the range [S,L], oldest first, -1 where there is none."""
    known = slots < len(pages.open_page)
    at = np.where(known, pages.open_page[np.where(known, slots, 0)], -1).astype(np.int64)
    levels: list[I64] = []
    while True:
        there = np.flatnonzero(at >= 0)
        here = at[there]
        newest = pages.times[here, pages.fill[here] - 1]
        there, here = there[newest >= start_ms], here[newest >= start_ms]
        if not len(here):
            break
        oldest = pages.times[here, 0]
        level = np.full(len(slots), -1, np.int64)
        level[there] = np.where(oldest <= end_ms, here, -1)
        levels.append(level)
        at = np.full(len(slots), -1, np.int64)
        at[there] = np.where(oldest > start_ms, pages.previous[here], -1)
    return np.stack(levels[::-1], axis=1) if levels else np.zeros((len(slots), 0), np.int64)


def _alike(pages: Pages, chains: I64) -> Iterator[tuple[I64, I64]]:
    """Rows whose chains look alike, with their pages [s,l]: equally many, from and to the same times. Rows without pages are left out."""
    count = (chains >= 0).sum(axis=1)
    rows = np.flatnonzero(count)
    if not len(rows):
        return
    count = count[rows]
    first = (chains[rows] >= 0).argmax(axis=1)
    begin, end = chains[rows, first], chains[rows, first + count - 1]
    looks = np.stack([count, first, pages.times[begin, 0], pages.times[end, pages.fill[end] - 1], pages.fill[end]])
    if (looks == looks[:, :1]).all():
        yield rows, chains[rows, first[0] : first[0] + count[0]]
        return
    _, which = np.unique(looks, axis=1, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    for group in np.split(order, np.cumsum(np.bincount(which.reshape(-1)))[:-1]):
        low, high = first[group[0]], first[group[0]] + count[group[0]]
        yield rows[group], chains[rows[group], low:high]


def _tile(pages: Pages, rows: I64, of_rows: I64, start_ms: int, end_ms: int, may_be_stale: bool) -> SampleTile | None:
    """None where the times differ after all. All pages of a series but its newest are full."""
    size = pages.size
    length = (of_rows.shape[1] - 1) * size + int(pages.fill[of_rows[0, -1]])
    times = pages.times[of_rows[0]].reshape(-1)[:length]
    low, high = int(np.searchsorted(times, start_ms)), int(np.searchsorted(times, end_ms, side="right"))
    if not _ends_alike(pages, of_rows, (low, high, length), start_ms, end_ms):
        return None
    values = np.empty((len(rows), high - low))
    for level in range(low // size, -(-high // size)):
        begin, end = max(low, level * size), min(high, (level + 1) * size)
        mine, within = of_rows[:, level], slice(begin - level * size, end - level * size)
        if (pages.times[mine, within] != times[begin:end]).any():
            return None
        values[:, begin - low : end - low] = pages.values[mine, within]
    return SampleTile(rows, times[low:high], values, None, may_be_stale)


def _ends_alike(pages: Pages, of_rows: I64, bounds: tuple[int, int, int], start_ms: int, end_ms: int) -> bool:
    """Whether for every row the samples in [start_ms, end_ms] are those from low to high, of `length` in its pages: those next to
    them are outside. bounds: low, high, length."""
    low, high, length = bounds
    size = pages.size
    if low and (pages.times[of_rows[:, (low - 1) // size], (low - 1) % size] >= start_ms).any():
        return False
    return not (high < length and (pages.times[of_rows[:, high // size], high % size] <= end_ms).any())


def _with_equal_times_joined(tiles: Sequence[SampleTile]) -> Iterator[SampleTile]:
    """Series that began at different times fill their pages differently, and still share the times of a range."""
    groups: dict[bytes, list[SampleTile]] = {}
    for tile in tiles:
        groups.setdefault(tile.times.tobytes(), []).append(tile)
    for alike in groups.values():
        if len(alike) == 1:
            yield alike[0]
            continue
        rows = np.concatenate([tile.rows for tile in alike])
        order = np.argsort(rows)
        values = np.concatenate([tile.values for tile in alike])[order]
        yield SampleTile(rows[order], alike[0].times, values, None, alike[0].may_be_stale)


def _ragged(pages: Pages, rows: I64, chains: I64) -> Ragged:
    """All samples of the rows' pages."""
    of_rows = chains[rows]
    held = of_rows >= 0
    chosen = of_rows[held]
    fill = pages.fill[chosen].astype(np.int64)
    index = gather_index(chosen * pages.size, fill)
    counts = held.sum(axis=1)
    lengths = np.add.reduceat(fill, np.cumsum(counts) - counts)
    return Ragged(rows, offsets_of(lengths), pages.times.reshape(-1)[index], pages.values.reshape(-1)[index])
