"""One resolution of a store's past: its blocks, which windows are made, and how long they are kept.

    downsampled/300000/00000042.block       buckets of 5 minutes
    downsampled/300000/00000042.tombstones  what was deleted from it
    downsampled/300000/aside/               what is about to be merged

A window is made once, from samples or from the next finer buckets, when all of it is old enough. The caller holds the upkeep lock for
whatever changes something; `blocks` may be read at any time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from spyglass.model.matchers import Matcher
from spyglass.protocols.files import Files
from spyglass.storage.files import make_folder
from spyglass.storage.metrics.block import Block
from spyglass.storage.metrics.block_set import BlockSet
from spyglass.storage.metrics.bucket_block import BucketBlock
from spyglass.storage.metrics.compaction_plan import plan_merge
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.downsample import Work, merge_bucket_blocks, write_window
from spyglass.storage.metrics.expiry import Expiry
from spyglass.storage.metrics.layout import bucket_layout
from spyglass.storage.metrics.options import Downsampling, MetricStoreOptions
from spyglass.storage.metrics.retention import beyond_age
from spyglass.storage.metrics.stripe import OnCorrupt
from spyglass.storage.metrics.tombstones import Tombstone

_NEVER = 2**62
_CACHE_SHARE = 4
_WORK_CACHE_BYTES = 8 << 20
HasRoom = Callable[[Sequence[Block]], bool]


class Level:
    """See above."""

    def __init__(self, folder: Path, files: Files, rule: Downsampling, options: MetricStoreOptions) -> None:
        self.rule, self._files = rule, files
        open_block = partial(BucketBlock, resolution_ms=rule.resolution_ms)
        self.set = BlockSet(folder / str(rule.resolution_ms), files, open_block)
        self.cache = DecodedCache(options.decoded_cache_bytes // _CACHE_SHARE)
        self._expiry = Expiry(_bounded(options, rule))
        self._aside = folder / str(rule.resolution_ms) / "aside"
        self._clear_aside()
        self._hollow: set[int] = set()
        """Windows whose sources turned out to hold nothing."""
        self._complete: tuple[object, int | None] = (None, None)

    @property
    def blocks(self) -> tuple[BucketBlock, ...]:
        return self.set.blocks

    @property
    def resolution_ms(self) -> int:
        return self.rule.resolution_ms

    def complete_until(self, sources: Sequence[Block]) -> int | None:
        """Whatever the sources hold before this time is in buckets too. None: nothing is."""
        state = (self.blocks, tuple(sources), len(self._hollow))
        if self._complete[0] != state:
            self._complete = (state, self._complete_until(sources))
        return self._complete[1]

    def _complete_until(self, sources: Sequence[Block]) -> int | None:
        made = self._made()
        if not made:
            return None
        end_ms = max(made) + self.rule.window_ms
        missing = windows_of(sources, self.rule.window_ms) - made
        return min((start for start in missing if min(made) < start < end_ms), default=end_ms)

    @property
    def begins_ms(self) -> int:
        """Nothing before this time was made, or is left."""
        return min(self._made(), default=_NEVER)

    def complete_from(self, newest_ms: int) -> int:
        """Buckets that end later than this are all there."""
        oldest_ms = min((block.min_ms for block in self.blocks), default=_NEVER)
        if self.rule.keep_ms:
            oldest_ms = max(oldest_ms, newest_ms - self.rule.keep_ms)
        return oldest_ms // self.rule.window_ms * self.rule.window_ms

    @property
    def has_tombstones(self) -> bool:
        """Whether anything was deleted that is still there: whole buckets are hidden then, of which samples may be left."""
        return any(block.tombstones for block in self.blocks)

    def _made(self) -> set[int]:
        made = {meta.start_ms for block in self.blocks for meta in block.stripes}
        return made | self._hollow if made else made

    def make_due(
        self, sources: Sequence[Block], *, newest_ms: int, unfinished_ms: int, has_room: HasRoom, on_corrupt: OnCorrupt
    ) -> None:
        """Make the windows that are old enough. unfinished_ms: from here on not all samples are in blocks.

        Raises: DiskFull, StorageError; CorruptData if a source's labels cannot be read.
        """
        window_ms = self.rule.window_ms
        limit_ms = min(newest_ms - self.rule.after_ms, unfinished_ms)
        for start in sorted(windows_of(sources, window_ms) - self._made()):
            if start + window_ms >= limit_ms:
                return
            if self.rule.keep_ms and start + window_ms <= newest_ms - self.rule.keep_ms:
                continue
            held = [block for block in sources if _reaches_into(block, start, start + window_ms)]
            if not has_room(held):
                return
            work = self._work(on_corrupt, newest_ms)
            path = self.set.new_path()
            write_window(path, held, start, window_ms, bucket_layout(self.resolution_ms), work)
            self.set.add([path])
            self.set.remove_empty([path])
            if not any(block.path == path for block in self.blocks):
                self._hollow.add(start)

    def compact(self, *, newest_ms: int, has_room: HasRoom, on_corrupt: OnCorrupt) -> None:
        """Put neighbours together until the plan is empty, and write anew what holds much that is past its time."""
        while True:
            plan = plan_merge(
                self.blocks,
                range_ms=self.rule.window_ms,
                largest_ms=self.rule.largest_block_ms,
                newest_ms=newest_ms,
            )
            if not plan or not has_room(plan):
                break
            self._merge(plan, newest_ms, on_corrupt)
        for block in self.blocks:
            if self._expiry.is_due(block, newest_ms) and has_room([block]):
                self._merge([block], newest_ms, on_corrupt)
        self._expiry.forget_all_but(self.blocks)

    def fill(self, block: Block, *, newest_ms: int, on_corrupt: OnCorrupt) -> None:
        """Add the samples of a block that came late to the windows that are made; buckets that are there already stay as they are."""
        for held in self.blocks:
            made = {meta.start_ms for meta in held.stripes}
            shared = windows_of([block], self.rule.window_ms) & made
            if shared:
                self._fill(held, block, sorted(shared), self._work(on_corrupt, newest_ms))

    def _fill(self, held: BucketBlock, late: Block, starts: Sequence[int], work: Work) -> None:
        make_folder(self._aside)
        added = []
        for start in starts:
            # Aside, so that after a crash no window is there twice.
            path = self._aside / self.set.new_path().name
            write_window(path, [late], start, self.rule.window_ms, bucket_layout(self.resolution_ms), work)
            added.append(BucketBlock(path, self.resolution_ms))
        path = self.set.new_path()
        merge_bucket_blocks(path, [held, *added], work)
        self._replace([held], [path])
        self._clear_aside()

    def _clear_aside(self) -> None:
        for path in self._aside.glob("*"):
            self._files.remove(path)

    def _merge(self, blocks: Sequence[Block], newest_ms: int, on_corrupt: OnCorrupt) -> None:
        path = self.set.new_path()
        merge_bucket_blocks(path, blocks, self._work(on_corrupt, newest_ms))
        self._replace(blocks, [path])

    def _work(self, on_corrupt: OnCorrupt, newest_ms: int) -> Work:
        cutoffs = partial(self._expiry.cutoffs, newest_ms=newest_ms)
        return Work(self._files, DecodedCache(_WORK_CACHE_BYTES), on_corrupt, cutoffs)

    def _replace(self, old: Sequence[Block], paths: Sequence[Path]) -> None:
        self.set.add(paths, replaced=old)
        for block in old:
            self.cache.forget(block.number)
        self.set.remove_files(old)
        self.set.remove_empty(paths)

    def retain(self, newest_ms: int) -> None:
        """Remove the blocks that are past their time."""
        self.remove(beyond_age(self.blocks, newest_ms=newest_ms, retention_ms=self._expiry.longest_ms))

    def remove(self, blocks: Sequence[Block]) -> None:
        """Remove those of the blocks that are this level's."""
        own = [block for block in self.blocks if block in blocks]
        if own:
            self._replace(own, [])

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], start_ms: int, end_ms: int) -> None:
        """Hide every bucket that reaches into [start_ms, end_ms]: what is left of a bucket cannot be told from what is to go."""
        for block in self.blocks:
            if not _reaches_into(block, start_ms - 1, end_ms + self.resolution_ms):
                continue
            rows = np.unique(np.concatenate([block.match(matchers) for matchers in matcher_sets or [()]]))
            if len(rows):
                hidden = Tombstone(rows, start_ms, end_ms + self.resolution_ms - 1)
                self.set.save_tombstones(block, block.tombstones.plus(hidden))

    def clean_tombstones(self, newest_ms: int, on_corrupt: OnCorrupt) -> None:
        """Write anew the blocks that something was deleted from."""
        for block in self.blocks:
            if block.tombstones:
                self._merge([block], newest_ms, on_corrupt)


