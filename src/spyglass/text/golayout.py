"""Go's time layouts: a layout shows how the reference time `Mon Jan 2 15:04:05 MST 2006` would be written.

A layout is compiled once into elements; elements that parse alike are one regular expression, so that a line costs one match.
Python's datetime is not used: it has no nanoseconds and no year 0, which is what Go answers where the layout has no year.
Source: the documentation of Go's package time (Layout constants, Parse, ParseInLocation, Time.Format).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

NAMED = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
    "Kitchen": "3:04PM",
    "Stamp": "Jan _2 15:04:05",
    "StampMilli": "Jan _2 15:04:05.000",
    "StampMicro": "Jan _2 15:04:05.000000",
    "StampNano": "Jan _2 15:04:05.000000000",
    "DateTime": "2006-01-02 15:04:05",
    "DateOnly": "2006-01-02",
    "TimeOnly": "15:04:05",
}
"""Names that stand for layouts in configuration files."""

UNIX_UNITS_NS = {"Unix": 1_000_000_000, "UnixMs": 1_000_000, "UnixUs": 1_000, "UnixNs": 1}
"""Names for counts since 1970 UTC. `Unix` alone may have a fraction."""

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

# Longest first where one is the beginning of another; `[.,]0+` and `[.,]9+` need that no digit follows.
_ELEMENT = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|002|01|02|03|04|05|06|__2|_2(?!006)|15"
    r"|Z070000|Z07:00:00|Z0700|Z07:00|Z07|-070000|-07:00:00|-0700|-07:00|-07|PM|pm"
    r"|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)

_ZONE_NAME = r"ChST|MeST|UTC|GMT(?:[+-]\d{1,2}+)?|WITA|[A-Z]{3,4}T|[A-Z]{3}|[+-]\d\d(?:\d\d)?"

_PATTERNS = {
    "2006": r"(?P<year>\d{4})",
    "06": r"(?P<short_year>\d\d)",
    "January": rf"(?P<month_name>{'|'.join(MONTHS)})",
    "Jan": rf"(?P<month_short>{'|'.join(m[:3] for m in MONTHS)})",
    "01": r"(?P<month>\d\d)",
    "1": r"(?P<month>\d\d?+)",
    "Monday": rf"(?:{'|'.join(DAYS)})",
    "Mon": rf"(?:{'|'.join(d[:3] for d in DAYS)})",
    "2": r"(?P<day>\d\d?+)",
    "_2": r"\ ?(?P<day>\d\d?+)",
    "02": r"(?P<day>\d\d)",
    "__2": r"\ ?\ ?(?P<year_day>\d{1,3}+)",
    "002": r"(?P<year_day>\d{3})",
    "15": r"(?P<hour>\d\d?+)",
    "3": r"(?P<hour12>\d\d?+)",
    "03": r"(?P<hour12>\d\d)",
    "4": r"(?P<minute>\d\d?+)",
    "04": r"(?P<minute>\d\d)",
    "PM": r"(?P<half>[AP]M)",
    "pm": r"(?P<half>[ap]m)",
    "MST": rf"(?P<zone>{_ZONE_NAME})",
    "Z07": r"(?P<offset>Z|[+-]\d\d)",
    "Z0700": r"(?P<offset>Z|[+-]\d\d\d\d)",
    "Z07:00": r"(?P<offset>Z|[+-]\d\d:\d\d)",
    "Z070000": r"(?P<offset>Z|[+-]\d{6})",
    "Z07:00:00": r"(?P<offset>Z|[+-]\d\d:\d\d:\d\d)",
    "-07": r"(?P<offset>[+-]\d\d)",
    "-0700": r"(?P<offset>[+-]\d\d\d\d)",
    "-07:00": r"(?P<offset>[+-]\d\d:\d\d)",
    "-070000": r"(?P<offset>[+-]\d{6})",
    "-07:00:00": r"(?P<offset>[+-]\d\d:\d\d:\d\d)",
}
_ANY_CASE = frozenset(["January", "Jan", "Monday", "Mon"])
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)


class LayoutError(ValueError):
    """The text does not follow the layout, or says an impossible date; the message is Go's."""


