"""Read buckets from a stripe of a downsampled block, all columns at once: for merging and coarsening."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from spyglass.model.arrays import I64
from spyglass.model.errors import CorruptData
from spyglass.storage.metrics.buckets import (
    NO_MARKERS,
    TIME_COLUMNS,
    VALUE_COLUMNS,
    Buckets,
    Markers,
    bucket_ends,
    keep_buckets,
    merge_buckets,
    with_rows,
)
from spyglass.storage.metrics.decoded_cache import DecodedCache
from spyglass.storage.metrics.merge import Part
from spyglass.storage.metrics.ragged import Ragged, gather_index, offsets_of
from spyglass.storage.metrics.stripe import OnCorrupt, Stripe
from spyglass.storage.metrics.tombstones import Tombstones


def read_bucket_slice(part: Part, first_row: int, last_row: int, cache: DecodedCache, on_corrupt: OnCorrupt) -> Buckets:
    """The part's buckets of the rows first_row..last_row without those that were deleted."""
    low, high = np.searchsorted(part.rows, [first_row, last_row + 1])
    found = list(_readable(part.stripe, np.sort(part.series[low:high]), cache, on_corrupt))
    found.append(_only_markers(part.stripe.markers()))
    buckets = merge_buckets(
        [without_hidden(one, part.block.tombstones, part.block.layout.resolution_ms) for one in found]
    )
    assert buckets is not None, "there is one for the markers at least"
    chosen = np.where((part.row_map >= first_row) & (part.row_map <= last_row), part.row_map, -1)
    return with_rows(buckets, chosen)


def _readable(stripe: Stripe, series: I64, cache: DecodedCache, on_corrupt: OnCorrupt) -> Iterator[Buckets]:
    """All of it at once, or where a chunk is damaged what is whole, chunk by chunk."""
    if not len(series):
        return
    try:
        yield read_buckets(stripe, series, cache)
    except CorruptData:
        for some in stripe.by_chunk(series):
            try:
                yield read_buckets(stripe, some, cache)
            except CorruptData as err:
                on_corrupt(err)


def read_buckets(stripe: Stripe, series: I64, cache: DecodedCache) -> Buckets:
    """The buckets of ascending `series` of the stripe, without markers; rows are block rows. Raises: CorruptData."""
    vectors, inverse = np.unique(stripe.vector_of[series].astype(np.int64), return_inverse=True)
    lengths = stripe.vector_lengths[vectors]
    counts = lengths[inverse]
    spread = gather_index(offsets_of(lengths)[:-1][inverse], counts)
    columns: dict[str, Any] = {name: stripe.times_of(name, vectors, cache)[spread] for name in TIME_COLUMNS}
    low = np.zeros(len(series), np.int64)
    columns |= {name: stripe.view("ends", name).read_values(series, low, counts, cache, None) for name in VALUE_COLUMNS}
    found = Buckets(stripe.rows[series], offsets_of(counts), **columns, markers=NO_MARKERS)
    ordered = bool((found.rows[1:] > found.rows[:-1]).all())
    return found if ordered else with_rows(found, np.arange(int(found.rows.max()) + 1))


def without_hidden(buckets: Buckets, tombstones: Tombstones, resolution_ms: int) -> Buckets:
    """The buckets and markers that no tombstone hides; rows are block rows."""
    if not tombstones:
        return buckets
    kept = keep_buckets(buckets, tombstones.keep(Ragged(buckets.rows, buckets.offsets, buckets.ends, buckets.last)))
    return replace(kept, markers=visible_markers(kept.markers, tombstones, resolution_ms))


def visible_markers(markers: Markers, tombstones: Tombstones, resolution_ms: int) -> Markers:
    """Markers in buckets that no tombstone hides."""
    if not tombstones or not len(markers.rows):
        return markers
    ends = bucket_ends(markers.times, resolution_ms)
    keep = tombstones.keep(Ragged(markers.rows, np.arange(len(ends) + 1), ends, np.zeros(len(ends))))
    return Markers(markers.rows[keep], markers.times[keep])


def _only_markers(markers: Markers) -> Buckets:
    none = np.zeros(0, np.int64)
    columns: dict[str, Any] = {**dict.fromkeys(TIME_COLUMNS, none), **dict.fromkeys(VALUE_COLUMNS, np.zeros(0))}
    return Buckets(none, offsets_of(none), **columns, markers=markers)
