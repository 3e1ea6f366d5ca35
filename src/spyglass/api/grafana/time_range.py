"""Points in time as dashboards write them: milliseconds, RFC 3339, or relative (`now-6h`, `now-1d/d`), in UTC."""

import calendar
import re
from datetime import UTC, datetime, timedelta

FARTHEST_MS = 9_200_000_000_000
"""Year 2261: later moments have no nanoseconds in 64 bits."""

_PART = re.compile(r"([+-])(\d+)(ms|[smhdwMQy])|/(f?[smhdwMQy])")
_FIXED_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_MONTHS = {"M": 1, "Q": 3, "y": 12}


def parse_time_ms(text: object, *, now_ms: int, round_up: bool = False) -> int:
    """Milliseconds since 1970. round_up: `/d` is the end of the day, as the `to` of a range wants it.

    Raises: ValueError.

    >>> parse_time_ms("now-1m", now_ms=90_000)
    30000
    """
    if isinstance(text, bool) or not isinstance(text, int | float | str):
        raise ValueError(f"{text!r} is no time")
    if isinstance(text, str):
        text = text.strip()
    if not isinstance(text, str) or re.fullmatch(r"-?\d{1,30}", text):
        number = float(text)
        if not -FARTHEST_MS < number < FARTHEST_MS:
            raise ValueError(f"{text} is too far away")
        return int(text)
    if text.startswith("now"):
        return _relative(text, now_ms, round_up)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write milliseconds, RFC 3339, or now-6h") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _relative(text: str, now_ms: int, round_up: bool) -> int:
    rest, moment = text[3:], datetime.fromtimestamp(now_ms / 1000, UTC)
    while rest:
        match = _PART.match(rest)
        if match is None:
            raise ValueError(f"{text!r} is no time: cannot read {rest!r}")
        sign, count, unit, rounding = match.groups()
        try:
            if rounding:
                moment = _rounded(moment, rounding.removeprefix("f"), round_up)
            else:
                moment = _moved(moment, int(count) * (1 if sign == "+" else -1), unit)
        except (OverflowError, ValueError):
            raise ValueError(f"{text!r} is too far away") from None
        rest = rest[match.end() :]
    return round(moment.timestamp() * 1000)


def _moved(moment: datetime, count: int, unit: str) -> datetime:
    if unit in _FIXED_S:
        return moment + timedelta(seconds=count * _FIXED_S[unit])
    months = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = divmod(months, 12)
    # 31 March less a month is the last of February.
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _rounded(moment: datetime, unit: str, up: bool) -> datetime:
    start = _start_of(moment, unit)
    if not up:
        return start
    return _moved(start, 1, unit) - timedelta(milliseconds=1)


def _start_of(moment: datetime, unit: str) -> datetime:
    if unit == "s":
        return moment.replace(microsecond=0)
    if unit == "m":
        return moment.replace(second=0, microsecond=0)
    if unit == "h":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "d":
        return day
    if unit == "w":
        # Weeks begin on Sunday, as in the UI's default locale.
        return day - timedelta(days=(day.weekday() + 1) % 7)
    if unit == "M":
        return day.replace(day=1)
    if unit == "Q":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)
