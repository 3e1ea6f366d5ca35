"""The time of lines that say none: the time of reading, each later than the one before.

A store keeps one of two entries that are equal in time and line; two equal lines read in the same moment are two lines.
"""

import threading
from collections.abc import Callable


class Stamps:
    """Strictly ascending times for all sources together; thread-safe."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._last = 0
        self._lock = threading.Lock()

    def take(self, count: int) -> int:
        """The first of `count` consecutive nanoseconds that are this caller's own."""
        with self._lock:
            first = max(self._now_ns(), self._last + 1)
            self._last = first + max(count, 1) - 1
            return first
