"""From the syntax tree to the plan."""

from functools import reduce

from spyglass.model.log_stages import LabelFilter, LabelFormat, LineFormat, LogStage
from spyglass.query.logql.ast import (
    BinaryExpr,
    Grouping,
    LabelReplace,
    MetricExpr,
    NumberLiteral,
    RangeAggregation,
    Variants,
    VectorAggregation,
    VectorLiteral,
)
from spyglass.query.logql.checks import leaves
from spyglass.query.plan.log_nodes import LogSource
from spyglass.query.plan.nodes import Aggregate, Binary, Call, Matching, Number, PlanNode, Text, Window
from spyglass.text.template_functions import line_template

NS_PER_MS = 1_000_000

LINEAR = frozenset({"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"})
"""Range functions whose sum over series is the function over all their lines: an outer sum may group lines instead."""

EXTRACTED = "_extracted"
VARIANT = "__variant__"
"""The label that says which of several variants a series is of, counted from 0."""


def lower(expr: MetricExpr, *, extra_ns: int = 0) -> PlanNode:
    """The plan of a metric query. extra_ns: see LogSource."""
    if isinstance(expr, RangeAggregation):
        return _window(expr, expr.grouping, extra_ns)
    if isinstance(expr, VectorAggregation):
        return _aggregate(expr, extra_ns)
    if isinstance(expr, BinaryExpr):
        return _binary(expr, extra_ns)
    if isinstance(expr, LabelReplace):
        texts = (expr.target, expr.replacement, expr.source, expr.pattern)
        arguments = (lower(expr.child, extra_ns=extra_ns), *(Text(text, span=expr.span) for text in texts))
        return Call("label_replace", arguments, span=expr.span)
    if isinstance(expr, VectorLiteral):
        return Call("vector", (Number(expr.value, span=expr.span),), span=expr.span)
    if isinstance(expr, Variants):
        return _variants(expr, extra_ns)
    return Number(expr.value, span=expr.span)


def _variants(expr: Variants, extra_ns: int) -> PlanNode:
    """All of them side by side: their labels differ, so `or` keeps every series."""
    plans: list[PlanNode] = []
    for number, variant in enumerate(expr.variants):
        plan = lower(variant, extra_ns=extra_ns)
        if isinstance(variant, NumberLiteral):
            plan = Call("vector", (plan,), span=expr.span)
        texts = tuple(Text(text, span=expr.span) for text in (VARIANT, str(number), "", ""))
        plans.append(Call("label_replace", (plan, *texts), span=expr.span))
    matching = Matching("many-to-many", (), False, ())
    return reduce(lambda left, right: Binary("or", left, right, matching, False, span=expr.span), plans)


def _window(expr: RangeAggregation, grouping: Grouping | None, extra_ns: int) -> Window:
    window, unwrap = expr.window, expr.window.unwrap
    filters = unwrap.filters if unwrap else ()
    if expr.op == "absent_over_time":
        grouping = Grouping(())
    source = LogSource(
        window.log.matchers,
        window.log.stages,
        unwrap.label if unwrap else "",
        unwrap.conversion if unwrap else "",
        filters,
        grouping.labels if grouping else None,
        grouping.without if grouping else False,
        _needed(expr, grouping),
        extra_ns,
        span=window.log.span,
    )
    arguments = () if expr.parameter is None else (Number(expr.parameter, span=expr.span),)
    return Window(
        expr.op,
        source,
        window.range_ns // NS_PER_MS,
        arguments,
        offset_ms=window.offset_ns // NS_PER_MS,
        span=expr.span,
    )


def _needed(expr: RangeAggregation, grouping: Grouping | None) -> frozenset[str] | None:
    """The extracted labels that can matter, None: any can."""
    if grouping is None or grouping.without:
        return None
    window, unwrap = expr.window, expr.window.unwrap
    names = {name for stage in window.log.stages for name in _looked_at(stage)}
    names.update(grouping.labels)
    if unwrap is not None:
        names.add(unwrap.label)
        names.update(leaf.name for predicate in unwrap.filters for leaf in leaves(predicate))
    # A parser meets a label before it knows that the label clashes: it must know the plain name too.
    names.update({name.removesuffix(EXTRACTED) for name in names})
    return frozenset(names)


def _looked_at(stage: LogStage) -> set[str]:
    """Labels that a stage itself reads."""
    if isinstance(stage, LabelFilter):
        return {leaf.name for leaf in leaves(stage.predicate)}
    if isinstance(stage, LineFormat):
        return set(line_template(stage.template).fields)
    names: set[str] = set()
    if isinstance(stage, LabelFormat):
        for _, source, is_template in stage.formats:
            names |= line_template(source).fields if is_template else {source}
    return names


def _aggregate(expr: VectorAggregation, extra_ns: int) -> PlanNode:
    grouping = expr.grouping or Grouping(())
    inner = expr.child
    if expr.op == "sum" and isinstance(inner, RangeAggregation) and inner.op in LINEAR and inner.grouping is None:
        child: PlanNode = _window(inner, grouping, extra_ns)
    else:
        child = lower(inner, extra_ns=extra_ns)
    if expr.op in ("sort", "sort_desc"):
        return Call(expr.op, (child,), span=expr.span)
    parameter = Number(float(expr.parameter), span=expr.span) if expr.parameter else None
    # Upstream's approximation exists for clusters; here the exact answer costs no more.
    op = "topk" if expr.op == "approx_topk" else expr.op
    return Aggregate(op, child, grouping.labels, grouping.without, parameter, span=expr.span)


def _binary(expr: BinaryExpr, extra_ns: int) -> PlanNode:
    matching = expr.matching
    card = "many-to-many" if expr.op in ("and", "or", "unless") else matching.card
    return Binary(
        expr.op,
        _operand(expr.left, extra_ns),
        _operand(expr.right, extra_ns),
        Matching(card, matching.labels, matching.on, matching.include),
        expr.return_bool,
        span=expr.span,
    )


def _operand(expr: MetricExpr, extra_ns: int) -> PlanNode:
    if isinstance(expr, NumberLiteral):
        return Number(expr.value, span=expr.span)
    return lower(expr, extra_ns=extra_ns)
