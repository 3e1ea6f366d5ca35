"""Quantiles of plain values. Source: Prometheus promql/quantile.go, quantile."""

import numpy as np

from spyglass.model.arrays import F64, I64


def quantile_of_sorted(ordered: F64, count: I64, quantile: F64) -> F64:
    """The quantile of each row of `ordered [R,W]`, whose first count[R] entries are sorted with NaN first. quantile [R].

    Linear interpolation between neighbours. NaN for an empty row or a NaN quantile, -Inf below 0, +Inf above 1.
    """
    with np.errstate(all="ignore"):
        usable = np.clip(np.nan_to_num(quantile, nan=0.0), 0.0, 1.0)
        rank = usable * (count - 1)
        lower = np.maximum(np.floor(rank), 0).astype(np.int64)
        upper = np.minimum(lower + 1, np.maximum(count - 1, 0))
        weight = rank - np.floor(rank)
        at_lower = np.take_along_axis(ordered, lower[:, None], axis=1)[:, 0]
        at_upper = np.take_along_axis(ordered, upper[:, None], axis=1)[:, 0]
        found = at_lower * (1 - weight) + at_upper * weight
    found = np.where(quantile < 0, -np.inf, np.where(quantile > 1, np.inf, found))
    result: F64 = np.where(np.isnan(quantile) | (count == 0), np.nan, found)
    return result
