"""The protobuf exposition: every kind of metric, native histograms, and that only MalformedBody escapes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats import wire
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import Metadata

T = 1_700_000_000_000


def family(name: str, kind: int, *metrics: bytes, help: str = "") -> bytes:
    body = wire.put_text(1, name) + wire.put_text(2, help) + wire.put_int(3, kind)
    body += b"".join(wire.put_bytes(4, metric) for metric in metrics)
    return wire.put_varint(len(body)) + body


def label(name: str, value: str) -> bytes:
    return wire.put_bytes(1, wire.put_text(1, name) + wire.put_text(2, value))


def decode(body: bytes, *, native: bool = True, classic_too: bool = False) -> dict[Labels, float]:
    decoder = ExpositionDecoder()
    found = decoder.decode_protobuf(body, native=native, classic_too=classic_too)
    return {decoder.labels(s): v for s, v in zip(found.slots.tolist(), found.values.tolist(), strict=True)}


def named(name: str, **labels: str) -> Labels:
    return labels_of({**labels, "__name__": name})


NATIVE = (
    wire.put_int(1, 6)
    + wire.put_double(2, 18.4)
    + wire.put_bytes(3, wire.put_int(1, 2) + wire.put_double(2, 1.0))
    + wire.put_zigzag(5, 1)
    + wire.put_double(6, 0.001)
    + wire.put_int(7, 2)
    + wire.put_bytes(12, wire.put_zigzag(1, -1) + wire.put_int(2, 2))
    + wire.put_packed_varints(13, [2, 4])  # zigzag of 1, 2: counts 1, 3
)
"""A histogram with a classic bucket and native ones."""


def test_counters_gauges_and_untyped() -> None:
    """Values, labels, own timestamps, metadata and exemplars."""
    exemplar = wire.put_bytes(
        2, label("trace_id", "t") + wire.put_double(2, 0.5) + wire.put_bytes(3, wire.put_int(1, 12))
    )
    body = (
        family("c_total", 0, label("a", "1") + wire.put_bytes(3, wire.put_double(1, 5.0) + exemplar), help="Help.")
        + family("g", 1, wire.put_bytes(2, wire.put_double(1, -1.5)) + wire.put_int(6, T))
        + family("u", 3, wire.put_bytes(5, wire.put_double(1, 2.0)))
    )
    decoder = ExpositionDecoder()
    found = decoder.decode_protobuf(body)
    assert [decoder.labels(slot) for slot in found.slots.tolist()] == [named("c_total", a="1"), named("g"), named("u")]
    assert found.values.tolist() == [5.0, -1.5, 2.0]
    assert found.times is not None
    assert found.times.tolist()[1] == T
    [(slot, got)] = found.exemplars
    assert (slot, got.labels, got.value, got.time_ms) == (0, (("trace_id", "t"),), 0.5, 12_000)
    assert found.metadata["c_total"] == Metadata("counter", "Help.")
    again = decoder.decode_protobuf(body)
    assert again.slots.tolist() == found.slots.tolist()
    assert again.metadata == {}


def test_summaries_and_classic_histograms_are_the_series_of_the_text_format() -> None:
    """_count, _sum, quantiles, cumulative buckets; the last bucket is added where it is left out."""
    quantile = wire.put_bytes(3, wire.put_double(1, 0.5) + wire.put_double(2, 7.0))
    summary = wire.put_bytes(4, wire.put_int(1, 3) + wire.put_double(2, 9.0) + quantile)
    bucket = wire.put_bytes(3, wire.put_int(1, 2) + wire.put_double(2, 1.0))
    histogram = wire.put_bytes(7, wire.put_int(1, 4) + wire.put_double(2, 8.0) + bucket)
    assert decode(family("s", 2, summary) + family("h", 4, histogram)) == {
        named("s_count"): 3.0,
        named("s_sum"): 9.0,
        named("s", quantile="0.5"): 7.0,
        named("h_count"): 4.0,
        named("h_sum"): 8.0,
        named("h_bucket", le="1.0"): 2.0,
        named("h_bucket", le="+Inf"): 4.0,
    }


def test_a_native_histogram_is_one_sample() -> None:
    """Its classic buckets only come along where they are asked for; without native ones they stand alone."""
    body = family("h", 4, wire.put_bytes(7, NATIVE))
    decoder = ExpositionDecoder()
    found = decoder.decode_protobuf(body)
    [(slot, _, histogram)] = found.histograms
    assert (found.size, decoder.labels(slot)) == (0, named("h"))
    assert (histogram.schema, histogram.count, histogram.zero_count) == (1, 6.0, 2.0)
    assert histogram.positive_index.tolist() == [-1, 0]
    assert histogram.positive_counts.tolist() == [1.0, 3.0]
    classic = {named("h_count"), named("h_sum"), named("h_bucket", le="1.0"), named("h_bucket", le="+Inf")}
    assert set(decode(body, classic_too=True)) == classic
    assert set(decode(body, native=False)) == classic
    assert not ExpositionDecoder().decode_protobuf(body, native=False).histograms


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"\x05abc", "metric family 1: proto: unexpected end of message"),
        (family("a", 1) + family("", 1), "metric family 2: a metric family has no name"),
        (
            family("a", 1, label("x", "1") + label("x", "2") + wire.put_bytes(2, wire.put_double(1, 1.0))),
            "metric family 1: a series of a has a label name twice",
        ),
    ],
)
def test_a_bad_family_is_named(body: bytes, message: str) -> None:
    """By its number, as there are no lines."""
    with pytest.raises(MalformedBody) as caught:
        decode(body)
    assert str(caught.value) == message


@given(st.binary(max_size=60), st.integers(0, 80))
def test_only_malformed_body_escapes(noise: bytes, at: int) -> None:
    """Noise alone, and in the middle of a good body."""
    good = family("h", 4, label("a", "b") + wire.put_bytes(7, NATIVE))
    for body in (noise, good[:at] + noise + good[at:], good[:at] + noise + good[at + len(noise) :]):
        with contextlib.suppress(MalformedBody):
            decode(body)
