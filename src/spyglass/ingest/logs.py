"""What every log line must pass, whichever door it came through: Loki's limits, under Loki's names, with Loki's texts.

A push is taken as far as it can be: streams and entries that break a limit are refused and named in one error, the others are
stored. Only the rate limit refuses a push as a whole. Source of limits, texts and order of checks: Loki's documentation of
limits_config and its validation messages.
"""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from spyglass.config.loki import LimitsConfig
from spyglass.ingest.levels import LEVELS, UNKNOWN, detect_level, stream_level
from spyglass.model.errors import IngestError, RateLimited, RejectedSamples
from spyglass.model.labels import Labels, labels_of
from spyglass.protocols.clock import Clock
from spyglass.protocols.log_store import LogEntry, LogStores

SERVICE_LABELS = (
    "service",
    "app",
    "application",
    "name",
    "app_kubernetes_io_name",
    "container",
    "container_name",
    "k8s_container_name",
    "component",
    "workload",
    "job",
    "k8s_job_name",
)
"""Where Loki 3 looks for a service's name, in this order, unless discover_service_name says otherwise."""

MAX_NAMED_PROBLEMS = 10
CONTACT = "or contact your Loki administrator to increase it."

Stream = tuple[Labels, Sequence[LogEntry]]


class NoStreams(IngestError):
    """A push without any stream (422)."""


