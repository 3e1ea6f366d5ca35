"""A bounded cache of decoded chunks, shared by all blocks of a store: least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy.typing as npt

Column = npt.NDArray[Any]
Key = tuple[int, str, str, int]
"""(block, column, stripe, chunk)."""


class DecodedCache:
    """Holds at most `limit_bytes`. Columns in it are shared and must not be written to."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._held = limit_bytes, 0
        self._columns: OrderedDict[Key, Column] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        return self._held

    def get(self, key: Key) -> Column | None:
        with self._lock:
            column = self._columns.get(key)
            if column is not None:
                self._columns.move_to_end(key)
            return column

    def get_or(self, key: Key, decode: Callable[[], Column]) -> Column:
        """What is held, or what `decode` gives; two threads may decode the same chunk at once, which is harmless."""
        column = self.get(key)
        if column is None:
            column = decode()
            column.flags.writeable = False
            self._put(key, column)
        return column

    def forget(self, block: int) -> None:
        """Drop all columns of a block."""
        with self._lock:
            for key in [key for key in self._columns if key[0] == block]:
                self._held -= self._columns.pop(key).nbytes

    def _put(self, key: Key, column: Column) -> None:
        if column.nbytes > self._limit // 4:
            return
        with self._lock:
            if key not in self._columns:
                self._columns[key] = column
                self._held += column.nbytes
            while self._held > self._limit:
                self._held -= self._columns.popitem(last=False)[1].nbytes
