"""The seam between whatever wants log lines and whatever keeps them.

Synchronous and thread-safe. Times are nanoseconds since 1970 UTC. Query ranges are [start_ns, end_ns): start closed, end open,
as Loki's query_range. One store is one tenant's.

The pipeline goes down to the store as *data* (model/log_stages.py). A store
compiles as long a prefix of it as it can (or none), says how far it got, and hands the rest back to the caller to run on batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np

from spyglass.model.arrays import F64, I32, I64
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_entry import LogEntry as LogEntry
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import StoreStats

Direction = Literal["forward", "backward"]


@dataclass(frozen=True, slots=True)
class LogBatch:
    """n lines in columns, in time order of the scan's direction.

    labels: the S streams that occur.  stream [n] int32: row in labels.  times_ns [n].  lines: n strings.
    metadata: n canonical label sets, or None where no line has any.
    fields: columns that the store's pushed-down stages extracted, by label name: n values each ("" and None differ: None is
    "this line has no such field"). Empty unless stages_done > 0.
    """

    labels: LabelTable
    stream: I32
    times_ns: I64
    lines: Sequence[str]
    metadata: Sequence[Labels] | None = None
    fields: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.times_ns)


@dataclass(frozen=True, slots=True)
class LogHints:
    """What the query will do: hints, not commands.

    limit: the caller stops after so many lines *after all stages* (0: reads all). lines_needed False: only times and labels
    will be looked at (count_over_time, rate). fields_needed: None: unknown; else the only extracted labels that matter.
    """

    limit: int = 0
    lines_needed: bool = True
    fields_needed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class LogScan:
    """An open scan: stages[:stages_done] have been applied to the batches; the caller applies the others."""

    stages_done: int
    batches: Iterator[LogBatch]


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """A range aggregation that a store may answer from columns without handing out lines.

    operation: "count", "bytes", or one of sum/min/max/... over the unwrapped field. The windows are (t - range_ns, t] for each of
    the steps t. by: group by these labels (None: by stream, i.e. all labels). conversion: how the unwrapped text is read: "" a number,
    "duration" or "duration_seconds" a Go duration in seconds, "bytes".
    """

    operation: str
    range_ns: int
    start_ns: int
    end_ns: int
    step_ns: int
    by: tuple[str, ...] | None = None
    unwrap: str = ""
    parameter: float = np.nan
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class BucketAnswer:
    """labels: G groups; values [G,T] float64; NaN where the window is empty."""

    labels: LabelTable
    values: F64


@dataclass(frozen=True, slots=True)
class LogStats:
    """For index/stats: counts in a range; estimates are allowed to be upper bounds of the blocks touched."""

    streams: int = 0
    chunks: int = 0
    entries: int = 0
    bytes: int = 0


class LogReader(Protocol):
    def scan(
        self,
        matchers: Sequence[Matcher],
        stages: Sequence[LogStage],
        *,
        start_ns: int,
        end_ns: int,
        direction: Direction,
        hints: LogHints,
        budget: Budget,
    ) -> LogScan:
        """Lines of the matching streams with start_ns <= t < end_ns, in order of time (ties in order of arrival).

        Closing the iterator early frees what the scan holds.
        """
        ...

    def buckets(
        self, matchers: Sequence[Matcher], stages: Sequence[LogStage], spec: BucketSpec, budget: Budget
    ) -> BucketAnswer | None:
        """The answer of a range aggregation, or None where the store cannot give it: the caller then scans."""
        ...

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:
        """The streams that match any set and may have lines in the range. No sets: all."""
        ...

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]: ...

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]: ...

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats: ...

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]:
        """Bytes of the lines per group of labels, unordered."""
        ...


class LogWriter(Protocol):
    def append(self, streams: Sequence[tuple[Labels, Sequence[LogEntry]]], *, durable: bool = True) -> int:
        """Store entries; out of order is fine. An entry equal to one of the same stream at the same time (line and metadata
        alike) is dropped silently. Returns how many were stored. durable: return after the group commit that holds them.
        Entries that are LogColumns (model/log_columns.py) are taken as they are, without an object per line.

        Raises: DiskFull (nothing was stored), Unavailable while closing.
        """
        ...

    def subscribe(self) -> "LogSubscription":
        """Everything appended from now on, for tailing."""
        ...


class LogSubscription(Protocol):
    def drain(self) -> list[tuple[Labels, Sequence[LogEntry]]]:
        """What came since the last call. Bounded: the oldest are dropped, and counted in `dropped`."""
        ...

    @property
    def dropped(self) -> int: ...

    def close(self) -> None: ...


class LogStore(LogReader, LogWriter, Protocol):
    """A tenant's logs."""

    @property
    def version(self) -> int:
        """Another number after each append and deletion, before it is acknowledged and once it can be read."""
        ...

    def delete(
        self, matchers: Sequence[Matcher], stages: Sequence[LogStage], *, start_ns: int, end_ns: int
    ) -> None: ...

    def maintain(self, now_ns: int) -> None:
        """One round of housekeeping: write blocks, compact, retain. Called every few seconds by its owner's thread."""
        ...

    def stats(self) -> StoreStats: ...

    def close(self) -> None: ...


class LogStores(Protocol):
    """All tenants' stores; the tenant "fake" is the one of requests without X-Scope-OrgID, as in Loki."""

    def store(self, tenant: str = "fake", *, create: bool = True) -> LogStore: ...

    def tenants(self) -> list[str]: ...

    def maintain(self, now_ns: int) -> None: ...

    def close(self) -> None: ...
