"""An open scan with the rest of its pipeline: rows that passed every stage."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from spyglass.model.log_stages import DropLabels, KeepLabels, LabelFilter, LogStage
from spyglass.model.matchers import Matcher
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import Direction, LogHints, LogReader
from spyglass.query.exec.context import Counters
from spyglass.query.exec.logs.pipeline import compile_pipeline, reordered
from spyglass.query.exec.logs.rows import Rows, StreamSet
from spyglass.query.exec.logs.stage import EVERYTHING, Needs

LABELS_ONLY = (LabelFilter, DropLabels, KeepLabels)


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read: start_ns <= t < end_ns, in the direction given."""

    matchers: Sequence[Matcher]
    stages: Sequence[LogStage]
    start_ns: int
    end_ns: int
    direction: Direction = "forward"
    limit: int = 0
    needs: Needs = EVERYTHING
    lines_needed: bool = True


def rows_of(reader: LogReader, reading: Reading, budget: Budget, counters: Counters) -> Iterator[Rows]:
    """Batches behind the whole pipeline; empty ones are left out. All share one StreamSet."""
    stages = reordered(reading.stages)
    scan = reader.scan(
        reading.matchers,
        stages,
        start_ns=reading.start_ns,
        end_ns=reading.end_ns,
        direction=reading.direction,
        hints=_hints(reading),
        budget=budget,
    )
    run = compile_pipeline(stages[scan.stages_done :], reading.needs)
    streams = StreamSet()
    try:
        for batch in scan.batches:
            budget.check()
            counters.lines += batch.size
            counters.bytes += sum(map(len, batch.lines))
            budget.charge_samples(batch.size)
            rows = run(Rows.of(batch, streams).ties_ordered() if reading.limit else Rows.of(batch, streams))
            if rows.size:
                yield rows
    finally:
        # Leaving early must free what the store holds for the scan.
        close = getattr(scan.batches, "close", None)
        if close is not None:
            close()


def _hints(reading: Reading) -> LogHints:
    # Only label filters and the taking away of labels do without the lines.
    lines = reading.lines_needed or any(not isinstance(stage, LABELS_ONLY) for stage in reading.stages)
    return LogHints(limit=reading.limit, lines_needed=lines, fields_needed=reading.needs.labels)
