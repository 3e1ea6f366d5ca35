"""What every log line must pass, whichever door it came through: Loki's limits, under Loki's names, with Loki's texts.

A push is taken as far as it can be: streams and entries that break a limit are refused and named in one error, the others are
stored. Only a tenant's rate limit refuses a push as a whole. Source of limits, texts and order of checks: Loki's documentation of
limits_config and its validation messages.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from spyglass.config.loki_limits import LimitsConfig
from spyglass.ingest.log_checks import Checks, LogLimits, show
from spyglass.ingest.stream_rates import StreamRates, refusal
from spyglass.ingest.token_bucket import TokenBucket
from spyglass.model.errors import IngestError, RateLimited, RejectedSamples
from spyglass.model.labels import Labels
from spyglass.model.log_columns import LogColumns
from spyglass.protocols.clock import Clock
from spyglass.protocols.log_store import LogEntry, LogStores

MAX_NAMED_PROBLEMS = 10
SILENT = 200
"""The block_ingestion_status_code with which senders are not told."""
Stream = tuple[Labels, Sequence[LogEntry]]
Checked = tuple[Labels, LogColumns]
LimitsOf = Callable[[str], LogLimits]
"""The limits of a tenant, now."""


class NoStreams(IngestError):
    """A push without any stream (422)."""


@dataclass(frozen=True, slots=True)
class IngestCounts:
    """Since the start. lines, bytes: taken, by tenant.  discarded: entries refused, by (tenant, reason)."""

    lines: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    discarded: Counter[tuple[str, str]] = field(default_factory=Counter)


class LogIngest:
    """The one way into the log stores. Synchronous, thread-safe."""

    def __init__(self, stores: LogStores, limits: LogLimits | LimitsOf, clock: Clock) -> None:
        """limits: of everybody, or of each tenant."""
        self.limits_of: LimitsOf = limits if callable(limits) else lambda _: limits
        self._stores, self._clock = stores, clock
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._rates = StreamRates()
        self._known: dict[str, set[Labels]] = {}
        self._counts = IngestCounts()

    def counts(self) -> IngestCounts:
        """A copy, for our own metrics."""
        with self._lock:
            counts = self._counts
            return IngestCounts(counts.lines.copy(), counts.bytes.copy(), counts.discarded.copy())

    def push(self, tenant: str, streams: Sequence[Stream], *, problems: Sequence[str] = ()) -> int:
        """Store what passes. problems: what the decoder refused already. Returns how many entries were stored.

        Raises: RejectedSamples when something was refused, StreamRateLimited when that was for a stream's rate (the rest is stored),
        IngestionBlocked, RateLimited or NoStreams (nothing is stored), DiskFull.
        """
        if not streams and not problems:
            raise NoStreams("error at least one valid stream is required for ingestion")
        limits = self.limits_of(tenant)
        check = Checks(limits, self._clock.now_ns(), tenant)
        refused = check.blocked()
        if refused is not None:
            with self._lock:
                self._counts.discarded[tenant, "blocked_ingestion"] += sum(len(entries) for _, entries in streams)
            if refused.status == SILENT:
                return 0
            raise refused
        check.problems.extend(problems)
        kept = [stream for stream in map(check.stream, streams) if stream is not None]
        kept = self._within_stream_limit(tenant, kept, check, limits.config)
        lines = sum(len(entries) for _, entries in kept)
        size = sum(int(entries.offsets[-1]) for _, entries in kept)
        self._charge(tenant, lines, size, limits.config)
        kept, limited = self._rates.admit(tenant, kept, self._clock.monotonic_ns(), limits.config)
        for _, entries in limited:
            check.discarded["per_stream_rate_limit"] += len(entries)
            lines, size = lines - len(entries), size - int(entries.offsets[-1])
        stored = self._stores.store(tenant).append(kept) if kept else 0
        with self._lock:
            self._counts.lines[tenant] += lines
            self._counts.bytes[tenant] += size
            self._counts.discarded.update({(tenant, reason): n for reason, n in check.discarded.items()})
        if limited:
            raise refusal(tenant, limited[-1], limits.config.per_stream_rate_limit)
        if check.problems:
            raise RejectedSamples(_grouped(check.problems), accepted=lines, rejected=check.discarded.total())
        return stored

    def _charge(self, tenant: str, lines: int, size: int, config: LimitsConfig) -> None:
        rate, burst = config.ingestion_rate_mb * (1 << 20), config.ingestion_burst_size_mb * (1 << 20)
        if rate <= 0:
            return
        now = self._clock.monotonic_ns()
        with self._lock:
            bucket = self._buckets.get(tenant)
            if bucket is None:
                bucket = self._buckets[tenant] = TokenBucket(rate, burst, now)
            bucket.limit(rate, burst)
            if bucket.take(size, now):
                return
            self._counts.discarded[tenant, "rate_limited"] += lines
        raise RateLimited(
            f"Ingestion rate limit exceeded for user {tenant} (limit: {int(rate)} bytes/sec) while attempting to ingest "
            f"'{lines}' lines totaling '{size}' bytes, reduce log volume or contact your Loki administrator to see if the "
            "limit can be increased"
        )

    def _within_stream_limit(
        self, tenant: str, streams: list[Checked], check: Checks, config: LimitsConfig
    ) -> list[Checked]:
        limit = max(config.max_streams_per_user, config.max_global_streams_per_user)
        if limit <= 0:
            return streams
        with self._lock:
            known = self._known.setdefault(tenant, set())
            if len(known) >= limit and any(labels not in known for labels, _ in streams):
                # Streams that no store holds any longer must not count for ever.
                known &= set(self._stores.store(tenant).series((), start_ns=0, end_ns=2**63 - 1).all_labels())
            kept = []
            for labels, entries in streams:
                if labels not in known and len(known) >= limit:
                    check.refuse("stream_limit", len(entries), _too_many_streams(labels, tenant))
                    continue
                known.add(labels)
                kept.append((labels, entries))
        return kept


def _too_many_streams(labels: Labels, tenant: str) -> str:
    return (
        f"Maximum active stream limit exceeded when trying to create stream {show(labels)}, reduce the number of active streams "
        f"(reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, "
        f"user: '{tenant}'"
    )


def _grouped(problems: Sequence[str]) -> str:
    """One text for all: equal ones are counted, as Loki groups them."""
    counts = Counter(problems)
    texts = [text if n == 1 else f"{n} errors like: {text}" for text, n in counts.most_common(MAX_NAMED_PROBLEMS)]
    more = len(counts) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")
