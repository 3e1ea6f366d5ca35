"""What expressions take and give: scalars, numbers and series, each with labels. Arrays in, arrays out; no I/O.

An absent value (Grafana's null) is not NaN: `present` tells them apart, and `values` is NaN where nothing is present.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.labels import Labels

Kind = Literal["scalar", "number", "series"]
NO_TIMES: I64 = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """One result. values, present [n]; times [n] ms ascending for series, empty else; n is 1 but for series."""

    kind: Kind
    values: F64
    present: Mask
    labels: Labels = ()
    times: I64 = field(default_factory=lambda: NO_TIMES)


def scalar(value: float) -> Value:
    return Value("scalar", np.array([value]), np.array([True]))


def number(value: float | None, labels: Labels = ()) -> Value:
    """None: absent."""
    return Value("number", np.array([np.nan if value is None else value]), np.array([value is not None]), labels)


def series(times: I64, values: F64, labels: Labels = ()) -> Value:
    """All present."""
    return Value("series", values, np.ones(len(values), np.bool_), labels, times)
