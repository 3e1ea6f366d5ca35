"""A scan: which rows of which parts, in order, as batches of text."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from spyglass.model.arrays import I32, I64
from spyglass.model.errors import CorruptData
from spyglass.model.labels import Labels, LabelTable
from spyglass.model.log_stages import DropLabels, KeepLabels, LabelFilter, LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogBatch, LogHints, LogScan
from spyglass.storage.logs.merge import Run, merged
from spyglass.storage.logs.part import Part, lines_of, metadata_of
from spyglass.storage.logs.pipeline import CompiledPipeline, compile_stages
from spyglass.storage.logs.verdicts import ASK, DROP, KEEP

T = TypeVar("T")
NO_ROWS: I64 = np.zeros(0, np.int64)
BATCH_ROWS = 8192
FIRST_BATCH_ROWS = 256
"""A query with a limit often ends in the first batch: it is small, and each one after it twice as large."""
TIE_ROWS = 64
"""More than the limit, so that lines of one time at its edge come together and the caller can order them."""


def scan(
    parts: Sequence[Part],
    matchers: Sequence[Matcher],
    stages: Sequence[LogStage],
    start_ns: int,
    end_ns: int,
    direction: Direction,
    hints: LogHints,
    budget: Budget,
    damaged: Callable[[CorruptData], None],
) -> LogScan:
    """Lines in order, without those that the columns can tell to be dropped. damaged: told of a block that cannot be read."""
    pipeline = compile_stages(stages)
    if any(not isinstance(stage, LabelFilter | DropLabels | KeepLabels) for stage in stages[pipeline.exact :]):
        # Parsers and formats look at lines, whatever happens to the lines afterwards.
        hints = replace(hints, lines_needed=True)

    doubtful: list[Part] = []

    def select(part: Part) -> I64:
        budget.check()
        try:
            rows, sure = _select(part, pipeline, matchers, start_ns, end_ns)
            if not sure:
                doubtful.append(part)
            if len(rows) and hints.lines_needed:
                _touch(part)
        except CorruptData as err:
            damaged(err)
            return NO_ROWS
        return rows

    def sure() -> bool:
        return pipeline.complete and not doubtful

    return LogScan(pipeline.exact, batches(merged(parts, select, direction), hints, budget, sure))


def _select(
    part: Part, pipeline: CompiledPipeline, matchers: Sequence[Matcher], start_ns: int, end_ns: int
) -> tuple[I64, bool]:
    """The rows that may pass, and whether all of them are sure to."""
    if not part.streams().matching(matchers).any():
        return NO_ROWS, True
    verdicts = pipeline.judge(part)
    if isinstance(verdicts, int):
        if verdicts == DROP:
            return NO_ROWS, True
        return rows_in(part, matchers, start_ns, end_ns), verdicts == KEEP
    rows = rows_in(part, matchers, start_ns, end_ns)
    judged = verdicts[rows]
    kept: I64 = rows[judged != DROP]
    return kept, not (judged == ASK).any()


def _touch(part: Part) -> None:
    """Read what lines are made of, so that damage shows before a line has gone out."""
    for slot in range(part.template.slot_count):
        part.column(slot)
    part.metadata()


def rows_in(part: Part, matchers: Sequence[Matcher], start_ns: int, end_ns: int) -> I64:
    """The rows of the matching streams with start_ns <= t < end_ns."""
    passes = part.streams().matching(matchers)
    if not passes.any():
        return NO_ROWS
    if part.min_ns >= start_ns and part.max_ns < end_ns:
        first, last = 0, part.size
    else:
        first, last = (int(at) for at in np.searchsorted(part.times(), [start_ns, end_ns]))
    if passes.all():
        return np.arange(first, last)
    return first + np.flatnonzero(passes[part.codes()[first:last]])


def batches(runs: Iterator[Run], hints: LogHints, budget: Budget, sure: Callable[[], bool]) -> Iterator[LogBatch]:
    """sure: whether the caller drops none of the rows chosen up to now: then a batch has what is left of the limit."""
    size, given = FIRST_BATCH_ROWS if hints.limit else BATCH_ROWS, 0
    for run in runs:
        at = 0
        while at < run.size:
            budget.check()
            if hints.limit and sure():
                rows = min(max(hints.limit - given, 0) + TIE_ROWS, BATCH_ROWS)
            else:
                rows, size = size, min(size * 2, BATCH_ROWS)
            piece = slice(at, min(at + rows, run.size))
            yield batch_of(run, piece, hints)
            at, given = at + rows, given + piece.stop - piece.start


def batch_of(run: Run, piece: slice, hints: LogHints) -> LogBatch:
    """Rows of several parts as one batch. Per part once, never per line."""
    owner, rows, times = run.owner[piece], run.rows[piece], run.times[piece]
    n = len(rows)
    lines: list[str] = [""] * n
    metadata: list[Labels] = [()] * n
    any_metadata = False
    stream = np.zeros(n, np.int32)
    streams: dict[Labels, int] = {}
    used = np.unique(owner)
    for index in used.tolist():
        part = run.parts[index]
        places = np.flatnonzero(owner == index) if len(used) > 1 else np.arange(n)
        mine = rows[places]
        stream[places] = _stream_codes(part, mine, streams)
        if hints.lines_needed:
            _place(lines, places, lines_of(part, mine))
        found = metadata_of(part, mine)
        if found is not None:
            any_metadata = True
            _place(metadata, places, found)
    table = LabelTable.from_labels(list(streams))
    return LogBatch(table, stream, times, lines, metadata if any_metadata else None)


def _stream_codes(part: Part, rows: I64, streams: dict[Labels, int]) -> I32:
    used, codes = np.unique(part.codes()[rows], return_inverse=True)
    labels = part.streams().labels
    mapped = np.fromiter((streams.setdefault(labels[c], len(streams)) for c in used.tolist()), np.int32, len(used))
    return mapped[codes]


def _place(target: list[T], places: I64, values: Sequence[T]) -> None:
    if len(places) == len(target):
        target[:] = values
        return
    for place, value in zip(places.tolist(), values, strict=True):
        target[place] = value
