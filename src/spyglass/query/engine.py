"""The door to PromQL: protocols/queries.py PromQueries over a MetricStores."""

import time
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from spyglass.model.errors import InvalidParameter, NotFound
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import MetricReader, MetricStores
from spyglass.protocols.queries import MetricResult, QueryStats
from spyglass.query.exec.aggregate import rows_of
from spyglass.query.exec.context import DEFAULT_LOOKBACK_MS, EvalContext, EvalOptions
from spyglass.query.exec.evaluate import evaluate
from spyglass.query.exec.names import settled_names
from spyglass.query.exec.raw import raw_samples
from spyglass.query.exec.sharing import shared_results
from spyglass.query.exec.values import Scalar, TextValue, Value
from spyglass.query.plan.nodes import PlanNode, RawWindow
from spyglass.query.promql import ast
from spyglass.query.promql.check import type_of
from spyglass.query.promql.durations import QueryTimes
from spyglass.query.promql.lower import DEFAULT_SUBQUERY_STEP_MS, Lowering
from spyglass.query.promql.parser import Features, parse
from spyglass.query.promql.pretty import pretty
from spyglass.query.syntax.quoting import printable

MAX_POINTS = 11_000
"""Upstream's limit of steps per range query."""


@dataclass(frozen=True, slots=True)
class PromSettings:
    """lookback_ms: the default lookback delta.  delayed_names: upstream's promql-delayed-name-removal.

    subquery_step_ms: the step of `[1h:]`, upstream's global evaluation interval.  features: experimental parts of the language.
    start_timestamps: upstream's use-start-timestamps.
    """

    lookback_ms: int = DEFAULT_LOOKBACK_MS
    delayed_names: bool = False
    subquery_step_ms: int = DEFAULT_SUBQUERY_STEP_MS
    features: Features = field(default_factory=Features)
    start_timestamps: bool = False


_remembered = lru_cache(maxsize=256)(parse)
"""Dashboards and rules ask the same texts again and again; a tree is immutable."""

_REMEMBERED_CHARS_MAX = 4096


def _parsed(query: str, features: Features) -> ast.Expr:
    return _remembered(query, features) if len(query) <= _REMEMBERED_CHARS_MAX else parse(query, features)


class PromEngine:
    """PromQL over the stores of all tenants. Synchronous and thread-safe: of a query nothing stays but its syntax tree."""

    def __init__(self, stores: MetricStores, settings: PromSettings | None = None) -> None:
        self._stores = stores
        self._settings = settings or PromSettings()

    def instant(self, query: str, *, time_ms: int, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        """The query's value at one time. Raises: ParseError, ExecutionError, and through the budget its errors."""
        started = time.perf_counter()
        expr = _parsed(query, self._settings.features)
        grid = StepGrid.instant(time_ms)
        plan = self._plan(expr, grid)
        ctx = self._context(query, grid, tenant, budget, lookback_ms)
        if isinstance(plan, RawWindow):
            return self._result(ctx, MetricResult("matrix", raw=raw_samples(plan, ctx)), started)
        value = self._value(plan, ctx)
        return self._result(ctx, _instant_result(value, type_of(expr)), started)

    def range(self, query: str, *, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int = 0) -> MetricResult:
        """The query's values over a grid, always a matrix. Raises: as instant, and InvalidParameter for the wrong type."""
        started = time.perf_counter()
        expr = _parsed(query, self._settings.features)
        kind = type_of(expr)
        if kind not in ("vector", "scalar"):
            raise InvalidParameter(
                f'invalid expression type "{ast.TYPE_NAMES[kind]}" for range query, must be Scalar or instant Vector',
                span=expr.span,
            )
        ctx = self._context(query, grid, tenant, budget, lookback_ms)
        value = self._value(self._plan(expr, grid), ctx)
        return self._result(ctx, MetricResult("matrix", frame=_sorted(_as_frame(value))), started)

    def format(self, query: str) -> str:
        """The query pretty-printed, as upstream's format_query. Raises: ParseError."""
        return pretty(parse(query))

    def _plan(self, expr: ast.Expr, grid: StepGrid) -> PlanNode:
        times = QueryTimes(grid.start_ms, grid.end_ms, grid.step_ms)
        return Lowering(times, self._settings.subquery_step_ms).plan(expr)

    def _context(self, query: str, grid: StepGrid, tenant: str, budget: Budget, lookback_ms: int) -> EvalContext:
        settings = self._settings
        options = EvalOptions(
            lookback_ms or settings.lookback_ms, settings.delayed_names, start_timestamps=settings.start_timestamps
        )
        return EvalContext(grid, budget, query, options, metrics=self._reader(tenant))

    def _reader(self, tenant: str) -> MetricReader | None:
        try:
            return self._stores.store(tenant, create=False)
        except NotFound:
            return None

    def _value(self, plan: PlanNode, ctx: EvalContext) -> Value:
        value = evaluate(plan, replace(ctx, shared=shared_results(plan)))
        ctx.budget.check()
        if isinstance(value, Frame):
            value = settled_names(value)
            return rows_of(value, np.flatnonzero(value.present.any(axis=1)))
        return value

    def _result(self, ctx: EvalContext, result: MetricResult, started: float) -> MetricResult:
        counters, notes = ctx.counters, ctx.annotations
        stats = QueryStats(
            time.perf_counter() - started, counters.samples, counters.samples, counters.series, bytes=counters.bytes
        )
        return replace(result, warnings=list(notes.warnings), infos=list(notes.infos), stats=stats)


def _instant_result(value: Value, kind: ast.ValueType) -> MetricResult:
    if isinstance(value, TextValue):
        return MetricResult("string", text=printable(value.text))
    if isinstance(value, Scalar):
        return MetricResult("scalar", frame=_as_frame(value))
    assert kind == "vector", kind
    return MetricResult("vector", frame=value)


def _as_frame(value: Value) -> Frame:
    """A scalar is one row without labels."""
    if isinstance(value, Scalar):
        values = value.values[None, :]
        return Frame(LabelTable(1), value.grid, values, np.ones(values.shape, bool))
    assert isinstance(value, Frame), "texts have no range"
    return value


def _sorted(frame: Frame) -> Frame:
    """Rows in order of their label sets, as upstream sorts every matrix."""
    return rows_of(frame, frame.labels.order())
