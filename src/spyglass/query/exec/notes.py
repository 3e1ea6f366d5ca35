"""The texts of warnings and infos about histograms, in one place. Source: Prometheus util/annotations."""

from spyglass.model.errors import Span
from spyglass.query.exec.context import EvalContext


def for_metric(name: str) -> str:
    return f' for metric name "{name}"' if name else ""


def mixed_samples(name: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn(f'encountered a mix of histograms and floats for metric name "{name}"', span)


def mixed_in_aggregation(span: Span, ctx: EvalContext) -> None:
    ctx.warn("encountered a mix of histograms and floats for aggregation", span)


def mixed_schemas(name: str, span: Span, ctx: EvalContext) -> None:
    message = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
    ctx.warn(f'{message} "{name}"', span)


def mixed_classic_native(name: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn("vector contains a mix of classic and native histograms" + for_metric(name), span)


def not_a_counter(name: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn(f'this native histogram metric is not a counter: "{name}"', span)


def not_a_gauge(name: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn(f'this native histogram metric is not a gauge: "{name}"', span)


def overlapping_starts(name: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn("start timestamps reach back behind the sample before" + for_metric(name), span)


def conflicting_resets(operation: str, span: Span, ctx: EvalContext) -> None:
    """operation: aggregation, addition or subtraction."""
    ctx.warn(f"conflicting counter resets during histogram {operation}", span)


def reconciled_bounds(operation: str, span: Span, ctx: EvalContext) -> None:
    ctx.info(f"mismatched custom buckets were reconciled during {operation}", span)


def ignored_in_range(name: str, span: Span, ctx: EvalContext) -> None:
    message = "ignored histograms in a range containing both floats and histograms for metric name"
    ctx.info(f'{message} "{name}"', span)


def ignored_in_aggregation(operation: str, span: Span, ctx: EvalContext) -> None:
    ctx.info(f"ignored histogram in {operation} aggregation", span)


def incompatible_types(left: str, op: str, right: str, span: Span, ctx: EvalContext) -> None:
    message = f'incompatible sample types encountered for binary operator "{op}": {left} {op} {right}'
    ctx.info(message, span)


def incompatible_layout(op: str, span: Span, ctx: EvalContext) -> None:
    ctx.warn(f"incompatible bucket layout encountered for binary operator {op}", span)
