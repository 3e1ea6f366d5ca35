"""Histograms that no storage can keep."""

from typing import Any

import numpy as np
import pytest

from spyglass.ingest.histogram_checks import histogram_problem
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.histograms import CUSTOM_SCHEMA, FloatHistogram
from spyglass.model.labels import labels_of
from spyglass.model.samples import STALE, WriteBatch
from spyglass.model.telemetry import Registry
from spyglass.storage.memory_metrics import MemoryMetricStore


def make(index: tuple[int, ...] = (0, 1), counts: tuple[float, ...] = (1.0, 2.0), **fields: Any) -> FloatHistogram:
    return FloatHistogram(
        count=3.0, sum=1.0, positive_index=np.array(index, np.int64), positive_counts=np.array(counts), **fields
    )


@pytest.mark.parametrize(
    ("histogram", "end"),
    [
        (make(), ""),
        (make(index=(1, 1)), "bucket number 2: histogram has a span whose offset is negative"),
        (make(counts=(1.0, -2.0)), "observation count of -2: histogram has a bucket whose observation count is negative"),
        (make(schema=9), "or -53 for custom buckets"),
        (make(custom_values=(1.0,)), "histogram with exponential schema must not have custom bounds"),
        (make(schema=CUSTOM_SCHEMA, custom_values=(1.0,)), ""),
        (make(schema=CUSTOM_SCHEMA), "total span length of 2: histogram custom bounds are too few"),
        (make(schema=CUSTOM_SCHEMA, custom_values=(2.0, 1.0)), "histogram custom bounds must be in strictly increasing order"),
        (make(schema=CUSTOM_SCHEMA, custom_values=(1.0, float("inf"))), "histogram custom bounds must be finite"),
        (make(schema=CUSTOM_SCHEMA, custom_values=(1.0,), zero_count=1.0), "must have zero count and zero threshold of 0"),
        (FloatHistogram(schema=99, sum=STALE), ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_upstreams_words(histogram: FloatHistogram, end: str) -> None:
    """Sound ones have no problem; stale markers hold nothing that could be wrong."""
    assert histogram_problem(histogram).endswith(end)
    assert bool(histogram_problem(histogram)) == bool(end)


def test_the_sound_histograms_of_a_batch_are_stored() -> None:
    """Refusals name the rows of the batch as it came; the others are in the store."""
    store = MemoryMetricStore()
    refs = store.resolve([labels_of({"__name__": "h", "n": str(n)}) for n in range(3)])
    batch = WriteBatch(
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0),
        hist_refs=refs,
        hist_times=np.full(3, 5, np.int64),
        histograms=[make(counts=(-1.0, 2.0)), make(), make(schema=20)],
    )
    result = MetricIngest(Registry()).append(store, batch, door="test", labels_of=lambda _: [], durable=False)
    assert [row for row, _ in result.outcome.hist_rejected] == [0, 2]
    stored = store.series([], start_ms=0, end_ms=10)
    assert stored.all_labels() == [labels_of({"__name__": "h", "n": "1"})]
