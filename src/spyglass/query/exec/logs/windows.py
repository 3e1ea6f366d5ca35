"""Range aggregations over lines: `count_over_time({...} | json [5m])` and its kin, as a Frame."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable, labels_of
from spyglass.model.log_stages import StringPredicate
from spyglass.model.matchers import MatchOp
from spyglass.model.times import NS_PER_MS, StepGrid
from spyglass.protocols.log_store import BucketAnswer, BucketSpec
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.logs.batches import Reading, rows_of
from spyglass.query.exec.logs.rows import Rows
from spyglass.query.exec.logs.series import SeriesIndex
from spyglass.query.exec.logs.stage import Needs
from spyglass.query.exec.logs.unwrap import unwrapped
from spyglass.query.exec.registry import windows
from spyglass.query.kernels.line_windows import (
    Windows,
    counter_rate_windows,
    find_windows,
    first_windows,
    last_windows,
    max_windows,
    mean_windows,
    min_windows,
    order_events,
    quantile_windows,
    sum_windows,
    variance_windows,
)
from spyglass.query.plan.log_nodes import LogSource
from spyglass.query.plan.nodes import Number, Window

CELL_BYTES = 48
"""What the windows of one series at one step take: entries and leavings, bounds, the value, and a spare for the kernel."""

EVENT_BYTES = 24
"""What one line of a metric query holds: series, time, value."""


@dataclass(frozen=True, slots=True)
class Events:
    """N lines as numbers, sorted by series and time; `labels` has the S series."""

    labels: LabelTable
    series_ids: I64
    times: I64
    values: F64


@windows(LogSource)
def evaluate_log_window(node: Window, ctx: EvalContext) -> Frame:
    """The function over each window of each series.

    Raises: PipelineError where a line fails in the pipeline; through the budget BudgetExceeded, QueryTimeout, QueryCanceled.
    """
    source = node.source
    assert isinstance(source, LogSource), "registered for LogSource"
    first_ns = (ctx.grid.start_ms - node.offset_ms) * NS_PER_MS + source.extra_ns
    answer = _from_store(node, source, first_ns, ctx)
    if answer is not None:
        return answer
    events = _read(node, source, first_ns, ctx)
    # Asked before the arrays are made: a query that parses ids into labels can have a series per line.
    ctx.budget.charge_bytes(events.labels.size * (ctx.grid.count + 1) * CELL_BYTES)
    found = find_windows(
        events.series_ids,
        events.times,
        series=events.labels.size,
        first_end_ns=first_ns,
        step_ns=ctx.grid.step_ms * NS_PER_MS,
        steps=ctx.grid.count,
        range_ns=node.range_ms * NS_PER_MS,
    )
    if node.function == "absent_over_time":
        return _absent(source, found.counts == 0, ctx.grid)
    values = _FUNCTIONS[node.function](events, found, node)
    return Frame(events.labels, ctx.grid, values, found.counts > 0)


# --- reading --------------------------------------------------------------------------------------------------------------


def _read(node: Window, source: LogSource, first_ns: int, ctx: EvalContext) -> Events:
    reading = Reading(
        source.matchers,
        source.stages,
        first_ns - node.range_ms * NS_PER_MS + 1,
        first_ns + (ctx.grid.end_ms - ctx.grid.start_ms) * NS_PER_MS + 1,
        needs=Needs(source.needed),
        lines_needed=node.function in ("bytes_over_time", "bytes_rate"),
    )
    index = SeriesIndex(source)
    # A tenant that never sent a line has no store.
    batches = rows_of(ctx.logs, reading, ctx.budget, ctx.counters) if ctx.logs is not None else ()
    ids: list[I64] = []
    times: list[I64] = []
    values: list[F64] = []
    for rows in batches:
        measured, numbers = _measured(rows, node, source)
        ctx.budget.charge_bytes(measured.size * EVENT_BYTES)
        ids.append(index.number(measured))
        times.append(measured.times)
        values.append(numbers)
    ctx.counters.samples += sum(map(len, ids))
    return _sorted(index, ids, times, values)


def _sorted(index: SeriesIndex, ids: list[I64], times: list[I64], values: list[F64]) -> Events:
    if not ids:
        return Events(index.table(), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    all_ids, all_times = np.concatenate(ids), np.concatenate(times)
    order = order_events(all_ids, all_times)
    return Events(index.table(), all_ids[order], all_times[order], np.concatenate(values)[order])


def _measured(rows: Rows, node: Window, source: LogSource) -> tuple[Rows, F64]:
    """The lines that count, and what each counts for."""
    if source.unwrap:
        return unwrapped(rows, source)
    if node.function in ("bytes_over_time", "bytes_rate"):
        return rows, np.fromiter(map(size_bytes, rows.lines), np.float64, rows.size)
    return rows, np.ones(rows.size)


def size_bytes(line: str) -> int:
    """Of the line in UTF-8."""
    return len(line) if line.isascii() else len(line.encode("utf-8", "surrogatepass"))


# --- from columns ---------------------------------------------------------------------------------------------------------

_BUCKETS = {
    "absent_over_time": "count",
    "count_over_time": "count",
    "rate": "count",
    "bytes_over_time": "bytes",
    "bytes_rate": "bytes",
}
_UNWRAPPED_BUCKETS = {
    "sum_over_time": "sum",
    "rate": "sum",
    "avg_over_time": "avg",
    "min_over_time": "min",
    "max_over_time": "max",
    "quantile_over_time": "quantile",
}
_NO_ERROR = StringPredicate("__error__", "=", "")


def _from_store(node: Window, source: LogSource, first_ns: int, ctx: EvalContext) -> Frame | None:
    """The answer of a store that can count without handing out lines, or None."""
    operation = (_UNWRAPPED_BUCKETS if source.unwrap else _BUCKETS).get(node.function)
    if operation is None or source.without or ctx.logs is None:
        return None
    # A store gives up where a line has an error, so asking for lines without errors asks for nothing more.
    if any(predicate != _NO_ERROR for predicate in source.filters):
        return None
    span_ns = (ctx.grid.end_ms - ctx.grid.start_ms) * NS_PER_MS
    spec = BucketSpec(
        operation,
        node.range_ms * NS_PER_MS,
        first_ns,
        first_ns + span_ns,
        ctx.grid.step_ms * NS_PER_MS,
        source.grouping,
        unwrap=source.unwrap,
        parameter=_parameter(node),
        conversion=source.conversion,
    )
    answer = ctx.logs.buckets(source.matchers, source.stages, spec, ctx.budget)
    return None if answer is None else _frame_of(answer, node, source, ctx.grid)


def _parameter(node: Window) -> float:
    """The quantile's, where there is one."""
    first = node.arguments[0] if node.arguments else None
    return first.value if isinstance(first, Number) else np.nan


