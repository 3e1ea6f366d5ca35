"""The obvious log store: a list of entries per tenant, searched from end to end. The oracle that the real one is tested against.

Nothing here is clever, bounded or durable. Do not use it for more lines than a test has.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from spyglass.model.errors import NotFound, Unavailable
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import (
    BucketAnswer,
    BucketSpec,
    Direction,
    LogBatch,
    LogEntry,
    LogHints,
    LogScan,
    LogStats,
    LogSubscription,
)
from spyglass.protocols.metric_store import StoreStats

Row = tuple[int, Labels, LogEntry]
"""(number of arrival, stream, entry)"""


def matches_all(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    values = dict(labels)
    return all(matcher.matches(values.get(matcher.name, "")) for matcher in matchers)


@dataclass(slots=True)
class MemorySubscription:
    """Appended batches, oldest first, at most `limit` of them."""

    limit: int = 10_000
    dropped: int = 0
    closed: bool = False
    _batches: deque[tuple[Labels, Sequence[LogEntry]]] = field(default_factory=deque)

    def put(self, labels: Labels, entries: Sequence[LogEntry]) -> None:
        if len(self._batches) >= self.limit:
            self.dropped += len(self._batches.popleft()[1])
        self._batches.append((labels, entries))

    def drain(self) -> list[tuple[Labels, Sequence[LogEntry]]]:
        batches = list(self._batches)
        self._batches.clear()
        return batches

    def close(self) -> None:
        self.closed = True


class MemoryLogStore:
    """One tenant's lines in a list."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._rows: list[Row] = []
        self._seen: set[tuple[Labels, LogEntry]] = set()
        self._arrivals = 0
        self.version = 0
        self._subscriptions: list[MemorySubscription] = []
        self._closed = False

    def append(self, streams: Sequence[tuple[Labels, Sequence[LogEntry]]], *, durable: bool = True) -> int:  # noqa: ARG002
        with self._lock:
            if self._closed:
                raise Unavailable("the log store is closed")
            stored = 0
            for labels, entries in streams:
                fresh = [entry for entry in entries if self._add(labels, entry)]
                stored += len(fresh)
                if fresh:
                    self._publish(labels, fresh)
            self.version += 1
            return stored

    def subscribe(self) -> LogSubscription:
        with self._lock:
            subscription = MemorySubscription()
            self._subscriptions.append(subscription)
            return subscription

    def scan(
        self,
        matchers: Sequence[Matcher],
        stages: Sequence[LogStage],  # noqa: ARG002
        *,
        start_ns: int,
        end_ns: int,
        direction: Direction,
        hints: LogHints,  # noqa: ARG002
        budget: Budget,
    ) -> LogScan:
        rows = sorted(self._select(matchers, start_ns, end_ns), key=lambda row: (row[2].time_ns, row[0]))
        if direction == "backward":
            rows.reverse()
        return LogScan(0, _batches(rows, budget))

    def buckets(
        self,
        matchers: Sequence[Matcher],  # noqa: ARG002
        stages: Sequence[LogStage],  # noqa: ARG002
        spec: BucketSpec,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
    ) -> BucketAnswer | None:
        return None

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:
        sets = matcher_sets or [()]
        streams = {labels for matchers in sets for _, labels, _ in self._select(matchers, start_ns, end_ns)}
        return LabelTable.from_labels(sorted(streams))

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        return sorted({name for _, labels, _ in self._select(matchers, start_ns, end_ns) for name, _ in labels})

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        values = {dict(labels).get(name, "") for _, labels, _ in self._select(matchers, start_ns, end_ns)}
        return sorted(values - {""})

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats:
        rows = self._select(matchers, start_ns, end_ns)
        size = sum(len(entry.line.encode()) for _, _, entry in rows)
        return LogStats(len({labels for _, labels, _ in rows}), 1 if rows else 0, len(rows), size)

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]:
        volumes: Counter[Labels] = Counter()
        for _, labels, entry in self._select(matchers, start_ns, end_ns):
            volumes[tuple(pair for pair in labels if pair[0] in by)] += len(entry.line.encode())
        return list(volumes.items())

    def delete(self, matchers: Sequence[Matcher], stages: Sequence[LogStage], *, start_ns: int, end_ns: int) -> None:
        assert not stages, "the oracle deletes by selector and time only"
        with self._lock:
            doomed = {row[0] for row in self._select(matchers, start_ns, end_ns)}
            self._rows = [row for row in self._rows if row[0] not in doomed]
            self._seen = {(labels, entry) for _, labels, entry in self._rows}
            self.version += 1

    def maintain(self, now_ns: int) -> None:
        """Nothing to do: nothing is ever retained away here."""

    def stats(self) -> StoreStats:
        with self._lock:
            streams = len({labels for _, labels, _ in self._rows})
            return StoreStats(samples_appended=self._arrivals, series_active=streams)

    def close(self) -> None:
        self._closed = True

    def _add(self, labels: Labels, entry: LogEntry) -> bool:
        if (labels, entry) in self._seen:
            return False
        self._seen.add((labels, entry))
        self._rows.append((self._arrivals, labels, entry))
        self._arrivals += 1
        return True

    def _publish(self, labels: Labels, entries: Sequence[LogEntry]) -> None:
        self._subscriptions = [s for s in self._subscriptions if not s.closed]
        for subscription in self._subscriptions:
            subscription.put(labels, entries)

    def _select(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> list[Row]:
        with self._lock:
            return [r for r in self._rows if start_ns <= r[2].time_ns < end_ns and matches_all(r[1], matchers)]


class MemoryLogStores:
    """Tenants in a dictionary."""

    def __init__(self) -> None:
        self._stores: dict[str, MemoryLogStore] = {}

    def store(self, tenant: str = "fake", *, create: bool = True) -> MemoryLogStore:
        if tenant not in self._stores and not create:
            raise NotFound(f"the tenant {tenant!r} has no logs")
        return self._stores.setdefault(tenant, MemoryLogStore())

    def tenants(self) -> list[str]:
        return sorted(self._stores)

    def maintain(self, now_ns: int) -> None:
        for store in self._stores.values():
            store.maintain(now_ns)

    def close(self) -> None:
        for store in self._stores.values():
            store.close()


def _batches(rows: list[Row], budget: Budget) -> Iterator[LogBatch]:
    for at in range(0, len(rows), 1000):
        budget.check()
        chunk = rows[at : at + 1000]
        codes: dict[Labels, int] = {}
        stream = np.asarray([codes.setdefault(labels, len(codes)) for _, labels, _ in chunk], np.int32)
        entries = [entry for _, _, entry in chunk]
        yield LogBatch(
            LabelTable.from_labels(list(codes)),
            stream,
            np.asarray([entry.time_ns for entry in entries], np.int64),
            [entry.line for entry in entries],
            [entry.metadata for entry in entries] if any(entry.metadata for entry in entries) else None,
        )
