"""One tenant's metric store: the head, the blocks, and the lock between them."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import DiskFull, Unavailable
from spyglass.model.labels import METRIC_NAME, Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar, Metadata, Selection, WriteBatch, WriteOutcome
from spyglass.protocols.budget import Budget
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.protocols.metric_store import CardinalityStats, SelectHints, StoreStats
from spyglass.storage.journal import Journal, JournalOptions
from spyglass.storage.metrics.assemble import SourceAnswer, assemble, unify_rows
from spyglass.storage.metrics.head import Head
from spyglass.storage.metrics.options import MetricStoreOptions

_SPACE_CHECK_NS = 1_000_000_000


class DiskMetricStore:
    """`MetricStore` in a folder: `wal/` the journal, `blocks/` the past. The caller holds the directory's lock."""

    def __init__(self, folder: Path, *, files: Files, clock: Clock, options: MetricStoreOptions) -> None:
        self._folder, self._files, self._clock, self._options = folder, files, clock, options
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._closed = False
        self._space_checked_ns = -(2**62)
        journal_options = JournalOptions(sync_interval_s=options.sync_interval_s)
        self._journal = Journal(folder / "wal", files=files, options=journal_options)
        self._head = Head(self._journal, options)
        for position, record in self._journal.replay():
            self._head.replay_record(position, record)

    # Writing.

    def resolve(self, labels: Sequence[Labels]) -> I64:
        with self._lock:
            self._check_open()
            return self._head.resolve(labels)

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        with self._lock:
            self._check_open()
            self._check_space()
            outcome, position = self._head.append(batch)
        if durable:
            self._journal.sync_to(position)
        return outcome

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("the metric store is closed")

    def _check_space(self) -> None:
        """Refuse writes below the free-space floor; asked of the system at most once a second."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._space_checked_ns < _SPACE_CHECK_NS:
            return
        free = self._files.free_bytes(self._folder)
        if free < self._options.min_free_bytes:
            floor = self._options.min_free_bytes
            raise DiskFull(
                f"{self._folder}: {free} bytes are free, less than the floor of {floor}: samples are refused"
            )
        self._space_checked_ns = now_ns

    # Reading.

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,  # noqa: ARG002
        budget: Budget,
    ) -> Selection:
        budget.check()
        with self._lock:
            answers = [self._head.select(matchers, start_ms, end_ms)]
        budget.charge_samples(sum(piece.values.size for answer in answers for piece in answer.pieces))
        return assemble(answers)

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        table = self._series(matcher_sets, start_ms, end_ms)
        return table.take(np.arange(limit)) if limit and table.size > limit else table

    def _series(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> LabelTable:
        answers: list[SourceAnswer] = []
        for matchers in matcher_sets or [()]:
            with self._lock:
                answers.append(self._head.series(matchers, start_ms, end_ms))
        return unify_rows(answers)[1]

    def label_names(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        table = self._series(matcher_sets, start_ms, end_ms)
        return sorted(name for name, column in table.columns.items() if column.codes.any())[: limit or None]

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        column = self._series(matcher_sets, start_ms, end_ms).columns.get(name)
        if column is None:
            return []
        used = np.unique(column.codes)
        return sorted(column.values[code] for code in used.tolist() if code)[: limit or None]

    def exemplars(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        with self._lock:
            return self._head.exemplars.select(matcher_sets, start_ms, end_ms)

    def metadata(self) -> dict[str, list[Metadata]]:
        with self._lock:
            return self._head.metadata.all()

    def cardinality(self, *, limit: int = 10) -> CardinalityStats:
        with self._lock:
            table = self._head.index.table(np.flatnonzero(self._head.index.live))
            low, high = self.time_range() or (0, 0)
        counts = {
            name: np.bincount(column.codes, minlength=len(column.values)) for name, column in table.columns.items()
        }
        present = {
            name: [
                (table.columns[name].values[code], int(count[code])) for code in np.flatnonzero(count).tolist() if code
            ]
            for name, count in counts.items()
        }
        return CardinalityStats(
            series=table.size,
            label_pairs=sum(len(pairs) for pairs in present.values()),
            chunks=table.size,
            min_time_ms=low,
            max_time_ms=high,
            series_by_metric=_largest(present.get(METRIC_NAME, []), limit),
            values_by_label=_largest([(name, len(pairs)) for name, pairs in present.items()], limit),
            bytes_by_label=_largest([(n, sum(len(v.encode()) for v, _ in p)) for n, p in present.items()], limit),
            series_by_pair=_largest([(f"{n}={v}", c) for n, p in present.items() for v, c in p], limit),
        )

    def time_range(self) -> tuple[int, int] | None:
        with self._lock:
            pools = [pool for pool in self._head.pools() if pool.samples]
        if not pools:
            return None
        return min(pool.min_ms for pool in pools), max(pool.max_ms for pool in pools)

    # Administration.

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int) -> None:
        raise NotImplementedError

    def clean_tombstones(self) -> None:
        raise NotImplementedError

    def snapshot(self, *, skip_head: bool = False) -> str:
        raise NotImplementedError

    def maintain(self, now_ms: int) -> None:
        """One round of housekeeping."""

    def stats(self) -> StoreStats:
        with self._lock:
            head, journal = self._head, self._journal
            notes = list(journal.recovery.notes)
            return StoreStats(
                samples_appended=head.counters.appended,
                series_created=head.counters.created,
                series_active=head.index.count,
                disk_bytes=journal.size_bytes(),
                log_bytes=journal.size_bytes(),
                corruptions=journal.recovery.corruptions,
                notes=tuple(notes),
            )

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._journal.close()


def _largest(pairs: Sequence[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    return sorted(pairs, key=lambda item: (-item[1], item[0]))[:limit]
