"""Loki's push bodies: what is accepted, what is refused, and that both forms read back."""

import cramjam
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.loki_push import (
    Streams,
    decode_json,
    decode_protobuf,
    encode_json,
    encode_protobuf,
    parse_label_pairs,
    parse_label_string,
    render_label_string,
)
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_entry import LogEntry

_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_LABELS = st.dictionaries(_NAMES, _TEXT.filter(bool), max_size=3).map(labels_of)
_ENTRIES = st.lists(st.builds(LogEntry, st.integers(-(2**62), 2**62), _TEXT, _LABELS), max_size=4)
_STREAMS = st.lists(st.tuples(_LABELS, _ENTRIES), max_size=3)


def entries_of(streams: Streams) -> list[tuple[Labels, list[LogEntry]]]:
    """The columns as entries."""
    return [(labels, list(columns)) for labels, columns in streams]


@given(_STREAMS)
def test_protobuf_reads_back(streams: list[tuple[Labels, list[LogEntry]]]) -> None:
    """What was encoded is decoded: times, lines, structured metadata, labels of any script."""
    body = encode_protobuf([(render_label_string(l), e) for l, e in streams])
    assert entries_of(decode_protobuf(body)) == streams


@given(_STREAMS)
def test_json_reads_back(streams: list[tuple[Labels, list[LogEntry]]]) -> None:
    """The JSON form holds the same."""
    assert entries_of(decode_json(encode_json(streams))) == streams


def test_a_body_written_by_hand() -> None:
    """Bytes as protobuf's specification has them, with a hash and an unknown field that are skipped."""
    entry = b"\x0a\x06\x08\x80\xac\x95\xcd\x06\x12\x02hi\x1a\x08\x0a\x01k\x12\x03v\xc3\xa9"
    stream = b'\x0a\x07{a="b"}' + b"\x12" + bytes([len(entry)]) + entry + b"\x18\x7b" + b"\x7a\x01x"
    body = bytes(cramjam.snappy.compress_raw(b"\x0a" + bytes([len(stream)]) + stream))
    assert entries_of(decode_protobuf(body)) == [((("a", "b"),), [LogEntry(1772443136 * 10**9, "hi", (("k", "vé"),))])]


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_torn_protobuf_is_refused(cut: int) -> None:
    """Every proper prefix of a message is malformed or smaller, never an exception of another kind."""
    whole = bytes(cramjam.snappy.decompress_raw(encode_protobuf([('{a="b"}', [LogEntry(1, "line", (("k", "v"),))])])))
    with pytest.raises(MalformedBody):
        decode_protobuf(bytes(cramjam.snappy.compress_raw(whole[:cut])))


@pytest.mark.parametrize("body", [b"", b"\xff", b"\xff\xff\xff\xff\x7f", b"not snappy at all", b"\x05abc"])
def test_what_is_not_snappy_is_refused(body: bytes) -> None:
    """Nothing is decompressed that claims to be larger than the limit."""
    with pytest.raises(MalformedBody, match=r"snappy|holds"):
        decode_protobuf(body)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("{}", []),
        ('{job="x"}', [("job", "x")]),
        ('{ job = "x" , app=`raw\\n`, }', [("job", "x"), ("app", "raw\\n")]),
        ('{a="q\\"\\\\ \\u00e9 \\n"}', [("a", 'q"\\ é \n')]),
        ('{a="", b="}"}', [("a", ""), ("b", "}")]),
    ],
)
def test_label_strings(text: str, pairs: list[tuple[str, str]]) -> None:
    """Go's quoting in all its forms."""
    assert parse_label_pairs(text) == pairs


@pytest.mark.parametrize("text", ["", "{", 'job="x"', "{job=x}", '{job="x}', '{1a="x"}', '{a="x" b="y"}', '{a="\\q"}'])
def test_bad_label_strings(text: str) -> None:
    """Refused with the text and the column."""
    with pytest.raises(MalformedBody, match="error parsing labels"):
        parse_label_string(text)


def test_a_label_given_twice_is_refused() -> None:
    """Neither value can be preferred."""
    with pytest.raises(MalformedBody, match="twice"):
        parse_label_string('{a="x", a="y"}')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "should be an object"),
        (b'{"streams": {}}', "list"),
        (b'{"streams": [{"values": []}]}', r"streams\[0\].stream"),
        (b'{"streams": [{"stream": {"a": 1}}]}', "should be a string"),
        (b'{"streams": [{"stream": {"a-b": "1"}}]}', "no label name"),
        (b'{"streams": [{"stream": {}, "values": [["1"]]}]}', r"values\[0\]"),
        (b'{"streams": [{"stream": {}, "values": [[1, "x"]]}]}', "strings"),
        (b'{"streams": [{"stream": {}, "values": [["now", "x"]]}]}', "no unix time"),
        (b'{"streams": [{"stream": {}, "values": [["1", "x", {"a": 1}]]}]}', "structured metadata"),
        (b'{"streams": [{"labels": "{}", "entries": [{"ts": "x", "line": ""}]}]}', "cannot parse"),
    ],
)
def test_bad_json_names_the_place(data: bytes, message: str) -> None:
    """The message says which stream and which value."""
    with pytest.raises(MalformedBody, match=message):
        decode_json(data)


def test_the_older_json_form() -> None:
    """`labels` as a string and `entries` with RFC 3339 times, as old senders write it."""
    stream = {"labels": '{a="b"}', "entries": [{"ts": "2026-03-02T10:00:00.5Z", "line": "x"}]}
    body = orjson.dumps({"streams": [stream]})
    assert entries_of(decode_json(body)) == [((("a", "b"),), [LogEntry(1772445600500000000, "x")])]
