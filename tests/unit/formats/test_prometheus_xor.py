"""XOR chunks: what a plain encoder writes is read back, and rubbish raises the one error."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.prometheus_xor import XorError, decode_xor_chunk
from spyglass.formats.prometheus_xor_write import encode_xor_chunks

_WIDTHS = ((14, "10"), (17, "110"), (20, "1110"))


def encode(samples: list[tuple[int, float]]) -> bytes:
    """The format in strings of 0 and 1; obvious, slow."""
    out = f"{len(samples):016b}"
    time = delta = 0
    bits = 0
    window: tuple[int, int] | None = None
    for at, (new_time, value) in enumerate(samples):
        new_bits = struct.unpack(">Q", struct.pack(">d", value))[0]
        if at == 0:
            out += _uvarint(new_time << 1 if new_time >= 0 else (-new_time << 1) - 1) + f"{new_bits:064b}"
        else:
            out += _uvarint(new_time - time) if at == 1 else _delta(new_time - time - delta)
            delta = new_time - time
            text, window = _value(bits ^ new_bits, window)
            out += text
        time, bits = new_time, new_bits
    out += "0" * (-len(out) % 8)
    return int(out, 2).to_bytes(len(out) // 8)


def _uvarint(value: int) -> str:
    out = ""
    while value >= 128:
        out += f"{value & 127 | 128:08b}"
        value >>= 7
    return out + f"{value:08b}"


def _delta(value: int) -> str:
    if value == 0:
        return "0"
    for width, prefix in _WIDTHS:
        if -(1 << (width - 1)) + 1 <= value <= 1 << (width - 1):
            return prefix + f"{value & (1 << width) - 1:0{width}b}"
    return "1111" + f"{value & (1 << 64) - 1:064b}"


def _value(changed: int, window: tuple[int, int] | None) -> tuple[str, tuple[int, int] | None]:
    if changed == 0:
        return "0", window
    leading = min(64 - changed.bit_length(), 31)
    trailing = (changed & -changed).bit_length() - 1
    if window is not None and leading >= window[0] and trailing >= window[1]:
        width = 64 - window[0] - window[1]
        return "10" + f"{changed >> window[1]:0{width}b}", window
    width = 64 - leading - trailing
    return "11" + f"{leading:05b}{width % 64:06b}{changed >> trailing:0{width}b}", (leading, trailing)


@given(
    st.integers(-(2**40), 2**40),
    st.lists(st.tuples(st.integers(0, 2**24), st.floats(allow_nan=False, width=64)), min_size=1, max_size=40),
)
def test_chunks_are_read_as_they_were_written(start: int, steps: list[tuple[int, float]]) -> None:
    """Any times that do not go back, any values."""
    samples, time = [], start
    for step, value in steps:
        time += step
        samples.append((time, value))
    times, values = decode_xor_chunk(encode(samples))
    assert times.tolist() == [t for t, _ in samples]
    assert np.array_equal(values.view(np.uint64), np.asarray([v for _, v in samples]).view(np.uint64))


SERIES = st.tuples(
    st.integers(-(2**62), 2**61),
    st.lists(
        st.tuples(st.sampled_from([0, 1, 15_000, 15_001, 2**20, 2**50]), st.floats(width=64)), min_size=1, max_size=30
    ),
)


@given(st.lists(SERIES, max_size=6))
def test_chunks_are_written_as_by_the_plain_encoder(series: list[tuple[int, list[tuple[int, float]]]]) -> None:
    """Bit for bit, many chunks of different lengths at once."""
    chunks = []
    for start, steps in series:
        times = start + np.cumsum([0, *(step for step, _ in steps[1:])])
        chunks.append([(time, value) for time, (_, value) in zip(times.tolist(), steps, strict=True)])
    samples = [sample for chunk in chunks for sample in chunk]
    offsets = np.concatenate([[0], np.cumsum([len(chunk) for chunk in chunks], dtype=np.int64)])
    times = np.asarray([t for t, _ in samples], np.int64)
    written = encode_xor_chunks(times, np.asarray([v for _, v in samples], np.float64), offsets)
    assert written == [encode(chunk) for chunk in chunks]


@given(st.binary(max_size=200))
def test_rubbish_raises_the_one_error(data: bytes) -> None:
    """Whatever the bytes, there are samples or an XorError."""
    try:
        times, values = decode_xor_chunk(data)
    except XorError:
        return
    assert len(times) == len(values)


def test_a_chunk_that_ends_early_says_so() -> None:
    """A count that the bits do not cover is an error."""
    with pytest.raises(XorError, match="ends before its 3 samples"):
        decode_xor_chunk(encode([(1, 1.0), (2, 2.5), (3, 9.0)])[:-3])
