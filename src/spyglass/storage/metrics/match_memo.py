"""Which series of a block a selection matches, remembered: a block's labels never change, and dashboards ask for the same again.

Large selections are not remembered. To match them takes little beside reading them, and they would take memory for good.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spyglass.model.arrays import I64, U64
from spyglass.model.labels import LabelTable
from spyglass.model.matchers import Matcher

ROWS_MAX = 2048
"""Rows remembered per block, some 60 bytes each."""
SELECTIONS_MAX = 32


@dataclass(slots=True)
class Matched:
    """rows: block rows, ascending. taken: their fingerprints and labels, once somebody needed all of them."""

    rows: I64
    taken: tuple[U64, LabelTable] | None = None


class MatchMemo:
    """The selections asked for last. Thread-safe; two threads may match the same at once, which is harmless."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Matcher, ...], Matched] = OrderedDict()
        self._lock = threading.Lock()
        self._rows = 0

    def matched(self, matchers: Sequence[Matcher], match: Callable[[Sequence[Matcher]], I64]) -> Matched:
        """What is remembered, or what `match` finds."""
        key = tuple(matchers)
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found
        found = Matched(match(matchers))
        if len(found.rows) <= ROWS_MAX:
            self._keep(key, found)
        return found

    def _keep(self, key: tuple[Matcher, ...], found: Matched) -> None:
        with self._lock:
            if key in self._held:
                return
            self._held[key] = found
            self._rows += len(found.rows)
            while self._rows > ROWS_MAX or len(self._held) > SELECTIONS_MAX:
                self._rows -= len(self._held.popitem(last=False)[1].rows)
