"""Read a metric store: the head, the blocks, their rollups and the coarser copies of the past, as one answer."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from spyglass.model.errors import CorruptData
from spyglass.model.labels import LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Downsampled, Selection
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import BUCKET_COLUMNS, SelectHints
from spyglass.storage.metrics.assemble import (
    EMPTY_ANSWER,
    SourceAnswer,
    assemble,
    grown,
    late_span,
    piece_span,
    unify_rows,
)
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.block_set import BlockSet
from spyglass.storage.metrics.cuts import Cut, Held, levels_of, plan_cuts
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.expiry import Expiry
from spyglass.storage.metrics.head import Head
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.past import Past
from spyglass.storage.metrics.rollups import NO_ROLLUPS, RollupUse, rollup_use
from spyglass.storage.metrics.stripe import OnCorrupt
from spyglass.storage.metrics.tiles import sample_count, value_bytes

SetAside = Callable[[Block, CorruptData], None]


class StoreReader:
    """May be asked from any thread. lock: guards head and the list of blocks; held for moments.

    on_corrupt: is told what is damaged and left out. set_aside: takes a block out of service whose labels cannot be read.
    """

    def __init__(
        self,
        head: Head,
        blocks: BlockSet[Block],
        past: Past,
        *,
        lock: "threading.RLock",
        options: MetricStoreOptions,
        expiry: Expiry,
        on_corrupt: OnCorrupt,
        set_aside: SetAside,
    ) -> None:
        self._head, self._blocks, self._past, self._lock = head, blocks, past, lock
        self._options, self._expiry = options, expiry
        self._on_corrupt, self._set_aside = on_corrupt, set_aside
        self.cache = DecodedCache(options.decoded_cache_bytes)

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,
        budget: Budget,
    ) -> Selection:
        budget.check()
        cuts = self._cuts(matchers, start_ms, end_ms, hints) if self._past.levels else []
        if not cuts or start_ms > cuts[0].until_ms:
            return self._selection(matchers, start_ms, end_ms, rollup_use(hints, start_ms, end_ms), budget)
        samples = self._samples(matchers, cuts[0].until_ms + 1, end_ms, budget)
        # A step amid buckets stands for the last end of one, and its window begins where one does.
        early_ms = start_ms - 2 * cuts[-1].level.resolution_ms if hints.aggregates else start_ms
        if hints.aggregates and hints.function in BUCKET_COLUMNS:
            return self._past.select_columns(
                cuts,
                matchers,
                early_ms,
                end_ms,
                hints=hints,
                recent=assemble(samples),
                budget=budget,
                on_corrupt=self._on_corrupt,
            )
        past = self._past.select_last(cuts, matchers, early_ms, end_ms, budget, self._on_corrupt)
        return replace(assemble([*past, *samples]), downsampled=Downsampled(levels_of(cuts)))

    def _cuts(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, hints: SelectHints) -> list[Cut]:
        """Which copies of the past answer for which stretches."""
        with self._lock:
            newest_ms, blocks = self._head.newest_ms, self._blocks.blocks
            oldest = [span[0] for span in (part.time_range() for part in self._head.parts()) if span is not None]
        if newest_ms is None:
            return []
        oldest += [block.min_ms for block in blocks if not block.late]
        from_ms = min(oldest, default=2**62)
        keep_ms = self._options.retention_ms
        if self._expiry.keeps_some_longer:
            keep_ms = self._expiry.shortest_ms(self._series([matchers], start_ms, end_ms), at_least_ms=keep_ms)
        if keep_ms:
            from_ms = max(from_ms, newest_ms - keep_ms)
        held = Held(blocks, from_ms // self._options.block_range_ms * self._options.block_range_ms)
        return plan_cuts(self._past.levels, held, newest_ms=newest_ms, hints=hints, end_ms=end_ms)

    def _selection(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, rollups: RollupUse, budget: Budget
    ) -> Selection:
        """The samples in the range, or of those in blocks what rollups have of them."""
        if not rollups.columns:
            return assemble(self._samples(matchers, start_ms, end_ms, budget))
        blocks = [block for block in self._blocks.blocks if block.overlaps(start_ms, end_ms)]
        damaged = [block for block in blocks if block.rollup_damage is not None]
        selection = assemble(self._samples(matchers, start_ms, end_ms, budget, rollups))
        fresh = [block for block in blocks if block.rollup_damage is not None and block not in damaged]
        for block in fresh:
            assert block.rollup_damage is not None, "it was looked for"
            self._on_corrupt(block.rollup_damage)
        return self._selection(matchers, start_ms, end_ms, rollups, budget) if fresh else selection

    def _samples(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        budget: Budget,
        rollups: RollupUse = NO_ROLLUPS,
    ) -> list[SourceAnswer]:
        """What blocks and head hold in the range, as `assemble` wants it. rollups: what may stand for samples of blocks."""
        if start_ms > end_ms:
            return []
        with self._lock:
            blocks = self._blocks.blocks
            head = self._head.select(matchers, start_ms, end_ms)
        budget.charge_samples(sum(sample_count(piece) for answer in head for piece in answer.pieces))
        blocks = tuple(block for block in blocks if block.overlaps(start_ms, end_ms))
        if rollups.columns and _holds_histograms(blocks, head, matchers, start_ms, end_ms):
            rollups = NO_ROLLUPS
        late = [self._select_block(b, matchers, start_ms, end_ms, budget) for b in blocks if b.late]
        if rollups.columns:
            rollups = replace(rollups, apart=_merged_span(blocks, late, head))
        past = [self._select_block(b, matchers, start_ms, end_ms, budget, rollups) for b in blocks if not b.late]
        past += late
        lazy = [piece for answer in past for piece in answer.pieces]
        # Charged before anything is decoded.
        budget.charge_bytes(sum(value_bytes(piece) for piece in lazy))
        # Late answers come last: of two samples at one place the earlier answer's stays.
        return sorted([*past, *head], key=lambda answer: answer.late)

    def _select_block(
        self,
        block: Block,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        budget: Budget,
        rollups: RollupUse = NO_ROLLUPS,
    ) -> SourceAnswer:
        try:
            return block.select(
                matchers,
                start_ms,
                end_ms,
                cache=self.cache,
                budget=budget,
                on_corrupt=self._on_corrupt,
                rollups=rollups,
            )
        except CorruptData as err:
            self._set_aside(block, err)
            return EMPTY_ANSWER

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        table = self._series(matcher_sets, start_ms, end_ms)
        return table.take(np.arange(limit)) if limit and table.size > limit else table

    def _series(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> LabelTable:
        answers: list[SourceAnswer] = []
        for matchers in matcher_sets or [()]:
            with self._lock:
                blocks = self._blocks.blocks
                head = self._head.series(matchers, start_ms, end_ms)
            for block in blocks:
                if block.overlaps(start_ms, end_ms):
                    answers.append(self._series_of(block, matchers, start_ms, end_ms))
            answers.append(head)
            answers += self._past.series(matchers, start_ms, end_ms, self._on_corrupt)
        answers = [answer for answer in answers if answer.labels.size]
        return unify_rows(answers)[1] if answers else LabelTable(0)

    def _series_of(self, block: Block, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> SourceAnswer:
        try:
            return block.series_between(matchers, start_ms, end_ms, cache=self.cache, on_corrupt=self._on_corrupt)
        except CorruptData as err:
            self._set_aside(block, err)
            return EMPTY_ANSWER

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


def _merged_span(
    blocks: Sequence[Block], late: Sequence[SourceAnswer], head: Sequence[SourceAnswer]
) -> tuple[int, int] | None:
    """Where samples are merged with late ones (see assemble): all of them are needed there."""
    span = late_span([*late, *head])
    if span is None:
        return None
    stripes = [(meta.min_ms, meta.max_ms) for block in blocks if not block.late for meta in block.stripes]
    return grown(span, [*stripes, *(piece_span(piece) for answer in head for piece in answer.pieces)])


def _holds_histograms(
    blocks: Sequence[Block], head: Sequence[SourceAnswer], matchers: Sequence[Matcher], start_ms: int, end_ms: int
) -> bool:
    """Whether there may be native histograms among the series: they are looked at together with the samples around them."""
    if any(answer.histograms for answer in head):
        return True
    try:
        return any(block.may_hold_histograms(matchers, start_ms, end_ms) for block in blocks)
    except CorruptData:
        return True
