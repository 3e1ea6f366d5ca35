"""The logs of several tenants as one: `X-Scope-OrgID: a|b`. Every stream carries its tenant as `__tenant_id__`.

Selectors may match that label. A stream that had a label of the name before has it as `original___tenant_id__`.
Source: Loki's documentation of multi-tenant queries.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.labels import Labels, LabelTable, labels_of
from spyglass.model.log_stages import LineFilter, LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import (
    BucketAnswer,
    BucketSpec,
    Direction,
    LogBatch,
    LogHints,
    LogReader,
    LogScan,
    LogStats,
)

TENANT = "__tenant_id__"
ORIGINAL = "original_"


class TenantsReader:
    """`LogReader` over the readers of at least two tenants."""

    def __init__(self, readers: Mapping[str, LogReader]) -> None:
        self._readers = dict(sorted(readers.items()))

    def scan(
        self,
        matchers: Sequence[Matcher],
        stages: Sequence[LogStage],
        *,
        start_ns: int,
        end_ns: int,
        direction: Direction,
        hints: LogHints,
        budget: Budget,
    ) -> LogScan:
        chosen, matchers = self._choose(matchers)

        def scans(stages: Sequence[LogStage]) -> list[LogScan]:
            return [
                reader.scan(
                    matchers, stages, start_ns=start_ns, end_ns=end_ns, direction=direction, hints=hints, budget=budget
                )
                for reader in chosen.values()
            ]

        # Filters of lines see nothing of the added label; they may run below, if all readers get equally far.
        opened = scans(_line_filters(stages))
        done = {scan.stages_done for scan in opened}
        if len(done) > 1:
            opened, done = scans(()), {0}
        heads = [_Head(name, scan.batches) for name, scan in zip(chosen, opened, strict=True)]
        return LogScan(max(done, default=0), _merged(heads, 1 if direction == "forward" else -1))

    def buckets(
        self,
        matchers: Sequence[Matcher],  # noqa: ARG002
        stages: Sequence[LogStage],  # noqa: ARG002
        spec: BucketSpec,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
    ) -> BucketAnswer | None:
        """None: groups may ask for the added label, so the lines are read."""
        return None

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:
        found: set[Labels] = set()
        for matchers in matcher_sets or [()]:
            chosen, rest = self._choose(matchers)
            for name, reader in chosen.items():
                table = reader.series([rest] if rest else [], start_ns=start_ns, end_ns=end_ns)
                found.update(_named(labels, name) for labels in table.all_labels())
        return LabelTable.from_labels(sorted(found))

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        chosen, rest = self._choose(matchers)
        found = {name for one in chosen.values() for name in one.label_names(rest, start_ns=start_ns, end_ns=end_ns)}
        return sorted(found | {TENANT}) if chosen else []

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        chosen, rest = self._choose(matchers)
        if name == TENANT:
            return list(chosen)
        asked = name.removeprefix(ORIGINAL) if name == ORIGINAL + TENANT else name
        values = (one.label_values(asked, rest, start_ns=start_ns, end_ns=end_ns) for one in chosen.values())
        return sorted({value for of_one in values for value in of_one})

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats:
        chosen, rest = self._choose(matchers)
        found = [one.stats_of(rest, start_ns=start_ns, end_ns=end_ns) for one in chosen.values()]
        return LogStats(
            *(sum(getattr(one, name) for one in found) for name in ("streams", "chunks", "entries", "bytes"))
        )

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]:
        chosen, rest = self._choose(matchers)
        totals: dict[Labels, int] = {}
        for name, reader in chosen.items():
            for group, size in reader.volume(
                rest, start_ns=start_ns, end_ns=end_ns, by=[one for one in by if one != TENANT]
            ):
                key = _named(group, name) if TENANT in by else group
                totals[key] = totals.get(key, 0) + size
        return list(totals.items())

    def _choose(self, matchers: Sequence[Matcher]) -> tuple[dict[str, LogReader], tuple[Matcher, ...]]:
        """The tenants that the matchers take, and the matchers of other labels."""
        of_tenant = [matcher for matcher in matchers if matcher.name == TENANT]
        chosen = {n: one for n, one in self._readers.items() if all(matcher.matches(n) for matcher in of_tenant)}
        return chosen, tuple(matcher for matcher in matchers if matcher.name != TENANT)


def _line_filters(stages: Sequence[LogStage]) -> Sequence[LogStage]:
    """The filters of lines that the pipeline begins with."""
    count = next((i for i, stage in enumerate(stages) if not isinstance(stage, LineFilter)), len(stages))
    return stages[:count]


def _named(labels: Labels, tenant: str) -> Labels:
    return labels_of({**{ORIGINAL + n if n == TENANT else n: v for n, v in labels}, TENANT: tenant})


# --- merging --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Head:
    """A tenant's batches, and how far the first of them was handed out."""

    tenant: str
    batches: Iterator[LogBatch]
    batch: LogBatch | None = None
    at: int = 0

    def fill(self) -> LogBatch | None:
        """The batch with rows left, or None at the end."""
        while self.batch is None or self.at >= self.batch.size:
            self.batch, self.at = next(self.batches, None), 0
            if self.batch is None:
                return None
            labels = [_named(one, self.tenant) for one in self.batch.labels.all_labels()]
            self.batch = LogBatch(
                LabelTable.from_labels(labels),
                self.batch.stream,
                self.batch.times_ns,
                self.batch.lines,
                self.batch.metadata,
            )
        return self.batch

    def take(self, until_ns: int, sign: int) -> LogBatch:
        """The rows up to a time, in the direction of sign."""
        batch = self.batch
        assert batch is not None, "it was filled"
        end = int(np.searchsorted(batch.times_ns * sign, until_ns * sign, side="right"))
        rows = slice(self.at, end)
        self.at = end
        metadata = None if batch.metadata is None else batch.metadata[rows]
        return LogBatch(batch.labels, batch.stream[rows], batch.times_ns[rows], batch.lines[rows], metadata)


def _merged(heads: Sequence[_Head], sign: int) -> Iterator[LogBatch]:
    """All rows in order of time. sign: 1 ascending, -1 descending."""
    try:
        while True:
            filled = [batch for head in heads if (batch := head.fill()) is not None]
            if not filled:
                return
            # Up to here nothing can come that belongs before.
            until = sign * min(int(batch.times_ns[-1]) * sign for batch in filled)
            yield _joined([head.take(until, sign) for head in heads if head.batch is not None], sign)
    finally:
        for head in heads:
            close = getattr(head.batches, "close", None)
            if close is not None:
                close()


def _joined(pieces: Sequence[LogBatch], sign: int) -> LogBatch:
    labels = [one for piece in pieces for one in piece.labels.all_labels()]
    starts = np.cumsum([0, *(piece.labels.size for piece in pieces[:-1])])
    stream = np.concatenate([piece.stream + start for piece, start in zip(pieces, starts, strict=True)])
    times = np.concatenate([piece.times_ns for piece in pieces])
    order = np.argsort(times * sign, kind="stable")
    places = order.tolist()
    lines = [line for piece in pieces for line in piece.lines]
    metadata: list[Labels] | None = None
    if any(piece.metadata is not None for piece in pieces):
        metadata = [one for piece in pieces for one in (piece.metadata or [()] * piece.size)]
        metadata = [metadata[i] for i in places]
    table = LabelTable.from_labels(labels)
    return LogBatch(table, stream[order].astype(np.int32), times[order], [lines[i] for i in places], metadata)