@dataclass(frozen=True, slots=True)
class LogLimits:
    """LimitsConfig with the defaults that depend on the generation filled in."""

    config: LimitsConfig
    service_labels: tuple[str, ...] = ()
    discover_levels: bool = False

    @staticmethod
    def of(config: LimitsConfig, *, generation: int) -> "LogLimits":
        """generation 2: what Loki 2.9 did, i.e. no service_name label and no detected_level unless asked for."""
        services = config.discover_service_name
        levels = config.discover_log_levels
        return LogLimits(
            config,
            service_labels=services if services is not None else SERVICE_LABELS if generation >= 3 else (),
            discover_levels=levels if levels is not None else generation >= 3,
        )


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up. Not thread-safe: the owner locks."""

    __slots__ = ("_at_ns", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now_ns: int) -> None:
        self._rate, self._burst, self._tokens, self._at_ns = rate, burst, burst, now_ns

    def take(self, amount: float, now_ns: int) -> bool:
        self._tokens = min(self._burst, self._tokens + max(now_ns - self._at_ns, 0) * self._rate / 1e9)
        self._at_ns = now_ns
        if amount > self._tokens:
            return False
        self._tokens -= amount
        return True


class LogIngest:
    """The one way into the log stores. Synchronous, thread-safe.

    counts: lines and bytes received and discarded, by reason, for our own metrics.
    """

    def __init__(self, stores: LogStores, limits: LogLimits, clock: Clock) -> None:
        self.limits = limits
        self._stores, self._limits, self._clock = stores, limits, clock
        self._lock = threading.Lock()
        self._buckets: dict[str, TokenBucket] = {}
        self._known: dict[str, set[Labels]] = {}
        self.lines_received = 0
        self.bytes_received = 0
        self.discarded: Counter[str] = Counter()

    @property
    def discovers_service_name(self) -> bool:
        """Streams get a label service_name where they have none."""
        return bool(self._limits.service_labels)

    def push(self, tenant: str, streams: Sequence[Stream], *, problems: Sequence[str] = ()) -> int:
        """Store what passes. problems: what the decoder refused already. Returns how many entries were stored.

        Raises: RejectedSamples when something was refused (the rest is stored), RateLimited or NoStreams (nothing is stored),
        DiskFull.
        """
        if not streams and not problems:
            raise NoStreams("error at least one valid stream is required for ingestion")
        check = _Validation(self._limits, self._clock.now_ns())
        check.problems.extend(problems)
        kept = [stream for stream in map(check.stream, streams) if stream is not None]
        kept = self._within_stream_limit(tenant, kept, check)
        lines = sum(len(entries) for _, entries in kept)
        size = sum(len(entry.line) for _, entries in kept for entry in entries)
        self._charge(tenant, lines, size)
        stored = self._stores.store(tenant).append(kept) if kept else 0
        with self._lock:
            self.lines_received += lines
            self.bytes_received += size
            self.discarded.update(check.discarded)
        if check.problems:
            raise RejectedSamples(_grouped(check.problems), accepted=lines, rejected=check.discarded.total())
        return stored

    def _charge(self, tenant: str, lines: int, size: int) -> None:
        config = self._limits.config
        rate, burst = config.ingestion_rate_mb * (1 << 20), config.ingestion_burst_size_mb * (1 << 20)
        if rate <= 0:
            return
        now = self._clock.monotonic_ns()
        with self._lock:
            bucket = self._buckets.get(tenant)
            if bucket is None:
                bucket = self._buckets[tenant] = TokenBucket(rate, burst, now)
            if bucket.take(size, now):
                return
            self.discarded["rate_limited"] += lines
        raise RateLimited(
            f"Ingestion rate limit exceeded for user {tenant} (limit: {int(rate)} bytes/sec) while attempting to ingest "
            f"'{lines}' lines totaling '{size}' bytes, reduce log volume or contact your Loki administrator to see if the "
            "limit can be increased"
        )

    def _within_stream_limit(self, tenant: str, streams: list[Stream], check: "_Validation") -> list[Stream]:
        config = self._limits.config
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


class _Validation:
    """One push against the limits: collects what is wrong while it lets the rest pass."""

    def __init__(self, limits: LogLimits, now_ns: int) -> None:
        self._limits, self._config = limits, limits.config
        config = self._config
        self._oldest = now_ns - config.reject_old_samples_max_age if config.reject_old_samples else None
        self._newest = now_ns + config.creation_grace_period
        self.problems: list[str] = []
        self.discarded: Counter[str] = Counter()

    def refuse(self, reason: str, entries: int, problem: str) -> None:
        self.discarded[reason] += entries
        self.problems.append(problem)

    def stream(self, stream: Stream) -> Stream | None:
        """The stream as it will be stored, or None."""
        labels, entries = stream
        if not entries or not self._labels_pass(labels, len(entries)):
            return None
        entries = self._passing(labels, entries)
        if self._config.increment_duplicate_timestamp:
            entries = _incremented(entries)
        if self._limits.discover_levels:
            entries = _with_levels(labels, entries)
        return (self._with_service(labels), entries) if entries else None

    def _labels_pass(self, labels: Labels, entries: int) -> bool:
        config = self._config
        if not labels:
            self.refuse("missing_labels", entries, "error at least one label pair is required per stream")
            return False
        if len(labels) > config.max_label_names_per_series:
            text = f"entry for stream '{show(labels)}' has {len(labels)} label names; limit {config.max_label_names_per_series}"
            self.refuse("max_label_names_per_series", entries, text)
            return False
        for name, value in labels:
            if len(name) > config.max_label_name_length:
                self.refuse(
                    "label_name_too_long", entries, f"stream '{show(labels)}' has label name too long: '{name}'"
                )
                return False
            if len(value) > config.max_label_value_length:
                self.refuse(
                    "label_value_too_long", entries, f"stream '{show(labels)}' has label value too long: '{value}'"
                )
                return False
        return True

    def _passing(self, labels: Labels, entries: Sequence[LogEntry]) -> Sequence[LogEntry]:
        """Nearly always all: looked at one by one only when the extremes break a limit."""
        times = [entry.time_ns for entry in entries]
        limit = self._config.max_line_size
        # A character is at most four bytes: only long lines need to be measured.
        longest = max(len(entry.line) for entry in entries)
        fine = (
            (self._oldest is None or min(times) >= self._oldest)
            and max(times) <= self._newest
            and (limit == 0 or longest * 4 <= limit)
            and not any(entry.metadata for entry in entries)
        )
        if fine:
            return entries
        return [kept for kept in (self._entry(labels, entry) for entry in entries) if kept is not None]

    def _entry(self, labels: Labels, entry: LogEntry) -> LogEntry | None:
        config = self._config
        if self._oldest is not None and entry.time_ns < self._oldest:
            oldest = f"oldest acceptable timestamp is: {_rfc3339(self._oldest)}"
            text = f"entry for stream '{show(labels)}' has timestamp too old: {_rfc3339(entry.time_ns)}, {oldest}"
            return self._refused("greater_than_max_sample_age", text)
        if entry.time_ns > self._newest:
            text = f"entry for stream '{show(labels)}' has timestamp too new: {_rfc3339(entry.time_ns)}"
            return self._refused("too_far_in_future", text)
        if entry.metadata and (problem := self._metadata_problem(labels, entry.metadata)):
            return self._refused(*problem)
        if config.max_line_size and len(entry.line) * 4 > config.max_line_size:
            return self._sized(labels, entry)
        return entry

    def _sized(self, labels: Labels, entry: LogEntry) -> LogEntry | None:
        limit, data = self._config.max_line_size, entry.line.encode()
        if len(data) <= limit:
            return entry
        if self._config.max_line_size_truncate:
            return replace(entry, line=data[:limit].decode("utf-8", "ignore"))
        text = f"Max entry size '{limit}' bytes exceeded for stream '{show(labels)}' while adding an entry"
        return self._refused("line_too_long", f"{text} with length '{len(data)}' bytes")

    def _metadata_problem(self, labels: Labels, metadata: Labels) -> tuple[str, str] | None:
        config, shown = self._config, show(labels)
        if not config.allow_structured_metadata:
            text = f"stream '{shown}' includes structured metadata, but this feature is disallowed. Please see"
            hint = "`limits_config.allow_structured_metadata` or contact your Loki administrator to enable it."
            return "disallowed_structured_metadata", f"{text} {hint}"
        size = sum(len(name) + len(value) for name, value in metadata)
        if size > config.max_structured_metadata_size:
            text = f"stream '{shown}' has structured metadata too large: '{size}' bytes, limit:"
            hint = f"Please see `limits_config.max_structured_metadata_size` {CONTACT}"
            return "structured_metadata_too_large", f"{text} '{config.max_structured_metadata_size}' bytes. {hint}"
        if len(metadata) > config.max_structured_metadata_entries_count:
            text = f"stream '{shown}' has too many structured metadata labels: '{len(metadata)}', limit:"
            hint = f"Please see `limits_config.max_structured_metadata_entries_count` {CONTACT}"
            return "structured_metadata_too_many", f"{text} '{config.max_structured_metadata_entries_count}'. {hint}"
        return None

    def _refused(self, reason: str, text: str) -> LogEntry | None:
        self.refuse(reason, 1, text)
        return None

    def _with_service(self, labels: Labels) -> Labels:
        if not self._limits.service_labels:
            return labels
        values: Mapping[str, str] = dict(labels)
        if "service_name" in values:
            return labels
        found = next((values[name] for name in self._limits.service_labels if name in values), "unknown_service")
        return labels_of({**values, "service_name": found})


def _incremented(entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Entries at the time of the one before move on by a nanosecond, as increment_duplicate_timestamp asks."""
    moved: list[LogEntry] = []
    for entry in entries:
        if moved and entry.line != moved[-1].line and 0 <= moved[-1].time_ns - entry.time_ns < 1000:
            entry = replace(entry, time_ns=moved[-1].time_ns + 1)
        moved.append(entry)
    return moved


