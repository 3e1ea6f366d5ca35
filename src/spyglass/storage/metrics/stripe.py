"""Read one stripe of a block: the chunks that the chosen series lie in, decoded straight into the answer."""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from pcodec import standalone

from spyglass.model.arrays import F64, I32, I64, Mask
from spyglass.model.errors import CorruptData
from spyglass.model.samples import SampleRuns
from spyglass.protocols.budget import Budget
from spyglass.storage.metrics.buckets import NO_MARKERS, Markers
from spyglass.storage.metrics.column_file import ColumnFile
from spyglass.storage.metrics.decoded_cache import DecodedCache, Key
from spyglass.storage.metrics.layout import ROLLUPS, Layout
from spyglass.storage.metrics.ragged import TILE_SERIES_MIN, Ragged, gather_index, offsets_of
from spyglass.storage.metrics.rollups import bear_overhang
from spyglass.storage.metrics.tiles import PendingTile

Array = npt.NDArray[Any]
OnCorrupt = Callable[[CorruptData], None]


class ChunkedColumn:
    """Items (series' values, or time vectors) in chunks. offsets [items+1]: each item's place in the whole column."""

    def __init__(self, file: ColumnFile, name: str, stripe: str, lengths: I64) -> None:
        self._file, self._name, self._stripe = file, name, stripe
        self.offsets = offsets_of(lengths)
        self.first: I64 = file.array(f"{name}/{stripe}/first").astype(np.int64)
        self._at, self._size, self._crc = (
            file.array(f"{name}/{stripe}/{part}").tolist() for part in ("at", "size", "crc")
        )

    def chunks_of(self, items: I64) -> tuple[list[int], list[int]]:
        """The chunks that ascending `items` lie in, and the bounds [chunks+1] of each one's items among them."""
        owner = np.searchsorted(self.first, items, side="right") - 1
        if len(owner) and owner[0] == owner[-1]:
            return [int(owner[0])], [0, len(items)]
        chunks, starts = np.unique(owner, return_index=True)
        return chunks.tolist(), [*starts.tolist(), len(items)]

    def item_range(self, chunk: int) -> tuple[int, int]:
        """[first, last+1) item of a chunk."""
        following = chunk + 1
        return int(self.first[chunk]), int(self.first[following]) if following < len(self.first) else len(
            self.offsets
        ) - 1

    def decode(self, chunk: int) -> Array:
        """Raises: CorruptData."""
        column: Array = self._decoded(chunk, standalone.simple_decompress)
        return column

    def decode_into(self, chunk: int, out: Array) -> None:
        """Decode into a contiguous array of exactly the chunk's length."""
        self._decoded(chunk, lambda data: standalone.simple_decompress_into(data, out))

    def offset(self, chunk: int) -> int:
        """Where in the file the chunk is."""
        at: int = self._at[chunk]
        return at

    def raw(self, chunk: int) -> bytes:
        """The compressed bytes, checked."""
        return self._file.read(self._at[chunk], self._size[chunk], self._crc[chunk])

    def _decoded(self, chunk: int, decoder: Any) -> Any:
        data = self.raw(chunk)
        try:
            return decoder(data)
        except (RuntimeError, TypeError, ValueError) as err:
            raise self._file.corrupt(f"chunk {chunk} of {self._name}/{self._stripe}: {err}") from err

    def key(self, block: int, chunk: int) -> Key:
        return block, self._name, self._stripe, chunk


