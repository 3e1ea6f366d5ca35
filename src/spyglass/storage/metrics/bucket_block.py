"""A block of buckets, opened for reading: the last samples of buckets, or some columns of them side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.errors import CorruptData
from spyglass.model.matchers import Matcher
from spyglass.model.samples import STALE
from spyglass.protocols.budget import Budget
from spyglass.storage.metrics.assemble import ColumnAnswer, Place, SourceAnswer
from spyglass.storage.metrics.block import Block, renumbered
from spyglass.storage.metrics.bucket_stripe import visible_markers
from spyglass.storage.metrics.buckets import TIME_COLUMNS, Markers, bucket_ends
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.layout import bucket_layout
from spyglass.storage.metrics.match_memo import Matched
from spyglass.storage.metrics.ragged import Ragged, keep_where, merge_ragged, offsets_of, pieces, take
from spyglass.storage.metrics.rollups import NO_ROLLUPS, RollupUse
from spyglass.storage.metrics.stripe import OnCorrupt, Stripe, StripeRead
from spyglass.storage.metrics.tiles import LazyPiece


class BucketBlock(Block):
    """Its times (min_ms, max_ms, those of stripes) are where buckets begin; tombstones hide buckets by where they end."""

    def __init__(self, path: Path, resolution_ms: int) -> None:
        super().__init__(path, bucket_layout(resolution_ms))
        self.resolution_ms = resolution_ms
        self._damaged: dict[tuple[int, str], Mask] = {}
        """By stripe and column the series whose chunks cannot be read."""

    def hides(self, row: int, time_ms: int) -> bool:
        return self.tombstones.hides(row, -(-time_ms // self.resolution_ms) * self.resolution_ms)

    def ends_between(self, start_ms: int, end_ms: int) -> Iterator[int]:
        """The stripes with a bucket that ends in [start_ms, end_ms]."""
        return self.stripes_between(start_ms - self.resolution_ms, end_ms - self.resolution_ms)

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
        rollups: RollupUse = NO_ROLLUPS,  # noqa: ARG002
    ) -> SourceAnswer:
        """The last samples of buckets, and the stale markers behind them, at their own times in [start_ms, end_ms]."""
        rows = self.match(matchers)
        found: list[LazyPiece] = []
        places: list[Place] = []
        reach_ms = end_ms + self.resolution_ms - 1
        for number in self.ends_between(start_ms, reach_ms) if len(rows) else ():
            budget.check()
            try:
                stripe = self.stripe(number).view("last_times", "last")
                new = list(self._last(stripe, rows, start_ms, end_ms, cache, budget, on_corrupt))
            except CorruptData as err:
                on_corrupt(err)
                continue
            found += [renumbered(piece, rows) for piece in new]
            places += [(self.stripes[number].start_ms, 0)] * len(new)
        return self._answer(Matched(rows), found, self._histograms(rows, start_ms, end_ms, on_corrupt), places)

    def _last(
        self,
        stripe: Stripe,
        rows: I64,
        start_ms: int,
        end_ms: int,
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> Iterator[LazyPiece]:
        markers = visible_markers(stripe.markers(), self.tombstones, self.resolution_ms)
        inside = (markers.times >= start_ms) & (markers.times <= end_ms) & np.isin(markers.rows, rows)
        marked = Markers(markers.rows[inside], markers.times[inside])
        series = stripe.find(rows)
        if self.tombstones.touch(rows, start_ms, end_ms + self.resolution_ms):
            apart = np.ones(len(series), np.bool_)
        else:
            apart = np.isin(stripe.rows[series], marked.rows)
        if not apart.all():
            yield from stripe.read(series[~apart], start_ms, end_ms, cache, budget).pieces(on_corrupt)
        parts = [_as_samples(marked)]
        if apart.any():
            ragged = stripe.read(series[apart], start_ms, end_ms, cache, budget).ragged()
            ends = replace(ragged, times=bucket_ends(ragged.times, self.resolution_ms))
            parts.insert(0, _by_row(keep_where(ragged, self.tombstones.keep(ends))))
        merged = merge_ragged([part for part in parts if len(part.times)])
        if merged is not None:
            yield from pieces(merged)

    def select_columns(
        self,
        matchers: Sequence[Matcher],
        columns: Sequence[str],
        start_ms: int,
        end_ms: int,
        *,
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> ColumnAnswer:
        """The columns of the buckets that end in [start_ms, end_ms], at the times of their ends.

        A damaged chunk is told when it is decoded; the block then knows (`is_damaged`), and leaves the chunk's series out when asked again.
        """
        rows = self.match(matchers)
        found: dict[str, list[LazyPiece]] = {name: [] for name in columns}
        places: list[Place] = []
        for number in self.ends_between(start_ms, end_ms) if len(rows) else ():
            budget.check()
            try:
                stripe = self.stripe(number)
            except CorruptData as err:
                on_corrupt(err)
                continue
            series = stripe.find(rows)
            for name in ("ends", *columns):
                damaged = self._damaged.get((number, name))
                series = series if damaged is None else series[~damaged[series]]
            if len(series):
                count = self._read_columns(stripe, series, found, (start_ms, end_ms), cache, budget, on_corrupt)
                places += [(self.stripes[number].start_ms, 0)] * count
        renamed = {name: [renumbered(piece, rows) for piece in new] for name, new in found.items()}
        prints, table = self._taken(rows)
        histograms = self._histograms(rows, start_ms - self.resolution_ms + 1, end_ms, on_corrupt)
        return ColumnAnswer(prints, table, renamed, places, histograms)

    def _read_columns(
        self,
        stripe: Stripe,
        series: I64,
        found: dict[str, list[LazyPiece]],
        span: tuple[int, int],
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> int:
        """Adds a stripe's pieces to each column's; returns how many."""
        read = stripe.read(series, *span, cache, budget)
        hidden = self.tombstones.touch(stripe.rows[series], *span)
        new: dict[str, list[LazyPiece]] = {}
        try:
            for name in found:
                view = replace(read, stripe=stripe.view("ends", name))
                new[name] = list(self._visible(view)) if hidden else list(view.pieces(on_corrupt))
        except CorruptData as err:
            on_corrupt(err)
            return 0
        for name, some in new.items():
            found[name] += some
        return len(new[next(iter(found))])

    def _visible(self, read: StripeRead) -> Iterator[LazyPiece]:
        ragged = read.ragged()
        yield from pieces(keep_where(ragged, self.tombstones.keep(ragged)), may_be_stale=False)

    def find_damage(self, columns: Sequence[str]) -> None:
        """Look for damaged chunks of the columns, so that select_columns leaves their series out from now on."""
        for number in range(len(self.stripes)):
            for name in ("ends", *columns):
                try:
                    stripe = self.stripe(number)
                    bad = _damaged_items(stripe, name)
                except CorruptData:
                    continue
                if bad.any():
                    self._damaged[number, name] = bad[stripe.vector_of] if name in TIME_COLUMNS else bad

    def series_between(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, cache: DecodedCache, on_corrupt: OnCorrupt
    ) -> SourceAnswer:
        """The series with a bucket that reaches into the range, without samples."""
        rows = self.match(matchers)
        has = np.zeros(self.series, np.bool_)
        span = (start_ms, end_ms + self.resolution_ms - 1)
        for number in self.ends_between(*span) if len(rows) else ():
            try:
                stripe = self.stripe(number)
                has[stripe.rows[stripe.present_between(stripe.find(rows), *span, cache)]] = True
            except CorruptData as err:
                on_corrupt(err)
        for runs in self._histograms(rows, *span, on_corrupt):
            has[rows[runs.rows]] = True
        has[self.tombstones.wholly_hidden(self.min_ms + self.resolution_ms, self.max_ms + self.resolution_ms)] = False
        return SourceAnswer(*self._taken(rows[has[rows]]))


def _damaged_items(stripe: Stripe, name: str) -> Mask:
    column = stripe.column(name)
    bad = np.zeros(len(column.offsets) - 1, np.bool_)
    for chunk in range(len(column.first)):
        try:
            column.raw(chunk)
        except CorruptData:
            bad[slice(*column.item_range(chunk))] = True
    return bad


def _as_samples(markers: Markers) -> Ragged:
    rows, counts = np.unique(markers.rows, return_counts=True)
    return Ragged(rows, offsets_of(counts), markers.times, np.full(len(markers.times), STALE))


def _by_row(ragged: Ragged) -> Ragged:
    """Series in order of their rows."""
    return ragged if (ragged.rows[1:] > ragged.rows[:-1]).all() else take(ragged, np.argsort(ragged.rows))
