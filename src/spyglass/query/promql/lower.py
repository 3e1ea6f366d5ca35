"""A checked syntax tree becomes a plan: times resolved, parentheses gone, functions of ranges turned into Windows."""

from dataclasses import dataclass, replace

from spyglass.model.labels import METRIC_NAME, Labels, labels_of
from spyglass.model.matchers import Matcher, MatchOp
from spyglass.query.plan import nodes
from spyglass.query.promql import ast
from spyglass.query.promql.check import type_of
from spyglass.query.promql.durations import QueryTimes, milliseconds

DEFAULT_SUBQUERY_STEP_MS = 60_000
"""Prometheus' default evaluation interval, the step of `[1h:]`."""

_UNPINNED = frozenset(
    (
        *("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute", "month", "year"),
        *("predict_linear", "time", "timestamp"),
    )
)
"""Functions that look at the evaluation time themselves, so that pinned arguments do not make them step-invariant."""


_OF_COUNTS = frozenset(("histogram_count", "histogram_sum", "histogram_avg"))
_OF_BUCKETS = frozenset(("histogram_quantile", "histogram_quantiles", "histogram_fraction"))


@dataclass(frozen=True, slots=True)
class Lowering:
    """How one request lowers. subquery_step_ms: the step of subqueries that name none.

    counts_only: above stands a function that looks at counts and sums of histograms only.
    """

    times: QueryTimes
    subquery_step_ms: int = DEFAULT_SUBQUERY_STEP_MS
    counts_only: bool = False

    def plan(self, expr: ast.Expr) -> nodes.PlanNode:
        """The plan of a whole query. Raises: InvalidParameter for durations that come out wrong."""
        if isinstance(expr, ast.MatrixSelector | ast.SubqueryExpr):
            return self._raw(expr)
        return self.node(expr)

    def node(self, expr: ast.Expr) -> nodes.PlanNode:
        """The plan of a sub-expression, wrapped where it is the same at every step."""
        lowered = self._lower(expr)
        if _selects(expr) and _is_pinned(expr) and not isinstance(ast.unwrapped(expr), ast.VectorSelector):
            return nodes.StepInvariant(lowered, span=expr.span)
        return lowered

    def _lower(self, expr: ast.Expr) -> nodes.PlanNode:
        match expr:
            case ast.NumberLiteral():
                return nodes.Number(expr.value, span=expr.span)
            case ast.StringLiteral():
                return nodes.Text(expr.value, span=expr.span)
            case ast.ParenExpr():
                return self._lower(expr.expr)
            case ast.UnaryExpr():
                return nodes.Unary(expr.op, self._inner(expr.expr), span=expr.span)
            case ast.VectorSelector():
                return self._instant(expr)
            case ast.AggregateExpr():
                return self._aggregate(expr)
            case ast.BinaryExpr():
                return self._binary(expr)
            case ast.Call():
                return self._call(expr)
            case _:
                raise AssertionError(f"{type(expr).__name__} stands outside of a function")

    def _inner(self, expr: ast.Expr) -> nodes.PlanNode:
        return self.node(expr)

    # Selectors

    def _offset(self, expr: ast.VectorSelector | ast.SubqueryExpr) -> int:
        return 0 if expr.offset is None else milliseconds(expr.offset, self.times, negative=True)

    def _at(self, expr: ast.VectorSelector | ast.SubqueryExpr) -> int | None:
        if expr.at == "start":
            return self.times.start_ms
        return self.times.end_ms if expr.at == "end" else expr.at

    def _instant(self, expr: ast.VectorSelector, *, timestamps: bool = False, starts: bool = False) -> nodes.Instant:
        return nodes.Instant(
            nodes.SeriesScan(expr.matchers, detect_resets=self.counts_only, span=expr.span),
            timestamps=timestamps,
            starts=starts,
            modifier=expr.modifier,
            offset_ms=self._offset(expr),
            at_ms=self._at(expr),
            span=expr.span,
        )

    def _source(self, expr: ast.MatrixSelector | ast.SubqueryExpr) -> tuple[nodes.PlanNode, int, int, int | None, str]:
        """The source of a range, its length, offset, @ and modifier."""
        range_ms = milliseconds(expr.range, self.times)
        if isinstance(expr, ast.MatrixSelector):
            selector = expr.selector
            scan = nodes.SeriesScan(selector.matchers, detect_resets=self.counts_only, span=expr.span)
            return scan, range_ms, self._offset(selector), self._at(selector), selector.modifier
        step_ms = self.subquery_step_ms if expr.step is None else milliseconds(expr.step, self.times)
        child = replace(self, counts_only=False).node(expr.expr)
        return nodes.Subquery(child, max(step_ms, 1), span=expr.span), range_ms, self._offset(expr), self._at(expr), ""

    def _raw(self, expr: ast.MatrixSelector | ast.SubqueryExpr) -> nodes.RawWindow:
        source, range_ms, offset_ms, at_ms, modifier = self._source(expr)
        return nodes.RawWindow(source, range_ms, modifier, offset_ms=offset_ms, at_ms=at_ms, span=expr.span)

    # Operators

    def _aggregate(self, expr: ast.AggregateExpr) -> nodes.Aggregate:
        return nodes.Aggregate(
            expr.op,
            self._inner(expr.expr),
            labels=expr.grouping,
            without=expr.without,
            parameter=None if expr.param is None else self._inner(expr.param),
            child_span=expr.expr.span,
            span=expr.span,
        )

    def _binary(self, expr: ast.BinaryExpr) -> nodes.Binary:
        given = expr.matching
        matching = nodes.Matching(given.card, given.labels, given.on, given.include, given.fill_left, given.fill_right)
        return nodes.Binary(
            expr.op, self._inner(expr.lhs), self._inner(expr.rhs), matching, expr.return_bool, span=expr.span
        )

    # Functions

    def _call(self, expr: ast.Call) -> nodes.PlanNode:
        args = [ast.unwrapped(arg) for arg in expr.args]
        if expr.function in _OF_BUCKETS or (expr.function in _OF_COUNTS and not self.counts_only):
            return self._of_histograms(expr)
        if any(isinstance(arg, ast.MatrixSelector | ast.SubqueryExpr) for arg in args):
            return self._window(expr, args)
        if expr.function == "absent":
            return nodes.Absent(self._inner(args[0]), absent_labels(args[0]), span=expr.span)
        if expr.function == "timestamp" and isinstance(args[0], ast.VectorSelector):
            return self._instant(args[0], timestamps=True)
        if expr.function == "start_timestamp" and isinstance(args[0], ast.VectorSelector):
            return self._instant(args[0], starts=True)
        if expr.function == "info":
            return self._info(expr, args)
        if expr.function in ("start", "end", "range", "step"):
            return nodes.Number(self._query_time(expr.function), span=expr.span)
        lowered = tuple(self._inner(arg) for arg in expr.args)
        return nodes.Call(expr.function, lowered, tuple(arg.span for arg in expr.args), span=expr.span)

    def _of_histograms(self, expr: ast.Call) -> nodes.Call:
        inner = replace(self, counts_only=expr.function in _OF_COUNTS)
        lowered = tuple(inner.node(arg) for arg in expr.args)
        return nodes.Call(expr.function, lowered, tuple(arg.span for arg in expr.args), span=expr.span)

    def _query_time(self, function: str) -> float:
        times = self.times
        milli = {
            "start": times.start_ms,
            "end": times.end_ms,
            "range": times.end_ms - times.start_ms,
            "step": times.step_ms,
        }
        return milli[function] / 1000

    def _window(self, expr: ast.Call, args: list[ast.Expr]) -> nodes.PlanNode:
        index = next(i for i, arg in enumerate(args) if isinstance(arg, ast.MatrixSelector | ast.SubqueryExpr))
        ranged = args[index]
        assert isinstance(ranged, ast.MatrixSelector | ast.SubqueryExpr)
        source, range_ms, offset_ms, at_ms, modifier = self._source(ranged)
        window = nodes.Window(
            "last_over_time" if expr.function == "absent_over_time" else expr.function,
            source,
            range_ms,
            tuple(self._inner(arg) for i, arg in enumerate(args) if i != index),
            modifier,
            expr.args[0].span,
            tuple(arg.span for i, arg in enumerate(expr.args) if i != index),
            offset_ms=offset_ms,
            at_ms=at_ms,
            span=expr.span,
        )
        if expr.function == "absent_over_time":
            # last_over_time is there wherever a sample is, and leaves names alone, so that none collide.
            return nodes.Absent(window, absent_labels(ranged), span=expr.span)
        return window

    def _info(self, expr: ast.Call, args: list[ast.Expr]) -> nodes.Info:
        data: tuple[Matcher, ...] = ()
        if len(args) > 1:
            assert isinstance(args[1], ast.VectorSelector)
            data = args[1].matchers
        offset_ms, at_ms = self._info_shift(args[0])
        return nodes.Info(
            self._inner(expr.args[0]),
            data,
            has_selector=len(args) > 1,
            offset_ms=offset_ms,
            at_ms=at_ms,
            span=expr.span,
        )

    def _info_shift(self, expr: ast.Expr) -> tuple[int, int | None]:
        """Info series are looked up at the time of the first selector inside info's argument."""
        selectors = list(_selectors(expr))
        if len(selectors) != 1:
            return 0, None
        return self._offset(selectors[0]), self._at(selectors[0])


