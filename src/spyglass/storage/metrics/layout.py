"""What kinds of blocks there are: samples as they came, and aggregates of them. Format: docs/formats/metrics-block.md."""

from dataclasses import dataclass

from spyglass.storage.metrics.buckets import TIME_COLUMNS, VALUE_COLUMNS


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a stripe. values: with the items of every series; times: with those of every time vector, which series share.

    resolution_ms: an item stands for the stretch of that length up to its (first) time. 0: items are samples, and may be stale markers.
    """

    magic: bytes
    values: tuple[str, ...]
    times: tuple[str, ...]
    resolution_ms: int = 0


RAW = Layout(b"SPYBLOCK", ("values",), ("times",))


def bucket_layout(resolution_ms: int) -> Layout:
    """Of buckets.Buckets."""
    return Layout(b"SPYDOWNS", VALUE_COLUMNS, TIME_COLUMNS, resolution_ms)
