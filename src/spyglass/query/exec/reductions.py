"""The reducing aggregations on floats, by name."""

from collections.abc import Callable

import numpy as np

from spyglass.model.arrays import F64, Mask
from spyglass.query.kernels import groups as kernels
from spyglass.query.kernels.groups import Groups

_REDUCTIONS: dict[str, Callable[[Groups, F64, Mask], F64]] = {
    "sum": kernels.total,
    "avg": kernels.average,
    "min": lambda g, v, p: kernels.extreme(g, v, p, np.fmin),
    "max": lambda g, v, p: kernels.extreme(g, v, p, np.fmax),
    "count": lambda g, _, p: g.count(p).astype(np.float64),
    "group": lambda g, v, _: np.ones((len(g.starts), v.shape[1])),
    "stdvar": kernels.variance,
    "stddev": lambda g, v, p: np.sqrt(kernels.variance(g, v, p)),
}


def reduce_floats(op: str, groups: Groups, values: F64, present: Mask, wanted: F64 | None = None) -> F64:
    """One of the reducing aggregations [S,T] -> [G,T]; unspecified where a group has no sample. wanted [T]: quantile's parameter."""
    if len(groups.starts) == 0:
        return np.zeros((0, values.shape[1]))
    with np.errstate(all="ignore"):
        if op == "quantile":
            assert wanted is not None
            return kernels.quantile(groups, values, present, wanted)
        return _REDUCTIONS[op](groups, values, present)
