"""Histograms in scripts: `schema:1 sum:3 count:22 buckets:[5 10 7] offset:-1`."""

import re

import numpy as np

from spyglass.model.arrays import F64, I64
from spyglass.model.histograms import FloatHistogram, ResetHint

_ITEM = re.compile(r"([a-z_]+):(\[[^\]]*\]|\S+)")
_HINTS = {
    "unknown": ResetHint.UNKNOWN,
    "reset": ResetHint.RESET,
    "not_reset": ResetHint.NOT_RESET,
    "gauge": ResetHint.GAUGE,
}


def parse_histogram(text: str) -> tuple[FloatHistogram, bool]:
    """The histogram between the double braces, and whether it names its counter_reset_hint. Raises: ValueError."""
    items = dict(_ITEM.findall(text))
    rest = _ITEM.sub("", text).strip()
    if rest:
        raise ValueError(f"bad histogram descriptor found: {rest!r}")
    positive_index, positive = _buckets(items, "buckets", "offset")
    negative_index, negative = _buckets(items, "n_buckets", "n_offset")
    histogram = FloatHistogram(
        schema=int(items.get("schema", "0")),
        count=float(items.get("count", "0")),
        sum=float(items.get("sum", "0")),
        zero_threshold=float(items.get("z_bucket_w", "0")),
        zero_count=float(items.get("z_bucket", "0")),
        positive_index=positive_index,
        positive_counts=positive,
        negative_index=negative_index,
        negative_counts=negative,
        custom_values=tuple(_floats(items.get("custom_values", "[]"))),
        reset_hint=_HINTS[items.get("counter_reset_hint", "unknown")],
    )
    return histogram, "counter_reset_hint" in items


def _floats(text: str) -> list[float]:
    return [float(part) for part in text.strip("[]").split()]


def _buckets(items: dict[str, str], key: str, offset_key: str) -> tuple[I64, F64]:
    counts = np.array(_floats(items.get(key, "[]")))
    return int(items.get(offset_key, "0")) + np.arange(len(counts), dtype=np.int64), counts
