"""Remote write into a store: refusals, and series that the store has forgotten."""

from collections.abc import Sequence

import numpy as np

from spyglass.formats import wire
from spyglass.formats.native_histogram import encode_histogram
from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.ingest.metrics import LabelLimits, MetricIngest
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.arrays import I64
from spyglass.model.histograms import FloatHistogram
from spyglass.model.labels import METRIC_NAME, Labels
from spyglass.model.samples import WriteBatch, WriteOutcome
from spyglass.model.telemetry import Registry
from spyglass.storage.memory_metrics import MemoryMetricStore

T = 1_700_000_000_000
V1 = "prometheus.WriteRequest"


class ForgetfulStore(MemoryMetricStore):
    """A store that can lose references, as a head does with series that got no samples for long."""

    offset = 0

    def resolve(self, labels: Sequence[Labels]) -> I64:
        refs = super().resolve(labels)
        return np.where(refs > 0, refs + self.offset, refs)

    def append(self, batch: WriteBatch, *, durable: bool = True) -> WriteOutcome:
        hist_refs = None if batch.hist_refs is None else batch.hist_refs - self.offset
        shifted = WriteBatch(
            batch.refs - self.offset, batch.times, batch.values, hist_refs, batch.hist_times, batch.histograms
        )
        return super().append(shifted, durable=durable)


def named(*names: str) -> list[Labels]:
    return [((METRIC_NAME, name),) for name in names]


def floats(time_ms: int, *names: str) -> bytes:
    return encode_v1([(labels, [(time_ms, 1.0)]) for labels in named(*names)])


def histogram(time_ms: int, name: str) -> bytes:
    label = wire.put_bytes(1, wire.put_text(1, METRIC_NAME) + wire.put_text(2, name))
    return wire.put_bytes(1, label + wire.put_bytes(4, encode_histogram(FloatHistogram(count=1.0), time_ms)))


def test_forgotten_series_are_resolved_again_floats_and_histograms_alike() -> None:
    """Nothing is refused, and the cache knows the new references afterwards."""
    store, receiver = ForgetfulStore(), RemoteWriteIngest(MetricIngest(Registry()))
    for step in range(4):
        if step == 2:
            store.offset = 1000
        body = floats(T + step, "a", "b") + histogram(T + step, "h")
        result = receiver.write(store, "", body, V1)
        assert (result.samples, result.histograms, result.problem) == (2, 1, "")
    assert store.series([], start_ms=T + 3, end_ms=T + 3).size == 3


def test_a_refused_series_does_not_keep_the_others_out() -> None:
    """A label limit and the series limit are named; good series of the same body are stored."""
    limits = LabelLimits(value_bytes_max=5)
    receiver = RemoteWriteIngest(MetricIngest(Registry()), limits)
    store = ForgetfulStore(max_series=1)
    result = receiver.write(store, "", floats(T, "a", "toolong", "b"), V1)
    assert result.samples == 1
    assert result.problem.startswith("label_value_length_limit exceeded (metric: toolong")
    again = receiver.write(store, "", floats(T + 1, "a", "b"), V1)
    assert again.samples == 1
    assert again.problem == "the limit of active series is reached: b{} is new"


def test_the_words_of_refused_samples_are_upstreams() -> None:
    """Out of order, and another value at the same time."""
    store, receiver = ForgetfulStore(), RemoteWriteIngest(MetricIngest(Registry()))
    receiver.write(store, "", floats(T, "a", "b"), V1)
    late = receiver.write(store, "", floats(T - 1, "a", "b"), V1)
    assert late.problem == "out of order sample (2 samples), for example of series a{}"
    other = encode_v1([(named("a")[0], [(T, 2.0)])])
    assert receiver.write(store, "", other, V1).problem == "duplicate sample for timestamp, for example of series a{}"


def test_tenants_have_their_own_references() -> None:
    """The same series of two tenants are two series."""
    receiver = RemoteWriteIngest(MetricIngest(Registry()))
    stores = {"a": ForgetfulStore(), "b": ForgetfulStore()}
    receiver.write(stores["b"], "b", floats(T, "x"), V1)
    for tenant, store in stores.items():
        assert receiver.write(store, tenant, floats(T + 1, "a", "x"), V1).problem == ""
    assert stores["a"].label_values(METRIC_NAME, [], start_ms=T + 1, end_ms=T + 1) == ["a", "x"]
