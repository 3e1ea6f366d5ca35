"""What an operator can set about a metric store. Each says what moves when it moves."""

from dataclasses import dataclass

from spyglass.model.matchers import Matcher
from spyglass.model.samples import BUCKET_WINDOWS_MS

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Series that pass all matchers are kept for keep_ms (0: for ever) instead of the store's retention_ms."""

    matchers: tuple[Matcher, ...]
    keep_ms: int


@dataclass(frozen=True, slots=True)
class Downsampling:
    """One resolution: made of what is older than after_ms, kept for keep_ms (0: for ever)."""

    resolution_ms: int
    after_ms: int
    keep_ms: int = 0

    @property
    def window_ms(self) -> int:
        """Buckets of one such range are made at once, when all of it is older than after_ms."""
        return BUCKET_WINDOWS_MS[self.resolution_ms]

    @property
    def largest_block_ms(self) -> int:
        """The range at which compaction stops: blocks go as a whole, so a tenth of the time that they are kept."""
        largest = 27 * self.window_ms
        return max(self.window_ms, min(largest, self.keep_ms // 10 if self.keep_ms else largest))


@dataclass(frozen=True, slots=True)
class MetricStoreOptions:
    """retention_ms: blocks older than this go (0: keep all). retention_bytes: oldest blocks go above this size (0: no cap).

    retention_rules: for series that are kept for another time; where several match a series, the longest counts.
    downsampling: coarser copies of the past, finest first. block_range_ms has to be a multiple of each resolution.
    retention_free_bytes: oldest blocks go while less than this much of the disk is free (0: never); set it above min_free_bytes.
    min_free_bytes: below this much free space writes are refused with DiskFull; the rest of the disk stays usable for others.
    block_range_ms: samples within one such range are stored together; larger: fewer files, longer head.
    max_block_range_ms: compaction stops at this size; 0: a tenth of the retention, at most 31 days, as upstream.
    out_of_order_window_ms: how far behind the newest sample a late one may be. 0: late samples are refused.
    max_series: active series that the store takes; new ones are then refused, known ones go on. 0: no limit.
    head_samples: samples held in memory before they are written as a part (more: fewer parts, more memory, 16 bytes each).
    decoded_cache_bytes: bound of the cache of decoded block columns.
    start_timestamps: keep since when each sample has been counting, in a store of its own beside (upstream's st-storage).
    rollup_share: series of which a rollup (see rollups.py) keeps at most one sample in so many have one beside their samples, from which
    long queries are answered: a fifth more on disk at 15 s between samples. Smaller: also where samples are few. 0: none.
    max_exemplars: size of the exemplar ring. sync_interval_s: how long an append that nobody waits for may stay volatile.
    """

    retention_ms: int = 15 * 24 * HOUR_MS
    retention_bytes: int = 0
    retention_rules: tuple[RetentionRule, ...] = ()
    downsampling: tuple[Downsampling, ...] = ()
    retention_free_bytes: int = 0
    min_free_bytes: int = 64 << 20
    block_range_ms: int = 2 * HOUR_MS
    max_block_range_ms: int = 0
    out_of_order_window_ms: int = 0
    max_series: int = 0
    head_samples: int = 1_000_000
    decoded_cache_bytes: int = 32 << 20
    start_timestamps: bool = False
    rollup_share: int = 4
    max_exemplars: int = 100_000
    sync_interval_s: float = 1.0

    @property
    def largest_block_ms(self) -> int:
        """The range at which compaction stops."""
        if self.max_block_range_ms:
            return max(self.max_block_range_ms, self.block_range_ms)
        tenth = self.retention_ms // 10 if self.retention_ms else 31 * 24 * HOUR_MS
        return max(self.block_range_ms, min(tenth, 31 * 24 * HOUR_MS))
