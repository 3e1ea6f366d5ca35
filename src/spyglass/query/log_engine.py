"""The door to LogQL: protocols/queries.py LogQueries over a LogStores."""

import time
from collections.abc import Callable

import numpy as np

from spyglass.model.errors import ExecutionError, InvalidParameter
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.model.times import NS_PER_MS, StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.clock import Clock
from spyglass.protocols.log_store import Direction, LogReader, LogStores
from spyglass.protocols.queries import MetricResult, QueryStats, StreamsResult
from spyglass.query.exec.aggregate import rows_of
from spyglass.query.exec.context import Counters, EvalContext, EvalOptions
from spyglass.query.exec.evaluate import evaluate
from spyglass.query.exec.logs import windows
from spyglass.query.exec.logs.batches import Reading
from spyglass.query.exec.logs.read import Collected, read_lines
from spyglass.query.exec.values import Scalar, TextValue, Value
from spyglass.query.log_blocks import check_blocked
from spyglass.query.log_limits import (
    HOUR_NS,
    LogQueryLimits,
    bounded,
    check_bytes,
    check_entries,
    check_selectors,
    check_series,
    check_windows,
)
from spyglass.query.logql.ast import Expr, LogExpr, MetricExpr, NumberLiteral, Variants
from spyglass.query.logql.lower import lower
from spyglass.query.logql.parser import parse
from spyglass.query.logql.pretty import pretty
from spyglass.query.logql.walk import is_ordered, windows_of
from spyglass.query.readers.opening import SEPARATOR, Hidden, nothing_hidden, open_reader

LEAVES = (windows,)
"""The modules whose import registers LogQL's leaves."""

INSTANT_LINES = "a log selector was asked as an instant query; these are the newest lines of the last hour: use query_range for lines"


LimitsOf = Callable[[str], LogQueryLimits]
"""The limits of a tenant, now."""


def _same(limits: LogQueryLimits) -> LimitsOf:
    return lambda tenant: limits  # noqa: ARG005


class SystemClock:
    """Wall time, for engines that are not given another."""

    def now_ns(self) -> int:
        return time.time_ns()


