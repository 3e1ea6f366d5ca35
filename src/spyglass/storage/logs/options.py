"""What an operator may set about the log store. Every limit says what moves when it moves."""

from collections.abc import Sequence
from dataclasses import dataclass

from spyglass.model.matchers import Matcher

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StreamRetention:
    """Lines of the streams that match are kept for period_ns (0: for ever). The highest priority wins."""

    matchers: tuple[Matcher, ...]
    period_ns: int
    priority: int = 1


@dataclass(frozen=True, slots=True)
class LogStoreOptions:
    """hot_rows, hot_bytes: a block is cut at either. More: better compression, more memory, longer replay.

    hot_age_ns: a block is cut when the oldest line has waited so long. More: larger first blocks, longer journal.
    block_rows: small blocks are merged up to this many lines. cache_bytes: decoded columns kept for all tenants together.
    retention_ns: lines older than this go (0: never). max_bytes: the oldest blocks go above it (0: no limit).
    min_free_bytes: appends are refused with DiskFull while the file system has less free.
    """

    hot_rows: int = 65536
    hot_bytes: int = 32 << 20
    hot_age_ns: int = 1800 * SECOND_NS
    block_rows: int = 4 << 20
    cache_bytes: int = 128 << 20
    retention_ns: int = 0
    retention_streams: Sequence[StreamRetention] = ()
    max_bytes: int = 0
    min_free_bytes: int = 256 << 20
    tail_batches: int = 10_000
