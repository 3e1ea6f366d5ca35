"""One tenant's metric store: the head, the blocks, and the lock between them."""

import os
import secrets
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData, DiskFull, StorageError, Unavailable
from spyglass.model.labels import METRIC_NAME, Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar, Metadata, Selection, WriteBatch, WriteOutcome
from spyglass.protocols.budget import Budget
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.protocols.metric_store import (
    BlockInfo,
    CardinalityStats,
    SelectHints,
    StoreStats,
)
from spyglass.storage.files import make_folder
from spyglass.storage.journal import Journal, JournalOptions
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.block_set import BlockSet
from spyglass.storage.metrics.block_writer import StripeSource, write_block
from spyglass.storage.metrics.checkpoint import Checkpoint
from spyglass.storage.metrics.compaction_plan import plan_merge
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.expiry import Expiry
from spyglass.storage.metrics.flush import write_part
from spyglass.storage.metrics.head import Head, HeadCounters
from spyglass.storage.metrics.histogram_columns import HistogramColumns
from spyglass.storage.metrics.level import Level
from spyglass.storage.metrics.merge import Cutoffs, merge_blocks
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.past import Past
from spyglass.storage.metrics.reader import StoreReader
from spyglass.storage.metrics.retention import beyond_age, beyond_size
from spyglass.storage.metrics.snapshot import write_snapshot
from spyglass.storage.metrics.tombstones import Tombstone

_COOL_NS = 300 * 1_000_000_000
_FROZEN_MAX = 2
_MERGE_CACHE_BYTES = 8 << 20
_SPACE_CHECK_NS = 1_000_000_000


CLOSING_SAMPLES_MIN = 200_000
"""A head with fewer samples is left to the journal when the store is closed: its replay is quick, a block of it would be small."""


