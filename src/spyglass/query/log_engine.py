"""The door to LogQL: protocols/queries.py LogQueries over a LogStores."""

import time
from dataclasses import dataclass

import numpy as np

from spyglass.config.loki import LimitsConfig
from spyglass.model.errors import BudgetExceeded, ExecutionError, InvalidParameter
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
from spyglass.query.logql.ast import Expr, LogExpr, MetricExpr, NumberLiteral, Variants
from spyglass.query.logql.lower import lower
from spyglass.query.logql.parser import parse
from spyglass.query.logql.pretty import pretty
from spyglass.query.logql.walk import is_ordered, windows_of
from spyglass.query.readers.opening import Hidden, nothing_hidden, open_reader
from spyglass.text.durations import format_go_duration, format_prometheus_duration

LEAVES = (windows,)
"""The modules whose import registers LogQL's leaves."""

HOUR_NS = 3600 * 10**9

INSTANT_LINES = "a log selector was asked as an instant query; these are the newest lines of the last hour: use query_range for lines"


@dataclass(frozen=True, slots=True)
class LogQueryLimits:
    """What a query may ask for: Loki's names and defaults (limits_config); 0 is no limit. Durations in nanoseconds."""

    max_entries_limit_per_query: int = 5000
    max_query_series: int = 500
    max_query_length: int = 721 * HOUR_NS
    max_query_lookback: int = 0
    max_query_range: int = 0
    enable_multi_variant_queries: bool = False
    required_labels: tuple[str, ...] = ()
    minimum_labels_number: int = 0

    @staticmethod
    def of(config: LimitsConfig) -> "LogQueryLimits":
        return LogQueryLimits(
            config.max_entries_limit_per_query,
            config.max_query_series,
            config.max_query_length,
            config.max_query_lookback,
            config.max_query_range,
            config.enable_multi_variant_queries,
            config.required_labels,
            config.minimum_labels_number,
        )


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
        limits: LogQueryLimits | None = None,
        *,
        clock: "Clock | SystemClock | None" = None,
        hidden: Hidden = nothing_hidden,
    ) -> None:
        """hidden: the lines of a tenant that no query shall find, though they are stored."""
        self._stores = stores
        self._limits = limits or LogQueryLimits()
        self._clock = clock or SystemClock()
        self._hidden = hidden

    def instant(
        self, query: str, *, time_ns: int, limit: int, direction: Direction, tenant: str, budget: Budget
    ) -> StreamsResult | MetricResult:
        """The query's value at one time; a log selector gives the newest `limit` lines of the hour up to it, and a warning.

        Raises: ParseError, InvalidParameter, ExecutionError, and through the budget its errors.
        """
        started = time.perf_counter()
        expr = parse(query)
        self._check_selectors(expr)
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
        started = time.perf_counter()
        expr = parse(query)
        self._check_selectors(expr)
        start_ns = self._bounded(start_ns, end_ns)
        if start_ns > end_ns:
            # All of it lies before what max_query_lookback lets a query see.
            return _nothing(expr, end_ns, direction)
        if isinstance(expr, LogExpr):
            reading = Reading(expr.matchers, expr.stages, start_ns, end_ns, direction, self._entries(limit))
            return self._lines(reading, interval_ns, tenant, budget, started)
        frame, stats = self._metric(expr, _grid(start_ns, end_ns, step_ns), 0, query, tenant, budget, started)
        return MetricResult("matrix", frame=_sorted(frame), stats=stats)

    def format(self, query: str) -> str:
        """The query pretty-printed, as upstream's format_query. Raises: ParseError."""
        return pretty(parse(query))

    # --- limits

    def _bounded(self, start_ns: int, end_ns: int) -> int:
        """The start that may be asked for. Raises: InvalidParameter."""
        limits = self._limits
        if limits.max_query_lookback:
            start_ns = max(start_ns, self._clock.now_ns() - limits.max_query_lookback)
        if limits.max_query_length and end_ns - start_ns > limits.max_query_length:
            length, allowed = format_go_duration(end_ns - start_ns), format_go_duration(limits.max_query_length)
            raise InvalidParameter(f"the query time range exceeds the limit (query length: {length}, limit: {allowed})")
        return start_ns

    def _check_selectors(self, expr: Expr) -> None:
        """Each must name the labels that an operator requires. Raises: InvalidParameter."""
        limits = self._limits
        if not limits.required_labels and not limits.minimum_labels_number:
            return
        logs = [expr] if isinstance(expr, LogExpr) else [window.log for window in windows_of(expr)]
        for log in logs:
            present = [matcher.name for matcher in log.matchers]
            shown = ", ".join(present)
            missing = ", ".join(name for name in limits.required_labels if name not in present)
            if missing:
                raise InvalidParameter(
                    f"stream selector is missing required matchers [{missing}], labels present in the query were [{shown}]",
                    span=log.span,
                )
            if len(present) < limits.minimum_labels_number:
                raise InvalidParameter(
                    f"stream selector has less label matchers than required: (present: [{shown}], number_present: {len(present)}, "
                    f"required_number_label_matchers: {limits.minimum_labels_number})",
                    span=log.span,
                )

    def _entries(self, limit: int) -> int:
        allowed = self._limits.max_entries_limit_per_query
        if allowed and limit > allowed:
            raise InvalidParameter(
                f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {allowed})"
            )
        return limit

    def _check_windows(self, expr: MetricExpr) -> None:
        allowed = self._limits.max_query_range
        for window in windows_of(expr) if allowed else ():
            if window.range_ns > allowed:
                asked = format_prometheus_duration(window.range_ns // NS_PER_MS)
                raise InvalidParameter(
                    f"[interval] value exceeds limit: [{asked}] > [{format_prometheus_duration(allowed // NS_PER_MS)}]",
                    span=window.log.span,
                )

    def _check_series(self, frame: Frame) -> None:
        allowed = self._limits.max_query_series
        if allowed and frame.size > allowed:
            raise BudgetExceeded(
                f"maximum number of series ({allowed}) reached for a single query; consider reducing query cardinality by "
                "adding more specific stream selectors, reducing the time range, or aggregating results with functions "
                "like sum(), count() or topk()"
            )

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
        start_ns = self._bounded(time_ns - HOUR_NS + 1, time_ns)
        reading = Reading(expr.matchers, expr.stages, start_ns, time_ns + 1, "backward", self._entries(limit))
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
        if isinstance(expr, Variants) and not self._limits.enable_multi_variant_queries:
            raise InvalidParameter("multi variant queries are disabled for this instance")
        self._check_windows(expr)
        ctx = EvalContext(grid, budget, query, EvalOptions(logql=True), logs=self._reader(tenant))
        value = evaluate(lower(expr, extra_ns=extra_ns), ctx)
        budget.check()
        frame = _as_frame(value)
        frame = rows_of(frame, np.flatnonzero(frame.present.any(axis=1)))
        self._check_series(frame)
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
