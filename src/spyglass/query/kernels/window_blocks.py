"""Windows laid out as matrices, block by block, for functions that need all samples of a window side by side."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.query.kernels.windows import Windows

BLOCK_VALUES = 1 << 20
"""Values per block: 8 MB. Smaller costs calls, larger falls out of the cache and holds more memory."""


@dataclass(frozen=True, slots=True)
class WindowBlock:
    """The windows of the series `rows` at the steps `steps`. values [R,t,W], unspecified where not inside.

    values is to be read only: where series share their times and windows are evenly spaced it is a view in which they overlap.
    count [1,t] or [R,t]: samples of each window, which come first, oldest first.  index: their numbers, like count with a W behind.
    full: every window has W samples.
    """

    rows: slice
    steps: slice
    values: F64
    count: I64
    index: I64
    full: bool

    @property
    def inside(self) -> Mask:
        """Which values belong to their window; [1,t,W] or [R,t,W]."""
        mask: Mask = np.arange(self.values.shape[2]) < self.count[:, :, None]
        return mask

    def only_inside(self, values: F64) -> F64:
        """values [r,t,W], or zero where they belong to no window; they themselves where all do."""
        return values if self.full else np.where(self.inside, values, 0.0)


def window_blocks(windows: Windows, block_values: int = BLOCK_VALUES) -> Iterator[WindowBlock]:
    """All windows, in blocks of at most so many values, or of one series and step."""
    series, steps = windows.shape
    if windows.values.size == 0:
        return
    width = max(int(windows.count.max(initial=0)), 1)
    steps_at_once = max(min(steps, block_values // width), 1)
    rows_at_once = max(block_values // (width * steps_at_once), 1)
    for step in range(0, steps, steps_at_once):
        for row in range(0, series, rows_at_once):
            yield _block(windows, slice(row, row + rows_at_once), slice(step, step + steps_at_once))


def _block(windows: Windows, rows: slice, steps: slice) -> WindowBlock:
    lo, hi = windows.lo[:, steps], windows.hi[:, steps]
    if not windows.shared:
        lo, hi = lo[rows], hi[rows]
    width = max(int((hi - lo).max(initial=0)), 1)
    index, count = lo[:, :, None] + np.arange(width), hi - lo
    full = bool((count == width).all())
    if windows.shared:
        values = _evenly_spaced(windows.matrix[rows], lo[0], width) if full else None
        if values is None:
            values = windows.matrix[rows][:, np.clip(index[0], 0, len(windows.times) - 1)]
    else:
        flat = windows.offsets[:-1][rows, None, None] + index
        values = windows.values[np.clip(flat, 0, len(windows.values) - 1)]
    return WindowBlock(rows, steps, values, count, index, full)


def _evenly_spaced(matrix: F64, lo: I64, width: int) -> F64 | None:
    """A view [R,t,W] of the windows of `width` columns that begin at the columns lo [t]; None where these are not evenly spaced."""
    step = int(lo[1] - lo[0]) if len(lo) > 1 else 1
    if step < 1 or (lo[1:] - lo[:-1] != step).any():
        return None
    all_windows: F64 = np.lib.stride_tricks.sliding_window_view(matrix, width, axis=1)
    return all_windows[:, lo[0] : lo[-1] + 1 : step]
