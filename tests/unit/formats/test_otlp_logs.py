"""OTLP logs as streams: protobuf and JSON give the same."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.otlp_logs import MAX_DEPTH, decode_json, decode_protobuf, streams_of
from spyglass.formats.wire import put_bytes, put_int, put_text, put_varint
from spyglass.model.errors import MalformedBody
from spyglass.model.log_entry import LogEntry

NOW = 1_700_000_000_000_000_000
TRACE = "5b8efff798038103d269b633813fc60c"
SPAN = "eee19b7ec3c1b174"


def fixed64(field: int, number: int) -> bytes:
    return put_varint(field << 3 | 1) + struct.pack("<Q", number)


def pair(key: str, value: bytes) -> bytes:
    return put_text(1, key) + put_bytes(2, value)


def as_protobuf() -> bytes:
    resource = put_bytes(1, pair("service.name", put_text(1, "shop"))) + put_bytes(
        1, pair("os.type", put_text(1, "linux"))
    )
    record = (
        fixed64(1, NOW)
        + put_int(2, 17)
        + put_text(3, "ERROR")
        + put_bytes(5, put_text(1, "it broke"))
        + put_bytes(6, pair("http.status", put_int(3, 500)))
        + put_bytes(6, pair("ok", put_varint(2 << 3) + b"\x00"))
        + put_bytes(9, bytes.fromhex(TRACE))
        + put_bytes(10, bytes.fromhex(SPAN))
        + fixed64(11, NOW + 1)
    )
    scope_logs = put_bytes(1, put_text(1, "lib") + put_text(2, "1.0")) + put_bytes(2, record)
    return put_bytes(1, put_bytes(1, resource) + put_bytes(2, scope_logs))


def as_json() -> bytes:
    resource = [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "os.type", "value": {"stringValue": "linux"}},
    ]
    record = {
        "timeUnixNano": str(NOW),
        "observedTimeUnixNano": str(NOW + 1),
        "severityNumber": 17,
        "severityText": "ERROR",
        "body": {"stringValue": "it broke"},
        "attributes": [
            {"key": "http.status", "value": {"intValue": "500"}},
            {"key": "ok", "value": {"boolValue": False}},
        ],
        "traceId": TRACE.upper(),
        "spanId": SPAN,
    }
    scope = {"scope": {"name": "lib", "version": "1.0"}, "logRecords": [record]}
    return json.dumps({"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": [scope]}]}).encode()


def test_protobuf_and_json_give_the_same_streams() -> None:
    """Indexed resource attributes are labels; all else is structured metadata with names as labels have them."""
    metadata = {
        "http_status": "500",
        "observed_timestamp": str(NOW + 1),
        "ok": "false",
        "os_type": "linux",
        "scope_name": "lib",
        "scope_version": "1.0",
        "severity_number": "17",
        "severity_text": "ERROR",
        "span_id": SPAN,
        "trace_id": TRACE,
    }
    wanted = [((("service_name", "shop"),), [LogEntry(NOW, "it broke", tuple(metadata.items()))])]
    assert streams_of(decode_protobuf(as_protobuf()), now_ns=1) == wanted
    assert streams_of(decode_json(as_json()), now_ns=1) == wanted


def test_a_record_without_a_time_has_the_observed_one_or_now() -> None:
    """In that order."""
    records = [{"observedTimeUnixNano": "5", "body": {"stringValue": "a"}}, {"body": {"stringValue": "b"}}]
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode()
    assert streams_of(decode_json(body), now_ns=7, fallback=(("service_name", "x"),)) == [
        ((("service_name", "x"),), [LogEntry(5, "a"), LogEntry(7, "b")])
    ]


def test_composed_bodies_are_json_and_maps_among_attributes_are_flattened() -> None:
    """Maps in attributes give a label for each leaf."""
    inner = {"kvlistValue": {"values": [{"key": "b", "value": {"doubleValue": 1.5}}]}}
    body_map = {"kvlistValue": {"values": [{"key": "z", "value": {"arrayValue": {"values": [{"intValue": 1}]}}}]}}
    record = {"timeUnixNano": "1", "body": body_map, "attributes": [{"key": "a", "value": inner}]}
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    ((_, entries),) = streams_of(decode_json(body), now_ns=7)
    assert entries == [LogEntry(1, '{"z":[1]}', (("a_b", "1.5"),))]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"resourceLogs": 1}',
        b'{"resourceLogs": [1]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "x"}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "-5"}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": "text"}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"bytesValue": "*"}}]}]}]}',
    ],
)
def test_bad_json_is_named(body: bytes) -> None:
    """MalformedBody, nothing else."""
    with pytest.raises(MalformedBody):
        decode_json(body)


def test_values_that_nest_without_end_are_refused() -> None:
    """Both forms; before the stack is exhausted."""
    value = put_text(1, "x")
    for _ in range(MAX_DEPTH + 2):
        value = put_bytes(5, put_bytes(1, value))
    with pytest.raises(MalformedBody, match="nest deeper"):
        decode_protobuf(put_bytes(1, put_bytes(2, put_bytes(2, put_bytes(5, value)))))
    deep = '{"arrayValue":{"values":[' * (MAX_DEPTH + 2) + '{"intValue":1}' + "]}}" * (MAX_DEPTH + 2)
    body = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":' + deep + "}]}]}]}"
    with pytest.raises(MalformedBody):
        decode_json(body.encode())


@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 255))
def test_damaged_protobuf_is_read_or_refused(noise: bytes, at: int, byte: int) -> None:
    """Never another exception."""
    good = bytearray(as_protobuf())
    good[at % len(good)] = byte
    for body in (bytes(good), good[:at], noise):
        try:
            streams_of(decode_protobuf(bytes(body)), now_ns=NOW)
        except MalformedBody:
            continue
