"""All entries of a pushed stream at once: the same as one by one, or not at all."""

import random

import pytest

from spyglass.formats.loki_push import decode_push_request, encode_push_request
from spyglass.formats.push_entries import MIN_BYTES, read_entries
from spyglass.model.log_entry import LogEntry

T0_NS = 1_795_392_000 * 10**9


def entries_of(streams: list[tuple[str, list[LogEntry]]], labels: str) -> bytes:
    """The bytes of one stream's entries alone."""
    whole = encode_push_request(streams)
    return whole[whole.index(labels.encode()) + len(labels) :]


def read(entries: list[LogEntry]) -> list[LogEntry] | None:
    data = b"before" + entries_of([('{a="b"}', entries)], '{a="b"}')
    found = read_entries(data, 6, len(data))
    return None if found is None else list(found)


def some(
    count: int = 200, text: str = "a line of text of some length, so that the block is worth it"
) -> list[LogEntry]:
    return [LogEntry(T0_NS + i * 1_234_567, f"{text} {i}") for i in range(count)]


def test_the_usual_layout_is_read_at_once() -> None:
    """Every line and every nanosecond comes out as it went in."""
    assert read(some()) == some()


def test_whole_seconds_have_no_nanoseconds() -> None:
    """A time on a whole second is written without them."""
    entries = [LogEntry(T0_NS + (i // 2) * 10**9 + i % 2, "x" * 100) for i in range(100)]
    assert read(entries) == entries


def test_lines_of_all_sizes() -> None:
    """Sizes of one to four bytes."""
    entries = [
        LogEntry(T0_NS + i, "y" * size) for i, size in enumerate((1, 5, 120, 127, 128, 16_383, 16_384, 3_000_000))
    ]
    assert read(entries) == entries


def test_text_beyond_ascii() -> None:
    """UTF-8 is decoded; what is none becomes a replacement character."""
    entries = some(text="grüße aus 東京 🎉, and plain text")
    assert read(entries) == entries
    data = b"before" + entries_of([("{}", some())], "{}").replace(b"text", b"te\xfft")
    found = read_entries(data, 6, len(data))
    assert found is not None
    assert found[0].line == "a line of te\ufffdt of some length, so that the block is worth it 0"


@pytest.mark.parametrize(
    "odd",
    [
        LogEntry(T0_NS, "with metadata", (("k", "v"),)),
        LogEntry(T0_NS, ""),
        LogEntry(0, "in 1970"),
        LogEntry(-1, "before"),
        LogEntry(T0_NS, "looks like \x12\x20\x0a\x06\x08 an entry"),
    ],
)
def test_anything_else_is_left_to_the_caller(odd: LogEntry) -> None:
    """One entry of another layout, or a line that looks like one, and nothing is believed; the decoder then reads one by one."""
    entries = [*some(), odd, *some(5)]
    assert read(entries) is None
    whole = encode_push_request([('{a="b"}', entries)])
    ((labels, found),) = decode_push_request(whole)
    assert (labels, list(found)) == ((("a", "b"),), entries)


def test_small_streams_are_left_to_the_caller() -> None:
    """Setting up would cost more than it saves."""
    data = entries_of([("{}", some(2))], "{}")
    assert len(data) < MIN_BYTES
    assert read_entries(data, 0, len(data)) is None


def test_damaged_bytes_give_the_same_as_one_by_one_or_nothing() -> None:
    """Whatever byte is changed: what is read at once is what the careful reader reads."""
    rng = random.Random(4)
    data = encode_push_request([('{a="b"}', some(60))])
    start = data.index(b'{a="b"}') + 7
    believed = 0
    for _ in range(3000):
        damaged = bytearray(data)
        damaged[rng.randrange(start, len(data))] = rng.randrange(256)
        found = read_entries(bytes(damaged), start, len(damaged))
        if found is not None:
            believed += 1
            assert one_by_one(bytes(damaged), start) == list(found)
    assert believed > 1000


def one_by_one(data: bytes, start: int) -> list[LogEntry]:
    """Read through the decoder in pieces too small for reading at once."""
    found: list[LogEntry] = []
    at = start
    while at < len(data):
        size, body = data[at + 1], at + 2
        if size >= 0x80:
            size, body = size & 0x7F | data[at + 2] << 7, at + 3
        stream = data[at : body + size]
        assert len(stream) < MIN_BYTES
        head = bytes([0x0A]) + varint(len(stream))
        (_, entries), *_ = decode_push_request(head + stream)
        found += entries
        at = body + size
    return found


def varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7])
