"""What kinds of blocks there are: samples as they came, and aggregates of them. Format: docs/formats/metrics-block.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from spyglass.storage.metrics.buckets import TIME_COLUMNS, VALUE_COLUMNS
from spyglass.storage.metrics.rollups import EDGES, SPANS


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a stripe. values: with the items of every series; times: with those of every time vector, which series share.

    resolution_ms: an item stands for the stretch of that length up to its (first) time. 0: items are samples.
    stale: for each chunk of values it is noted whether one is a stale marker.
    """

    magic: bytes
    values: tuple[str, ...]
    times: tuple[str, ...]
    resolution_ms: int = 0
    stale: bool = False


RAW = Layout(b"SPYBLOCK", ("values",), ("times",), stale=True)

ROLLUPS: Mapping[str, Layout] = {
    EDGES: Layout(RAW.magic, ("values",), ("times", "weights")),
    SPANS: Layout(RAW.magic, ("last", "min", "max"), ("times", "weights")),
}
"""Of the rollups that lie beside a stripe of samples, by kind: of rollups.Edges and rollups.Spans."""


def bucket_layout(resolution_ms: int) -> Layout:
    """Of buckets.Buckets."""
    return Layout(b"SPYDOWNS", VALUE_COLUMNS, TIME_COLUMNS, resolution_ms)
