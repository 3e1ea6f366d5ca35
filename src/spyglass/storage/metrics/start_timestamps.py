"""Start timestamps (upstream's st-storage): since when each sample has been counting.

They are kept as what they are, one more number per sample: in a second store of the same kind, under the same labels and times, with the
start in ms as the value. So they have the first one's journal, blocks, retention, deletion and recovery, and whoever does not switch
them on has not a byte and not a branch of them. A start that stays the same for hours costs next to nothing: the columns of equal
numbers and the time vectors that series share compress away.

A batch goes to the second store first. What a crash leaves there without its sample is never looked at: starts are joined to samples by
their time.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar, Metadata, SampleRuns, SampleTile, Selection, WriteBatch, WriteOutcome
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import BlockInfo, CardinalityStats, MetricStore, SelectHints, StoreStats
from spyglass.storage.metrics.assemble import SourceAnswer, unify_rows
from spyglass.storage.metrics.fingerprints import table_fingerprints

FOLDER = "start_timestamps"
"""Below the folder of the store whose samples they belong to."""


_LABELS_SPARE = 10_000
"""So many labels of series that are gone are kept, besides as many as there are series."""

_UNKNOWN = -2
"""References are positive, -1 is one that a store refused."""


class StartTimestampStore:
    """`MetricStore`: the samples in one store, their start timestamps in another."""

    def __init__(self, samples: MetricStore, starts: MetricStore) -> None:
        self._samples, self._starts = samples, starts
        self._lock = threading.Lock()
        # Of the samples' references; dropped now and then, whoever uses one that is not here is told to resolve again.
        self._labels: dict[int, Labels] = {}
        # References of the two stores, side by side, ascending by the first.
        self._refs = np.zeros(0, np.int64)
        self._start_refs = np.zeros(0, np.int64)

    @property
    def parts(self) -> tuple[MetricStore, MetricStore]:
        """The store of the samples and that of their start timestamps."""
        return self._samples, self._starts

    # Writing.

    def resolve(self, labels: Sequence[Labels]) -> I64:
        refs = self._samples.resolve(labels)
        with self._lock:
            self._labels.update(zip(refs.tolist(), labels, strict=True))
        return refs

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        started = np.zeros(0, np.int64) if batch.starts is None else np.flatnonzero(batch.starts)
        if batch.starts is None or not len(started):
            return self._samples.append(batch, durable=durable)
        with self._lock:
            start_refs = self._start_refs_of(batch.refs[started])
        strange = started[start_refs == _UNKNOWN]
        if len(strange):
            return self._append_known(batch, strange, durable)
        self._append_starts(batch, started, start_refs, durable)
        return self._samples.append(batch, durable=durable)

    def _append_known(self, batch: WriteBatch, strange: I64, durable: bool) -> WriteOutcome:
        """All but the rows whose labels are forgotten here; those come back as unknown, and then again with new references."""
        assert batch.starts is not None, "only rows with a start can be strange"
        kept = np.setdiff1d(np.arange(len(batch.refs)), strange)
        known = replace(
            batch, refs=batch.refs[kept], times=batch.times[kept], values=batch.values[kept], starts=batch.starts[kept]
        )
        outcome = self.append(known, durable=durable)
        return replace(
            outcome,
            unknown=np.union1d(kept[outcome.unknown], strange),
            out_of_order=kept[outcome.out_of_order],
            too_old=kept[outcome.too_old],
            duplicate=kept[outcome.duplicate],
        )

    def _append_starts(self, batch: WriteBatch, rows: I64, start_refs: I64, durable: bool) -> None:
        assert batch.starts is not None, "there are rows with a start"
        times, values = batch.times[rows], batch.starts[rows].astype(np.float64)
        outcome = self._starts.append(WriteBatch(start_refs, times, values), durable=durable)
        if len(outcome.unknown):
            # Forgotten there: the series had no start for as long as that store remembers series.
            lost = outcome.unknown
            refs = batch.refs[rows[lost]]
            with self._lock:
                stays = ~np.isin(self._refs, refs)
                self._refs, self._start_refs = self._refs[stays], self._start_refs[stays]
                start_refs = self._start_refs_of(refs)
            self._starts.append(WriteBatch(start_refs, times[lost], values[lost]), durable=durable)

    def _start_refs_of(self, refs: I64) -> I64:
        """The other store's references; _UNKNOWN where the labels are not known. One that it refuses (series limit) stays refused."""
        found = self._known(refs)
        fresh = np.unique(refs[found == _UNKNOWN])
        wanted = [(ref, self._labels[ref]) for ref in fresh.tolist() if ref in self._labels]
        if not wanted:
            return found
        resolved = self._starts.resolve([labels for _, labels in wanted])
        merged = np.concatenate([self._refs, np.asarray([ref for ref, _ in wanted], np.int64)])
        order = np.argsort(merged)
        self._refs, self._start_refs = merged[order], np.concatenate([self._start_refs, resolved])[order]
        return self._known(refs)

    def _known(self, refs: I64) -> I64:
        if not len(self._refs):
            return np.full(len(refs), _UNKNOWN, np.int64)
        place = np.minimum(np.searchsorted(self._refs, refs), len(self._refs) - 1)
        return np.where(self._refs[place] == refs, self._start_refs[place], _UNKNOWN)

    # Reading.

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,
        budget: Budget,
    ) -> Selection:
        if not hints.start_timestamps:
            return self._samples.select(matchers, start_ms=start_ms, end_ms=end_ms, hints=hints, budget=budget)
        found = self._samples.select(matchers, start_ms=start_ms, end_ms=end_ms, hints=hints, budget=budget)
        if not found.size:
            return found
        starts = self._starts.select(
            matchers, start_ms=start_ms, end_ms=end_ms, hints=SelectHints(start_timestamps=True), budget=budget
        )
        return replace(found, starts=_joined(starts, found.labels))

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        return self._samples.series(matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def label_names(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        return self._samples.label_names(matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        return self._samples.label_values(name, matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def exemplars(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        return self._samples.exemplars(matcher_sets, start_ms=start_ms, end_ms=end_ms)

    def metadata(self) -> dict[str, list[Metadata]]:
        return self._samples.metadata()

    def cardinality(self, *, limit: int = 10) -> CardinalityStats:
        return self._samples.cardinality(limit=limit)

    def block_infos(self) -> list[BlockInfo]:
        return self._samples.block_infos()

    def time_range(self) -> tuple[int, int] | None:
        return self._samples.time_range()

    # Upkeep: of both.

    @property
    def version(self) -> int:
        return self._samples.version + self._starts.version

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int) -> None:
        self._samples.delete(matcher_sets, start_ms=start_ms, end_ms=end_ms)
        self._starts.delete(matcher_sets, start_ms=start_ms, end_ms=end_ms)

    def clean_tombstones(self) -> None:
        self._samples.clean_tombstones()
        self._starts.clean_tombstones()

    def snapshot(self, *, skip_head: bool = False) -> str:
        """The samples' snapshot; the start timestamps get one of their own, below their folder."""
        self._starts.snapshot(skip_head=skip_head)
        return self._samples.snapshot(skip_head=skip_head)

    def maintain(self, now_ms: int) -> None:
        self._samples.maintain(now_ms)
        self._starts.maintain(now_ms)
        with self._lock:
            if len(self._labels) > 2 * self._samples.stats().series_active + _LABELS_SPARE:
                self._labels.clear()
                self._refs = self._start_refs = np.zeros(0, np.int64)

    def stats(self) -> StoreStats:
        """The samples', with what start timestamps take of the disk."""
        stats, starts = self._samples.stats(), self._starts.stats()
        return replace(
            stats,
            disk_bytes=stats.disk_bytes + starts.disk_bytes,
            log_bytes=stats.log_bytes + starts.log_bytes,
            corruptions=stats.corruptions + starts.corruptions,
            notes=(*stats.notes, *starts.notes),
        )

    def close(self) -> None:
        self._samples.close()
        self._starts.close()


def _joined(starts: Selection, labels: LabelTable) -> list[SampleTile | SampleRuns]:
    """Pieces with the rows of `labels`; series that are not among those are left out."""
    if not starts.size:
        return []
    answers = [SourceAnswer(table_fingerprints(table), table) for table in (starts.labels, labels)]
    (own, target), _ = unify_rows(answers)
    row_of = np.full(int(max(own.max(), target.max())) + 1, -1, np.int64)
    row_of[target] = np.arange(len(target))
    return [
        piece for piece in (_with_rows(piece, row_of[own[piece.rows]]) for piece in starts.pieces) if len(piece.rows)
    ]


def _with_rows(piece: SampleTile | SampleRuns, rows: I64) -> SampleTile | SampleRuns:
    kept = np.flatnonzero(rows >= 0)
    if len(kept) == len(rows):
        return replace(piece, rows=rows)
    if isinstance(piece, SampleTile):
        present = None if piece.present is None else piece.present[kept]
        return replace(piece, rows=rows[kept], values=piece.values[kept], present=present)
    counts = np.diff(piece.offsets)
    inside = np.repeat(rows >= 0, counts)
    offsets = np.concatenate([[0], np.cumsum(counts[kept])])
    return replace(piece, rows=rows[kept], offsets=offsets, times=piece.times[inside], values=piece.values[inside])