class DiskMetricStore:
    """`MetricStore` in a folder. The caller holds the directory's lock.

        wal/          the journal
        checkpoint    the series as of the last flush
        blocks/       the past
        snapshots/    copies made on request

    Three locks, taken in this order: `_upkeep` lets one thread at a time merge, delete and retain; `_flushing` one write what is in
    memory, also while a long merge runs; `_lock` guards the head and the list of blocks, for moments.
    """

    def __init__(self, folder: Path, *, files: Files, clock: Clock, options: MetricStoreOptions) -> None:
        self._folder, self._files, self._clock, self._options = folder, files, clock, options
        make_folder(folder)
        self._lock = threading.RLock()
        self._upkeep = threading.RLock()
        self._flushing = threading.RLock()
        self._closed = False
        self._space_checked_ns = -(2**62)
        self._cooled_ns = clock.monotonic_ns()
        self._notes: list[str] = []
        self._corruptions = 0
        self._version = 0
        self._expiry = Expiry(options)
        self._blocks = BlockSet(folder / "blocks", files, Block)
        self._past = Past(folder / "downsampled", files, options)
        self._journal = Journal(
            folder / "wal", files=files, options=JournalOptions(sync_interval_s=options.sync_interval_s)
        )
        self._head = Head(self._journal, options)
        self._reader = StoreReader(
            self._head,
            self._blocks,
            self._past,
            lock=self._lock,
            options=options,
            expiry=self._expiry,
            on_corrupt=self._on_corrupt,
            set_aside=self._set_aside,
        )
        self._replay(self._load_checkpoint())

    # Starting.

    def _load_checkpoint(self) -> int:
        """Restore the series; returns where the replay begins."""
        path = self._folder / "checkpoint"
        if not path.exists():
            return 0
        try:
            checkpoint = Checkpoint.load(path)
        except CorruptData as err:
            # The journal's own series records and the blocks are still there; references start afresh.
            aside = path.with_name("checkpoint.corrupt")
            os.replace(path, aside)
            self._corruptions += 1
            self._notes.append(f"{err}; set aside as {aside}")
            return 0
        self._head.restore(checkpoint)
        return checkpoint.position

    def _replay(self, start: int) -> None:
        """Apply the journal in slices: what fills a pool becomes a block before the next is read."""
        kept_until = self._blocks.position
        self._journal.advance_to(max(start, kept_until))
        self._head.position = max(start, kept_until)
        for position, record in self._journal.replay(start):
            self._head.replay_record(position, record, kept_until=kept_until)
            if self._head.frozen:
                self._flush_frozen()
        if self._blocks.blocks and self._head.newest_ms is None:
            self._head.newest_ms = max(block.max_ms for block in self._blocks.blocks)
        unknown = self._head.counters.unknown_on_replay
        if unknown:
            self._notes.append(f"{self._folder}: {unknown} samples of series that the journal lost were left out")
        self._head.counters = HeadCounters(unknown_on_replay=unknown)

    # Writing.

    def resolve(self, labels: Sequence[Labels]) -> I64:
        with self._lock:
            self._check_open()
            return self._head.resolve(labels)

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        if len(self._head.frozen) >= _FROZEN_MAX:
            # Faster than housekeeping comes round: the writer does it, which is the back-pressure that bounds memory. It comes
            # before the batch is taken: if the disk is full, nothing of the batch is stored.
            self._flush()
        with self._lock:
            self._check_open()
            self._check_space()
            outcome, position = self._head.append(batch)
            self._version += 1
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

    @property
    def version(self) -> int:
        return self._version

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
        return self._reader.select(matchers, start_ms=start_ms, end_ms=end_ms, hints=hints, budget=budget)

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        return self._reader.series(matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def label_names(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        return self._reader.label_names(matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        return self._reader.label_values(name, matcher_sets, start_ms=start_ms, end_ms=end_ms, limit=limit)

    def _on_corrupt(self, err: CorruptData) -> None:
        """A damaged chunk: told once, and left out of answers."""
        with self._lock:
            if str(err) not in self._notes:
                self._corruptions += 1
                self._notes.append(str(err))

    def _set_aside(self, block: Block, err: CorruptData) -> None:
        with self._lock:
            if block in self._blocks.blocks:
                self._blocks.set_aside(block, err)

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

    def block_infos(self) -> list[BlockInfo]:
        """See protocols/metric_store.py."""
        return sorted(
            (block.info() for block in (*self._blocks.blocks, *self._past.blocks)),
            key=lambda info: (info.min_ms, info.resolution_ms, info.number),
        )

    def time_range(self) -> tuple[int, int] | None:
        with self._lock:
            spans = [span for span in (part.time_range() for part in self._head.parts()) if span is not None]
            spans += [(block.min_ms, block.max_ms) for block in (*self._blocks.blocks, *self._past.blocks)]
        return (min(low for low, _ in spans), max(high for _, high in spans)) if spans else None

    # Administration.

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int) -> None:
        with self._upkeep:
            # All samples into blocks first: then there is one place where deletions are noted.
            self.flush()
            for block in self._blocks.blocks:
                if block.overlaps(start_ms, end_ms):
                    found = [block.match(matchers) for matchers in matcher_sets or [()]]
                    rows = np.unique(np.concatenate(found))
                    if len(rows):
                        self._blocks.save_tombstones(block, block.tombstones.plus(Tombstone(rows, start_ms, end_ms)))
            self._past.delete(matcher_sets, start_ms, end_ms)
            with self._lock:
                self._version += 1

    def clean_tombstones(self) -> None:
        with self._upkeep:
            for block in self._blocks.blocks:
                if block.tombstones:
                    self.merge([block])
            if self._head.newest_ms is not None:
                self._past.clean_tombstones(self._head.newest_ms, self._on_corrupt)

    def snapshot(self, *, skip_head: bool = False) -> str:
        with self._upkeep:
            if not skip_head:
                self.flush()
            stamp = datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC)
            name = f"{stamp:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
            write_snapshot(self._folder / "snapshots" / name, self._blocks.blocks, self._past.levels, self._files)
            return name

    def flush(self) -> None:
        """Write everything in memory as blocks."""
        with self._flushing:
            with self._lock:
                self._head.freeze()
            self._flush()

    def maintain(self, now_ms: int) -> None:  # noqa: ARG002
        """One round of housekeeping. Ages are told by the newest sample, not by the clock: a clock that jumps deletes nothing.

        Raises: DiskFull or StorageError; nothing is lost then, and the next round tries again.
        """
        with self._upkeep:
            with self._lock:
                self._check_open()
                if self._head.is_due():
                    self._head.freeze()
            self._flush()
            self.compact()
            self.downsample()
            self._retain()
            self._prune()
            self._cool()

    def _cool(self) -> None:
        """Let blocks that nobody asked for in a while give back their tables."""
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._cooled_ns >= _COOL_NS:
            self._cooled_ns = now_ns
            for block in self._blocks.blocks:
                block.cool()
            self._past.cool()

    @property
    def levels(self) -> Sequence[Level]:
        """The coarser copies of the past, finest first."""
        return self._past.levels

    def downsample(self) -> None:
        """Make what is old enough in coarser resolutions, before it is past its time as samples. Raises: DiskFull, StorageError."""
        with self._upkeep:
            self._downsample()

    def _downsample(self) -> None:
        newest_ms = self._head.newest_ms
        if not self._past.levels or newest_ms is None:
            return
        with self._lock:
            spans = [part.time_range() for part in self._head.parts()]
        self._past.maintain(
            self._blocks.blocks,
            newest_ms=newest_ms,
            unfinished_ms=min((span[0] for span in spans if span is not None), default=newest_ms),
            has_room=self._has_room_to_merge,
            on_corrupt=self._on_corrupt,
        )

    def compact(self) -> None:
        """Merge until the plan is empty."""
        options = self._options
        with self._upkeep:
            while self._head.newest_ms is not None and not self._closed:
                plan = plan_merge(
                    self._blocks.blocks,
                    range_ms=options.block_range_ms,
                    largest_ms=options.largest_block_ms,
                    newest_ms=self._head.newest_ms,
                )
                if not plan or not self._has_room_to_merge(plan):
                    return
                self.merge(plan)

    @property
    def block_range_ms(self) -> int:
        """The length of a window."""
        return self._options.block_range_ms

    @property
    def label_order(self) -> list[str]:
        """By which labels blocks order their series (see label_columns.label_order)."""
        return self._blocks.label_order

    def add_block(
        self,
        table: LabelTable,
        stripes: Sequence[StripeSource],
        names: Sequence[str],
        span: tuple[int, int],
        *,
        histograms: Iterable[HistogramColumns] = (),
    ) -> int:
        """Take samples of any age from elsewhere as a block. Where the store has a sample already, that one stays.

        table: in the order of label_columns.sort_order(table, names). span: no sample lies outside of [start, end] ms.
        histograms: by row and time.
        Returns how many samples it holds. Raises: DiskFull, StorageError; and whatever reading the stripes raises.
        """
        with self._upkeep, self._flushing:
            self._check_open()
            with self._lock:
                own = [part.time_range() for part in self._head.parts()]
                own += [(block.min_ms, block.max_ms) for block in self._blocks.blocks]
            overlaps = any(low <= span[1] and high >= span[0] for low, high in (one for one in own if one))
            path = self._blocks.new_path()
            meta: dict[str, object] = {"level": 1, "late": overlaps, "position": 0, "flush": 0, "order": 0}
            meta |= {"label_order": list(names), "sources": []}
            write_block(
                path,
                self._files,
                table,
                stripes,
                meta=meta,
                histograms=histograms,
                rollup_share=self._options.rollup_share,
            )
            self._replace([], [path])
            with self._lock:
                self._version += 1
            added = [block for block in self._blocks.blocks if block.path == path]
            with self._lock:
                newest = [block.max_ms for block in added]
                self._head.newest_ms = max(
                    [*newest, *([self._head.newest_ms] if self._head.newest_ms is not None else [])], default=None
                )
                newest_ms = self._head.newest_ms
            for block in added:
                assert newest_ms is not None, "the block has a newest sample"
                self._past.fill(block, newest_ms=newest_ms, on_corrupt=self._on_corrupt)
            return sum(block.samples for block in added)

    def _has_room_to_merge(self, blocks: Sequence[Block]) -> bool:
        """A merge needs its sources' size once more for a while; below that it waits, and writes go on."""
        return self._files.free_bytes(self._folder) > sum(block.size_bytes for block in blocks)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """In service now, oldest first, late ones last."""
        return self._blocks.blocks

    def merge(self, blocks: Sequence[Block]) -> None:
        """Put one block in the place of some. Of two samples at one place the earlier block's stays."""
        with self._upkeep:
            self._merge(blocks)

    def _merge(self, blocks: Sequence[Block]) -> None:
        path = self._blocks.new_path()
        try:
            merge_blocks(
                path,
                self._files,
                blocks,
                cache=DecodedCache(_MERGE_CACHE_BYTES),
                on_corrupt=self._on_corrupt,
                cutoffs=self._cutoffs(blocks),
                rollup_share=self._options.rollup_share,
            )
        except CorruptData as err:
            self._files.remove(path)
            self._drop_unreadable(blocks, err)
            return
        self._replace(blocks, [path])

    def _cutoffs(self, blocks: Sequence[Block]) -> Cutoffs | None:
        """What past its time does not come along into a new block."""
        newest_ms = self._head.newest_ms
        if newest_ms is None or not self._options.retention_rules or self._holds_position(blocks):
            return None
        return lambda table: self._expiry.cutoffs(table, newest_ms)

    def _holds_position(self, blocks: Sequence[Block]) -> bool:
        """Whether one of them says how far the journal is in blocks: it must not become empty, and so vanish."""
        position = self._blocks.position
        return position > 0 and any(block.position == position for block in blocks)

    def _prune(self) -> None:
        """Write blocks anew that hold much of what is past its time."""
        newest_ms = self._head.newest_ms
        if newest_ms is None or not self._options.retention_rules:
            return
        for block in self._blocks.blocks:
            if self._closed:
                return
            if (
                not self._holds_position([block])
                and self._expiry.is_due(block, newest_ms)
                and self._has_room_to_merge([block])
            ):
                self._merge([block])
        self._expiry.forget_all_but(self._blocks.blocks)

    def _drop_unreadable(self, blocks: Sequence[Block], err: CorruptData) -> None:
        """Set aside the blocks whose labels cannot be read."""
        for block in blocks:
            try:
                block.match([])
                for name in block.labels.columns:
                    assert block.labels.columns[name] is not None
            except CorruptData:
                self._set_aside(block, err)

    def _replace(self, old: Sequence[Block], paths: Sequence[Path]) -> None:
        with self._lock:
            self._blocks.add(paths, replaced=old)
        for block in old:
            self._reader.cache.forget(block.number)
        self._blocks.remove_files(old)
        self._blocks.remove_empty(paths)

    def _flush(self) -> None:
        """Write the frozen parts as blocks, then let go of the journal before them."""
        with self._flushing:
            if not self._head.frozen:
                return
            position = self._flush_frozen()
            with self._lock:
                self._head.collect()
                checkpoint = self._head.checkpoint(position)
            checkpoint.save(self._folder / "checkpoint", self._files)
            self._journal.truncate_before(position)

    def _flush_frozen(self) -> int:
        position = 0
        for part in list(self._head.frozen):
            # A block may not be ahead of the journal: positions would be given twice after a power loss.
            self._journal.sync_to(part.position)
            slots = part.slots()
            with self._lock:
                table = self._head.index.table(slots)
            paths = write_part(
                part,
                slots,
                table,
                new_path=self._blocks.new_path,
                files=self._files,
                range_ms=self._options.block_range_ms,
                largest_ms=self._options.largest_block_ms,
                known_order=self._blocks.label_order,
                rollup_share=self._options.rollup_share,
            )
            with self._lock:
                self._blocks.add(paths)
                self._head.frozen.remove(part)
            position = part.position
        return position

    def _retain(self) -> None:
        with self._lock:
            newest_ms, blocks = self._head.newest_ms, self._blocks.blocks
        if newest_ms is None:
            return
        self._remove(beyond_age(blocks, newest_ms=newest_ms, retention_ms=self._expiry.longest_ms))
        self._past.retain(newest_ms)
        excess = self._excess_bytes()
        if excess > 0:
            doomed = beyond_size(self._past.in_order_of_disposal(self._blocks.blocks), excess)
            self._remove([block for block in self._blocks.blocks if block in doomed])
            self._past.remove(doomed)

    def _remove(self, blocks: Sequence[Block]) -> None:
        if blocks:
            self._replace(blocks, [])

    def _excess_bytes(self) -> int:
        """How much is to go: above the limit of the store's size, or of what the disk lacks of the space that is to be free."""
        options = self._options
        held = self._journal.size_bytes() + self._blocks.size_bytes() + self._past.size_bytes()
        above = held - options.retention_bytes if options.retention_bytes else 0
        return max(above, options.retention_free_bytes - self._files.free_bytes(self._folder))

    @property
    def head_slots(self) -> int:
        """Places for series that the head ever needed at once."""
        return self._head.index.size

    @property
    def head_values(self) -> int:
        """Distinct label values that the head holds."""
        return self._head.index.distinct_values()

    def stats(self) -> StoreStats:
        with self._lock:
            head, journal = self._head, self._journal
            notes = [*self._notes, *self._blocks.notes, *self._past.notes(), *journal.recovery.notes]
            blocks = self._blocks
            return StoreStats(
                samples_appended=head.counters.appended,
                series_created=head.counters.created,
                series_active=head.index.count,
                disk_bytes=journal.size_bytes() + blocks.size_bytes() + self._past.size_bytes(),
                log_bytes=journal.size_bytes(),
                blocks=len(blocks.blocks),
                corruptions=journal.recovery.corruptions + blocks.corruptions + self._corruptions,
                notes=tuple(notes),
            )

    def close(self) -> None:
        """What is in memory becomes blocks, if it would take a while to replay. Whatever fails then is in the journal."""
        with self._upkeep, self._flushing:
            if not self._closed and self._head.current.samples >= CLOSING_SAMPLES_MIN:
                with suppress(StorageError):
                    # A new segment first: the flush then lets go of all that were before.
                    self._journal.roll()
                    self.flush()
            with self._lock:
                if self._closed:
                    return
                self._closed = True
        self._journal.close()


def _largest(pairs: Sequence[tuple[str, int]], limit: int) -> list[tuple[str, int]]:
    return sorted(pairs, key=lambda item: (-item[1], item[0]))[:limit]
