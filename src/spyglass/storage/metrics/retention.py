"""Which blocks are past their time, or too many: whole blocks go, oldest first, as upstream."""

from collections.abc import Sequence

from spyglass.storage.metrics.block import Block


def beyond_retention(
    blocks: Sequence[Block],
    *,
    newest_ms: int,
    retention_ms: int,
    retention_bytes: int,
    other_bytes: int,
    wanted_bytes: int = 0,
) -> list[Block]:
    """Blocks whose newest sample is older than retention_ms before the store's newest; then the oldest until the rest fits.

    other_bytes: what the journal takes. wanted_bytes: how much the disk lacks of the space that is to be free. A limit of 0 is none.
    """
    doomed = [block for block in blocks if retention_ms and block.max_ms < newest_ms - retention_ms]
    kept = sorted((block for block in blocks if block not in doomed), key=lambda block: block.max_ms)
    total = other_bytes + sum(block.size_bytes for block in kept)
    excess = max(total - retention_bytes if retention_bytes else 0, wanted_bytes)
    for block in kept:
        if excess <= 0:
            break
        doomed.append(block)
        excess -= block.size_bytes
    return doomed
