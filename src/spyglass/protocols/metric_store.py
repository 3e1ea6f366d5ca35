"""The seam between whatever wants samples and whatever keeps them.

All methods are synchronous and thread-safe. Reads never block writes for longer than a snapshot of the head takes.
Time bounds are closed on both ends unless a docstring says otherwise. One store is one tenant's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spyglass.model.arrays import I64
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import Exemplar, Metadata, Selection, WriteBatch, WriteOutcome
from spyglass.protocols.budget import Budget


@dataclass(frozen=True, slots=True)
class SelectHints:
    """What the query will do with the samples. Hints, not commands: a store that ignores them stays correct.

    step_ms 0: instant. function: the innermost function name ("rate", "sum_over_time", "" for a plain selector).
    range_ms: the window of a range selector, 0 without.
    aggregates: the caller understands `Selection.downsampled` and its columns (BUCKET_COLUMNS), and samples that stand for others
    (SampleTile.weights): of a stretch between two multiples of 5 minutes, where steps, range and borders are such multiples, the store
    may leave out what `function` gives the same without. Else the caller gets all samples.
    start_timestamps: Selection.starts will be looked at.
    """

    step_ms: int = 0
    range_ms: int = 0
    function: str = ""
    aggregates: bool = False
    start_timestamps: bool = False


_CHANGE = ("last", "first", "first_times", "last_times", "count", "lost")

BUCKET_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sum_over_time": ("sum",),
    "count_over_time": ("count",),
    "avg_over_time": ("sum", "count"),
    "min_over_time": ("min",),
    "max_over_time": ("max",),
    "first_over_time": ("first",),
    "ts_of_first_over_time": ("first_times",),
    "rate": _CHANGE,
    "increase": _CHANGE,
    "delta": _CHANGE,
}
"""What a function needs of downsampled buckets to give, for windows of whole buckets, what the samples give.

first, last: the first and the last sample, first_times, last_times: their times (ms); min, max, sum, count; lost: the values before
each counter reset, added up.
"""

EXACT_ON_LAST = frozenset(("", "last_over_time", "ts_of_last_over_time", "present_over_time"))
"""Functions ("": an instant selection) that the last sample of each bucket is enough for. All others are estimates on downsampled data."""


@dataclass(frozen=True, slots=True)
class CardinalityStats:
    """For status/tsdb: counts are of the head. Lists are (name, count), largest first."""

    series: int
    label_pairs: int
    chunks: int
    min_time_ms: int
    max_time_ms: int
    series_by_metric: Sequence[tuple[str, int]] = ()
    values_by_label: Sequence[tuple[str, int]] = ()
    bytes_by_label: Sequence[tuple[str, int]] = ()
    series_by_pair: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """A block on disk. Times in ms, closed on both ends. number: its own; sources: those that it was merged from.

    resolution_ms: of a block of downsampling buckets, which are counted as samples; 0: samples. Each resolution numbers its own blocks.
    """

    number: int
    min_ms: int
    max_ms: int
    samples: int
    series: int
    level: int
    sources: Sequence[int] = ()
    resolution_ms: int = 0


@dataclass(frozen=True, slots=True)
class StoreStats:
    """For own metrics and `spyglass status`."""

    samples_appended: int = 0
    series_created: int = 0
    series_active: int = 0
    disk_bytes: int = 0
    log_bytes: int = 0
    blocks: int = 0
    corruptions: int = 0
    notes: Sequence[str] = field(default_factory=tuple)
    """What start-up set aside or repaired, for people."""


class MetricReader(Protocol):
    """The read half."""

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,
        budget: Budget,
    ) -> Selection:
        """All series that match and have a sample with start_ms <= t <= end_ms, with those samples.

        The caller owns the Selection; arrays in it may be views of immutable blocks and must not be written to.
        Raises: BudgetExceeded, QueryTimeout, QueryCanceled through `budget`.
        """
        ...

    def series(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> LabelTable:
        """The labels of the series that match any of the sets and may have samples in the range. limit 0: all."""
        ...

    def label_names(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        """Sorted. No matcher sets: of all series."""
        ...

    def label_values(
        self, name: str, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int, limit: int = 0
    ) -> list[str]:
        """Sorted, without the empty value."""
        ...

    def exemplars(
        self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int
    ) -> list[tuple[Labels, list[Exemplar]]]:
        """Per series the exemplars in the range, oldest first."""
        ...

    def metadata(self) -> dict[str, list[Metadata]]:
        """What is known of every metric family; several entries where targets disagree."""
        ...

    def cardinality(self, *, limit: int = 10) -> CardinalityStats: ...

    def block_infos(self) -> list[BlockInfo]:
        """The blocks on disk, oldest first; a store without any has none."""
        ...

    def time_range(self) -> tuple[int, int] | None:
        """Oldest and newest sample time in ms, None when empty."""
        ...


class MetricWriter(Protocol):
    """The write half. Hot-path callers keep references and append columns."""

    def resolve(self, labels: Sequence[Labels]) -> I64:
        """A series reference for each label set, creating series that do not exist. -1: refused (series limit).

        References are positive. One stays valid while its series gets samples; a series without samples for longer than the
        head keeps may lose it: append then reports it as unknown. Labels are canonical (model.labels.labels_of) and unchecked here.
        """
        ...

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        """Store a batch. durable: return after the group commit that holds it; else it is durable within a second.

        Raises: DiskFull (nothing of the batch was stored), Unavailable while closing.
        """
        ...


class MetricStore(MetricReader, MetricWriter, Protocol):
    """A tenant's metrics."""

    @property
    def version(self) -> int:
        """Another number after each append and deletion, before it is acknowledged and once it can be read."""
        ...

    def delete(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ms: int, end_ms: int) -> None:
        """Hide the samples in the range from now on; the space comes back with clean_tombstones or compaction."""
        ...

    def clean_tombstones(self) -> None: ...

    def snapshot(self, *, skip_head: bool = False) -> str:
        """Write a consistent copy below <data>/snapshots and return its folder's name."""
        ...

    def maintain(self, now_ms: int) -> None:
        """One round of housekeeping: cut blocks, compact, retain. Called every few seconds by its owner's thread."""
        ...

    def stats(self) -> StoreStats: ...

    def close(self) -> None:
        """Flush and release the lock. Idempotent."""
        ...


class MetricStores(Protocol):
    """All tenants' stores. The tenant "" is the one of requests without X-Scope-OrgID."""

    def store(self, tenant: str = "", *, create: bool = True) -> MetricStore:
        """Raises: NotFound where the tenant has nothing and create is False."""
        ...

    def tenants(self) -> list[str]: ...

    def maintain(self, now_ms: int) -> None: ...

    def close(self) -> None: ...
