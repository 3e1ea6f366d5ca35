"""Which copy of the past answers for which stretch of time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spyglass.protocols.metric_store import BUCKET_COLUMNS, EXACT_ON_LAST, SelectHints
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.level import Level

_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class Cut:
    """A level answers for what is later than after_ms and not later than until_ms."""

    level: Level
    after_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """What a store has as samples. blocks: theirs. from_ms: a window's start; samples later than that are all there."""

    blocks: Sequence[Block]
    from_ms: int


def plan_cuts(levels: Sequence[Level], samples: Held, *, newest_ms: int, hints: SelectHints, end_ms: int) -> list[Cut]:
    """The stretches that buckets answer for, latest first, for a selection up to end_ms. Samples answer for what is later.

    Buckets answer where what is finer is gone, or past its time (so that what answers does not hang on when a block is removed);
    and for as much as there are of them where every window consists of whole buckets.
    """
    cuts: list[Cut] = []
    finer, finer_from_ms, until_ms = samples.blocks, samples.from_ms, _NEVER
    for level in levels:
        complete_ms = level.complete_until(finer)
        # A level that begins later than what is finer has nothing to add: raw samples that are kept longer, or just imported.
        if complete_ms is not None and level.begins_ms <= finer_from_ms:
            if not (_has_whole_buckets(level.resolution_ms, hints, end_ms) and not level.has_tombstones):
                complete_ms = min(complete_ms, finer_from_ms)
            until_ms = min(until_ms, complete_ms)
            cuts = [*cuts[:-1], *(replace(cut, after_ms=until_ms) for cut in cuts[-1:]), Cut(level, -_NEVER, until_ms)]
            finer_from_ms = level.complete_from(newest_ms)
        finer = level.blocks
    return cuts


def levels_of(cuts: Sequence[Cut]) -> list[tuple[int, int]]:
    """As Downsampled.levels."""
    return [(cut.level.resolution_ms, cut.until_ms) for cut in cuts]


def _has_whole_buckets(resolution_ms: int, hints: SelectHints, end_ms: int) -> bool:
    """Whether every window begins and ends where buckets do, and the function gives on buckets what it gives on samples."""
    exact = hints.function in BUCKET_COLUMNS or hints.function in EXACT_ON_LAST
    times = (hints.step_ms, hints.range_ms, end_ms)
    return hints.aggregates and exact and all(time_ms % resolution_ms == 0 for time_ms in times)
