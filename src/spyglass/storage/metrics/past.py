"""A store's coarser copies of the past: finest first, each made from the one before, the first from samples.

Where a range reaches into what is no longer there as samples, the buckets answer. Where samples are there too, buckets answer only
windows that consist of whole buckets, so that no answer changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spyglass.model.arrays import F64
from spyglass.model.errors import CorruptData
from spyglass.model.matchers import Matcher
from spyglass.model.samples import SampleRuns, SampleTile, Selection, is_stale
from spyglass.protocols.budget import Budget
from spyglass.protocols.files import Files
from spyglass.protocols.metric_store import BUCKET_COLUMNS, SelectHints
from spyglass.storage.metrics.assemble import ColumnAnswer, SourceAnswer, assemble_columns
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.bucket_block import BucketBlock
from spyglass.storage.metrics.cuts import Cut, levels_of
from spyglass.storage.metrics.fingerprints import table_fingerprints
from spyglass.storage.metrics.level import HasRoom, Level
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.ragged import Ragged, keep_where, merge_ragged, pieces, take
from spyglass.storage.metrics.retention import in_order_of_disposal
from spyglass.storage.metrics.stripe import OnCorrupt
from spyglass.storage.metrics.tiles import as_ragged, value_bytes

_AFTER_ALL = (2**62, 2**62)


class Past:
    """See above. `select*` may be called from any thread; what changes something is called with the upkeep lock held."""

    def __init__(self, folder: Path, files: Files, options: MetricStoreOptions) -> None:
        self._options = options
        self.levels = [Level(folder, files, rule, options) for rule in options.downsampling]

    def maintain(
        self,
        samples: Sequence[Block],
        *,
        newest_ms: int,
        unfinished_ms: int,
        has_room: HasRoom,
        on_corrupt: OnCorrupt,
    ) -> None:
        """Make what is due and merge. samples: the blocks of samples. Raises: as Level.make_due."""
        sources: Sequence[Block] = samples
        for level in self.levels:
            level.make_due(
                sources, newest_ms=newest_ms, unfinished_ms=unfinished_ms, has_room=has_room, on_corrupt=on_corrupt
            )
            level.compact(newest_ms=newest_ms, has_room=has_room, on_corrupt=on_corrupt)
            sources = level.blocks

    def fill(self, block: Block, *, newest_ms: int, on_corrupt: OnCorrupt) -> None:
        """As Level.fill, in every resolution."""
        for level in self.levels:
            level.fill(block, newest_ms=newest_ms, on_corrupt=on_corrupt)

    def retain(self, newest_ms: int) -> None:
        """Remove what is past its time in each resolution."""
        for level in self.levels:
            level.retain(newest_ms)

    def remove(self, blocks: Sequence[Block]) -> None:
        """Remove those of the blocks that are any level's."""
        for level in self.levels:
            level.remove(blocks)

    def in_order_of_disposal(self, samples: Sequence[Block]) -> list[Block]:
        """As retention.in_order_of_disposal. samples: the blocks of samples."""
        held = [samples, *(level.blocks for level in self.levels)]
        copied = [level.complete_until(held[number]) for number, level in enumerate(self.levels)]
        return in_order_of_disposal(list(zip(held, [*copied, None], strict=True)))

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> None:
        """As Level.delete, in every resolution."""
        for level in self.levels:
            level.delete(matcher_sets, start_ms, end_ms)

    def clean_tombstones(self, newest_ms: int, on_corrupt: OnCorrupt) -> None:
        """As Level.clean_tombstones."""
        for level in self.levels:
            level.clean_tombstones(newest_ms, on_corrupt)

    @property
    def blocks(self) -> list[BucketBlock]:
        """Of all resolutions."""
        return [block for level in self.levels for block in level.blocks]

    def size_bytes(self) -> int:
        """On disk."""
        return sum(level.set.size_bytes() for level in self.levels)

    def notes(self) -> list[str]:
        """What start-up set aside or removed."""
        return [note for level in self.levels for note in level.set.notes]

    def cool(self) -> None:
        """As Block.cool."""
        for block in self.blocks:
            block.cool()

    def series(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, on_corrupt: OnCorrupt
    ) -> list[SourceAnswer]:
        """The series with buckets that reach into the range, without samples."""
        return [
            block.series_between(matchers, start_ms, end_ms, cache=level.cache, on_corrupt=on_corrupt)
            for level in self.levels
            for block in level.blocks
        ]

    def select_last(
        self,
        cuts: Sequence[Cut],
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> list[SourceAnswer]:
        """The last samples of buckets as samples, oldest first."""
        answers = []
        for cut in reversed(cuts):
            low, high = max(start_ms, cut.after_ms + 1), min(end_ms, cut.until_ms)
            for block in cut.level.blocks if low <= high else ():
                answers.append(
                    block.select(matchers, low, high, cache=cut.level.cache, budget=budget, on_corrupt=on_corrupt)
                )
        return answers

    def select_columns(
        self,
        cuts: Sequence[Cut],
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        hints: SelectHints,
        recent: Selection,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> Selection:
        """The columns that the function needs of the buckets that end in [start_ms, end_ms], and `recent`: the samples after them."""
        columns = BUCKET_COLUMNS[hints.function]
        levels = levels_of(cuts)
        behind = _as_buckets(recent, levels[0][1] + hints.range_ms, columns)
        errors: list[CorruptData] = []
        for _ in range(2):
            answers = self._columns(cuts, matchers, columns, start_ms, end_ms, budget, errors.append)
            budget.charge_bytes(sum(value_bytes(p) for a in answers for held in a.pieces.values() for p in held))
            selection = assemble_columns([*answers, *behind], recent, levels, columns)
            if not errors:
                break
            # What is damaged is known after it was read: once more, without the series that it belongs to.
            for cut in cuts:
                for block in cut.level.blocks:
                    block.find_damage(columns)
        for err in errors:
            on_corrupt(err)
        return selection

    def _columns(
        self,
        cuts: Sequence[Cut],
        matchers: Sequence[Matcher],
        columns: Sequence[str],
        start_ms: int,
        end_ms: int,
        budget: Budget,
        on_corrupt: OnCorrupt,
    ) -> list[ColumnAnswer]:
        answers = []
        for cut in reversed(cuts):
            low, high = max(start_ms, cut.after_ms + 1), min(end_ms, cut.until_ms)
            for block in cut.level.blocks if low <= high else ():
                cache = cut.level.cache
                answers.append(
                    block.select_columns(
                        matchers, columns, low, high, cache=cache, budget=budget, on_corrupt=on_corrupt
                    )
                )
        return answers


def _as_buckets(recent: Selection, until_ms: int, columns: Sequence[str]) -> list[ColumnAnswer]:
    """The samples not later than until_ms as buckets of one sample each, for windows that reach behind the last bucket."""
    found = [_until(as_ragged(_head_of(piece, until_ms)), until_ms) for piece in recent.pieces]
    merged = merge_ragged([one for one in found if len(one.times)])
    if merged is None:
        return []
    samples = list(pieces(merged, may_be_stale=False))
    views = {name: [_column_of(piece, name) for piece in samples] for name in columns}
    places = [_AFTER_ALL] * len(samples)
    return [ColumnAnswer(table_fingerprints(recent.labels), recent.labels, views, places)]


def _head_of(piece: SampleTile | SampleRuns, until_ms: int) -> SampleTile | SampleRuns:
    """A tile without what is later, which is most of it; runs as they are."""
    if isinstance(piece, SampleRuns):
        return piece
    kept = slice(int(np.searchsorted(piece.times, until_ms, side="right")))
    present = None if piece.present is None else piece.present[:, kept]
    return replace(piece, times=piece.times[kept], values=piece.values[:, kept], present=present)


def _until(ragged: Ragged, until_ms: int) -> Ragged:
    """Samples up to a time, without stale markers, by row."""
    kept = keep_where(ragged, (ragged.times <= until_ms) & ~is_stale(ragged.values))
    return kept if (kept.rows[1:] > kept.rows[:-1]).all() else take(kept, np.argsort(kept.rows))


def _column_of(piece: SampleTile | SampleRuns, name: str) -> SampleTile | SampleRuns:
    if name in ("first_times", "last_times"):
        times: F64 = np.broadcast_to(piece.times, piece.values.shape).astype(np.float64)
        return replace(piece, values=times)
    if name in ("count", "lost"):
        return replace(piece, values=np.full(piece.values.shape, 1.0 if name == "count" else 0.0))
    return piece
