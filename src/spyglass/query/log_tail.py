"""A log query over lines as they arrive: what tailing shows."""

from collections.abc import Iterator, Sequence

import numpy as np

from spyglass.model.errors import InvalidParameter
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogBatch, LogEntry, LogHints, LogScan
from spyglass.query.budget import QueryBudget
from spyglass.query.exec.context import Counters
from spyglass.query.exec.logs.batches import Reading, rows_of
from spyglass.query.exec.logs.read import Collected
from spyglass.query.logql.ast import LogExpr
from spyglass.query.logql.parser import parse

Arrived = Sequence[tuple[Labels, Sequence[LogEntry]]]


class TailFilter:
    """The compiled query. Raises: ParseError for a bad query, InvalidParameter for a metric query."""

    def __init__(self, query: str) -> None:
        expr = parse(query)
        if not isinstance(expr, LogExpr):
            raise InvalidParameter("only log queries can be tailed, not metric queries")
        self._expr = expr

    def apply(self, arrived: Arrived) -> list[tuple[Labels, list[LogEntry]]]:
        """What passes, by final labels, in order of time."""
        expr = self._expr
        streams = [(labels, entries) for labels, entries in arrived if entries and _passes(labels, expr.matchers)]
        if not streams:
            return []
        collected = Collected()
        reading = Reading((), expr.stages, 0, 2**63 - 1)
        for rows in rows_of(_Arrivals(streams), reading, QueryBudget(), Counters()):  # type: ignore[arg-type]
            collected.add(rows)
        return collected.streams


def _passes(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    values = dict(labels)
    return all(matcher.matches(values.get(matcher.name, "")) for matcher in matchers)


class _Arrivals:
    """The scanning part of a LogReader over a few streams in memory."""

    def __init__(self, streams: Arrived) -> None:
        self._streams = streams

    def scan(
        self,
        matchers: Sequence[Matcher],  # noqa: ARG002 - applied before
        stages: Sequence[LogStage],  # noqa: ARG002 - none is compiled here
        *,
        start_ns: int,  # noqa: ARG002 - everything that arrived is wanted
        end_ns: int,  # noqa: ARG002
        direction: Direction,  # noqa: ARG002 - tails go forward
        hints: LogHints,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
    ) -> LogScan:
        rows = [
            (entry.time_ns, number, entry) for number, (_, entries) in enumerate(self._streams) for entry in entries
        ]
        rows.sort(key=lambda row: row[0])
        table = LabelTable.from_labels([labels for labels, _ in self._streams])
        batch = LogBatch(
            labels=table,
            stream=np.fromiter((row[1] for row in rows), np.int32, len(rows)),
            times_ns=np.fromiter((row[0] for row in rows), np.int64, len(rows)),
            lines=[row[2].line for row in rows],
            metadata=[row[2].metadata for row in rows] if any(row[2].metadata for row in rows) else None,
        )

        def batches() -> Iterator[LogBatch]:
            yield batch

        return LogScan(0, batches())