@dataclass(frozen=True, slots=True)
class GoTime:
    """An instant with the zone that it was written in.

    unix_ns: since 1970 UTC; far negative where the layout has no year (Go's year 0).  offset_s: east of UTC.  year: as written.
    """

    unix_ns: int
    offset_s: int = 0
    zone: str = "UTC"
    year: int = 1970


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled layout. elements: (is_element, text) in order."""

    text: str
    elements: tuple[tuple[bool, str], ...]
    pattern: re.Pattern[str]


@lru_cache(maxsize=512)
def compile_layout(layout: str) -> Layout:
    """Compile a layout or one of the NAMED ones. Every text is a layout; what is not an element stands for itself."""
    text = NAMED.get(layout, layout)
    elements: list[tuple[bool, str]] = []
    at = 0
    for match in _ELEMENT.finditer(text):
        if match.start() > at:
            elements.append((False, text[at : match.start()]))
        elements.append((True, match.group()))
        at = match.end()
    if at < len(text):
        elements.append((False, text[at:]))
    return Layout(text, tuple(elements), re.compile("".join(_patterns(elements)), re.ASCII))


def _patterns(elements: list[tuple[bool, str]]) -> list[str]:
    """One regular expression per element. A name that occurs twice loses its group: the first one counts here, Go's last."""
    used: set[str] = set()
    found: list[str] = []
    for index, (is_element, text) in enumerate(elements):
        follower = elements[index + 1] if index + 1 < len(elements) else (False, "")
        pattern = _element_pattern(text, follower) if is_element else _literal_pattern(text)
        found.append(re.sub(r"\?P<(\w+)>", lambda m: _group(m, used), pattern))
    return found


def _group(match: re.Match[str], used: set[str]) -> str:
    name = match.group(1)
    if name in used:
        return "?:"
    used.add(name)
    return match.group()


def _element_pattern(text: str, follower: tuple[bool, str]) -> str:
    if text in ("05", "5"):
        seconds = r"(?P<second>\d\d)" if text == "05" else r"(?P<second>\d\d?+)"
        # A fraction may follow the seconds even where the layout has none.
        wants = follower[0] and follower[1][0] in ".,"
        return seconds if wants else seconds + r"(?:[.,](?P<fraction>\d++))?"
    if text[0] in ".,":
        return rf"[.,](?P<fraction>\d{{{len(text) - 1}}})" if text[1] == "0" else r"(?:[.,](?P<fraction>\d++))?"
    return f"(?i:{_PATTERNS[text]})" if text in _ANY_CASE else _PATTERNS[text]


def _literal_pattern(text: str) -> str:
    """A run of spaces stands for one or more, and for none at the end of the text."""
    return re.sub(r"(?:\\ )+", r"(?:\\ ++|\\Z)", re.escape(text))


def parse_layout(layout: str, text: str, *, location: tzinfo | None = None) -> GoTime:
    """Read a time. `location` is that of texts without a zone (default UTC), and knows its own abbreviations.

    Raises: LayoutError with Go's message.

    >>> parse_layout("02/Jan/2006:15:04:05 -0700", "02/Mar/2026:10:00:00 +0100").unix_ns
    1772442000000000000
    """
    compiled = compile_layout(layout)
    match = compiled.pattern.fullmatch(text)
    if match is None:
        raise LayoutError(_problem(compiled, text))
    return _assemble(compiled, text, match.groupdict(), location)


def parse_time(name: str, text: str, *, location: tzinfo | None = None) -> GoTime:
    """Read a time whose format is a layout, the name of one, or one of Unix, UnixMs, UnixUs, UnixNs. Raises LayoutError."""
    unit = UNIX_UNITS_NS.get(name)
    if unit is None:
        return parse_layout(name, text, location=location)
    return _from_ns(parse_unix(text, unit))


