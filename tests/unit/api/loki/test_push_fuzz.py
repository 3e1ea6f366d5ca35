"""Hostile pushes: only documented statuses, and nothing is stored by halves."""

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.loki_kit import NOW, SECOND, loki

from spyglass.formats.loki_push import decode_protobuf, encode_protobuf
from spyglass.model.log_entry import LogEntry

STATUSES = {204, 400, 413, 422, 429}
QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])

anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
times = st.integers(-(2**70), 2**70).map(str) | st.just(str(NOW)) | st.text(max_size=6)
values = st.tuples(times, st.text(max_size=50)) | st.tuples(times, st.text(max_size=9), anything) | anything
labels = st.dictionaries(st.text(max_size=6) | st.just("job"), st.text(max_size=6), max_size=3) | anything
streams = st.fixed_dictionaries({"stream": labels, "values": st.lists(values, max_size=4) | anything}) | anything
bodies = st.fixed_dictionaries({"streams": st.lists(streams, max_size=3)}) | anything


@given(bodies)
@QUICK
def test_json_of_any_shape_has_a_documented_status(body: Any) -> None:
    """Never a 500; a body that is refused as malformed leaves nothing behind."""
    with loki() as kit:
        data = json.dumps(body).encode("utf-8", "surrogatepass")
        answer = kit.client.post("/loki/api/v1/push", content=data, headers={"Content-Type": "application/json"})
        assert answer.status_code in STATUSES, answer.text
        assert answer.status_code == 204 or answer.text


@given(st.binary(max_size=300), st.sampled_from(["", "gzip", "deflate", "snappy"]), st.booleans())
@QUICK
def test_any_bytes_have_a_documented_status(noise: bytes, encoding: str, otlp: bool) -> None:
    """In every encoding, at both doors."""
    with loki() as kit:
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": encoding}
        answer = kit.client.post("/otlp/v1/logs" if otlp else "/loki/api/v1/push", content=noise, headers=headers)
        assert answer.status_code in STATUSES, answer.content
        assert kit.lines() == [] or answer.status_code in (204, 400)


@given(st.integers(0, 10**6), st.integers(0, 255))
@example(1291, 26)
@QUICK
def test_a_damaged_push_is_stored_whole_or_refused(at: int, byte: int) -> None:
    """One byte of a good body changed: all its lines are there, or what is missing is named."""
    body = bytearray(encode_protobuf([('{job="a"}', [LogEntry(NOW - n * SECOND, f"line {n}") for n in range(3)])]))
    body[at % len(body)] = byte
    with loki() as kit:
        headers = {"Content-Type": "application/x-protobuf"}
        answer = kit.client.post("/loki/api/v1/push", content=bytes(body), headers=headers)
        assert answer.status_code in STATUSES
        stores: Any = [kit.stores.store(tenant) for tenant in kit.stores.tenants()]
        stored = sum(len(store._select((), -(2**63), 2**63)) for store in stores)
        if answer.status_code == 204:
            # A length or a field number that is another may swallow entries; those that are left are all there.
            left = {
                (labels, entry) for labels, entries in decode_protobuf(bytes(body), problems=[]) for entry in entries
            }
            assert stored == len(left)
        elif "entry for stream" not in answer.text:
            assert stored == 0