def windows_of(blocks: Iterable[Block], window_ms: int) -> set[int]:
    """The starts of the windows (start, start + window_ms] that hold something of the blocks."""
    found: set[int] = set()
    for block in blocks:
        width_ms = block.layout.resolution_ms
        spans = [(meta.min_ms + width_ms, meta.max_ms + width_ms) for meta in block.stripes if meta.samples]
        if block.file.meta["histogram_range"] is not None:
            spans.append(tuple(block.file.meta["histogram_range"]))
        for low, high in spans:
            found.update(range((low - 1) // window_ms * window_ms, high, window_ms))
    return found


def _reaches_into(block: Block, after_ms: int, until_ms: int) -> bool:
    """Whether it holds something of (after_ms, until_ms]."""
    width_ms = block.layout.resolution_ms
    return block.samples > 0 and block.min_ms <= until_ms and block.max_ms + width_ms > after_ms


def _bounded(options: MetricStoreOptions, rule: Downsampling) -> MetricStoreOptions:
    """A series that a rule keeps for a time is kept no longer in any resolution."""
    bound = rule.keep_ms or 2**62
    rules = tuple(replace(one, keep_ms=min(one.keep_ms or bound, bound)) for one in options.retention_rules)
    return replace(options, retention_ms=rule.keep_ms, retention_rules=rules, block_range_ms=rule.window_ms)
