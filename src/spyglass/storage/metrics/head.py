"""The head: active series, and their samples since the last part was written. Every change is in the journal first.

Not thread-safe: the store holds its lock around each call. Samples lie in pools: one that is written to, and frozen ones that wait
to become parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from spyglass.model.arrays import F64, I64, U64, Mask
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import Labels
from spyglass.model.matchers import Matcher
from spyglass.model.samples import WriteBatch, WriteOutcome
from spyglass.storage.journal import Journal
from spyglass.storage.metrics import wal_records
from spyglass.storage.metrics.admission import AgeLimits, Verdicts, all_in_order, judge
from spyglass.storage.metrics.assemble import SourceAnswer
from spyglass.storage.metrics.checkpoint import Checkpoint
from spyglass.storage.metrics.extras import ExemplarRing, ExemplarRow, MetadataBook, decode_extras, encode_extras
from spyglass.storage.metrics.flush import HeadPart
from spyglass.storage.metrics.histogram_codec import decode_rows, histogram_bits, histogram_runs
from spyglass.storage.metrics.histogram_columns import columns_of
from spyglass.storage.metrics.histogram_records import HISTOGRAM_COLUMNS, decode_histograms, encode_histograms
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.ragged import pieces
from spyglass.storage.metrics.sample_pool import SamplePool
from spyglass.storage.metrics.series_index import SeriesIndex
from spyglass.storage.metrics.tiles import LazyPiece

_NONE: I64 = np.zeros(0, np.int64)

_RECORD_SAMPLES_MAX = 500_000
"""A batch beyond this becomes several records of the journal: a replay holds one at a time."""


@dataclass(slots=True)
class HeadCounters:
    appended: int = 0
    created: int = 0
    unknown_on_replay: int = 0


@dataclass(slots=True)
class _Refusals:
    unknown: list[I64] = field(default_factory=list)
    out_of_order: list[I64] = field(default_factory=list)
    too_old: list[I64] = field(default_factory=list)
    duplicate: list[I64] = field(default_factory=list)

    def add(self, verdicts: Verdicts, rows: I64) -> None:
        self.out_of_order.append(rows[verdicts.out_of_order])
        self.too_old.append(rows[verdicts.too_old])
        self.duplicate.append(rows[verdicts.duplicate])


class Head:
    """Index, pools and journal of one tenant."""

    def __init__(self, journal: Journal, options: MetricStoreOptions) -> None:
        self._journal, self._options = journal, options
        self.index = SeriesIndex()
        self.counters = HeadCounters()
        self.exemplars = ExemplarRing(options.max_exemplars)
        self.metadata = MetadataBook()
        self.frozen: list[HeadPart] = []
        self.current = HeadPart()
        self._young: list[I64] = []
        self.newest_ms: int | None = None
        """The newest sample the store ever took."""
        self.position = journal.end
        """Everything before this position of the journal is in the pools or in parts."""

    # Writing.

    def resolve(self, labels: Sequence[Labels]) -> I64:
        """References, creating what is new; new series are in the journal when this returns."""
        slots, created = self.index.resolve(labels, self._options.max_series)
        refs = np.where(slots < 0, -1, self.index.refs(np.maximum(slots, 0)))
        if len(created):
            self._young.append(slots[created])
            self._log_series(refs, slots, created.tolist(), labels)
        return refs

    def _log_series(self, refs: I64, slots: I64, created: list[int], labels: Sequence[Labels]) -> None:
        try:
            for at in range(0, len(created), 20_000):
                part = created[at : at + 20_000]
                self._log(wal_records.encode_series((int(refs[row]), labels[row]) for row in part))
        except BaseException:
            self.index.drop(slots[created])
            raise
        self.counters.created += len(created)

    def append(self, batch: WriteBatch) -> tuple[WriteOutcome, int]:
        """Judge, log and keep a batch. Returns the outcome and the journal position that makes it durable."""
        limits = AgeLimits.of(self.newest_ms, self._options.block_range_ms, self._options.out_of_order_window_ms)
        outcome = self._append_floats(batch, limits)
        if batch.hist_refs is not None and len(batch.hist_refs):
            outcome = replace(outcome, hist_rejected=self._append_histograms(batch, limits))
        if batch.exemplars or batch.metadata:
            self._append_extras(batch)
        return outcome, self.position

    def _append_extras(self, batch: WriteBatch) -> None:
        index = self.index
        slots, known = index.slots_of(np.fromiter((ref for ref, _ in batch.exemplars), np.int64, len(batch.exemplars)))
        labels = index.table(slots).all_labels()
        rows: list[ExemplarRow] = []
        for one, good, (_, exemplar) in zip(labels, known.tolist(), batch.exemplars, strict=True):
            if good and self.exemplars.add(one, exemplar):
                rows.append((one, exemplar))
        news = self.metadata.news(batch.metadata)
        self.metadata.add(news)
        if rows or news:
            extras = encode_extras(rows, {name: [entry] for name, entry in news.items()})
            self._log(wal_records.encode_json(wal_records.EXTRAS, extras))

    def _append_histograms(self, batch: WriteBatch, limits: AgeLimits) -> list[tuple[int, str]]:
        """Returns what was refused, and why."""
        assert batch.hist_refs is not None
        assert batch.hist_times is not None
        slots, known = self.index.slots_of(batch.hist_refs)
        histograms = cast("Sequence[FloatHistogram]", batch.histograms)
        bits = np.fromiter(map(histogram_bits, histograms), np.uint64, len(histograms))
        rejected = [(at, "unknown") for at in np.flatnonzero(~known).tolist()]
        rows: list[tuple[int, int, FloatHistogram]] = []
        candidates = np.flatnonzero(known)
        for turn in _rounds(slots[candidates]) if len(candidates) else ():
            places = candidates[turn]
            times = batch.hist_times[places]
            stored, refused = self._judged(slots[places], times, bits[places], limits)
            rejected += [(int(places[at]), reason) for at, reason in refused]
            places, times = places[stored], times[stored]
            found = [histograms[at] for at in places.tolist()]
            rows += zip(batch.hist_refs[places].tolist(), times.tolist(), found, strict=True)
            self._take_histograms(slots[places], times, bits[places], found)
        if rows:
            self._log(encode_histograms(columns_of(rows)))
        return sorted(rejected)

    def _judged(self, slots: I64, times: I64, bits: U64, limits: AgeLimits) -> tuple[I64, list[tuple[int, str]]]:
        """Of histograms of distinct series those to store, and the refused ones with the reason; the rest is there already."""
        index = self.index
        verdicts = judge(times, bits.view(np.float64), index.last_ms[slots], index.last_bits[slots], limits)
        refused: list[tuple[int, str]] = []
        left = ~verdicts.same
        for name in ("out_of_order", "too_old", "duplicate"):
            one: Mask = getattr(verdicts, name) & left
            refused += [(at, name) for at in np.flatnonzero(one).tolist()]
            left &= ~one
        return np.flatnonzero(left), refused

    def _take_histograms(self, slots: I64, times: I64, bits: U64, found: Sequence[FloatHistogram]) -> None:
        self.current.histograms += zip(slots.tolist(), times.tolist(), found, strict=True)
        newer = times > self.index.last_ms[slots]
        if newer.any():
            self._remember(slots[newer], times[newer], bits[newer].view(np.float64))
        self.counters.appended += len(slots)

    def _append_floats(self, batch: WriteBatch, limits: AgeLimits) -> WriteOutcome:
        refs, times = batch.refs, batch.times
        slots, known = self.index.slots_of(refs)
        if len(refs) and known.all() and self._fast(slots, times, limits):
            self._keep(refs, slots, times, batch.values)
            return WriteOutcome(len(refs), _NONE, _NONE, _NONE, _NONE)
        rows = np.flatnonzero(known)
        refusals = _Refusals(unknown=[np.flatnonzero(~known)])
        stored, late, same = self._judge_rounds(slots, times, batch.values, rows, limits, refusals)
        if len(stored):
            self._keep(refs[stored], slots[stored], times[stored], batch.values[stored])
        if len(late):
            self._keep_late(refs[late], slots[late], times[late], batch.values[late])
        return self._outcome(len(stored) + len(late) + same, refusals)

    def _keep_late(self, refs: I64, slots: I64, times: I64, values: F64) -> None:
        self._log(*wal_records.encode_samples(wal_records.LATE, refs, times, values))
        self._take_late(slots, times, values)

    def _take_late(self, slots: I64, times: I64, values: F64) -> None:
        self.current.late.append(slots, times, values)
        self.counters.appended += len(slots)

    def _fast(self, slots: I64, times: I64, limits: AgeLimits) -> bool:
        """Whether all samples are in order and no series occurs twice: then nothing needs to be judged one by one."""
        return all_in_order(times, self.index.last_ms[slots], limits) and _ascending_or_distinct(slots)

    def _judge_rounds(
        self, slots: I64, times: I64, values: F64, rows: I64, limits: AgeLimits, refusals: _Refusals
    ) -> tuple[I64, I64, int]:
        """Judge the batch as if sample by sample. Returns: the rows to store, the late ones, how many are there already."""
        if not len(rows):
            return _NONE, _NONE, 0
        if _in_order_by_slot(slots[rows], times[rows], self.index.last_ms, limits):
            return rows, _NONE, 0
        # The newest sample of each series as the batch goes on; the index itself changes only once the batch is in the journal.
        own, local = np.unique(slots[rows], return_inverse=True)
        last_ms, last_bits = self.index.last_ms[own], self.index.last_bits[own]
        kept, late, same = [], [], 0
        for turn in _rounds(local):
            members, place = rows[turn], local[turn]
            verdicts = judge(times[members], values[members], last_ms[place], last_bits[place], limits)
            refusals.add(verdicts, members)
            same += int(np.count_nonzero(verdicts.same))
            store = members[verdicts.store]
            last_ms[place[verdicts.store]] = times[store]
            last_bits[place[verdicts.store]] = np.ascontiguousarray(values[store]).view(np.uint64)
            kept.append(store)
            late.append(members[verdicts.late])
        return np.sort(np.concatenate(kept)), np.sort(np.concatenate(late)), same

    def _keep(self, refs: I64, slots: I64, times: I64, values: F64) -> None:
        """Log samples that were judged good and put them into the pool."""
        values = np.ascontiguousarray(values)
        for at in range(0, len(refs), _RECORD_SAMPLES_MAX):
            part = slice(at, at + _RECORD_SAMPLES_MAX)
            # The pool first: freezing a full one must note a position before these samples.
            pool = self._room_for(len(slots[part]))
            self._log(*wal_records.encode_samples(wal_records.SAMPLES, refs[part], times[part], values[part]))
            self._take(pool, slots[part], times[part], values[part])

    def _log(self, *parts: bytes | memoryview) -> None:
        self.position = self._journal.append(*parts)

    def _take(self, pool: SamplePool, slots: I64, times: I64, values: F64) -> None:
        pool.append(slots, times, values)
        self._remember(slots, times, values)
        self.counters.appended += len(slots)

    def _remember(self, slots: I64, times: I64, values: F64) -> None:
        """Update each series' last sample. Where a slot repeats the last one wins, which is its newest."""
        index = self.index
        index.last_ms[slots] = times
        index.last_bits[slots] = values.view(np.uint64)
        newest = int(times.max())
        self.newest_ms = newest if self.newest_ms is None else max(self.newest_ms, newest)

    def _room_for(self, count: int) -> SamplePool:
        current = self.current
        if current.pool is not None and not current.pool.has_room(count):
            self.freeze()
            current = self.current
        if current.pool is None:
            series = max(self.index.count, count)
            current.pool = SamplePool(max(self._options.head_samples, 16 * series), series)
        return current.pool

    def freeze(self) -> None:
        """Close the part that is written to: from now on it only waits to become blocks."""
        if self.current.samples:
            self.current.position = self.position
            self.frozen.append(self.current)
        self.current = HeadPart()

    def is_due(self) -> bool:
        """Whether the samples reach so far back that their window can be closed, as upstream cuts its head."""
        span, range_ms = self.current.time_range(), self._options.block_range_ms
        if span is None or self.newest_ms is None:
            return self.current.late.samples > 0 and self.current.late.samples >= self._options.head_samples // 4
        return self.newest_ms >= (span[0] // range_ms + 1) * range_ms + range_ms // 2

    def collect(self) -> int:
        """Drop the series that had no sample for a block's range and are in no part. Returns how many."""
        young, self._young = self._young, []
        if self.newest_ms is None:
            return 0
        cutoff = self.newest_ms - max(self._options.block_range_ms, self._options.out_of_order_window_ms)
        index = self.index
        idle = index.live[: index.size] & (index.last_ms[: index.size] < cutoff)
        for slots in young:
            idle[slots] = False
        for part in self.parts():
            idle[part.slots()] = False
        slots = np.flatnonzero(idle)
        if len(slots):
            index.drop(slots)
        return len(slots)

    def checkpoint(self, position: int) -> Checkpoint:
        """The series as they are now; replay goes on at `position`."""
        index = self.index
        slots = np.arange(index.size)
        return Checkpoint(
            labels=index.table(slots),
            generations=index.generations[slots],
            live=index.live[slots],
            last_ms=index.last_ms[slots],
            last_bits=index.last_bits[slots],
            position=position,
            newest_ms=self.newest_ms,
            extras=encode_extras(self.exemplars.rows(), self.metadata.all()),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        c = checkpoint
        self.index.load(c.labels, c.generations, c.live, c.last_ms, c.last_bits)
        self.newest_ms = c.newest_ms
        self.restore_extras(c.extras)

    def _outcome(self, accepted: int, refusals: _Refusals) -> WriteOutcome:
        def joined(parts: list[I64]) -> I64:
            return np.sort(np.concatenate(parts)) if parts else _NONE

        return WriteOutcome(
            accepted,
            joined(refusals.unknown),
            joined(refusals.out_of_order),
            joined(refusals.too_old),
            joined(refusals.duplicate),
        )

    # Reading.

    def parts(self) -> list[HeadPart]:
        """Oldest first."""
        return [*self.frozen, self.current]

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SourceAnswer]:
        """The head's part of a selection: in-order samples, and late ones where there are any.

        Samples are copied, so the lock may be given back.
        """
        slots = self.index.match(matchers)
        if not len(slots):
            return []
        row_of_slot = self._rows(slots)
        found: list[LazyPiece] = []
        late: list[LazyPiece] = []
        histograms: list[tuple[int, int, FloatHistogram]] = []
        for part in self.parts():
            if part.pool is not None:
                found.extend(part.pool.select(slots, start_ms, end_ms))
            if part.late.samples:
                late.extend(pieces(part.late.select(row_of_slot, start_ms, end_ms)))
            if part.histograms:
                histograms.extend(_chosen(part.histograms, row_of_slot, start_ms, end_ms))
        prints, table = self.index.fingerprints[slots], self.index.table(slots)
        answers = [SourceAnswer(prints, table, found, histogram_runs(histograms))]
        return [*answers, SourceAnswer(prints, table, late, late=True)] if late else answers

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SourceAnswer:
        """The series with a sample in the range, without samples."""
        slots = self.index.match(matchers)
        has: Mask = np.zeros(len(slots), np.bool_)
        row_of_slot = self._rows(slots)
        for part in self.parts():
            if part.pool is not None:
                has[part.pool.has_samples(row_of_slot, start_ms, end_ms)] = True
            has[part.late.select(row_of_slot, start_ms, end_ms).rows] = True
            for row, _, _ in _chosen(part.histograms, row_of_slot, start_ms, end_ms):
                has[row] = True
        slots = slots[has]
        return SourceAnswer(self.index.fingerprints[slots], self.index.table(slots))

    def _rows(self, slots: I64) -> I64:
        row_of_slot = np.full(self.index.size, -1, np.int64)
        row_of_slot[slots] = np.arange(len(slots))
        return row_of_slot

    # Replay.

    def replay_record(self, position: int, record: bytes, *, kept_until: int) -> None:
        """Apply the record that ends at `position`. Samples of series that the journal lost are counted, not guessed.

        kept_until: samples of records up to this position are in blocks already; they only tell each series' newest.
        """
        kind = record[0]
        kept = position <= kept_until
        if kind == wal_records.SERIES:
            self.index.restore(wal_records.decode_series(record))
        elif kind in (wal_records.SAMPLES, wal_records.LATE):
            self._replay_samples(*wal_records.decode_samples(record), late=kind == wal_records.LATE, kept=kept)
        elif kind == HISTOGRAM_COLUMNS:
            columns = decode_histograms(record)
            self._replay_histograms(columns.rows, columns.times, columns.objects().tolist(), kept=kept)
        elif kind == wal_records.HISTOGRAMS:
            self._replay_histograms(*decode_rows(wal_records.decode_json(record)), kept=kept)
        elif kind == wal_records.EXTRAS:
            self.restore_extras(wal_records.decode_json(record))
        self.position = position

    def _replay_histograms(self, refs: I64, times: I64, found: Sequence[FloatHistogram], *, kept: bool) -> None:
        slots, known = self.index.slots_of(refs)
        held = np.flatnonzero(known)
        self.counters.unknown_on_replay += len(refs) - len(held)
        bits = np.fromiter(map(histogram_bits, found), np.uint64, len(found))
        before = len(self.current.histograms)
        for turn in _rounds(slots[held]) if len(held) else ():
            places = held[turn]
            self._take_histograms(slots[places], times[places], bits[places], [found[at] for at in places.tolist()])
        if kept:
            del self.current.histograms[before:]

    def restore_extras(self, value: object) -> None:
        exemplars, metadata = decode_extras(value)
        for labels, exemplar in exemplars:
            self.exemplars.add(labels, exemplar)
        for name, entries in metadata.items():
            for entry in entries:
                self.metadata.add(self.metadata.news({name: entry}))

    def _replay_samples(self, refs: I64, times: I64, values: F64, *, late: bool, kept: bool) -> None:
        slots, known = self.index.slots_of(refs)
        if not known.all():
            self.counters.unknown_on_replay += int(np.count_nonzero(~known))
            slots, times, values = slots[known], times[known], values[known]
        if not len(slots):
            return
        if late:
            if not kept:
                self._take_late(slots, times, values)
        elif kept:
            self._remember(slots, times, values)
        else:
            self._take(self._room_for(len(slots)), slots, times, values)


def _chosen(
    histograms: Sequence[tuple[int, int, FloatHistogram]], row_of_slot: I64, start_ms: int, end_ms: int
) -> list[tuple[int, int, FloatHistogram]]:
    """(row, time_ms, histogram) of the chosen slots in the range."""
    size = len(row_of_slot)
    return [
        (int(row_of_slot[slot]), time_ms, histogram)
        for slot, time_ms, histogram in histograms
        if start_ms <= time_ms <= end_ms and slot < size and row_of_slot[slot] >= 0
    ]


def _ascending_or_distinct(slots: I64) -> bool:
    if (slots[1:] > slots[:-1]).all():
        return True
    seen = np.zeros(int(slots.max()) + 1, np.bool_)
    seen[slots] = True
    return int(np.count_nonzero(seen)) == len(slots)


def _in_order_by_slot(slots: I64, times: I64, last_ms: I64, limits: AgeLimits) -> bool:
    """Whether each series' samples ascend within the batch, behind its last one, and are young enough."""
    if int(times.min()) < limits.oldest_in_order_ms or (times <= last_ms[slots]).any():
        return False
    order = np.argsort(slots, kind="stable")
    slots, times = slots[order], times[order]
    return bool(((slots[1:] != slots[:-1]) | (times[1:] > times[:-1])).all())


def _rounds(slots: I64) -> list[I64]:
    """Indexes of the first sample of each slot, then of the second, and so on."""
    order = np.argsort(slots, kind="stable")
    ordered = slots[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.append(starts, len(slots)))
    rank = np.arange(len(slots)) - np.repeat(starts, lengths)
    by_rank = np.argsort(rank, kind="stable")
    bounds = np.cumsum(np.bincount(rank))
    return [np.sort(order[part]) for part in np.split(by_rank, bounds[:-1])]