class LogEngine:
    """LogQL over the stores of all tenants. Synchronous and thread-safe: it keeps no state between queries.

    A tenant may be several, joined by `|`: their streams are told apart by `__tenant_id__`.
    """

    def __init__(
        self,
        stores: LogStores,
        limits: LogQueryLimits | LimitsOf | None = None,
        *,
        clock: "Clock | SystemClock | None" = None,
        hidden: Hidden = nothing_hidden,
        tenant_of: Callable[[str], str] = str,
    ) -> None:
        """limits: of everybody, or of each tenant. hidden: the lines of a tenant that no query shall find, though they are stored.
        tenant_of: from the tenant that is asked for to the one that is meant.
        """
        self._stores = stores
        self._limits_of: LimitsOf = limits if callable(limits) else _same(limits or LogQueryLimits())
        self._clock = clock or SystemClock()
        self._hidden, self._tenant_of = hidden, tenant_of

    def instant(
        self, query: str, *, time_ns: int, limit: int, direction: Direction, tenant: str, budget: Budget
    ) -> StreamsResult | MetricResult:
        """The query's value at one time; a log selector gives the newest `limit` lines of the hour up to it, and a warning.

        Raises: ParseError, InvalidParameter, ExecutionError, and through the budget its errors.
        """
        started, tenant = time.perf_counter(), self._tenant_of(tenant)
        limits = self._limits(tenant)
        expr = self._checked(query, limits)
        if isinstance(expr, LogExpr):
            return self._recent(expr, time_ns, limit, direction, tenant, budget, started)
        if isinstance(expr, NumberLiteral):
            # Upstream stamps plain numbers with the time of answering.
            grid = StepGrid.instant(self._clock.now_ns() // NS_PER_MS)
            return MetricResult("scalar", frame=_as_frame(Scalar(grid, np.array([expr.value]))))
        grid = StepGrid.instant(time_ns // NS_PER_MS)
        frame, stats = self._metric(expr, grid, time_ns % NS_PER_MS, query, tenant, budget, started)
        return MetricResult("vector", frame=frame if is_ordered(expr) else _sorted(frame), stats=stats)

    def range(
        self,
        query: str,
        *,
        start_ns: int,
        end_ns: int,
        step_ns: int,
        limit: int,
        direction: Direction,
        tenant: str,
        budget: Budget,
        interval_ns: int = 0,
    ) -> StreamsResult | MetricResult:
        """Lines of [start, end), or a metric query at the multiples of the step from the one before start to the one after end.

        Raises: as instant.
        """
        started, tenant = time.perf_counter(), self._tenant_of(tenant)
        limits = self._limits(tenant)
        expr = self._checked(query, limits)
        start_ns = bounded(limits, start_ns, end_ns, self._clock.now_ns())
        if start_ns > end_ns:
            # All of it lies before what max_query_lookback lets a query see.
            return _nothing(expr, end_ns, direction)
        if isinstance(expr, LogExpr):
            reading = Reading(expr.matchers, expr.stages, start_ns, end_ns, direction, check_entries(limits, limit))
            self._check_bytes(limits, expr, start_ns, end_ns, tenant)
            return self._lines(reading, interval_ns, tenant, budget, started)
        frame, stats = self._metric(expr, _grid(start_ns, end_ns, step_ns), 0, query, tenant, budget, started)
        return MetricResult("matrix", frame=_sorted(frame), stats=stats)

    def format(self, query: str) -> str:
        """The query pretty-printed, as upstream's format_query. Raises: ParseError."""
        return pretty(parse(query))

    # --- limits

    def _limits(self, tenants: str) -> LogQueryLimits:
        return LogQueryLimits.tightest([self._limits_of(tenant) for tenant in tenants.split(SEPARATOR)])

    def _checked(self, query: str, limits: LogQueryLimits) -> Expr:
        """The query, parsed, where it may be asked. Raises: ParseError, InvalidParameter."""
        expr = parse(query)
        check_blocked(limits.blocked_queries, query, expr)
        check_selectors(limits, expr)
        return expr

    def _check_bytes(self, limits: LogQueryLimits, expr: Expr, start_ns: int, end_ns: int, tenant: str) -> None:
        """Asked of the index, before anything is read. Raises: InvalidParameter."""
        reader = self._reader(tenant) if limits.max_query_bytes_read else None
        if reader is None:
            return
        spans = (
            [(expr, start_ns)]
            if isinstance(expr, LogExpr)
            else [(window.log, start_ns - window.range_ns - window.offset_ns) for window in windows_of(expr)]
        )
        sizes = [reader.stats_of(log.matchers, start_ns=start, end_ns=end_ns).bytes for log, start in spans]
        check_bytes(limits, sum(sizes))

    # --- lines

    def _recent(
        self,
        expr: LogExpr,
        time_ns: int,
        limit: int,
        direction: Direction,
        tenant: str,
        budget: Budget,
        started: float,
    ) -> StreamsResult:
        limits = self._limits(tenant)
        start_ns = bounded(limits, time_ns - HOUR_NS + 1, time_ns, self._clock.now_ns())
        reading = Reading(expr.matchers, expr.stages, start_ns, time_ns + 1, "backward", check_entries(limits, limit))
        found = self._lines(reading, 0, tenant, budget, started)
        streams = found.streams
        if direction == "forward":
            streams = [(labels, list(reversed(entries))) for labels, entries in streams]
        return StreamsResult(streams, direction, (INSTANT_LINES, *found.warnings), found.stats, found.categories)

    def _lines(self, reading: Reading, interval_ns: int, tenant: str, budget: Budget, started: float) -> StreamsResult:
        counters, reader = Counters(), self._reader(tenant)
        if reader is None:
            return StreamsResult((), reading.direction)
        found: Collected = read_lines(reader, reading, interval_ns=interval_ns, budget=budget, counters=counters)
        stats = _stats(counters, len(found.streams), started)
        return StreamsResult(found.streams, reading.direction, found.warnings, stats, found.categories)

    def _reader(self, tenant: str) -> LogReader | None:
        return open_reader(self._stores, tenant, self._hidden)

    # --- metrics

    def _metric(
        self,
        expr: MetricExpr,
        grid: StepGrid,
        extra_ns: int,
        query: str,
        tenant: str,
        budget: Budget,
        started: float,
    ) -> tuple[Frame, QueryStats]:
        limits = self._limits(tenant)
        if isinstance(expr, Variants) and not limits.enable_multi_variant_queries:
            raise InvalidParameter("multi variant queries are disabled for this instance")
        check_windows(limits, expr)
        self._check_bytes(limits, expr, grid.start_ms * NS_PER_MS, grid.end_ms * NS_PER_MS + 1, tenant)
        ctx = EvalContext(grid, budget, query, EvalOptions(logql=True), logs=self._reader(tenant))
        value = evaluate(lower(expr, extra_ns=extra_ns), ctx)
        budget.check()
        frame = _as_frame(value)
        frame = rows_of(frame, np.flatnonzero(frame.present.any(axis=1)))
        check_series(limits, frame.size)
        return frame, _stats(ctx.counters, frame.size, started)


def _stats(counters: Counters, series: int, started: float) -> QueryStats:
    return QueryStats(
        time.perf_counter() - started,
        counters.samples,
        counters.samples,
        series,
        lines=counters.lines,
        bytes=counters.bytes,
    )


def _grid(start_ns: int, end_ns: int, step_ns: int) -> StepGrid:
    """Steps at multiples of the step, as upstream's front end aligns them: from the one at or before start to the one at or
    after end.
    """
    step_ms = max(step_ns // NS_PER_MS, 1)
    start_ms, end_ms = start_ns // NS_PER_MS, -(-end_ns // NS_PER_MS)
    return StepGrid(start_ms - start_ms % step_ms, end_ms + -end_ms % step_ms, step_ms)


def _nothing(expr: Expr, end_ns: int, direction: Direction) -> StreamsResult | MetricResult:
    if isinstance(expr, LogExpr):
        return StreamsResult((), direction)
    grid = StepGrid.instant(end_ns // NS_PER_MS)
    return MetricResult("matrix", frame=Frame(LabelTable(0), grid, np.zeros((0, 1)), np.zeros((0, 1), bool)))


def _as_frame(value: Value) -> Frame:
    if isinstance(value, Scalar):
        values = value.values[None, :]
        return Frame(LabelTable(1), value.grid, values, np.ones(values.shape, bool))
    if isinstance(value, TextValue):
        raise ExecutionError("LogQL has no expressions that are texts")
    return value


def _sorted(frame: Frame) -> Frame:
    """Rows in order of their label sets."""
    if frame.size < 2:
        return frame
    labels = frame.labels.all_labels()
    return rows_of(frame, np.array(sorted(range(frame.size), key=labels.__getitem__), np.int64))
