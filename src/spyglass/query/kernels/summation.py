"""Sums that do not lose small addends.

Upstream adds with Kahan's summation in Neumaier's variant (util/kahansum). Here running sums give the rounding error of every addition
for all of them at once. They run along each window, or, where there are many samples or much overlap, along the series: a window is then
a difference of two entries. Both are good to the last digit or two.
"""

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.query.kernels.window_blocks import window_blocks
from spyglass.query.kernels.windows import Windows

MANY_SAMPLES = 100_000
MUCH_OVERLAP = 8
"""From so many samples on, or where a sample is in so many windows on average, running sums over the series are used: a pass over all
samples instead of one over all windows."""
_BLOCK_VALUES = 1 << 17
"""Values per block of running sums: five arrays of 1 MB stay in the cache."""


def kahan_add(addend: F64, total: F64, lost: F64) -> tuple[F64, F64]:
    """One addition: the new total and the new compensation, elementwise."""
    with np.errstate(all="ignore"):
        new = total + addend
        bigger = np.abs(total) >= np.abs(addend)
        error = np.where(bigger, (total - new) + addend, (addend - new) + total)
        # An infinite total makes the error NaN; upstream then starts the compensation anew.
        return new, np.where(np.isinf(new), 0.0, lost + error)


def window_sums(windows: Windows) -> tuple[F64, F64]:
    """Sum of each window and what it lost to rounding [S,T] each."""
    in_windows = int(windows.count.sum()) * (windows.shape[0] if windows.shared else 1)
    if len(windows.values) < MANY_SAMPLES and in_windows < MUCH_OVERLAP * len(windows.values):
        return _sums_by_window(windows)
    sums, lost, spoilt = _running_sums(windows)
    if len(spoilt):
        sums[spoilt], lost[spoilt] = _sums_by_window(windows.rows(spoilt))
    return sums, lost


def _sums_by_window(windows: Windows) -> tuple[F64, F64]:
    """Each window by itself: running sums along it, and the rounding error of each addition, which these sums give exactly."""
    sums, lost = np.zeros(windows.shape), np.zeros(windows.shape)
    for block in window_blocks(windows, _BLOCK_VALUES):
        added = block.only_inside(block.values)
        running = np.cumsum(added, axis=2)
        before, after, added = running[:, :, :-1], running[:, :, 1:], added[:, :, 1:]
        virtual = after - before
        errors = ((before - (after - virtual)) + (added - virtual)).sum(axis=2)
        sums[block.rows, block.steps] = running[:, :, -1]
        # An infinite sum has no error that means anything.
        lost[block.rows, block.steps] = np.where(np.isfinite(errors), errors, 0.0)
    return sums, lost


def _running_sums(windows: Windows) -> tuple[F64, F64, I64]:
    """Sums, what they lost, and the series with infinities or NaN, for which running sums are of no use."""
    sums, lost = np.empty(windows.shape), np.empty(windows.shape)
    sizes = np.diff(windows.offsets)
    spoilt: list[int] = []
    rows_at_once = max(_BLOCK_VALUES // max(int(sizes.max()), 1), 1)
    for start in range(0, len(sizes), rows_at_once):
        rows = slice(start, min(start + rows_at_once, len(sizes)))
        running, errors = _running_block(_rows_as_matrix(windows, rows))
        lo, hi = (windows.lo, windows.hi) if windows.shared else (windows.lo[rows], windows.hi[rows])
        sums[rows] = _taken(running, hi) - _taken(running, lo)
        lost[rows] = _taken(errors, hi) - _taken(errors, lo)
        spoilt.extend((start + np.flatnonzero(~np.isfinite(running[:, -1]))).tolist())
    return sums, lost, np.array(spoilt, np.int64)


def _rows_as_matrix(windows: Windows, rows: slice) -> F64:
    """Some series' values [r,W], zeros behind the shorter ones."""
    if windows.shared:
        return windows.matrix[rows]
    starts, ends = windows.offsets[:-1][rows], windows.offsets[1:][rows]
    positions = np.arange(int((ends - starts).max(initial=1)))
    index = starts[:, None] + positions
    inside = index < ends[:, None]
    return np.where(inside, windows.values[np.minimum(index, len(windows.values) - 1)], 0.0)


def _running_block(matrix: F64) -> tuple[F64, F64]:
    """Running sums along rows, with a zero in front, and the running sums of their rounding errors."""
    shape = (matrix.shape[0], matrix.shape[1] + 1)
    running, errors = np.zeros(shape), np.zeros(shape)
    np.cumsum(matrix, axis=1, out=running[:, 1:])
    before, after = running[:, :-1], running[:, 1:]
    virtual = after - before
    np.cumsum((before - (after - virtual)) + (matrix - virtual), axis=1, out=errors[:, 1:])
    return running, errors


def _taken(running: F64, index: I64) -> F64:
    taken: F64 = running.take(index[0], axis=1) if index.shape[0] == 1 else np.take_along_axis(running, index, axis=1)
    return taken
