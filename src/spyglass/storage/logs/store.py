"""A tenant's log store: journal, hot part, blocks.

The way of a line: append -> dedupe -> journal (durable) -> hot part (queryable) -> sealed part -> block (shredded, compressed) -> compacted
-> retained away. Reading takes a snapshot and holds no lock.

Locks, in the order in which they are taken: `_upkeep` (blocks are rewritten), `_cutting` (the sealed part becomes a block), `_lock`
(what is hot and sealed, the order of the journal). The append that fills the hot part seals it, and the one thread of all stores
(`cutter`) makes a block of it: no append waits for that unless the next hot part is full, too.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.errors import CorruptData, DiskFull, StorageError, Unavailable
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.protocols.log_store import (
    BucketAnswer,
    BucketSpec,
    Direction,
    LogEntry,
    LogHints,
    LogScan,
    LogStats,
    LogSubscription,
)
from spyglass.protocols.metric_store import StoreStats
from spyglass.storage.journal import Journal
from spyglass.storage.logs import buckets, exact, index, scan, upkeep
from spyglass.storage.logs.block import Block
from spyglass.storage.logs.block_writer import block_chunks, merged_chunks
from spyglass.storage.logs.blocks import BlockSet
from spyglass.storage.logs.cache import ColumnCache
from spyglass.storage.logs.dedupe import NewestTimes, repeated, suspects
from spyglass.storage.logs.encode import encode_part
from spyglass.storage.logs.hot import join, overlapping
from spyglass.storage.logs.matching import PADDING
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.part import Part
from spyglass.storage.logs.recent import Recent
from spyglass.storage.logs.rewrite import Keep, rewritten
from spyglass.storage.logs.rows import Rows, decode_records, rows_of
from spyglass.storage.logs.shred import TemplateMemory
from spyglass.storage.logs.subscribe import Subscribers

T = TypeVar("T")
log = logging.getLogger(__name__)

REPLAY_RECORDS = 1000
REPLAY_BYTES = 4 << 20
"""Journal records are taken in together up to either: more, and a replay holds more than running did."""

MAX_RECORD_BYTES = 48 << 20
"""A larger batch is split into several journal records, of which each is stored whole or not at all."""

OVERFULL = 4
"""Where no block can be written appends are told so once the hot part is so many times too large: until then they go on."""


class DiskLogStore:
    """`LogStore` over a folder. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        *,
        files: Files,
        clock: Clock,
        options: LogStoreOptions,
        cache: ColumnCache,
        cutter: Executor,
    ) -> None:
        """cutter: makes blocks of sealed parts, one at a time."""
        self._folder, self._files, self._clock, self._options = folder, files, clock, options
        self._cutter = cutter
        self._upkeep, self._cutting, self._lock = threading.Lock(), threading.Lock(), threading.RLock()
        self._unsealed = threading.Condition(self._lock)
        self._templates = TemplateMemory()
        self._subscribers = Subscribers(options.tail_batches)
        self._recent = Recent()
        self._seal_at = 1.0
        """How full the hot part gets before it is sealed: once, or once more after each block that could not be written."""
        self._closed = False
        self._appended = self._version = 0
        self._newest = NewestTimes()
        self._space_checked_ns, self._space_ok = -(10**18), True
        self.blocks = BlockSet(folder / "blocks", files=files, cache=cache)
        self._next_seq = self.blocks.last_seq + 1
        self._newest.floor = max((block.max_ns for block in self.blocks.all), default=self._newest.floor)
        self._journal = Journal(folder / "journal", files=files)
        # Where its files were lost: a position below would not be replayed.
        self._journal.advance_to(self.blocks.journal_end)
        self._replay()

    # Writing.

    def append(self, streams: Sequence[tuple[Labels, Sequence[LogEntry]]], *, durable: bool = True) -> int:
        rows = rows_of(streams)
        if rows.size == 0:
            return 0
        self._check_space()
        with self._lock:
            if self._closed:
                raise Unavailable("the log store is closing")
            rows, dropped = self._without_repeated(rows)
            position = self._write(rows)
            self._version += 1
        if durable and position:
            self._journal.sync_to(position)
        if self._subscribers and rows.size:
            self._subscribers.publish(streams if not dropped else _streams_of(rows))
        self._relieve()
        return rows.size

    @property
    def version(self) -> int:
        return self._version

    def subscribe(self) -> LogSubscription:
        return self._subscribers.open()

    def _without_repeated(self, rows: Rows) -> tuple[Rows, bool]:
        suspect = suspects(rows, self._newest)
        if not len(suspect):
            return rows, False
        low, high = int(rows.times[suspect].min()), int(rows.times[suspect].max())
        parts = self.blocks.parts(low, high + 1)
        doomed = repeated(rows, suspect, self._recent.segments, parts)
        if not len(doomed):
            return rows, False
        return rows.take(np.delete(np.arange(rows.size), doomed)), True

    def _write(self, rows: Rows) -> int:
        """Into the journal, then into the hot part. The lock is held. Returns the journal's position, 0 where there was nothing."""
        position = 0
        for piece in _pieces(rows):
            position = self._journal.append(*piece.encode())
            self._take_in(piece)
        return position

    def _take_in(self, rows: Rows) -> None:
        self._newest.update(rows)
        self._recent.add(rows, self._next_seq, self._clock.now_ns())
        self._next_seq += rows.size
        self._appended += rows.size

    def _check_space(self) -> None:
        """Refuse below the free-space floor. Asked once a second: the floor is far larger than what a second can bring."""
        now = self._clock.monotonic_ns()
        if now - self._space_checked_ns > 1_000_000_000 or not self._space_ok:
            self._space_ok = self._files.free_bytes(self._folder) >= self._options.min_free_bytes
            self._space_checked_ns = now
        if not self._space_ok:
            floor = self._options.min_free_bytes
            raise DiskFull(f"less than {floor} bytes are free below {self._folder}: free some, or lower the floor")

    def _fullness(self) -> float:
        hot, options = self._recent.hot, self._options
        return max(hot.rows / options.hot_rows, hot.bytes / options.hot_bytes)

    def _is_full(self) -> bool:
        return self._fullness() >= min(self._seal_at, OVERFULL)

    def _relieve(self) -> None:
        """Seal the hot part where it is full. Whoever fills it while the part before is not a block yet waits for that."""
        if not self._is_full():
            return
        with self._lock:
            self._unsealed.wait_for(lambda: self._closed or not self._recent.sealed or not self._is_full())
            if self._closed or not self._is_full():
                return
            overfull = self._fullness() >= OVERFULL
            if not overfull:
                self._recent.seal(self._journal.end)
                self._cutter.submit(self._cut_in_background)
        if overfull:
            self.flush()

    # Blocks.

    def flush(self) -> None:
        """Write all that is in no block to one now. Raises: StorageError, and the lines stay where they are."""
        with self._cutting:
            self._cut()
            with self._lock:
                # An append that has just sealed it sealed all that was there.
                if self._recent.hot.rows and self._recent.sealed is None:
                    self._recent.seal(self._journal.end)
            self._cut()

    def _cut_in_background(self) -> None:
        with self._cutting:
            if self._closed:
                return
            try:
                self._cut()
            except StorageError as err:
                # The lines are safe in the journal and stay in memory; the next full part or maintain tries again.
                log.warning("no block could be written, the lines stay in memory: %s", err)
            except Exception:
                log.exception("no block could be made, the lines stay in memory")

    def _cut(self) -> None:
        """Make a block of the sealed part, if there is one. `_cutting` is held."""
        if self._recent.sealed is None:
            return
        position = self._recent.sealed.position
        try:
            # A block must not know lines that the journal could still lose: what comes next would get their positions.
            self._journal.sync_to(position)
            joined = join(self._recent.sealed.segments, padding=PADDING)
            parts = joined.shredded(self._templates)
            with self._lock:
                self._recent.replace_sealed(joined)
            sections = [encode_part(part) for part in parts]
            chunks = block_chunks(sections, journal_end=position)
            block = self.blocks.write(self.blocks.next_path(), chunks)
        except BaseException:
            with self._lock:
                self._recent.thaw(self._clock.now_ns())
                self._seal_at = self._fullness() + 1
                self._unsealed.notify_all()
            raise
        with self._lock:
            self.blocks.add(block)
            self._recent.drop_sealed()
            self._seal_at = 1.0
            self._unsealed.notify_all()
        if self._journal.end == position:
            # Nothing came since: all of it can go.
            self._journal.roll()
        self._journal.truncate_before(position)

    def _replay(self) -> None:
        """Records are taken in by the thousand: a journal of single lines has as many records as lines."""
        waiting: list[bytes] = []
        size = position = 0
        for position, record in self._journal.replay(self.blocks.journal_end):
            waiting.append(record)
            size += len(record)
            if len(waiting) >= REPLAY_RECORDS or size >= REPLAY_BYTES:
                self._take_in_replayed(waiting, position)
                size = 0
        self._take_in_replayed(waiting, position)

    def _take_in_replayed(self, waiting: list[bytes], position: int) -> None:
        if not waiting:
            return
        for rows in self._decoded(waiting):
            self._take_in(rows)
        waiting.clear()
        if self._fullness() >= 1:
            self._flush_replayed(position)

    def _decoded(self, records: Sequence[bytes]) -> list[Rows]:
        """The records' rows; one that cannot be read is noted and left out."""
        try:
            return [decode_records(records)]
        except CorruptData as err:
            if len(records) > 1:
                return [rows for record in records for rows in self._decoded([record])]
            self._journal.recovery.corruptions += 1
            self._journal.recovery.notes.append(str(err))
            return []

    def _flush_replayed(self, position: int) -> None:
        """Replay in bounded slices: what fills the hot part becomes a block before more is read."""
        joined = join(self._recent.hot.segments, padding=PADDING)
        sections = [encode_part(part) for part in joined.shredded(self._templates)]
        self.blocks.add(self.blocks.write(self.blocks.next_path(), block_chunks(sections, journal_end=position)))
        self._recent = Recent()

    # Reading.

    def snapshot(self, start_ns: int, end_ns: int, *, outlines: bool = False) -> list[Part]:
        """All parts that may have rows in [start_ns, end_ns): a line is in exactly one of them. outlines: nobody will look into lines."""
        with self._lock:
            segments, blocks = self._recent.segments, self.blocks.all
        parts: list[Part] = list(self.blocks.parts(start_ns, end_ns, of=blocks))
        for segment in overlapping(segments, start_ns, end_ns):
            hot = segment.outlines() if outlines else segment.parts(self._templates)
            parts += [p for p in hot if p.min_ns < end_ns and p.max_ns >= start_ns]
        return parts

    def scan(
        self,
        matchers: Sequence[Matcher],
        stages: Sequence[LogStage],
        *,
        start_ns: int,
        end_ns: int,
        direction: Direction,
        hints: LogHints,
        budget: Budget,
    ) -> LogScan:
        parts = self._answer((start_ns, end_ns), list, outlines=False)
        return scan.scan(parts, matchers, stages, start_ns, end_ns, direction, hints, budget, self.damaged)

    def buckets(
        self, matchers: Sequence[Matcher], stages: Sequence[LogStage], spec: BucketSpec, budget: Budget
    ) -> BucketAnswer | None:
        span = (spec.start_ns - spec.range_ns, spec.end_ns + 1)
        return self._answer(
            span, lambda parts: buckets.buckets(parts, matchers, stages, spec, budget), outlines=not stages
        )

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:
        sets = matcher_sets or [()]

        def answer(parts: Sequence[Part]) -> set[Labels]:
            return {labels for matchers in sets for labels in index.streams(parts, matchers, start_ns, end_ns)}

        return LabelTable.from_labels(sorted(self._answer((start_ns, end_ns), answer)))

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        return sorted({name for labels in self._streams(matchers, start_ns, end_ns) for name, _ in labels})

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        streams = self._streams(matchers, start_ns, end_ns)
        return sorted({value for labels in streams for key, value in labels if key == name})

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats:
        return self._answer((start_ns, end_ns), lambda parts: index.stats_of(parts, matchers, start_ns, end_ns))

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]:
        return self._answer((start_ns, end_ns), lambda parts: index.volume(parts, matchers, start_ns, end_ns, by))

    def _streams(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> set[Labels]:
        return self._answer((start_ns, end_ns), lambda parts: index.streams(parts, matchers, start_ns, end_ns))

    def _answer(self, span: tuple[int, int], ask: Callable[[Sequence[Part]], T], *, outlines: bool = True) -> T:
        """Ask of a snapshot; where a block proves damaged it is set aside, and the rest is asked."""
        while True:
            try:
                return ask(self.snapshot(*span, outlines=outlines))
            except CorruptData as err:
                self.damaged(err)

    # Housekeeping.

    def delete(self, matchers: Sequence[Matcher], stages: Sequence[LogStage], *, start_ns: int, end_ns: int) -> None:
        """Remove the lines from the blocks they are in, by writing those blocks anew. Returns when they are gone.

        Raises: InvalidParameter where a stage is more than a filter or a plain parser.
        """
        pipeline = exact.compile_exact(stages)
        self.flush()

        def keep(part: Part) -> Mask:
            mask = np.ones(part.size, np.bool_)
            mask[exact.passing(part, pipeline, scan.rows_in(part, matchers, start_ns, end_ns))] = False
            return mask

        with self._upkeep:
            for block in self.blocks.all:
                if block.rows and block.min_ns < end_ns and block.max_ns >= start_ns:
                    self._rewrite([block], keep)
        with self._lock:
            self._version += 1

    def compact_all(self) -> None:
        """Merge all blocks into one."""
        with self._upkeep:
            blocks = [block for block in self.blocks.all if block.rows]
            if len(blocks) > 1:
                self._rewrite(blocks, _everything)

    def _rewrite(self, blocks: Sequence[Block], keep: Keep) -> None:
        """Replace the blocks by one with the rows that `keep` keeps; nothing happens where it keeps all of a single block."""
        parts: list[Part] = [part for block in blocks for part in self.blocks.parts_of(block)]
        if len(blocks) == 1 and all(keep(part).all() for part in parts):
            return
        sections = list(rewritten(parts, keep, part_rows=self._options.hot_rows, memory=self._templates))
        names = [block.path.name for block in blocks]
        # An empty block still says how far the journal is in blocks.
        end = max(block.journal_end for block in blocks)
        chunks = block_chunks(sections, journal_end=end, replaces=names)
        self.blocks.add(self.blocks.write(self.blocks.next_path(), chunks), replaces=blocks)

    def configure(self, options: LogStoreOptions) -> None:
        """What holds from now on; the cache is shared and keeps its size."""
        self._options = options

    def maintain(self, now_ns: int) -> None:
        """One round: cut a block if it is time, merge, retain. A full disk ends the round; the next one tries again."""
        hot = self._recent.hot
        # A block that could not be written is tried again, too.
        if hot.rows and (now_ns - hot.since_ns >= self._options.hot_age_ns or self._seal_at > 1):
            self.flush()
        with self._upkeep:
            if self._closed:
                return
            self._retain(now_ns)
            self._compact()

    def _compact(self) -> None:
        end = self.blocks.journal_end
        self.blocks.remove([block for block in self.blocks.all if not block.rows and block.journal_end < end])
        while run := upkeep.small_run(self.blocks.all, self._options):
            self._guarded(lambda run=run: self._rewrite(run, _everything))  # type: ignore[misc]
        while run := upkeep.joinable_run(self.blocks.all, self._options):
            self._guarded(lambda run=run: self._join(run))  # type: ignore[misc]

    def _join(self, blocks: Sequence[Block]) -> None:
        self.blocks.add(self.blocks.write(self.blocks.next_path(), merged_chunks(blocks)), replaces=blocks)

    def _retain(self, now_ns: int) -> None:
        options = self._options
        if options.max_bytes:
            self._drop(upkeep.over_size(self.blocks.all, options.max_bytes - self._journal.size_bytes()))
        periods = [options.retention_ns, *(rule.period_ns for rule in options.retention_streams)]
        shortest = min((period for period in periods if period), default=0)
        if not shortest:
            return
        for block in self.blocks.all:
            if block.rows and block.min_ns < now_ns - shortest:
                self._guarded(lambda block=block: self._expire(block, now_ns))  # type: ignore[misc]

    def _expire(self, block: Block, now_ns: int) -> None:
        every, some = upkeep.expired(self.blocks.parts_of(block), self._options, now_ns)
        if every:
            self._drop([block])
        elif some:
            self._rewrite([block], upkeep.unexpired(self._options, now_ns))

    def _drop(self, blocks: Sequence[Block]) -> None:
        """Remove blocks; the one that says how far the journal has come leaves an empty one in its place."""
        for block in blocks:
            others = [other.journal_end for other in self.blocks.all if other is not block]
            if block.journal_end > max(others, default=0):
                chunks = block_chunks([], journal_end=block.journal_end, replaces=[block.path.name])
                self.blocks.add(self.blocks.write(self.blocks.next_path(), chunks), replaces=[block])
            else:
                self.blocks.remove([block])

    def _guarded(self, work: Callable[[], None]) -> None:
        """Housekeeping that meets a damaged block sets it aside and goes on."""
        try:
            work()
        except CorruptData as err:
            self.damaged(err)

    def damaged(self, err: CorruptData) -> None:
        """Set aside the block that the error is about."""
        for block in self.blocks.all:
            if block.key in str(err):
                self.blocks.set_aside(block.path, err)
                return
        raise err

    def stats(self) -> StoreStats:
        recovery = self._journal.recovery
        with self._lock:
            return StoreStats(
                samples_appended=self._appended,
                series_active=len(self._recent.streams()),
                disk_bytes=self.blocks.disk_bytes + self._journal.size_bytes(),
                log_bytes=self._journal.size_bytes(),
                blocks=len(self.blocks.all),
                corruptions=self.blocks.corruptions + recovery.corruptions,
                notes=(*self.blocks.notes, *recovery.notes),
            )

    def close(self) -> None:
        """Idempotent. The hot part stays in the journal: the next start reads it from there."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._unsealed.notify_all()
        with self._upkeep, self._cutting:
            self._journal.close()


def _everything(part: Part) -> Mask:
    return np.ones(part.size, np.bool_)


def _pieces(rows: Rows) -> Iterator[Rows]:
    """The rows in slices that fit a journal record."""
    if rows.size == 0:
        return
    if rows.memory_bytes <= MAX_RECORD_BYTES or rows.size == 1:
        yield rows
        return
    middle = rows.size // 2
    yield from _pieces(rows.take(np.arange(middle)))
    yield from _pieces(rows.take(np.arange(middle, rows.size)))


def _streams_of(rows: Rows) -> list[tuple[Labels, list[LogEntry]]]:
    everything: I64 = np.arange(rows.size)
    metadata = rows.metadata(everything) or [()] * rows.size
    by_stream: dict[int, list[LogEntry]] = {}
    for code, time_ns, line, meta in zip(
        rows.stream.tolist(), rows.times.tolist(), rows.lines(everything), metadata, strict=True
    ):
        by_stream.setdefault(code, []).append(LogEntry(time_ns, line, meta))
    return [(rows.streams[code], entries) for code, entries in by_stream.items()]
