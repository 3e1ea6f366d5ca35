"""Sizes, addresses, numbers and the hash."""

import pytest

from spyglass.text.bytesize import format_bytes, parse_bytes
from spyglass.text.gonumbers import parse_go_float
from spyglass.text.ip import line_matcher
from spyglass.text.xxhash64 import xxhash64


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("7", 7),
        ("10KB", 10_000),
        ("10KiB", 10_240),
        ("1.5GiB", 1_610_612_736),
        ("4 MB", 4_000_000),
        ("1,024b", 1024),
        ("2k", 2000),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    """Decimal and binary units, any case."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "bad", "1XB", "KB", "-1KB"])
def test_bad_sizes_are_refused(text: str) -> None:
    """What is no number with a known unit is an error."""
    with pytest.raises(ValueError, match="."):
        parse_bytes(text)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1536, 20_000_000, 3 * 10**15])
def test_sizes_print_back(size: int) -> None:
    """The printed size reads as the same number."""
    assert parse_bytes(format_bytes(size)) == size


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        ("192.168.4.5", "from 192.168.4.5 to", True),
        ("192.168.4.5", "from 192.168.4.55 to", False),
        ("192.168.0.0/16", "x=192.168.9.1,", True),
        ("192.168.4.5-192.168.4.20", "[192.168.4.12]", True),
        ("192.168.4.5-192.168.4.20", "[192.168.4.21]", False),
        ("2001:db8::/32", "peer 2001:db8::5 up", True),
        ("::1", "on ::1 now", True),
        ("10.0.0.1", "version 10.0.0.1.7", False),
        ("10.0.0.1", "no address", False),
    ],
)
def test_addresses_in_lines(pattern: str, line: str, expected: bool) -> None:
    """One address, a prefix, or a range, anywhere in the line."""
    assert line_matcher(pattern)(line) is expected


@pytest.mark.parametrize("pattern", ["300.1.2.3", "1.2.3.4/40", "a-b", "1.2.3.9-1.2.3.1", ""])
def test_bad_address_sets(pattern: str) -> None:
    """Refused with upstream's text."""
    with pytest.raises(ValueError, match="ip: invalid pattern"):
        line_matcher(pattern)


@pytest.mark.parametrize(
    ("text", "value"), [("1e2", 100.0), ("+7", 7.0), ("-.5", -0.5), ("0x1p-2", 0.25), ("inf", float("inf"))]
)
def test_go_floats(text: str, value: float) -> None:
    """strconv.ParseFloat's forms."""
    assert parse_go_float(text) == value


@pytest.mark.parametrize("text", ["", " 1", "1_000", "bad", "1e999", "0x10"])
def test_bad_go_floats(text: str) -> None:
    """Python would take some of these; Go does not."""
    with pytest.raises(ValueError, match=r"strconv\.ParseFloat"):
        parse_go_float(text)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_xxhash64(data: bytes, value: int) -> None:
    """The published test values."""
    assert xxhash64(data) == value
