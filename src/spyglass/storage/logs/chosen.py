"""Rows of a part: a run of them as a slice, which numpy takes without copying anything, or their numbers."""

import numpy as np

from spyglass.model.arrays import I64

Chosen = slice | I64
"""A slice has a start and a stop, and no step. Both kinds index columns."""


def size_of(rows: Chosen) -> int:
    return max(rows.stop - rows.start, 0) if isinstance(rows, slice) else len(rows)


def indices_of(rows: Chosen) -> I64:
    """The rows' numbers."""
    return np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
