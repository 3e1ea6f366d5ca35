"""Functions of native histograms, as objects."""

from spyglass.model.arrays import F64, I64
from spyglass.model.errors import ExecutionError, Span
from spyglass.model.frame import Frame
from spyglass.query.exec.context import EvalContext
from spyglass.query.kernels.buckets import Forced
from spyglass.query.plan.nodes import Call


def split(frame: Frame, node: Call, index: int, ctx: EvalContext) -> tuple[Frame, Frame | None]:
    """The frame without, and with only, native histograms that no classic one of the same name and labels contradicts."""
    if frame.histograms is None:
        return frame, None
    raise ExecutionError("native histograms are not supported here yet", span=node.span)


def quantiles(native: Frame, wanted: F64, node: Call, index: int, ctx: EvalContext) -> Frame:
    raise ExecutionError("native histograms are not supported here yet", span=node.span)


def fractions(native: Frame, lower: F64, upper: F64, node: Call, ctx: EvalContext) -> Frame:
    raise ExecutionError("native histograms are not supported here yet", span=node.span)


def note_forced_monotonicity(
    name: str, forced: Forced, at: int, happened: I64, steps: I64, span: Span, ctx: EvalContext
) -> None:
    """Say that bucket counts had to be made monotonic."""
    text = "input to histogram_quantile needed to be fixed for monotonicity "
    text += "(see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
    ctx.info(text + (f' for metric name "{name}"' if name else ""), span)
