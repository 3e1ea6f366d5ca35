"""A log query: scan, pipeline, limit, and lines grouped by their final labels."""

from dataclasses import dataclass, field

from spyglass.model.errors import BudgetExceeded, QueryTimeout
from spyglass.model.labels import Labels
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogEntry, LogReader
from spyglass.protocols.queries import LabelCategories
from spyglass.query.exec.context import Counters
from spyglass.query.exec.logs.batches import Reading, rows_of
from spyglass.query.exec.logs.final_labels import FinalLabels
from spyglass.query.exec.logs.rows import Rows

ENTRY_OVERHEAD_BYTES = 200
"""What a collected line costs besides its text."""


@dataclass(slots=True)
class Collected:
    """Streams in the order of their first line; categories parallel to them."""

    streams: list[tuple[Labels, list[LogEntry]]] = field(default_factory=list)
    categories: list[LabelCategories] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _places: dict[Labels, int] = field(default_factory=dict)
    _labels: FinalLabels = field(default_factory=FinalLabels)

    def add(self, rows: Rows) -> int:
        """All of the lines. Returns: bytes held."""
        times, lines = rows.times.tolist(), rows.lines
        for labels, places in self._labels.groups(rows).items():
            at = self._places.get(labels)
            if at is None:
                at = self._places[labels] = len(self.streams)
                self.streams.append((labels, []))
                self.categories.append(self._labels.categories(labels, rows, places[0]))
            metadata = self.categories[at].metadata
            self.streams[at][1].extend([LogEntry(times[i], lines[i], metadata) for i in places])
        return sum(map(len, lines)) + rows.size * ENTRY_OVERHEAD_BYTES


def read_lines(
    reader: LogReader, reading: Reading, *, interval_ns: int, budget: Budget, counters: Counters
) -> Collected:
    """The first `reading.limit` lines in the reading's direction; interval_ns > 0 then thins them out.

    Where the budget ends the query, what was found until then is the answer, with a warning that says so.
    """
    collected = Collected()
    keep = _Thinner(interval_ns, reading.direction)
    left = reading.limit
    try:
        for rows in rows_of(reader, reading, budget, counters):
            if rows.size > left:
                rows = rows.take(list(range(left)))
            left -= rows.size
            budget.charge_bytes(collected.add(keep(rows)))
            if left <= 0:
                break
    except (BudgetExceeded, QueryTimeout) as err:
        if not collected.streams:
            raise
        collected.warnings.append(f"the answer is incomplete: {err.message}")
    return collected


class _Thinner:
    """At most one line per interval, over all streams together."""

    def __init__(self, interval_ns: int, direction: Direction) -> None:
        self.interval_ns, self.sign = interval_ns, 1 if direction == "forward" else -1
        self.last: int | None = None

    def __call__(self, rows: Rows) -> Rows:
        return (
            rows
            if self.interval_ns <= 0
            else rows.take([i for i, t in enumerate(rows.times.tolist()) if self._keeps(t)])
        )

    def _keeps(self, time_ns: int) -> bool:
        if self.last is not None and (time_ns - self.last) * self.sign < self.interval_ns:
            return False
        self.last = time_ns
        return True
