"""Request parameters as Loki reads them. Errors are InvalidParameter with Loki's texts.

Times: nanoseconds since 1970 as an integer (19 digits; fewer than 11 mean seconds), seconds with a fraction, or RFC 3339.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from starlette.requests import Request

from spyglass.model.errors import InvalidParameter
from spyglass.protocols.log_store import Direction
from spyglass.text.durations import parse_go_duration, parse_prometheus_duration

HOUR_NS = 3600 * 10**9
DEFAULT_LIMIT = 100
MAX_POINTS = 11_000
MAX_TIME_NS = 1 << 62
"""Times and durations stay well within 64 bits, so that sums of them do too."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")

Params = Mapping[str, list[str]]


async def read_params(request: Request) -> dict[str, list[str]]:
    """The parameters of the URL and, for POST, of the form; the form's come first, as in Go."""
    params: dict[str, list[str]] = {}
    if request.method == "POST" and request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        params = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
    for name, values in parse_qs(request.url.query, keep_blank_values=True).items():
        params.setdefault(name, []).extend(values)
    return params


def text(params: Params, name: str, default: str = "") -> str:
    """The first value, or the default where it is missing or empty."""
    values = params.get(name)
    return values[0] if values and values[0] else default


def required(params: Params, name: str) -> str:
    value = text(params, name)
    if not value:
        raise InvalidParameter(
            f"missing required parameter {name!r}" if name != "query" else "parse error : syntax error: unexpected $end"
        )
    return value


def time_ns(value: str, name: str) -> int:
    """One point in time, between 1823 and 2116.

    >>> time_ns("1700000000", "start"), time_ns("1700000000.5", "start")
    (1700000000000000000, 1700000000500000000)
    """
    time = _read_time(value)
    if time is None or abs(time) > MAX_TIME_NS:
        raise InvalidParameter(f'could not parse {name!r} parameter: cannot parse "{value}" as a time')
    return time


def _read_time(value: str) -> int | None:
    if len(value) > 40:
        return None
    if re.fullmatch(r"-?\d+", value):
        return int(value) * (10**9 if len(value) <= 10 else 1)
    try:
        number = float(value)
        if math.isfinite(number):
            whole = math.floor(number)
            return whole * 10**9 + round((number - whole) * 1e9)
    except ValueError:
        pass
    match = _RFC3339.fullmatch(value)
    if match is not None:
        stamp, fraction, zone = match.groups()
        try:
            seconds = int(datetime.fromisoformat(stamp + zone.replace("Z", "+00:00")).timestamp())
            return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))
        except ValueError:
            pass
    return None


def time_range(params: Params, now_ns: int) -> tuple[int, int]:
    """start and end; by default the last hour. `since` counts back from the end."""
    end = time_ns(text(params, "end"), "end") if text(params, "end") else now_ns
    # A query into the future starts an hour before now, not before its end.
    since = duration_ns(text(params, "since"), "since") if text(params, "since") else HOUR_NS
    start = time_ns(text(params, "start"), "start") if text(params, "start") else min(end, now_ns) - since
    if end <= start and (text(params, "start") or text(params, "end")) and end < start:
        raise InvalidParameter("end timestamp must not be before or equal to start time")
    return start, end


def duration_ns(value: str, name: str) -> int:
    """Seconds as a number, or a duration."""
    duration = _read_duration(value)
    if duration is not None and abs(duration) <= MAX_TIME_NS // 4:
        return duration
    raise InvalidParameter(f'could not parse {name!r} parameter: cannot parse "{value}" to a valid duration')


def _read_duration(value: str) -> int | None:
    try:
        seconds = float(value)
        if math.isfinite(seconds):
            return round(seconds * 1e9)
    except ValueError:
        pass
    for parse, scale in ((parse_prometheus_duration, 1_000_000), (parse_go_duration, 1)):
        try:
            return parse(value) * scale
        except ValueError:
            continue
    return None


def step_ns(params: Params, start: int, end: int) -> int:
    """The step of a range query; by default the range in 250 steps, at least a second."""
    value = text(params, "step")
    step = duration_ns(value, "step") if value else max((end - start) // 10**9 // 250, 1) * 10**9
    if step <= 0:
        raise InvalidParameter("zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (end - start) // step > MAX_POINTS:
        raise InvalidParameter(
            "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"
        )
    return step


def limit_of(params: Params, *, maximum: int = 0) -> int:
    """`limit` (or the older `line_limit`); 100 by default. maximum 0: no bound."""
    value = text(params, "limit")
    try:
        limit = int(value) if value else DEFAULT_LIMIT
    except ValueError:
        raise InvalidParameter(
            f"could not parse 'limit' parameter: strconv.Atoi: parsing \"{value}\": invalid syntax"
        ) from None
    if limit <= 0:
        raise InvalidParameter("limit must be a positive value")
    if maximum and limit > maximum:
        raise InvalidParameter(
            f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {maximum})"
        )
    return limit


def positive(params: Params, name: str, default: int) -> int:
    """A whole number above 0."""
    value = text(params, name)
    if not value:
        return default
    if not re.fullmatch(r"\+?\d{1,9}", value) or int(value) == 0:
        raise InvalidParameter(f"{name} must be a positive value, not {value!r}")
    return int(value)


def direction_of(params: Params) -> Direction:
    value = text(params, "direction", "backward").lower()
    if value == "forward":
        return "forward"
    if value == "backward":
        return "backward"
    raise InvalidParameter(f"invalid direction '{text(params, 'direction')}'")


def flags_of(request: Request) -> frozenset[str]:
    """X-Loki-Response-Encoding-Flags, such as categorize-labels."""
    return frozenset(
        flag.strip() for flag in request.headers.get("x-loki-response-encoding-flags", "").split(",") if flag.strip()
    )
