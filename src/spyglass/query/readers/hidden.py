"""A log reader without the lines that delete requests name: gone for who asks, although they are stored until they are carried out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from spyglass.model.arrays import Mask
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import LogStage
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
from spyglass.query.exec.logs.pipeline import Pipeline, compile_pipeline
from spyglass.query.exec.logs.rows import Rows, StreamSet


@dataclass(frozen=True, slots=True)
class HiddenLines:
    """Lines of matching streams with start_ns <= t < end_ns that pass all stages."""

    matchers: Sequence[Matcher]
    stages: Sequence[LogStage]
    start_ns: int
    end_ns: int


class HidingReader:
    """`LogReader` over another one. What no hidden line can be in is left to that one, with all that it can do without lines.

    The index (series, labels, statistics) still knows of the lines, as upstream's does.
    """

    def __init__(self, inner: LogReader, hidden: Sequence[HiddenLines]) -> None:
        self._inner, self._hidden = inner, hidden

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
        hidden = self._touching(matchers, start_ns, end_ns)
        if hidden:
            # What is hidden is chosen by the lines as they are stored, so no stage may run before.
            stages = ()
            hints = replace(hints, lines_needed=hints.lines_needed or any(one.stages for one in hidden))
        scan = self._inner.scan(
            matchers, stages, start_ns=start_ns, end_ns=end_ns, direction=direction, hints=hints, budget=budget
        )
        return LogScan(scan.stages_done, _without(scan.batches, hidden)) if hidden else scan

    def buckets(
        self, matchers: Sequence[Matcher], stages: Sequence[LogStage], spec: BucketSpec, budget: Budget
    ) -> BucketAnswer | None:
        if self._touching(matchers, spec.start_ns - spec.range_ns + 1, spec.end_ns + 1):
            return None
        return self._inner.buckets(matchers, stages, spec, budget)

    def series(self, matcher_sets: Sequence[Sequence[Matcher]], *, start_ns: int, end_ns: int) -> LabelTable:
        return self._inner.series(matcher_sets, start_ns=start_ns, end_ns=end_ns)

    def label_names(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        return self._inner.label_names(matchers, start_ns=start_ns, end_ns=end_ns)

    def label_values(self, name: str, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> list[str]:
        return self._inner.label_values(name, matchers, start_ns=start_ns, end_ns=end_ns)

    def stats_of(self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int) -> LogStats:
        return self._inner.stats_of(matchers, start_ns=start_ns, end_ns=end_ns)

    def volume(
        self, matchers: Sequence[Matcher], *, start_ns: int, end_ns: int, by: Sequence[str]
    ) -> list[tuple[Labels, int]]:
        return self._inner.volume(matchers, start_ns=start_ns, end_ns=end_ns, by=by)

    def _touching(self, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> list[HiddenLines]:
        """Those that may hide lines of these streams in [start_ns, end_ns)."""
        return [
            one
            for one in self._hidden
            if one.start_ns < end_ns
            and one.end_ns > start_ns
            and self._inner.series([(*matchers, *one.matchers)], start_ns=start_ns, end_ns=end_ns).size
        ]


def _without(batches: Iterator[LogBatch], hidden: Sequence[HiddenLines]) -> Iterator[LogBatch]:
    pipelines = [compile_pipeline(one.stages) for one in hidden]
    try:
        for batch in batches:
            keep = np.ones(batch.size, np.bool_)
            for one, pipeline in zip(hidden, pipelines, strict=True):
                keep &= ~_chosen(batch, one, pipeline)
            if keep.all():
                yield batch
            elif keep.any():
                yield _taken(batch, keep)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def _chosen(batch: LogBatch, one: HiddenLines, pipeline: Pipeline) -> Mask:
    """[n] whether the line is one of them."""
    streams = np.fromiter((_matches(labels, one.matchers) for labels in batch.labels.all_labels()), np.bool_)
    chosen: Mask = streams[batch.stream] & (batch.times_ns >= one.start_ns) & (batch.times_ns < one.end_ns)
    if one.stages and chosen.any():
        rows = Rows.of(batch, StreamSet()).take(np.flatnonzero(chosen).tolist())
        # Places instead of times say which lines came through; no stage that may choose lines looks at the time.
        passed = pipeline(replace(rows, times=np.flatnonzero(chosen)))
        chosen = np.zeros(batch.size, np.bool_)
        chosen[passed.times] = True
    return chosen


def _matches(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    values = dict(labels)
    return all(matcher.matches(values.get(matcher.name, "")) for matcher in matchers)


def _taken(batch: LogBatch, keep: Mask) -> LogBatch:
    places = np.flatnonzero(keep)
    rows = places.tolist()
    metadata = None if batch.metadata is None else [batch.metadata[i] for i in rows]
    lines = [batch.lines[i] for i in rows]
    return LogBatch(batch.labels, batch.stream[places], batch.times_ns[places], lines, metadata)
