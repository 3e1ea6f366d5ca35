"""Tailing: what is appended goes to those who listen, through a bounded queue each."""

import threading
from collections import deque
from collections.abc import Sequence

from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry

Batch = tuple[Labels, Sequence[LogEntry]]


class Subscription:
    """Thread-safe. Holds at most `limit` batches; the oldest go first, and their entries are counted."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._dropped = 0
        self.closed = False

    def put(self, batches: Sequence[Batch]) -> None:
        with self._lock:
            self._batches.extend(batches)
            while len(self._batches) > self._limit:
                self._dropped += len(self._batches.popleft()[1])

    def drain(self) -> list[Batch]:
        with self._lock:
            batches = list(self._batches)
            self._batches.clear()
            return batches

    @property
    def dropped(self) -> int:
        return self._dropped

    def close(self) -> None:
        self.closed = True
        with self._lock:
            self._batches.clear()


class Subscribers:
    """Who listens to one store."""

    def __init__(self, limit: int) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._all: list[Subscription] = []

    def open(self) -> Subscription:
        subscription = Subscription(self._limit)
        with self._lock:
            self._all.append(subscription)
        return subscription

    def __bool__(self) -> bool:
        return bool(self._all)

    def publish(self, batches: Sequence[Batch]) -> None:
        with self._lock:
            self._all = [subscription for subscription in self._all if not subscription.closed]
            for subscription in self._all:
                subscription.put(batches)
