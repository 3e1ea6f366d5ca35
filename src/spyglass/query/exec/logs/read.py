"""A log query: scan, pipeline, limit, and lines grouped by their final labels."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from spyglass.model.errors import BudgetExceeded, QueryTimeout
from spyglass.model.labels import Labels
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogEntry, LogReader
from spyglass.protocols.queries import LabelCategories
from spyglass.query.exec.context import Counters
from spyglass.query.exec.logs.batches import Reading, rows_of
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

    def add(self, labels: Labels, rows: Rows, place: int, time_ns: int) -> None:
        at = self._places.get(labels)
        if at is None:
            at = self._places[labels] = len(self.streams)
            self.streams.append((labels, []))
            self.categories.append(_categories(labels, rows, place))
        self.streams[at][1].append(LogEntry(time_ns, rows.lines[place], self.categories[at].metadata))


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
            budget.charge_bytes(_add(collected, rows, keep))
            if left <= 0:
                break
    except (BudgetExceeded, QueryTimeout) as err:
        if not collected.streams:
            raise
        collected.warnings.append(f"the answer is incomplete: {err.message}")
    return collected


def _add(collected: Collected, rows: Rows, keep: "_Thinner") -> int:
    """Returns: bytes held."""
    held = 0
    for place, (time_ns, labels) in enumerate(zip(rows.times.tolist(), final_labels(rows), strict=True)):
        if keep(time_ns):
            collected.add(labels, rows, place, time_ns)
            held += len(rows.lines[place]) + ENTRY_OVERHEAD_BYTES
    return held


def final_labels(rows: Rows) -> Iterator[Labels]:
    """Each line's label set, sorted; extracted labels may have empty values. Lines with nothing extracted of their own share."""
    shared: dict[tuple[int, int], Labels] = {}
    parsed, metadata = rows.parsed, rows.metadata
    for place, number in enumerate(rows.stream.tolist()):
        if parsed is not None and parsed[place]:
            yield tuple(sorted(rows.merged(place).items()))
            continue
        # Lines share their metadata's dictionaries, which live as long as the rows.
        key = (number, id(metadata[place]) if metadata is not None else 0)
        labels = shared.get(key)
        if labels is None:
            labels = shared[key] = tuple(sorted(rows.merged(place).items()))
        yield labels


def _categories(labels: Labels, rows: Rows, place: int) -> LabelCategories:
    """labels: the line's final ones, sorted; each is where it was last given."""
    parsed = rows.parsed[place] if rows.parsed is not None else None
    metadata = rows.metadata[place] if rows.metadata is not None else None
    if not parsed and not metadata:
        return LabelCategories(labels)
    of_parsed = tuple([pair for pair in labels if pair[0] in parsed]) if parsed else ()
    rest = tuple([pair for pair in labels if pair[0] not in parsed]) if parsed else labels
    if not metadata:
        return LabelCategories(rest, (), of_parsed)
    of_stream = tuple([pair for pair in rest if pair[0] not in metadata])
    return LabelCategories(of_stream, tuple([pair for pair in rest if pair[0] in metadata]), of_parsed)


class _Thinner:
    """At most one line per interval, over all streams together."""

    def __init__(self, interval_ns: int, direction: Direction) -> None:
        self.interval_ns, self.sign = interval_ns, 1 if direction == "forward" else -1
        self.last: int | None = None

    def __call__(self, time_ns: int) -> bool:
        if self.interval_ns <= 0:
            return True
        if self.last is not None and (time_ns - self.last) * self.sign < self.interval_ns:
            return False
        self.last = time_ns
        return True