def parse_unix(text: str, unit_ns: int) -> int:
    """Nanoseconds of a count; seconds (`unit_ns` 1e9) may have a fraction.

    >>> parse_unix("1772445600.25", 1_000_000_000)
    1772445600250000000
    """
    whole, point, fraction = text.partition(".")
    if point and unit_ns != 1_000_000_000:
        raise LayoutError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    if not whole.lstrip("+-").isdecimal() or (point and not fraction.isdecimal()):
        raise LayoutError(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    parts = int((fraction + "0" * 9)[:9]) if point else 0
    return int(whole) * unit_ns + (-parts if whole.startswith("-") else parts)


def _from_ns(ns: int) -> GoTime:
    return GoTime(ns, 0, "UTC", _civil_of_days(ns // 86_400_000_000_000)[0])


def _assemble(layout: Layout, text: str, found: dict[str, str | None], location: tzinfo | None) -> GoTime:
    year = _year(found)
    month, day = _month_day(layout, text, found, year)
    hour = _hour(layout, text, found)
    minute, second = int(found.get("minute") or 0), int(found.get("second") or 0)
    if minute > 59 or second > 59:
        raise _out_of_range(layout, text, "minute" if minute > 59 else "second")
    fraction = found.get("fraction") or ""
    local_s = ((days_of_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    offset, zone = _zone(found, local_s, location)
    return GoTime((local_s - offset) * 1_000_000_000 + int((fraction + "0" * 9)[:9]), offset, zone, year)


def _year(found: dict[str, str | None]) -> int:
    if (year := found.get("year")) is not None:
        return int(year)
    if (short := found.get("short_year")) is not None:
        return int(short) + (1900 if int(short) >= 69 else 2000)
    return 0


def _month_day(layout: Layout, text: str, found: dict[str, str | None], year: int) -> tuple[int, int]:
    if (ordinal := found.get("year_day")) is not None:
        if not 1 <= int(ordinal) <= 365 + _is_leap(year):
            raise _out_of_range(layout, text, "day-of-year")
        _, month, day = _civil_of_days(days_of_civil(year, 1, 1) + int(ordinal) - 1)
        return month, day
    name = found.get("month_name") or found.get("month_short")
    month = _MONTH_NUMBERS[name[:3].lower()] if name else int(found.get("month") or 1)
    if not 1 <= month <= 12:
        raise _out_of_range(layout, text, "month")
    day = int(found.get("day") or 1)
    if not 1 <= day <= _days_in(month, year):
        raise _out_of_range(layout, text, "day")
    return month, day


def _hour(layout: Layout, text: str, found: dict[str, str | None]) -> int:
    twelve = found.get("hour12")
    hour = int(twelve or found.get("hour") or 0)
    if hour > (12 if twelve else 23):
        raise _out_of_range(layout, text, "hour")
    half = (found.get("half") or "").upper()
    if half == "PM" and hour < 12:
        return hour + 12
    return 0 if half == "AM" and hour == 12 else hour


def _zone(found: dict[str, str | None], local_s: int, location: tzinfo | None) -> tuple[int, str]:
    """Seconds east of UTC, and the zone's name. An abbreviation that the location does not know counts as UTC, as in Go."""
    written = found.get("offset")
    if written is not None:
        if written == "Z":
            return 0, "UTC"
        digits = written[1:].replace(":", "").ljust(6, "0")
        seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:6])
        return (-seconds if written[0] == "-" else seconds), found.get("zone") or ""
    zone = found.get("zone")
    if zone in ("UTC", "GMT") and location is None:
        return 0, zone
    if zone is not None and zone.startswith("GMT") and len(zone) > 3:
        return int(zone[3:]) * 3600, zone
    if location is None or zone == "UTC":
        return 0, zone or "UTC"
    return _local_offset(local_s, location, zone)


def _local_offset(local_s: int, location: tzinfo, zone: str | None) -> tuple[int, str]:
    try:
        local = (datetime(1970, 1, 1) + timedelta(seconds=local_s)).replace(tzinfo=location)
    except OverflowError:
        # Year 0: Python has none; the zone's rule of a year of the same length serves.
        local = (datetime(1970, 1, 1) + timedelta(seconds=local_s + 146_097 * 5 * 86_400)).replace(tzinfo=location)
    for candidate in (local, local.replace(fold=1)):
        if zone is None or candidate.tzname() == zone:
            offset = candidate.utcoffset() or timedelta()
            return int(offset.total_seconds()), candidate.tzname() or ""
    return 0, zone or ""


def _problem(layout: Layout, text: str) -> str:
    """Go's message: walks the elements one by one to the first that does not fit."""
    at = 0
    head = f'parsing time "{text}" as "{layout.text}"'
    for index, (is_element, part) in enumerate(layout.elements):
        follower = layout.elements[index + 1] if index + 1 < len(layout.elements) else (False, "")
        pattern = _element_pattern(part, follower) if is_element else _literal_pattern(part)
        match = re.compile(pattern, re.ASCII).match(text, at)
        if match is None:
            return f'{head}: cannot parse "{text[at:]}" as "{part}"'
        at = match.end()
    return f'parsing time "{text}": extra text: "{text[at:]}"'


def _out_of_range(layout: Layout, text: str, what: str) -> LayoutError:
    assert layout.elements or not text, "an empty layout reads the empty text only"
    return LayoutError(f'parsing time "{text}": {what} out of range')


# --- writing ------------------------------------------------------------------------------------------------------------


def format_layout(layout: str, time: GoTime) -> str:
    """Write a time by a layout or one of the NAMED ones.

    >>> format_layout("RFC3339Nano", GoTime(1772445600123456000))
    '2026-03-02T10:00:00.123456Z'
    """
    seconds, nanos = divmod(time.unix_ns, 1_000_000_000)
    days, second_of_day = divmod(seconds + time.offset_s, 86_400)
    year, month, day = _civil_of_days(days)
    fields = _Fields(year, month, day, days, second_of_day, nanos, time.offset_s, time.zone)
    return "".join(_write(part, fields) if is_element else part for is_element, part in compile_layout(layout).elements)


@dataclass(frozen=True, slots=True)
class _Fields:
    year: int
    month: int
    day: int
    days: int
    second_of_day: int
    nanos: int
    offset_s: int
    zone: str

    @property
    def hour(self) -> int:
        return self.second_of_day // 3600

    @property
    def hour12(self) -> int:
        return (self.hour + 11) % 12 + 1

    @property
    def year_day(self) -> int:
        return self.days - days_of_civil(self.year, 1, 1) + 1


def _write(part: str, at: _Fields) -> str:
    if part in _WRITERS:
        return _WRITERS[part](at)
    if part[0] in ".,":
        digits = f"{at.nanos:09d}"[: len(part) - 1].ljust(len(part) - 1, "0")
        if part[1] == "0":
            return part[0] + digits
        digits = digits.rstrip("0")
        return part[0] + digits if digits else ""
    return _write_offset(part, at.offset_s)


def _write_offset(part: str, offset_s: int) -> str:
    if part[0] == "Z" and offset_s == 0:
        return "Z"
    sign, rest = ("-", -offset_s) if offset_s < 0 else ("+", offset_s)
    pieces = [f"{rest // 3600:02d}", f"{rest // 60 % 60:02d}", f"{rest % 60:02d}"]
    count = len(part[1:].replace(":", "")) // 2
    return sign + (":" if ":" in part else "").join(pieces[:count])


def _zone_name(at: _Fields) -> str:
    return at.zone or _write_offset("-0700" if at.offset_s % 3600 else "-07", at.offset_s)


_WRITERS = {
    "2006": lambda at: f"{at.year:04d}",
    "06": lambda at: f"{at.year % 100:02d}",
    "January": lambda at: MONTHS[at.month - 1],
    "Jan": lambda at: MONTHS[at.month - 1][:3],
    "01": lambda at: f"{at.month:02d}",
    "1": lambda at: str(at.month),
    "Monday": lambda at: DAYS[(at.days + 4) % 7],
    "Mon": lambda at: DAYS[(at.days + 4) % 7][:3],
    "2": lambda at: str(at.day),
    "_2": lambda at: f"{at.day:2d}",
    "02": lambda at: f"{at.day:02d}",
    "__2": lambda at: f"{at.year_day:3d}",
    "002": lambda at: f"{at.year_day:03d}",
    "15": lambda at: f"{at.hour:02d}",
    "3": lambda at: str(at.hour12),
    "03": lambda at: f"{at.hour12:02d}",
    "4": lambda at: str(at.second_of_day // 60 % 60),
    "04": lambda at: f"{at.second_of_day // 60 % 60:02d}",
    "5": lambda at: str(at.second_of_day % 60),
    "05": lambda at: f"{at.second_of_day % 60:02d}",
    "PM": lambda at: "PM" if at.hour >= 12 else "AM",
    "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "MST": _zone_name,
}


def in_zone(time: GoTime, zone: tzinfo) -> GoTime:
    """The same instant as that zone's clocks show it."""
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time.unix_ns // 1_000_000_000)).astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return GoTime(time.unix_ns, int(offset.total_seconds()), local.tzname() or "", local.year)


# --- the calendar -------------------------------------------------------------------------------------------------------

_MONTH_NUMBERS = {name[:3].lower(): index + 1 for index, name in enumerate(MONTHS)}


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(month: int, year: int) -> int:
    return 29 if month == 2 and _is_leap(year) else _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1]


def days_of_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar, year 0 included.

    >>> days_of_civil(1970, 1, 2), days_of_civil(0, 3, 1)
    (1, -719468)
    """
    past = year - 1
    leaps = past // 4 - past // 100 + past // 400
    in_year = _DAYS_BEFORE[month - 1] + (1 if month > 2 and _is_leap(year) else 0) + day - 1
    return past * 365 + leaps + in_year - 719_162


def _civil_of_days(days: int) -> tuple[int, int, int]:
    """The inverse of days_of_civil."""
    # 400 years are 146,097 days; the estimate is off by one year at most.
    year = (days + 719_162) * 400 // 146_097 + 1
    while days < days_of_civil(year, 1, 1):
        year -= 1
    while days >= days_of_civil(year + 1, 1, 1):
        year += 1
    rest = days - days_of_civil(year, 1, 1)
    month = 1
    while rest >= _days_in(month, year):
        rest -= _days_in(month, year)
        month += 1
    return year, month, rest + 1
