"""Aggregations where histograms take part."""

from spyglass.model.arrays import F64, I64, Mask, Objects
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.query.exec.context import EvalContext
from spyglass.query.plan.nodes import Aggregate


def reduce(
    node: Aggregate, frame: Frame, group_ids: I64, count: int, wanted: F64 | None, ctx: EvalContext
) -> tuple[F64, Mask, Objects | None]:
    raise ExecutionError("native histograms are not supported here yet", span=node.span)


def floats_only(node: Aggregate, frame: Frame, ctx: EvalContext) -> Mask:
    raise ExecutionError("native histograms are not supported here yet", span=node.span)
