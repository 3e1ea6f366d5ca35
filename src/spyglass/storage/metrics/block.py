"""A block on disk, opened for reading: match its label columns, read the stripes that the range touches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spyglass.model.arrays import I64, U64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import HistogramRuns
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import BlockInfo
from spyglass.storage.metrics.assemble import Place, SourceAnswer
from spyglass.storage.metrics.column_file import ColumnFile
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.fingerprints import table_fingerprints
from spyglass.storage.metrics.histogram_blocks import StoredHistograms
from spyglass.storage.metrics.histogram_columns import HistogramColumns
from spyglass.storage.metrics.label_columns import StoredLabels
from spyglass.storage.metrics.layout import RAW, Layout
from spyglass.storage.metrics.match_memo import Matched, MatchMemo
from spyglass.storage.metrics.matching import match_rows
from spyglass.storage.metrics.ragged import keep_where, pieces
from spyglass.storage.metrics.rollups import NO_ROLLUPS, RollupUse
from spyglass.storage.metrics.stripe import OnCorrupt, Stripe
from spyglass.storage.metrics.tiles import LazyPiece, Piece
from spyglass.storage.metrics.tombstones import Tombstones

BLOCK_SUFFIX = ".block"
TOMBSTONE_SUFFIX = ".tombstones"


@dataclass(frozen=True, slots=True)
class StripeMeta:
    """start_ms: of its window. min_ms, max_ms: of its samples."""

    start_ms: int
    min_ms: int
    max_ms: int
    samples: int
    series: int


class Block:
    """Immutable but for its tombstones. Thread-safe: tables are loaded on demand, and twice at worst."""

    def __init__(self, path: Path, layout: Layout = RAW) -> None:
        self.path, self.layout = path, layout
        self.number = int(path.stem)
        self.file = ColumnFile(path, layout.magic)
        meta = self.file.meta
        self.min_ms, self.max_ms = int(meta["min_ms"]), int(meta["max_ms"])
        self.series, self.samples = int(meta["series"]), int(meta["samples"])
        self.level = int(meta["level"])
        self.late = bool(meta["late"])
        self.position = int(meta["position"])
        self.flush = int(meta["flush"])
        self.order = int(meta["order"])
        """Within a window, blocks of a higher order hold each series' later samples: they were flushed later."""
        self.label_order: list[str] = list(meta["label_order"])
        self.sources: list[int] = list(meta["sources"])
        self.stripes = [StripeMeta(*one) for one in meta["stripes"]]
        self.tombstones = Tombstones.load(path.with_suffix(TOMBSTONE_SUFFIX))
        self.native = StoredHistograms(self.file)
        self._labels: StoredLabels | None = None
        self._memo = MatchMemo()
        self._open_stripes: dict[int, Stripe] = {}
        self.rollup_damage: CorruptData | None = None
        """Known once a rollup could not be read; samples answer in the place of all of them from then on."""
        self.idle = False
        """Set by housekeeping, cleared by use: what stays idle gives its tables back."""

    @property
    def size_bytes(self) -> int:
        return self.file.size_bytes

    def info(self) -> BlockInfo:
        """What the server tells of it. A bucket that begins at b holds (b, b + resolution]."""
        width_ms = self.layout.resolution_ms
        low, high = self.min_ms + (width_ms > 0), self.max_ms + width_ms
        return BlockInfo(
            self.number, low, high, self.samples, self.series, self.level, tuple(self.sources), resolution_ms=width_ms
        )

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        return self.samples > 0 and self.min_ms <= end_ms and self.max_ms >= start_ms

    @property
    def labels(self) -> LabelTable:
        """All series."""
        self.idle = False
        if self._labels is None:
            self._labels = StoredLabels(self.file)
        return LabelTable(self.series, self._labels)

    def match(self, matchers: Sequence[Matcher]) -> I64:
        """Rows, ascending."""
        columns = self.labels.columns
        assert isinstance(columns, StoredLabels)
        return match_rows(columns, self.series, matchers, columns.code_of)

    def stripe(self, number: int) -> Stripe:
        self.idle = False
        stripe = self._open_stripes.get(number)
        if stripe is None:
            stripe = self._open_stripes[number] = Stripe(self.file, self.layout, number, self.number)
        return stripe

    def stripes_between(self, start_ms: int, end_ms: int) -> Iterator[int]:
        for number, meta in enumerate(self.stripes):
            if meta.min_ms <= end_ms and meta.max_ms >= start_ms:
                yield number

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
        rollups: RollupUse = NO_ROLLUPS,
    ) -> SourceAnswer:
        """The block's part of a selection. What fails its checksum is told to `on_corrupt` and left out.

        rollups: what may answer for samples. A damaged one may be found only when it is decoded: `rollup_damage` says so, and the answer
        is to be asked for again.
        """
        self.idle = False
        matched = self._memo.matched(matchers, self.match)
        rows = matched.rows
        found: list[LazyPiece] = []
        places: list[Place] = []
        for number in self.stripes_between(start_ms, end_ms) if len(rows) else ():
            budget.check()
            meta = self.stripes[number]
            here = rollups.between(meta.min_ms, meta.max_ms)
            for piece in self._read(number, rows, start_ms, end_ms, cache, budget, on_corrupt, here):
                found.append(renumbered(piece, rows))
                places.append((meta.start_ms, self.order))
        return self._answer(matched, found, self._histograms(rows, start_ms, end_ms, on_corrupt), places)

    def _answer(
        self, matched: Matched, found: list[LazyPiece], histograms: list[HistogramRuns], places: list[Place]
    ) -> SourceAnswer:
        used = np.zeros(len(matched.rows), np.bool_)
        for piece in (*found, *histograms):
            used[piece.rows] = True
        if used.all():
            if matched.taken is None:
                matched.taken = self._taken(matched.rows)
            return SourceAnswer(*matched.taken, found, histograms, self.late, places)
        # Labels are taken of those series only that have samples here.
        rank = np.cumsum(used) - 1
        found = [_with_rows(piece, rank[piece.rows]) for piece in found]
        histograms = [_with_rows(piece, rank[piece.rows]) for piece in histograms]
        return SourceAnswer(*self._taken(matched.rows[used]), found, histograms, self.late, places)

    def _taken(self, rows: I64) -> tuple[U64, LabelTable]:
        """Fingerprints and labels of some rows. Names that none of them has are left out."""
        if not len(rows):
            return np.zeros((0, 2), np.uint64), LabelTable(0)
        stored = self.labels.columns
        assert isinstance(stored, StoredLabels)
        columns = {name: column.take(rows) for name, column in stored.items()}
        table = LabelTable(len(rows), {name: column for name, column in columns.items() if column.codes.any()})
        return table_fingerprints(table, stored.words), table

    def _read(
        self,
        number: int,
        rows: I64,
        start_ms: int,
        end_ms: int,
        cache: DecodedCache,
        budget: Budget,
        on_corrupt: OnCorrupt,
        rollups: RollupUse,
    ) -> Iterator[LazyPiece]:
        try:
            stripe = self.stripe(number)
            series = stripe.find(rows)
            if not len(series):
                return
            if self.tombstones.touch(rows, start_ms, end_ms):
                ragged = stripe.read(series, start_ms, end_ms, cache, budget).ragged()
                found: list[LazyPiece] = list(pieces(keep_where(ragged, self.tombstones.keep(ragged))))
            else:
                found, series = self._read_rollups(stripe, rows, series, rollups, start_ms, end_ms, cache, budget)
                if len(series):
                    found += stripe.read(series, start_ms, end_ms, cache, budget).pieces(on_corrupt)
        except CorruptData as err:
            on_corrupt(err)
            found = list(self._read_what_is_whole(number, rows, start_ms, end_ms, cache, on_corrupt))
        yield from found

    def _read_rollups(
        self,
        stripe: Stripe,
        rows: I64,
        series: I64,
        rollups: RollupUse,
        start_ms: int,
        end_ms: int,
        cache: DecodedCache,
        budget: Budget,
    ) -> tuple[list[LazyPiece], I64]:
        """What rollups answer for some of the stripe's series, and the series that are left."""
        found: list[LazyPiece] = []
        left = np.ones(self.series, np.bool_)
        try:
            for kind, column in rollups.columns if self.rollup_damage is None else ():
                rollup = stripe.rollup(kind)
                if rollup is None or not len(chosen := rollup.find(rows)):
                    continue
                if rollups.overhang_ms:
                    chosen = chosen[stripe.bear_overhang(rollup.rows[chosen], rollups.overhang_ms, cache)]
                if len(chosen):
                    read = rollup.view("times", column).read(chosen, start_ms, end_ms, cache, budget)
                    found += read.pieces(self._lose_rollups)
                    left[rollup.rows[chosen]] = False
        except CorruptData as err:
            self._lose_rollups(err)
            return [], series
        return found, series[left[stripe.rows[series]]] if found else series

    def _lose_rollups(self, err: CorruptData) -> None:
        self.rollup_damage = err

    def may_hold_histograms(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> bool:
        """Whether any matching series may have native histograms in the range. Raises: CorruptData."""
        span = self.file.meta["histogram_range"]
        if span is None or span[0] > end_ms or span[1] < start_ms:
            return False
        return bool(self.native.counts(self.series)[self.match(matchers)].any())

    def _read_what_is_whole(
        self, number: int, rows: I64, start_ms: int, end_ms: int, cache: DecodedCache, on_corrupt: OnCorrupt
    ) -> Iterator[Piece]:
        """The slow way through a stripe with damage: chunk by chunk, leaving out those that cannot be read."""
        try:
            stripe = self.stripe(number)
        except CorruptData:
            return
        series = stripe.find(rows)
        for part in stripe.by_chunk(series):
            try:
                ragged = stripe.read(part, start_ms, end_ms, cache).ragged()
            except CorruptData as err:
                on_corrupt(err)
                continue
            yield from pieces(keep_where(ragged, self.tombstones.keep(ragged)))

    def series_between(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, cache: DecodedCache, on_corrupt: OnCorrupt
    ) -> SourceAnswer:
        """The series with a sample in the range, without samples. Deleted samples still count here."""
        rows = self.match(matchers)
        has = np.zeros(self.series, np.bool_)
        for number in self.stripes_between(start_ms, end_ms) if len(rows) else ():
            try:
                stripe = self.stripe(number)
                series = stripe.find(rows)
                meta = self.stripes[number]
                if len(series) and not (start_ms <= meta.min_ms and meta.max_ms <= end_ms):
                    series = stripe.present_between(series, start_ms, end_ms, cache)
                has[stripe.rows[series]] = True
            except CorruptData as err:
                on_corrupt(err)
        for runs in self._histograms(rows, start_ms, end_ms, on_corrupt):
            has[rows[runs.rows]] = True
        has[self.tombstones.wholly_hidden(self.min_ms, self.max_ms)] = False
        return SourceAnswer(*self._taken(rows[has[rows]]))

    def histograms(self, rows: I64 | None, start_ms: int, end_ms: int, on_corrupt: OnCorrupt) -> HistogramColumns:
        """Native histograms of some block rows (ascending; None: of all) in the closed range, by row and time; without deleted ones.

        Raises: CorruptData where all of them are lost; what is lost of single chunks is told.
        """
        found = self.native.read(rows, start_ms, end_ms, on_corrupt)
        if not self.tombstones:
            return found
        places = zip(found.rows.tolist(), found.times.tolist(), strict=True)
        kept = np.fromiter((not self.hides(row, time_ms) for row, time_ms in places), np.bool_, found.size)
        return found if kept.all() else found.take(np.flatnonzero(kept))

    def _histograms(self, rows: I64, start_ms: int, end_ms: int, on_corrupt: OnCorrupt) -> list[HistogramRuns]:
        span = self.file.meta["histogram_range"]
        if span is None or span[0] > end_ms or span[1] < start_ms:
            return []
        try:
            found = self.histograms(rows, start_ms, end_ms, on_corrupt)
        except CorruptData as err:
            on_corrupt(err)
            return []
        return found.with_rows(np.searchsorted(rows, found.rows)).runs()

    def hides(self, row: int, time_ms: int) -> bool:
        """Whether a tombstone hides the row's sample of that time."""
        return self.tombstones.hides(row, time_ms)

    def cool(self) -> None:
        """Give back the tables if nobody used them since the last call."""
        if self.idle:
            self._labels, self._memo = None, MatchMemo()
            self._open_stripes = {}
            self.native = StoredHistograms(self.file)
        self.idle = True


def renumbered(piece: LazyPiece, rows: I64) -> LazyPiece:
    """Block rows -> places among the matched `rows`, which ascend."""
    placed: LazyPiece = _with_rows(piece, np.searchsorted(rows, piece.rows))
    return placed


def _with_rows(piece: Any, rows: I64) -> Any:
    """dataclasses.replace without its cost of a look at every field."""
    kind = type(piece)
    values = {name: getattr(piece, name) for name in kind.__slots__}
    values["rows"] = rows
    return kind(**values)