def _with_levels(labels: Labels, entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Structured metadata `detected_level`, unless the sender gave one."""
    of_stream = stream_level(labels)
    return [_with_level(labels, entry, of_stream) for entry in entries]


def _with_level(labels: Labels, entry: LogEntry, of_stream: str | None) -> LogEntry:
    if not entry.metadata:
        level = of_stream or detect_level(labels, (), entry.line)
        return LogEntry(entry.time_ns, entry.line, _METADATA[level])
    if any(name == "detected_level" for name, _ in entry.metadata):
        return entry
    level = detect_level(labels, entry.metadata, entry.line)
    return replace(entry, metadata=labels_of((*entry.metadata, ("detected_level", level))))


_METADATA: Mapping[str, Labels] = {level: (("detected_level", level),) for level in (*LEVELS.values(), UNKNOWN)}
"""One object per level, so that lines share it."""


def show(labels: Labels) -> str:
    """`{a="b", c="d"}`, as Loki prints a stream."""
    pairs = (f'{n}="' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for n, v in labels)
    return "{" + ", ".join(pairs) + "}"


def _too_many_streams(labels: Labels, tenant: str) -> str:
    return (
        f"Maximum active stream limit exceeded when trying to create stream {show(labels)}, reduce the number of active streams "
        f"(reduce labels or reduce label values), or contact your Loki administrator to see if the limit can be increased, "
        f"user: '{tenant}'"
    )


def _rfc3339(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{time_ns}ns"


def _grouped(problems: Sequence[str]) -> str:
    """One text for all: equal ones are counted, as Loki groups them."""
    counts = Counter(problems)
    texts = [text if n == 1 else f"{n} errors like: {text}" for text, n in counts.most_common(MAX_NAMED_PROBLEMS)]
    more = len(counts) - len(texts)
    return "; ".join(texts) + (f"; and {more} more" if more else "")