def absent_labels(expr: ast.Expr) -> Labels:
    """The labels that absent() gives its result: those that the selector fixes with one `=` each, without the name.

    Source: Prometheus promql/functions.go, createLabelsForAbsentFunction.
    """
    expr = ast.unwrapped(expr)
    if isinstance(expr, ast.MatrixSelector):
        expr = expr.selector
    if not isinstance(expr, ast.VectorSelector):
        return ()
    fixed: dict[str, str] = {}
    clashing: set[str] = set()
    for matcher in expr.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.name not in fixed and matcher.name not in clashing:
            fixed[matcher.name] = matcher.value
        else:
            fixed.pop(matcher.name, None)
            clashing.add(matcher.name)
    return labels_of(fixed)


def _children(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    match expr:
        case ast.ParenExpr() | ast.UnaryExpr() | ast.SubqueryExpr():
            return (expr.expr,)
        case ast.AggregateExpr():
            return (expr.expr,) if expr.param is None else (expr.param, expr.expr)
        case ast.BinaryExpr():
            return (expr.lhs, expr.rhs)
        case ast.Call():
            return expr.args
        case ast.MatrixSelector():
            return (expr.selector,)
        case _:
            return ()


def _selectors(expr: ast.Expr) -> list[ast.VectorSelector]:
    if isinstance(expr, ast.VectorSelector):
        return [expr]
    return [found for child in _children(expr) for found in _selectors(child)]


def _selects(expr: ast.Expr) -> bool:
    return bool(_selectors(expr))


def _is_pinned(expr: ast.Expr) -> bool:
    """Whether the expression has the same value at every step, given that it selects something."""
    match expr:
        case ast.VectorSelector() | ast.SubqueryExpr():
            return expr.at is not None
        case ast.Call() if expr.function in _UNPINNED:
            return False
        case _:
            return all(_is_pinned(child) for child in _children(expr))


def result_kind(expr: ast.Expr) -> ast.ValueType:
    """What an instant query for the expression gives."""
    return type_of(expr)