@dataclass(frozen=True, slots=True)
class StripeRead:
    """What is to be read from a stripe; values are not decoded yet.

    series [S]: numbers in the stripe, ascending. vector_of [S] numbers the time vectors 0..V-1; vector v, cut to the range, is
    times[starts[v] : starts[v] + counts[v]] and begins `low[v]` samples into the stored one.
    """

    stripe: "Stripe"
    series: I64
    vector_of: I64
    times: I64
    starts: I64
    counts: I64
    low: I64
    cache: DecodedCache
    budget: Budget | None
    weights: I64 | None = None
    """Of a rollup: laid out as `times`."""

    @property
    def rows(self) -> I64:
        """Block rows [S]."""
        return self.stripe.rows[self.series]

    def ragged(self) -> Ragged:
        """Decoded, with the times written out for every series. Raises: CorruptData."""
        return self._ragged(np.arange(len(self.series)))

    def pieces(self, on_corrupt: OnCorrupt) -> Iterator[PendingTile | SampleRuns]:
        """A tile per time vector that enough series share; the others as runs.

        Raises: CorruptData for a damaged chunk of the runs; one of a tile is told to on_corrupt when the tile is filled.
        """
        if len(self.counts) == 1 and len(self.series) >= TILE_SERIES_MIN:
            yield self._pending(0, np.arange(len(self.series)), on_corrupt)
            return
        sizes = np.bincount(self.vector_of, minlength=len(self.counts))
        order = np.argsort(self.vector_of, kind="stable")
        bounds = offsets_of(sizes)
        for vector in np.flatnonzero(sizes >= TILE_SERIES_MIN).tolist():
            yield self._pending(vector, order[bounds[vector] : bounds[vector + 1]], on_corrupt)
        rest = np.flatnonzero(sizes[self.vector_of] < TILE_SERIES_MIN)
        if len(rest):
            part = self._ragged(rest)
            stale, weights = self.stripe.may_be_stale(self.series[rest]), self._spread(self.weights, rest)
            yield SampleRuns(part.rows, part.offsets, part.times, part.values, stale, weights)

    def _ragged(self, members: I64) -> Ragged:
        vectors = self.vector_of[members]
        counts = self.counts[vectors]
        series = self.series[members]
        values = self.stripe.read_values(series, self.low[vectors], counts, self.cache, self.budget)
        times = self.times[gather_index(self.starts[vectors], counts)]
        return Ragged(self.stripe.rows[series], offsets_of(counts), times, values)

    def _spread(self, column: I64 | None, members: I64) -> I64 | None:
        """What the vectors say, written out for some of the series."""
        vectors = self.vector_of[members]
        return None if column is None else column[gather_index(self.starts[vectors], self.counts[vectors])]

    def _pending(self, vector: int, members: I64, on_corrupt: OnCorrupt) -> PendingTile:
        start, count, low = int(self.starts[vector]), int(self.counts[vector]), int(self.low[vector])
        series = self.series[members]

        def fill(chosen: I64, out: F64) -> I64:
            return self.stripe.read_matrix(series[chosen], low, out, self.cache, self.budget, on_corrupt)

        times = self.times[start : start + count]
        weights = None if self.weights is None else self.weights[start : start + count]
        return PendingTile(self.stripe.rows[series], times, fill, self.stripe.may_be_stale(series), weights)


