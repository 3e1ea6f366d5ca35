"""Frames of remote read: the checksum against its plain form, frames against their limit, damage against its error."""

import random

import pytest

from spyglass.formats.chunked_read import decode_frames, encode_frames
from spyglass.formats.crc32c import crc32c
from spyglass.formats.prometheus_chunks import XOR, EncodedChunk
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import labels_of

LABELS = labels_of({"__name__": "m", "job": "é"})
CHUNKS = [EncodedChunk(at * 100, at * 100 + 99, XOR, bytes([at]) * 50) for at in range(10)]


def plain_crc(data: bytes) -> int:
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F6_3B78 if crc & 1 else 0)
    return crc ^ 0xFFFF_FFFF


def test_the_checksum_is_castagnolis() -> None:
    """RFC 3720's vectors, and every length around a block's end."""
    assert crc32c(b"\0" * 32) == 0x8A91_36AA
    assert crc32c(b"\xff" * 32) == 0x62A8_AB43
    data = random.Random(1).randbytes(3000)
    for size in [*range(12), *range(1020, 1032), 2048, 2049, 3000]:
        assert crc32c(data[:size]) == plain_crc(data[:size])


def test_a_series_comes_back() -> None:
    """One frame where the limit allows it; labels, chunks and the query's index are those that went in."""
    [series] = decode_frames(b"".join(encode_frames(LABELS, CHUNKS, query_index=3, frame_bytes_max=1 << 20)))
    assert (series.labels, list(series.chunks), series.query_index) == (LABELS, CHUNKS, 3)


def test_frames_end_with_the_chunk_that_reaches_the_limit() -> None:
    """A chunk is never cut, so a frame passes its limit by less than one; every frame repeats the labels."""
    frames = list(encode_frames(LABELS, CHUNKS, query_index=0, frame_bytes_max=180))
    series = decode_frames(b"".join(frames))
    assert len(frames) == len(series) == 4
    assert {one.labels for one in series} == {LABELS}
    assert [chunk for one in series for chunk in one.chunks] == CHUNKS
    assert len(list(encode_frames(LABELS, CHUNKS, query_index=0, frame_bytes_max=1))) == len(CHUNKS)


def test_a_damaged_answer_says_so() -> None:
    """A flipped bit fails the checksum; a cut ends within a frame."""
    [frame] = encode_frames(LABELS, CHUNKS, query_index=0, frame_bytes_max=1 << 20)
    with pytest.raises(MalformedBody, match="fails its checksum"):
        decode_frames(frame[:-1] + bytes([frame[-1] ^ 1]))
    with pytest.raises(MalformedBody, match="ends within a frame"):
        decode_frames(frame[:-1])
