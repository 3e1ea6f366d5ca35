"""Go time layouts: reads, refuses, writes back."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spyglass.text.golayout import GoTime, LayoutError, format_layout, in_zone, parse_layout, parse_time

SECOND = 1_000_000_000
MORNING = 1772445600  # 2026-03-02T10:00:00Z


@pytest.mark.parametrize(
    ("layout", "text", "seconds"),
    [
        ("RFC3339", "2026-03-02T10:00:00Z", MORNING),
        ("RFC3339", "2026-03-02T11:00:00+01:00", MORNING),
        ("RFC3339", "2026-03-02T10:00:00.5Z", MORNING + 0.5),
        ("RFC3339Nano", "2026-03-02T10:00:00.25Z", MORNING + 0.25),
        ("RFC3339Nano", "2026-03-02T10:00:00Z", MORNING),
        ("ANSIC", "Mon Mar  2 10:00:00 2026", MORNING),
        ("UnixDate", "Mon Mar  2 10:00:00 UTC 2026", MORNING),
        ("RubyDate", "Mon Mar 02 10:00:00 +0000 2026", MORNING),
        ("RFC850", "Monday, 02-Mar-26 10:00:00 GMT", MORNING),
        ("RFC1123Z", "Mon, 02 Mar 2026 09:00:00 -0100", MORNING),
        ("02/Jan/2006:15:04:05 -0700", "02/Mar/2026:10:00:00 +0100", MORNING - 3600),
        ("2006-01-02 15:04:05,000", "2026-03-02 10:00:00,125", MORNING + 0.125),
        ("2006-01-02 15:04:05.000", "2026-03-02 10:00:00.125", MORNING + 0.125),
        ("2006/1/2 3:04:05 PM", "2026/3/2 10:00:00 AM", MORNING),
        ("Jan _2 2006 15:04:05", "mar  2 2026 10:00:00", MORNING),
        ("2006 002 15:04", "2026 061 10:00", MORNING),
        ("2006-01-02T15:04:05-0700", "2026-03-02T10:00:00+0000", MORNING),
        ("Unix", "1772445600.5", MORNING + 0.5),
        ("UnixMs", "1772445600500", MORNING + 0.5),
        ("UnixUs", "1772445600500000", MORNING + 0.5),
        ("UnixNs", "1772445600500000000", MORNING + 0.5),
    ],
)
def test_reads(layout: str, text: str, seconds: float) -> None:
    """Every element of a layout, the named layouts, and counts since 1970."""
    assert parse_time(layout, text).unix_ns == int(seconds * 1000) * 1_000_000


@pytest.mark.parametrize(
    ("layout", "text", "message"),
    [
        ("RFC3339", "yesterday", 'cannot parse "yesterday" as "2006"'),
        ("RFC3339", "2026-03-02T10:00:00", 'cannot parse "" as "Z07:00"'),
        ("DateOnly", "2026-03-02x", 'extra text: "x"'),
        ("DateOnly", "2026-02-30", "day out of range"),
        ("DateOnly", "2026-13-01", "month out of range"),
        ("TimeOnly", "24:00:00", "hour out of range"),
        ("2006-01-02 15:04:05.000", "2026-03-02 10:00:00.12", 'as ".000"'),
        ("UnixMs", "12.5", "invalid syntax"),
        ("Unix", "soon", "invalid syntax"),
    ],
)
def test_refuses(layout: str, text: str, message: str) -> None:
    """The message is Go's and says which element did not fit."""
    with pytest.raises(LayoutError, match=message.replace("(", r"\(")):
        parse_time(layout, text)


def test_a_location_holds_for_texts_without_zone() -> None:
    """Summer time is the location's."""
    rome = ZoneInfo("Europe/Rome")
    assert parse_layout("DateTime", "2026-07-01 12:00:00", location=rome).unix_ns // SECOND == 1782900000
    assert parse_layout("DateTime", "2026-03-02 11:00:00", location=rome).unix_ns // SECOND == MORNING


def test_a_layout_without_year_gives_year_zero() -> None:
    """As in Go; the caller decides which year is meant."""
    assert parse_layout("Stamp", "Mar  2 10:00:00").year == 0
    assert format_layout("2006-01-02", parse_layout("Stamp", "Feb 29 10:00:00")) == "0000-02-29"


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("RFC3339", "2026-03-02T10:00:00Z"),
        ("RFC3339Nano", "2026-03-02T10:00:00.0050625Z"),
        ("ANSIC", "Mon Mar  2 10:00:00 2026"),
        ("Kitchen", "10:00AM"),
        ("StampMilli", "Mar  2 10:00:00.005"),
        ("RFC1123Z", "Mon, 02 Mar 2026 10:00:00 +0000"),
        ("Monday, January 2, 2006 at 3pm", "Monday, March 2, 2026 at 10am"),
        ("06 002 __2", "26 061  61"),
        ("Z07 -07:00:00", "Z +00:00:00"),
    ],
)
def test_writes(layout: str, text: str) -> None:
    """Formats are written as Go writes them."""
    assert format_layout(layout, GoTime(MORNING * SECOND + 5_062_500)) == text


def test_writes_in_a_zone() -> None:
    """The same instant on another clock."""
    time = in_zone(GoTime(MORNING * SECOND), ZoneInfo("America/New_York"))
    assert format_layout("UnixDate", time) == "Mon Mar  2 05:00:00 EST 2026"


@given(st.integers(min_value=-62_000_000_000 * SECOND, max_value=250_000_000_000 * SECOND))
def test_what_is_written_reads_back(ns: int) -> None:
    """RFC3339Nano loses nothing between the years 5 and 9892."""
    assert parse_layout("RFC3339Nano", format_layout("RFC3339Nano", GoTime(ns))).unix_ns == ns