class Stripe:
    """One stripe's tables, small; items are read on demand. times, values: the columns that it is read by (see `view`).

    kind: of a rollup that lies beside the stripe of samples with that number.
    """

    def __init__(self, file: ColumnFile, layout: Layout, number: int, block: int, kind: str = "") -> None:
        self._file, self._layout, self._number, self._block = file, layout, number, block
        self._key = stripe_key(number, kind)
        _, self.min_ms, self.max_ms, _, _ = file.meta["stripes"][number]
        self.rows: I64 = file.array(f"rows/{self._key}").astype(np.int64)
        self.vector_of: I32 = file.array(f"vector_of/{self._key}")
        self.vector_lengths: I64 = file.array(f"lengths/{self._key}").astype(np.int64)
        self._rollups: dict[str, Stripe] = {}
        self._columns: dict[str, ChunkedColumn] = {}
        self.times, self.values = self.column(layout.times[0]), self.column(layout.values[0])
        self._stale: Mask = (
            file.array(f"values/{self._key}/stale").astype(np.bool_)
            if layout.stale
            else np.zeros(len(self.values.first), np.bool_)
        )

    def column(self, name: str) -> ChunkedColumn:
        """A column of the layout. Raises: CorruptData."""
        found = self._columns.get(name)
        if found is None:
            lengths = self.vector_lengths if name in self._layout.times else self.lengths()
            found = self._columns[name] = ChunkedColumn(self._file, name, self._key, lengths)
        return found

    def check(self) -> None:
        """Read all chunks. Raises: CorruptData."""
        for name in (*self._layout.times, *self._layout.values):
            column = self.column(name)
            for chunk in range(len(column.first)):
                column.raw(chunk)

    def rollup(self, kind: str) -> "Stripe | None":
        """The rollup of some of the series, if there is one of the kind. Raises: CorruptData."""
        found = self._rollups.get(kind)
        if found is None and f"rows/{stripe_key(self._number, kind)}" in self._file:
            found = self._rollups[kind] = Stripe(self._file, ROLLUPS[kind], self._number, self._block, kind)
        return found

    def view(self, times: str, values: str) -> "Stripe":
        """The same stripe, read by other columns. values: also one of times, read as a float for every series."""
        other = copy(self)
        if values in self._layout.times:
            other.__class__ = _TimesAsValues
        other.times, other.values = self.column(times), self.column(values)
        return other

    def markers(self) -> Markers:
        """Of a stripe of buckets: the stale markers that end one, by block rows."""
        if not self._layout.resolution_ms:
            return NO_MARKERS
        rows, times = (
            self._file.array(f"markers/{self._number}/{name}").astype(np.int64) for name in ("rows", "times")
        )
        return Markers(rows, times)

    def stale(self, chunk: int) -> bool:
        """Whether the chunk of values holds a stale marker."""
        return bool(self._stale[chunk])

    def lengths(self) -> I64:
        """Samples of each of the stripe's series."""
        return self.vector_lengths[self.vector_of]

    def find(self, rows: I64) -> I64:
        """The stripe's series among ascending block rows."""
        if not len(rows) or not len(self.rows):
            return np.zeros(0, np.int64)
        wanted = np.zeros(max(int(rows[-1]), int(self.rows.max())) + 1, np.bool_)
        wanted[rows] = True
        return np.flatnonzero(wanted[self.rows])

    def present_between(self, series: I64, start_ms: int, end_ms: int, cache: DecodedCache) -> I64:
        """Those of the series that have a sample in [start_ms, end_ms]; reads times only."""
        vectors, inverse = np.unique(self.vector_of[series], return_inverse=True)
        _, _, low, high = self._cut_vectors(vectors.astype(np.int64), start_ms, end_ms, cache)
        return series[(high > low)[inverse]]

    def bear_overhang(self, rows: I64, overhang_ms: int, cache: DecodedCache) -> Mask:
        """Whether a rollup may answer for these block rows, all of them the stripe's, where windows begin so long before a bucket."""
        place = np.zeros(int(self.rows.max()) + 1, np.int64)
        place[self.rows] = np.arange(len(self.rows))
        vectors, vector_of = _numbered(self.vector_of[place[rows]], len(self.vector_lengths))
        times = self._times_of(self.times, vectors, cache)
        return bear_overhang(times, offsets_of(self.vector_lengths[vectors]), overhang_ms)[vector_of]

    def by_chunk(self, series: I64) -> Iterator[I64]:
        """The series split by the chunk that holds their values."""
        _, bounds = self.values.chunks_of(series)
        return (series[low:high] for low, high in pairwise(bounds))

    def read(
        self, series: I64, start_ms: int, end_ms: int, cache: DecodedCache, budget: Budget | None = None
    ) -> StripeRead:
        """Plan to read the samples in [start_ms, end_ms] of ascending `series`; charges the budget. Raises: CorruptData for times."""
        vectors, vector_of = _numbered(self.vector_of[series], len(self.vector_lengths))
        times, offsets, low, high = self._cut_vectors(vectors, start_ms, end_ms, cache)
        weights = self.times_of("weights", vectors, cache) if "weights" in self._layout.times else None
        counts = (high - low)[vector_of]
        kept = counts > 0
        if not kept.all():
            series, vector_of, counts = series[kept], vector_of[kept], counts[kept]
        if budget is not None:
            budget.charge_samples(int(counts.sum()))
        return StripeRead(self, series, vector_of, times, offsets[:-1] + low, high - low, low, cache, budget, weights)

    def may_be_stale(self, series: I64) -> bool:
        """Whether any chunk that the series lie in holds a stale marker."""
        return bool(self._stale[self.values.chunks_of(series)[0]].any())

    def _cut_vectors(self, vectors: I64, start_ms: int, end_ms: int, cache: DecodedCache) -> tuple[I64, I64, I64, I64]:
        """Times of some vectors, ragged, and for each the half-open stretch [low, high) inside the range."""
        lengths = self.vector_lengths[vectors]
        offsets = offsets_of(lengths)
        times = self._times_of(self.times, vectors, cache)
        if len(vectors) == 1:
            low = np.searchsorted(times, [start_ms])
            return times, offsets, low, np.searchsorted(times, [end_ms], side="right")
        inside = (times >= start_ms) & (times <= end_ms)
        if inside.all():
            return times, offsets, np.zeros(len(vectors), np.int64), lengths
        high = np.add.reduceat(times <= end_ms, offsets[:-1], dtype=np.int64)
        low = np.add.reduceat(times < start_ms, offsets[:-1], dtype=np.int64)
        return times, offsets, low, np.maximum(high, low)

    def times_of(self, name: str, vectors: I64, cache: DecodedCache) -> I64:
        """A column of times of some vectors (ascending), whole, one after the other. Raises: CorruptData."""
        return self._times_of(self.column(name), vectors, cache)

    def _times_of(self, column: ChunkedColumn, vectors: I64, cache: DecodedCache) -> I64:
        chunks, bounds = column.chunks_of(vectors)
        if len(vectors) == 1:
            decoded = cache.get_or(column.key(self._block, chunks[0]), partial(column.decode, chunks[0]))
            begin, end = column.offsets[vectors[0] : vectors[0] + 2] - column.offsets[column.item_range(chunks[0])[0]]
            return decoded[begin:end]
        lengths = self.vector_lengths[vectors]
        offsets = offsets_of(lengths)
        times = np.empty(int(offsets[-1]), np.int64)
        for number, chunk in enumerate(chunks):
            mine = slice(bounds[number], bounds[number + 1])
            base = int(column.offsets[column.item_range(chunk)[0]])
            decoded = cache.get_or(column.key(self._block, chunk), partial(column.decode, chunk))
            index = gather_index(column.offsets[vectors[mine]] - base, lengths[mine])
            times[offsets[mine.start] : offsets[mine.stop]] = decoded[index]
        return times

    def read_values(self, series: I64, low: I64, counts: I64, cache: DecodedCache, budget: Budget | None) -> F64:
        """The values of each series from `low` on, `counts` of them, one after the other."""
        places = offsets_of(counts)
        out = np.empty(int(places[-1]), np.float64)
        column = self.values
        chunks, bounds = column.chunks_of(series)
        for number, chunk in enumerate(chunks):
            if budget is not None and number % 16 == 0:
                budget.check()
            mine = slice(bounds[number], bounds[number + 1])
            target = out[places[mine.start] : places[mine.stop]]
            self._read_chunk(chunk, series[mine], low[mine], counts[mine], target, cache)
        return out

    def _read_chunk(self, chunk: int, series: I64, low: I64, counts: I64, target: F64, cache: DecodedCache) -> None:
        column = self.values
        first, stop = column.item_range(chunk)
        base = int(column.offsets[first])
        whole = int(column.offsets[stop]) - base
        held = cache.get(column.key(self._block, chunk))
        if held is None and len(target) == whole:
            column.decode_into(chunk, target)
            return
        if held is None:
            held = self._decoded(chunk, len(target), cache)
        _copy(held, column.offsets[series] - base, whole // (stop - first), low, counts, target)

    def read_matrix(
        self, series: I64, low: int, out: F64, cache: DecodedCache, budget: Budget | None, on_corrupt: OnCorrupt
    ) -> I64:
        """Fill out [S,N]: of each series N values from the `low`th on. Returns the rows of `out` that could not be read."""
        order = np.argsort(series, kind="stable")
        ordered = bool((order[1:] > order[:-1]).all())
        sorted_series = series if ordered else series[order]
        column, length = self.values, out.shape[1]
        failed: list[I64] = []
        chunks, bounds = column.chunks_of(sorted_series)
        for number, chunk in enumerate(chunks):
            if budget is not None and number % 16 == 0:
                budget.check()
            mine = slice(bounds[number], bounds[number + 1])
            rows = mine if ordered else order[mine]
            try:
                held = self._decoded(chunk, (mine.stop - mine.start) * length, cache)
            except CorruptData as err:
                on_corrupt(err)
                failed.append(np.arange(len(series))[rows])
                continue
            starts = column.offsets[sorted_series[mine]] - int(column.offsets[column.item_range(chunk)[0]]) + low
            out[rows] = _rectangle(held, starts, length)
        return np.concatenate(failed) if failed else _NOTHING

    def _decoded(self, chunk: int, wanted: int, cache: DecodedCache) -> F64:
        """The chunk's values. One of which most is wanted is not worth a place in the cache: decoding is as fast as copying."""
        column = self.values
        key = column.key(self._block, chunk)
        held = cache.get(key)
        if held is not None:
            return held
        first, stop = column.item_range(chunk)
        if wanted * 2 > int(column.offsets[stop] - column.offsets[first]):
            return column.decode(chunk)
        return cache.get_or(key, partial(column.decode, chunk))


def _numbered(chosen: I32, size: int) -> tuple[I64, I64]:
    """The distinct ones of some numbers below size, ascending, and for each where it is among them; as np.unique, without sorting."""
    found = np.zeros(size, np.bool_)
    found[chosen] = True
    return np.flatnonzero(found), (np.cumsum(found) - 1)[chosen]


def stripe_key(number: int, kind: str = "") -> str:
    """By what the columns of a stripe, or of a rollup beside it, are named."""
    return f"{number}/{kind}" if kind else str(number)


class _TimesAsValues(Stripe):
    """A view whose values are those of a column of times."""

    def may_be_stale(self, series: I64) -> bool:  # noqa: ARG002
        return False

    def read_values(self, series: I64, low: I64, counts: I64, cache: DecodedCache, budget: Budget | None) -> F64:  # noqa: ARG002
        vectors, inverse = np.unique(self.vector_of[series], return_inverse=True)
        times = self._times_of(self.values, np.asarray(vectors, np.int64), cache)
        starts = offsets_of(self.vector_lengths[vectors])[:-1][inverse] + low
        return times[gather_index(starts, counts)].astype(np.float64)

    def read_matrix(
        self,
        series: I64,
        low: int,
        out: F64,
        cache: DecodedCache,
        budget: Budget | None,  # noqa: ARG002
        on_corrupt: OnCorrupt,
    ) -> I64:
        try:
            times = self._times_of(self.values, self.vector_of[series[:1]].astype(np.int64), cache)
        except CorruptData as err:
            on_corrupt(err)
            return np.arange(len(series))
        out[:] = times[low : low + out.shape[1]]
        return _NOTHING


_NOTHING = np.zeros(0, np.int64)


def _rectangle(held: F64, starts: I64, length: int) -> F64:
    """The stretches [start, start+length) as rows; a view where they are evenly spaced."""
    count = len(starts)
    step = int(starts[1] - starts[0]) if count > 1 else length
    if step >= length and bool((starts[1:] - starts[:-1] == step).all()):
        # As numpy's as_strided, which takes as long as copying a few series.
        return np.ndarray((count, length), np.float64, held, 8 * int(starts[0]), (8 * step, 8))
    matrix: F64 = held[starts[:, None] + np.arange(length)]
    return matrix


def _copy(held: F64, starts: I64, length: int, low: I64, counts: I64, target: F64) -> None:
    """target = the stretches [start+low, +count) of held. Where all series are alike it is a copy of a rectangle."""
    uniform = (
        len(held) % length == 0
        and bool((counts == counts[0]).all())
        and bool((low == low[0]).all())
        and bool((starts % length == 0).all())
    )
    if uniform and int(low[0] + counts[0]) <= length:
        rows = starts // length
        rectangle = held.reshape(-1, length)
        chosen: Any = slice(int(rows[0]), int(rows[-1]) + 1) if int(rows[-1] - rows[0]) == len(rows) - 1 else rows
        target.reshape(len(rows), -1)[:] = rectangle[chosen, int(low[0]) : int(low[0] + counts[0])]
        return
    np.take(held, gather_index(starts + low, counts), out=target)
