"""Go's time.Time as a template value, and the template functions on it. Layouts are text/golayout.py's."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from spyglass.text.golayout import GoTime, LayoutError, format_layout, parse_layout

NS = 10**9


@dataclass(frozen=True, slots=True)
class TemplateTime:
    """A time in a template: prints as Go prints it, and offers the methods that take no argument."""

    time: GoTime

    @property
    def ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return self.time.unix_ns

    @staticmethod
    def at(ns: int) -> "TemplateTime":
        return TemplateTime(GoTime(ns, year=datetime.fromtimestamp(ns // NS, UTC).year))

    def __str__(self) -> str:
        return format_layout("2006-01-02 15:04:05.999999999 -0700 MST", self.time)

    def template_field(self, name: str) -> Any:
        """A method's value by its name. Raises: ValueError where there is none."""
        if name in _LAYOUTS:
            text = format_layout(_LAYOUTS[name], self.time)
            return int(text) if text.isdigit() else text
        if name in _SCALES:
            return self.ns // _SCALES[name]
        if name == "Nanosecond":
            return self.ns % NS
        if name == "String":
            return str(self)
        if name == "UTC":
            return TemplateTime.at(self.ns)
        raise ValueError(f"can't evaluate field {name} in type time.Time")


_LAYOUTS = {
    "Second": "05", "Minute": "04", "Hour": "15", "Day": "02", "Year": "2006", "Month": "January", "Weekday": "Monday",
    "YearDay": "002",
}  # fmt: skip
_SCALES = {"Unix": NS, "UnixMilli": 1_000_000, "UnixMicro": 1_000, "UnixNano": 1}


def zone_of(name: str) -> tzinfo:
    """A zone by name; UTC where the name is not known, as Loki."""
    if name in ("", "UTC", "Local"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _date(layout: str, when: Any) -> str:
    if isinstance(when, TemplateTime):
        return format_layout(layout, when.time)
    seconds = when if isinstance(when, int) and not isinstance(when, bool) else time.time_ns() // NS
    return format_layout(layout, TemplateTime.at(seconds * NS).time)


def _to_date(layout: str, text: str) -> TemplateTime:
    return _to_date_in_zone(layout, "UTC", text)


def _to_date_in_zone(layout: str, zone: str, text: str) -> TemplateTime:
    """The zero time where the text does not fit the layout, as Go's MustParse-less callers get it."""
    try:
        return TemplateTime(parse_layout(layout, text, location=zone_of(zone)))
    except LayoutError:
        return TemplateTime(GoTime(ZERO_NS, year=1))


ZERO_NS = -62_135_596_800 * NS
"""Go's zero time: January 1 of the year 1."""


def _strict(when: Any) -> TemplateTime:
    if not isinstance(when, TemplateTime):
        raise ValueError("wrong type for value; expected time.Time")
    return when


_EPOCH_SCALES = {5: 86_400 * NS, 10: NS, 13: 1_000_000, 16: 1_000, 19: 1}


def _unix_to_time(text: str) -> TemplateTime:
    """The digits' number tells the unit: 5 days, 10 seconds, 13 ms, 16 µs, 19 ns."""
    scale = _EPOCH_SCALES.get(len(text))
    if scale is None:
        raise ValueError(f"unable to parse time '{text}': invalid length")
    return TemplateTime.at(int(text) * scale)


TIME_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "now": lambda: TemplateTime.at(time.time_ns()),
    "date": _date,
    "toDate": _to_date,
    "toDateInZone": _to_date_in_zone,
    "unixToTime": _unix_to_time,
    "unixEpoch": lambda when: str(_strict(when).ns // NS),
    "unixEpochMillis": lambda when: str(_strict(when).ns // 1_000_000),
    "unixEpochNanos": lambda when: str(_strict(when).ns),
}
