"""Which blocks to merge next: a pure function of their descriptions.

1. A late block (out-of-order samples) joins what it overlaps, so that reads need not merge.
2. A window that lies in several blocks (parts of the head) becomes one, once it is closed or has many.
3. Neighbours join into ranges of 3, 9, 27 ... windows, as upstream's compaction levels, up to the largest block.
"""

from collections import defaultdict
from collections.abc import Sequence

from spyglass.storage.metrics.block import Block

_FRAGMENTS_MAX = 6
_LEVEL_FACTOR = 3


def plan_merge(blocks: Sequence[Block], *, range_ms: int, largest_ms: int, newest_ms: int) -> list[Block]:
    """The blocks of the next merge, in the order of their precedence; empty where nothing is to be done."""
    held = sorted((block for block in blocks if block.samples), key=lambda block: (block.min_ms, block.number))
    return (
        _late(held, newest_ms - range_ms // 2)
        or _fragments(held, range_ms, newest_ms - range_ms // 2)
        or _neighbours(held, range_ms, largest_ms, newest_ms - range_ms // 2)
    )


def _late(blocks: Sequence[Block], closed_ms: int) -> list[Block]:
    for late in blocks:
        if late.late and late.max_ms < closed_ms:
            others = [b for b in blocks if b is not late and b.overlaps(late.min_ms, late.max_ms)]
            lates = sorted([late, *(b for b in others if b.late)], key=lambda block: block.order)
            return [*(b for b in others if not b.late), *lates] if others else []
    return []


def _fragments(blocks: Sequence[Block], range_ms: int, closed_ms: int) -> list[Block]:
    by_window: dict[int, list[Block]] = defaultdict(list)
    for block in blocks:
        if not block.late:
            for stripe in block.stripes:
                by_window[stripe.start_ms].append(block)
    for start, held in sorted(by_window.items()):
        if len(held) >= _FRAGMENTS_MAX or (len(held) > 1 and start + range_ms <= closed_ms):
            return sorted(held, key=lambda block: block.order)
    return []


def _neighbours(blocks: Sequence[Block], range_ms: int, largest_ms: int, closed_ms: int) -> list[Block]:
    size_ms = range_ms * _LEVEL_FACTOR
    while size_ms <= largest_ms:
        groups: dict[int, list[Block]] = defaultdict(list)
        for block in blocks:
            if not block.late and block.min_ms // size_ms == block.max_ms // size_ms:
                groups[block.min_ms // size_ms].append(block)
        for number, held in sorted(groups.items()):
            if len(held) > 1 and (number + 1) * size_ms <= closed_ms:
                return held
        size_ms *= _LEVEL_FACTOR
    return []
