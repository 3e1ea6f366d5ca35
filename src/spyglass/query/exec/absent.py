"""absent() and absent_over_time(). The labels come from the selector, decided when the query was lowered."""

import numpy as np

from spyglass.model.frame import Frame
from spyglass.model.labels import LabelTable
from spyglass.query.exec.context import EvalContext
from spyglass.query.exec.registry import evaluate_frame, evaluates
from spyglass.query.plan.nodes import Absent


@evaluates(Absent)
def evaluate_absent(node: Absent, ctx: EvalContext) -> Frame:
    """1 where the child has no sample at all."""
    frame = evaluate_frame(node.child, ctx)
    missing = ~np.asarray(frame.present.any(axis=0))[None, :]
    return Frame(LabelTable.from_labels([node.labels]), ctx.grid, np.ones(missing.shape), missing)
