"""Native histograms in the JSON that blocks of version 1 and older journals have: we read it, and no longer write it."""

import struct

from spyglass.model.histograms import FloatHistogram


def as_json(h: FloatHistogram) -> list[object]:
    """As version 1 of blocks and older journals have it."""
    return [
        h.schema,
        _number(h.count),
        _number(h.sum),
        _number(h.zero_threshold),
        _number(h.zero_count),
        h.positive_index.tolist(),
        [_number(c) for c in h.positive_counts.tolist()],
        h.negative_index.tolist(),
        [_number(c) for c in h.negative_counts.tolist()],
        [_number(c) for c in h.custom_values],
        int(h.reset_hint),
    ]


def _number(value: float) -> object:
    if value - value == 0:
        return value
    return {"b": struct.unpack("<Q", struct.pack("<d", value))[0]}