def _frame_of(answer: BucketAnswer, node: Window, source: LogSource, grid: StepGrid) -> Frame:
    values = answer.values
    if node.function == "absent_over_time":
        return _absent(source, np.isnan(values), grid)
    if node.function in ("rate", "bytes_rate"):
        values = values / (node.range_ms / 1000)
    return Frame(answer.labels, grid, values, ~np.isnan(answer.values))


# --- functions ------------------------------------------------------------------------------------------------------------

Kernel = Callable[[Events, Windows, Window], F64]


def _per_second(values: F64, node: Window) -> F64:
    return values / (node.range_ms / 1000)


def _rate(events: Events, found: Windows, node: Window) -> F64:
    assert isinstance(node.source, LogSource), "registered for LogSource"
    if not node.source.unwrap:
        return _per_second(found.counts.astype(np.float64), node)
    return _per_second(sum_windows(events.values, found), node)


def _quantile(events: Events, found: Windows, node: Window) -> F64:
    parameter = node.arguments[0]
    assert isinstance(parameter, Number), "the grammar has a number here"
    return quantile_windows(events.values, found, parameter.value)


_FUNCTIONS: dict[str, Kernel] = {
    "count_over_time": lambda events, found, node: found.counts.astype(np.float64),  # noqa: ARG005
    "rate": _rate,
    "bytes_over_time": lambda events, found, node: sum_windows(events.values, found),  # noqa: ARG005
    "bytes_rate": lambda events, found, node: _per_second(sum_windows(events.values, found), node),
    "rate_counter": lambda events, found, node: counter_rate_windows(  # noqa: ARG005
        events.values, events.times, events.series_ids, found
    )[0],
    "sum_over_time": lambda events, found, node: sum_windows(events.values, found),  # noqa: ARG005
    "avg_over_time": lambda events, found, node: mean_windows(events.values, found),  # noqa: ARG005
    "min_over_time": lambda events, found, node: min_windows(events.values, found),  # noqa: ARG005
    "max_over_time": lambda events, found, node: max_windows(events.values, found),  # noqa: ARG005
    "first_over_time": lambda events, found, node: first_windows(events.values, found),  # noqa: ARG005
    "last_over_time": lambda events, found, node: last_windows(events.values, found),  # noqa: ARG005
    "stdvar_over_time": lambda events, found, node: variance_windows(events.values, found),  # noqa: ARG005
    "stddev_over_time": lambda events, found, node: np.sqrt(variance_windows(events.values, found)),  # noqa: ARG005
    "quantile_over_time": _quantile,
}


def _absent(source: LogSource, empty: Mask, grid: StepGrid) -> Frame:
    """1 where no line is in the window (all of `empty` [S,T]), with the labels that the selector pins to one value."""
    present = np.ones((1, grid.count), bool)
    if empty.size:
        present[0] = empty.all(axis=0)
    times = Counter(matcher.name for matcher in source.matchers)
    pinned = {m.name: m.value for m in source.matchers if m.op is MatchOp.EQUAL and times[m.name] == 1}
    labels = LabelTable.from_labels([labels_of(pinned)])
    return Frame(labels, grid, np.ones((1, grid.count)), present)
