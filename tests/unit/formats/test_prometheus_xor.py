"""XOR chunks: what a plain encoder writes is read back, and rubbish raises the one error."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.formats.prometheus_xor import XorError, decode_xor_chunk

_WIDTHS = ((14, "10"), (17, "110"), (20, "1110"))


def encode(samples: list[tuple[int, float]]) -> bytes:
    """The format in strings of 0 and 1; obvious, slow."""
    out = f"{len(samples):016b}"
    time = delta = 0
    bits, window = 0, (0, 0)
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


def _value(changed: int, window: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    if changed == 0:
        return "0", window
    leading = min(64 - changed.bit_length(), 31)
    trailing = (changed & -changed).bit_length() - 1
    if window != (0, 0) and leading >= window[0] and trailing >= window[1]:
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
