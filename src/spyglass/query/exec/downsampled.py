"""Evaluation over selections whose older part is known in buckets only (Selection.downsampled).

A step amid buckets stands for the last end of one: it gives what the samples gave then. A window's start moves to an end of buckets
likewise. So windows consist of whole buckets, and where steps and ranges are multiples of the resolution nothing moves and answers are
those of the samples. What moved, or can only be estimated, is said in an annotation.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spyglass.model.arrays import F64, I64, Mask
from spyglass.model.samples import Downsampled, Selection
from spyglass.protocols.metric_store import EXACT_ON_LAST
from spyglass.query.exec.context import EvalContext
from spyglass.query.kernels import bucketed
from spyglass.query.kernels.windows import Reaches, windows_of
from spyglass.query.plan.nodes import Instant, Window
from spyglass.text.durations import format_prometheus_duration


def floored(levels: Sequence[tuple[int, int]], times: I64) -> I64:
    """Times [T] moved back to ends of buckets, those behind the buckets as they are. levels: as in Downsampled, finest first."""
    moved = times
    for resolution_ms, until_ms in levels:
        moved = np.where(times <= until_ms, times // resolution_ms * resolution_ms, moved)
    return moved


def instant_reaches(node: Instant, past: Downsampled, reaches: Reaches, ctx: EvalContext) -> Reaches:
    """What each step looks at, the steps amid buckets moved to their ends."""
    ends = floored(past.levels, reaches.ends)
    moved = Reaches(reaches.starts + (ends - reaches.ends), ends, reaches.eval_times)
    _note_moved(node, past, reaches, moved, ctx)
    return moved


def window_reaches(node: Window, selection: Selection, reaches: Reaches, ctx: EvalContext) -> Reaches:
    """What each step's window covers, so that those over buckets consist of whole ones."""
    past = selection.downsampled
    assert past is not None, "asked of a selection without buckets"
    ends = floored(past.levels, reaches.ends)
    starts = floored(past.levels, ends - node.range_ms)
    moved = Reaches(starts, ends, reaches.eval_times)
    if node.function not in EXACT_ON_LAST and _sees_last_only(selection, past, reaches):
        ctx.warn(
            f"{node.function} is an estimate for samples that are downsampled to {_resolutions(past)}: "
            "it sees the last of each stretch",
            node.span,
        )
    _note_moved(node, past, reaches, moved, ctx)
    return moved


def _note_moved(node: Instant | Window, past: Downsampled, asked: Reaches, moved: Reaches, ctx: EvalContext) -> None:
    if not (np.array_equal(asked.starts, moved.starts) and np.array_equal(asked.ends, moved.ends)):
        message = (
            f"samples are downsampled to {_resolutions(past)}: steps and ranges there were moved to multiples of it"
        )
        ctx.info(message, node.span)


def _sees_last_only(selection: Selection, past: Downsampled, reaches: Reaches) -> bool:
    """Whether any window looks at the last samples of buckets in the place of all; of native histograms there are no others."""
    if not (reaches.starts < past.until_ms).any():
        return False
    return not past.columns or any((runs.times <= past.until_ms).any() for runs in selection.histograms)


def _resolutions(past: Downsampled) -> str:
    return " and ".join(format_prometheus_duration(resolution_ms) for resolution_ms, _ in past.levels)


def early_steps(past: Downsampled, reaches: Reaches) -> int:
    """How many of the first steps have a window that reaches into the buckets."""
    return int(np.searchsorted(reaches.starts, past.until_ms))


def steps(reaches: Reaches, chosen: slice) -> Reaches:
    """Some of the steps."""
    return Reaches(reaches.starts[chosen], reaches.ends[chosen], reaches.eval_times[chosen])


def over_buckets(node: Window, selection: Selection, reaches: Reaches, ctx: EvalContext) -> tuple[F64, Mask]:
    """The function over the buckets' columns, at the steps of `reaches`. values, present [S,t]."""
    past = selection.downsampled
    assert past is not None, "asked for buckets of a selection without"
    shape = (selection.size, len(reaches.ends))
    values, present = np.zeros(shape), np.zeros(shape, bool)
    names = list(past.columns)
    for pieces in zip(*past.columns.values(), strict=True):
        ctx.budget.check()
        windows = windows_of(pieces[0], reaches)
        columns = {
            name: replace(windows, values=piece.values.reshape(-1)) for name, piece in zip(names, pieces, strict=True)
        }
        rows = pieces[0].rows
        values[rows], present[rows] = bucketed.apply(node.function, columns, node.range_ms)
    return values, present
