"""One push against the limits: what is wrong is collected, the rest passes.

Lines are checked in columns; one by one only where some break a limit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from spyglass.config.loki_limits import LimitsConfig
from spyglass.ingest.levels import with_levels
from spyglass.model.errors import IngestError
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_columns import LogColumns
from spyglass.protocols.log_store import LogEntry

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

CONTACT = "or contact your Loki administrator to increase it."


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


class IngestionBlocked(IngestError):
    """block_ingestion_until lies ahead: nothing is stored. status: what the operator wants senders to get."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Checks:
    """Of one push. problems: texts for the sender, in order. discarded: entries refused, by reason."""

    def __init__(self, limits: LogLimits, now_ns: int, tenant: str) -> None:
        self._limits, self._config, self._now_ns, self._tenant = limits, limits.config, now_ns, tenant
        config = self._config
        self._oldest = now_ns - config.reject_old_samples_max_age if config.reject_old_samples else None
        self._newest = now_ns + config.creation_grace_period
        self.problems: list[str] = []
        self.discarded: Counter[str] = Counter()

    def refuse(self, reason: str, entries: int, problem: str) -> None:
        self.discarded[reason] += entries
        self.problems.append(problem)

    def blocked(self) -> IngestionBlocked | None:
        """The refusal of everything while block_ingestion_until lies ahead."""
        until, status = self._config.block_ingestion_until, self._config.block_ingestion_status_code
        if not until or _time_ns(until) <= self._now_ns:
            return None
        text = f"ingestion blocked for user {self._tenant} until '{until}' with status code '{status}'"
        return IngestionBlocked(text, status)

    def stream(self, stream: tuple[Labels, Sequence[LogEntry]]) -> tuple[Labels, LogColumns] | None:
        """The stream as it will be stored, or None."""
        labels, entries = stream
        if not entries or not self._labels_pass(labels, len(entries)):
            return None
        columns = self._passing(labels, LogColumns.of(entries))
        if self._config.increment_duplicate_timestamp:
            columns = LogColumns.of(_incremented(columns))
        if self._limits.discover_levels:
            columns = with_levels(labels, columns)
        return (self._with_service(labels), columns) if columns else None

    def _labels_pass(self, labels: Labels, entries: int) -> bool:
        config = self._config
        if not labels:
            self.refuse("missing_labels", entries, "error at least one label pair is required per stream")
            return False
        if len(labels) > config.max_label_names_per_series:
            text = f"entry for stream '{show(labels)}' has {len(labels)} label names; limit {config.max_label_names_per_series}"
            self.refuse("max_label_names_per_series", entries, text)
            return False
        missing = [name for name in config.enforced_labels if all(name != own for own, _ in labels)]
        if missing:
            text = f"missing required labels {','.join(missing)} for user {self._tenant} for stream {show(labels)}"
            self.refuse("missing_enforced_labels", entries, text)
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

    def _passing(self, labels: Labels, columns: LogColumns) -> LogColumns:
        """Nearly always all: looked at one by one only when some line breaks a limit."""
        times, limit = columns.times_ns, self._config.max_line_size
        fine = (
            (self._oldest is None or int(times.min()) >= self._oldest)
            and int(times.max()) <= self._newest
            and (limit == 0 or int(columns.lengths().max()) <= limit)
            and not any(metadata and self._metadata_problem(labels, metadata) for metadata in columns.metas)
        )
        if fine:
            return columns
        return LogColumns.of([kept for kept in (self._entry(labels, entry) for entry in columns) if kept is not None])

    def _entry(self, labels: Labels, entry: LogEntry) -> LogEntry | None:
        if self._oldest is not None and entry.time_ns < self._oldest:
            oldest = f"oldest acceptable timestamp is: {_rfc3339(self._oldest)}"
            text = f"entry for stream '{show(labels)}' has timestamp too old: {_rfc3339(entry.time_ns)}, {oldest}"
            return self._refused("greater_than_max_sample_age", text)
        if entry.time_ns > self._newest:
            text = f"entry for stream '{show(labels)}' has timestamp too new: {_rfc3339(entry.time_ns)}"
            return self._refused("too_far_in_future", text)
        if entry.metadata and (problem := self._metadata_problem(labels, entry.metadata)):
            return self._refused(*problem)
        return self._sized(labels, entry)

    def _sized(self, labels: Labels, entry: LogEntry) -> LogEntry | None:
        limit, data = self._config.max_line_size, entry.line.encode()
        if limit == 0 or len(data) <= limit:
            return entry
        if self._config.max_line_size_truncate:
            return entry._replace(line=data[:limit].decode("utf-8", "ignore"))
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
            entry = entry._replace(time_ns=moved[-1].time_ns + 1)
        moved.append(entry)
    return moved


def show(labels: Labels) -> str:
    """`{a="b", c="d"}`, as Loki prints a stream."""
    pairs = (f'{n}="' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"' for n, v in labels)
    return "{" + ", ".join(pairs) + "}"


def _time_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 10**9


def _rfc3339(time_ns: int) -> str:
    try:
        return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{time_ns}ns"
