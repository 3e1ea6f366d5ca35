"""What maintain does to blocks: which to merge, which to drop, which to write anew. Decisions only; the store carries them out.

Small blocks (less than half of a full part) are written anew, so that their lines share parts. Larger ones are joined by copying their
sections: eight of a size become one of the next.
"""

from collections.abc import Callable, Sequence

import numpy as np

from spyglass.model.arrays import I64, Mask
from spyglass.model.labels import Labels
from spyglass.storage.logs.block import Block
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.part import Part

FAN_IN = 8
FOREVER = 0


def small_run(blocks: Sequence[Block], options: LogStoreOptions) -> list[Block]:
    """Neighbours in time, each small, worth writing anew together; [] where there are none."""
    small = options.hot_rows // 2
    run: list[Block] = []
    rows = 0
    for block in (block for block in blocks if block.rows):
        if block.rows < small and rows + block.rows <= 2 * options.hot_rows:
            run.append(block)
            rows += block.rows
            if len(run) >= FAN_IN or (len(run) > 1 and rows >= options.hot_rows):
                return run
        else:
            run, rows = ([block], block.rows) if block.rows < small else ([], 0)
    return []


def joinable_run(blocks: Sequence[Block], options: LogStoreOptions) -> list[Block]:
    """FAN_IN neighbours of one size class that may be joined; [] where there are none."""
    run: list[Block] = []
    for block in (block for block in blocks if block.rows):
        if block.rows < options.hot_rows // 2 or block.rows * FAN_IN > options.block_rows * 2:
            run = []
            continue
        if run and _size_class(run[0], options) != _size_class(block, options):
            run = []
        run.append(block)
        if len(run) == FAN_IN:
            return run
    return []


def _size_class(block: Block, options: LogStoreOptions) -> int:
    size_class: int = max(0, (block.rows // options.hot_rows).bit_length() - 1) // 3
    return size_class


def over_size(blocks: Sequence[Block], limit_bytes: int) -> list[Block]:
    """The oldest blocks, as many as it takes to get below the limit."""
    excess = sum(block.size_bytes for block in blocks) - limit_bytes
    doomed = []
    for block in sorted(blocks, key=lambda block: block.max_ns):
        if excess <= 0:
            break
        doomed.append(block)
        excess -= block.size_bytes
    return doomed


def period_of(labels: Labels, options: LogStoreOptions) -> int:
    """How long a stream's lines are kept, in ns; FOREVER is 0."""
    values = dict(labels)
    rules = [
        rule for rule in options.retention_streams if all(m.matches(values.get(m.name, "")) for m in rule.matchers)
    ]
    return max(rules, key=lambda rule: rule.priority).period_ns if rules else options.retention_ns


def cutoffs(part: Part, options: LogStoreOptions, now_ns: int) -> I64:
    """[streams] lines before this time are to go."""
    periods = [period_of(labels, options) for labels in part.streams().labels]
    return np.asarray([now_ns - period if period else -(2**62) for period in periods], np.int64)


def expired(parts: Sequence[Part], options: LogStoreOptions, now_ns: int) -> tuple[bool, bool]:
    """(every line of the parts is past its time, some stream of some part is wholly past it)."""
    every, some = True, False
    for part in parts:
        gone = part.max_ns < cutoffs(part, options, now_ns)
        every &= bool(gone.all())
        some |= bool(gone.any())
    return every, some


def unexpired(options: LogStoreOptions, now_ns: int) -> Callable[[Part], Mask]:
    """For a rewrite: the rows that stay."""

    def keep(part: Part) -> Mask:
        return part.times() >= cutoffs(part, options, now_ns)[part.codes()]

    return keep
