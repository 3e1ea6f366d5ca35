"""Binary operators where histograms take part: element by element, as objects. Source: Prometheus promql/engine.go, vectorElemBinop."""

from spyglass.model.arrays import F64, Mask, Objects
from spyglass.model.errors import ExecutionError
from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.query.exec.context import EvalContext
from spyglass.query.plan.nodes import Binary

Side = tuple[F64, Objects | None]


def elementwise(node: Binary, labels: LabelTable, present: Mask, left: Side, right: Side, ctx: EvalContext) -> Frame:
    """left op right for every present element."""
    raise ExecutionError("native histograms are not supported here yet", span=node.span)


def with_scalar(node: Binary, vector: Frame, scalar: F64, *, swapped: bool, ctx: EvalContext) -> Frame:
    """vector op scalar, or scalar op vector where swapped."""
    raise ExecutionError("native histograms are not supported here yet", span=node.span)
