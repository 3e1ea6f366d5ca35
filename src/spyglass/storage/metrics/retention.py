"""Which blocks are past their time, or too many: whole blocks go, oldest first, as upstream."""

from collections.abc import Sequence
from typing import TypeVar

from spyglass.storage.metrics.block import Block

B = TypeVar("B", bound=Block)


def beyond_age(blocks: Sequence[B], *, newest_ms: int, retention_ms: int) -> list[B]:
    """Blocks whose newest sample is older than retention_ms before the store's newest. 0: none."""
    return [block for block in blocks if retention_ms and block.max_ms < newest_ms - retention_ms]


def beyond_size(blocks: Sequence[B], excess_bytes: int) -> list[B]:
    """The first of the blocks that are together as large as the excess."""
    doomed = []
    for block in blocks:
        if excess_bytes <= 0:
            break
        doomed.append(block)
        excess_bytes -= block.size_bytes
    return doomed


def in_order_of_disposal(copies: Sequence[tuple[Sequence[Block], int | None]]) -> list[Block]:
    """All blocks, those that are missed least first: what there is a coarser copy of, finest first; then the rest, the coarsest first.

    copies: finest first, the blocks of each resolution, and up to which time the next coarser has them (None: it has nothing).
    Within each the oldest first.
    """
    copied: list[Block] = []
    rest: list[list[Block]] = []
    for blocks, copied_until_ms in copies:
        ordered = sorted(blocks, key=lambda block: block.max_ms)
        bound_ms = copied_until_ms if copied_until_ms is not None else -(2**62)
        copied += [block for block in ordered if block.max_ms + block.layout.resolution_ms <= bound_ms]
        rest.insert(0, [block for block in ordered if block.max_ms + block.layout.resolution_ms > bound_ms])
    return copied + [block for some in rest for block in some]
