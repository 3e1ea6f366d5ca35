"""POST /loki/api/v1/push: what is taken, what is refused, and in which words."""

import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
from tests.loki_kit import NOW, SECOND, LokiKit, loki

from spyglass.config.loki_limits import LimitsConfig
from spyglass.formats.loki_push import encode_protobuf
from spyglass.model.log_entry import LogEntry

PUSH = "/loki/api/v1/push"
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture
def kit() -> Iterator[LokiKit]:
    with loki() as kit:
        yield kit


def body_of(line: str) -> bytes:
    return json.dumps({"streams": [{"stream": {"job": "a"}, "values": [[str(NOW), line]]}]}).encode()


def raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (body_of("x"), JSON),
        (body_of("x"), {"Content-Type": "application/json; charset=utf-8"}),
        (gzip.compress(body_of("x"), mtime=0), JSON | {"Content-Encoding": "gzip"}),
        (zlib.compress(body_of("x")), JSON | {"Content-Encoding": "deflate"}),
        (raw_deflate(body_of("x")), JSON | {"Content-Encoding": "deflate"}),
        (encode_protobuf([('{job="a"}', [LogEntry(NOW, "x")])]), PROTOBUF),
        (encode_protobuf([('{job="a"}', [LogEntry(NOW, "x")])]), PROTOBUF | {"Content-Encoding": "snappy"}),
        (
            gzip.compress(encode_protobuf([('{job="a"}', [LogEntry(NOW, "x")])]), mtime=0),
            PROTOBUF | {"Content-Encoding": "gzip"},
        ),
        (encode_protobuf([('{job="a"}', [LogEntry(NOW, "x")])]), {"Content-Type": "text/plain"}),
    ],
    ids=["json", "charset", "gzip", "deflate", "raw-deflate", "protobuf", "snappy", "gzip-protobuf", "other-type"],
)
def test_every_encoding_is_taken(kit: LokiKit, body: bytes, headers: dict[str, str]) -> None:
    """JSON and protobuf, with and without compression around them; 204 without a body."""
    answer = kit.client.post(PUSH, content=body, headers=headers)
    assert (answer.status_code, answer.text) == (204, "")
    assert kit.lines() == ["x"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (b'{"streams": []}', JSON, 422, "error at least one valid stream is required for ingestion"),
        (b"{}", JSON, 422, "error at least one valid stream is required for ingestion"),
        (b"", PROTOBUF, 400, "snappy: corrupt input"),
        (b"{", JSON, 400, "the body is not JSON"),
        (b"[]", JSON, 400, 'the body should be an object with a list "streams"'),
        (b"hello", {"Content-Type": "text/plain"}, 400, "'text/plain' is read as protobuf"),
        (body_of("x"), JSON | {"Content-Encoding": "br"}, 400, 'Content-Encoding "br" not supported'),
        (b"no gzip", JSON | {"Content-Encoding": "gzip"}, 400, "the body is not valid gzip"),
        (gzip.compress(body_of("x"), mtime=0)[:-4], JSON | {"Content-Encoding": "gzip"}, 400, "it ends too early"),
        (
            gzip.compress(bytes((100 << 20) + 1), mtime=0),
            JSON | {"Content-Encoding": "gzip"},
            413,
            "request body too large",
        ),
        (b'{"streams": [{"stream": {"job": "a"}, "values": [["1", 2]]}]}', JSON, 400, "streams[0].values[0]"),
        (b'{"streams": [{"stream": {"job": "a"}, "values": [["x", "y"]]}]}', JSON, 400, "no unix time"),
        (b'{"streams": [{"stream": {"job": 1}, "values": [["1", "y"]]}]}', JSON, 400, "streams[0].stream.job"),
    ],
)
def test_what_is_no_push_is_refused_with_the_place_at_fault(
    kit: LokiKit, body: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    """The status that Loki gives, and what is wrong; nothing is stored."""
    answer = kit.client.post(PUSH, content=body, headers=headers)
    assert answer.status_code == status
    assert text in answer.text
    assert kit.lines() == []


def test_good_streams_of_a_partly_bad_push_are_kept(kit: LokiKit) -> None:
    """Streams with bad labels and entries out of the window of time are named; the others are stored."""
    old, new = NOW - 8 * 86400 * SECOND, NOW + 3600 * SECOND
    entries = [(old, "old"), (NOW, "good"), (new, "new")]
    status, text = kit.push([({"job": "a"}, entries), ({}, [(NOW, "nameless")]), ({"no name": "x"}, [(NOW, "bad")])])
    assert status == 400
    assert "entry for stream '{job=\"a\"}' has timestamp too old: 2023-11-06T22:13:20Z, oldest acceptable" in text
    assert "entry for stream '{job=\"a\"}' has timestamp too new: 2023-11-14T23:13:20Z" in text
    assert "error at least one label pair is required per stream" in text
    assert "'no name' is no label name" in text
    assert kit.lines() == ["good"]


def test_entries_out_of_order_and_repeated_ones_are_taken_as_loki_takes_them(kit: LokiKit) -> None:
    """Out of order: stored. The same line at the same time again: once. Another line at that time: stored."""
    entries = [(NOW, "b"), (NOW - SECOND, "a"), (NOW, "b"), (NOW, "c")]
    assert kit.push([({"job": "a"}, entries)])[0] == 204
    assert kit.push([({"job": "a"}, entries)])[0] == 204
    assert kit.lines() == ["a", "b", "c"]


def test_awkward_lines_come_back_as_they_went_in(kit: LokiKit) -> None:
    """NUL bytes, empty lines, line breaks, any plane of Unicode; bytes that are no UTF-8 are replaced, not refused."""
    lines = ["nul \0 byte", "", "two\nlines", "\U0001f600 é \u2028"]
    assert kit.push([({"job": "a"}, [(NOW + n, line) for n, line in enumerate(lines)])])[0] == 204
    entry = b"\x0a\x00\x12\x03a\xffb"
    stream = b'\x0a\x09{job="b"}\x12' + bytes([len(entry)]) + entry
    request = b"\x0a" + bytes([len(stream)]) + stream
    snappy = bytes([len(request), (len(request) - 1) << 2]) + request
    kit.client.post(PUSH, content=snappy, headers=PROTOBUF)
    assert kit.lines('{job="a"}') == lines


def test_a_line_of_ten_megabytes_is_refused_or_truncated() -> None:
    """max_line_size: refused with its length; with max_line_size_truncate the beginning is kept."""
    line = "é" * (5 << 20)
    with loki() as kit:
        status, text = kit.push([({"job": "a"}, [(NOW, line), (NOW, "short")])])
        assert status == 400
        wanted = "Max entry size '262144' bytes exceeded for stream '{job=\"a\"}' while adding an entry with length"
        assert text == f"{wanted} '10485760' bytes"
        assert kit.lines() == ["short"]
    with loki(LimitsConfig(max_line_size_truncate=True)) as kit:
        assert kit.push([({"job": "a"}, [(NOW, line)])])[0] == 204
        assert kit.lines() == ["é" * (128 << 10)]


def test_labels_have_limits(kit: LokiKit) -> None:
    """More than 15 labels, names and values that are too long: the stream is refused."""
    many = {f"l{n:02}": "x" for n in range(16)}
    status, text = kit.push([(many, [(NOW, "x")])])
    assert (status, "has 16 label names; limit 15" in text) == (400, True)
    status, text = kit.push([({"a" * 1025: "x"}, [(NOW, "x")])])
    assert (status, "has label name too long: 'aaa" in text) == (400, True)
    status, text = kit.push([({"job": "v" * 2049}, [(NOW, "x")])])
    assert (status, "has label value too long: 'vvv" in text) == (400, True)
    assert kit.lines() == []


def test_structured_metadata_has_limits() -> None:
    """Disallowed, too large and too many, in Loki's words; lines without it pass."""
    limits = LimitsConfig(max_structured_metadata_size=20, max_structured_metadata_entries_count=2)
    with loki(limits) as kit:
        entries = [
            (NOW, "large", {"k": "v" * 20}),
            (NOW, "many", {"a": "1", "b": "2", "c": "3"}),
            (NOW, "x", {"a": "1"}),
        ]
        status, text = kit.push([({"job": "a"}, entries)])
        assert status == 400
        assert "has structured metadata too large: '21' bytes, limit: '20' bytes." in text
        assert "has too many structured metadata labels: '3', limit: '2'." in text
        assert kit.lines() == ["x"]
    with loki(LimitsConfig(allow_structured_metadata=False)) as kit:
        status, text = kit.push([({"job": "a"}, [(NOW, "x", {"a": "1"}), (NOW, "plain")])])
        assert status == 400
        assert "includes structured metadata, but this feature is disallowed" in text
        assert kit.lines() == ["plain"]


def test_too_much_too_fast_is_refused_as_a_whole_and_taken_later() -> None:
    """429 with the rate; after the time that the bucket needs the same body is taken."""
    with loki(LimitsConfig(ingestion_rate_mb=0.001, ingestion_burst_size_mb=0.001)) as kit:
        streams = [({"job": "a"}, [(NOW, "x" * 1000)])]
        assert kit.push(streams)[0] == 204
        status, text = kit.push([({"job": "a"}, [(NOW, "y" * 1000)])])
        assert status == 429
        assert text.startswith(
            "Ingestion rate limit exceeded for user fake (limit: 1048 bytes/sec) while attempting to ingest '1' lines "
            "totaling '1000' bytes, reduce log volume or contact your Loki administrator"
        )
        kit.clock.advance(1)
        assert kit.push([({"job": "a"}, [(NOW, "y" * 1000)])])[0] == 204
        assert len(kit.lines()) == 2


def test_too_many_streams_are_refused_one_by_one() -> None:
    """max_global_streams_per_user: known streams go on, new ones are refused."""
    with loki(LimitsConfig(max_global_streams_per_user=1)) as kit:
        assert kit.push([({"job": "a"}, [(NOW, "1")])])[0] == 204
        status, text = kit.push([({"job": "a"}, [(NOW, "2")]), ({"job": "b"}, [(NOW, "3")])])
        assert status == 400
        assert text.startswith('Maximum active stream limit exceeded when trying to create stream {job="b"}')
        assert kit.lines() == ["1", "2"]


def test_with_auth_enabled_a_tenant_is_needed_and_sees_its_own_lines_only() -> None:
    """401 `no org id` without the header; what one tenant pushed another does not see."""
    with loki(auth_enabled=True) as kit:
        assert kit.push([({"job": "a"}, [(NOW, "x")])]) == (401, "no org id")
        assert kit.error("/loki/api/v1/labels") == (401, "no org id")
        assert kit.push([({"job": "a"}, [(NOW, "x")])], {"X-Scope-OrgID": "one"})[0] == 204
        assert kit.lines(tenant="one") == ["x"]
        assert kit.lines(tenant="two") == []
        assert kit.error("/loki/api/v1/labels", {"X-Scope-OrgID": "../../etc"})[0] == 400


def test_the_old_path_takes_the_old_form(kit: LokiKit) -> None:
    """/api/prom/push with labels as text and entries with RFC 3339 times."""
    entry = {"ts": "2023-11-14T22:13:20Z", "line": "old"}
    body = {"streams": [{"labels": '{job="a"}', "entries": [entry]}]}
    assert kit.client.post("/api/prom/push", json=body).status_code == 204
    assert kit.lines() == ["old"]
