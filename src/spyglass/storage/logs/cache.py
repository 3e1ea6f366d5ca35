"""A bounded cache of decoded columns, shared by all blocks of a store: least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

T = TypeVar("T")


class ColumnCache:
    """Thread-safe. The limit bounds what is kept, not what is in use."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._items: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable, load: Callable[[], tuple[T, int]]) -> T:
        """The value under `key`; `load` gives it and its size in bytes where it is not here. Two threads may both load."""
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
                return cast(T, found[0])
        value, size = load()
        if size <= self._limit // 2:
            self._put(key, value, size)
        return value

    def _put(self, key: Hashable, value: object, size: int) -> None:
        with self._lock:
            if key in self._items:
                return
            self._items[key] = (value, size)
            self._bytes += size
            while self._bytes > self._limit:
                _, (_, gone) = self._items.popitem(last=False)
                self._bytes -= gone

    @property
    def size_bytes(self) -> int:
        return self._bytes
