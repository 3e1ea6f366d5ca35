"""Request parameters as upstream reads them, with upstream's texts. Times are milliseconds.

A parameter may stand in the URL or, in a POST, in a form; both together are read, the form's first.
Source: Prometheus web/api/v1/api.go (parseTime, parseDuration, parseLimitParam).
"""

import math
import re
from datetime import datetime, timezone

from starlette.datastructures import QueryParams
from starlette.requests import Request

from spyglass.api.prometheus.body import FORM_BYTES_MAX, read_body
from spyglass.model.errors import InvalidParameter, ParseError
from spyglass.model.matchers import Matcher
from spyglass.model.times import StepGrid
from spyglass.query.promql.parser import parse_selector
from spyglass.text.durations import parse_prometheus_duration

MIN_TIME_MS = -(2**53)
MAX_TIME_MS = 2**53
"""Stand for "since ever" and "for ever". Upstream's bounds are wider; no sample lies between."""

POINTS_MAX = 11_000

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TENANT = re.compile(r"[a-zA-Z0-9!\-_.*'()]{1,150}")
_UPSTREAM_BOUNDS = {"-292273086-05-16T16:47:06Z": MIN_TIME_MS, "292277025-08-18T07:12:54.999999999Z": MAX_TIME_MS}


class Params:
    """The parameters of one request."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    @staticmethod
    async def of(request: Request) -> "Params":
        pairs: list[tuple[str, str]] = []
        if request.method == "POST":
            kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
            if kind == "application/x-www-form-urlencoded":
                pairs.extend(QueryParams(await read_body(request, FORM_BYTES_MAX)).multi_items())
            elif kind == "multipart/form-data":
                form = await request.form()
                pairs.extend((name, value) for name, value in form.multi_items() if isinstance(value, str))
        return Params([*pairs, *request.query_params.multi_items()])

    def get(self, name: str, default: str = "") -> str:
        return next((value for key, value in self._pairs if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def time_ms(self, name: str, default: int) -> int:
        text = self.get(name)
        return default if not text else parse_time_ms(name, text, prefix=f"Invalid time value for '{name}': ")

    def required_time_ms(self, name: str) -> int:
        return parse_time_ms(name, self.get(name))

    def limit(self) -> int:
        """0: none."""
        text = self.get("limit")
        if not text:
            return 0
        if not re.fullmatch(r"[-+]?\d+", text):
            raise invalid("limit", f'strconv.Atoi: parsing "{text}": invalid syntax')
        if int(text) < 0:
            raise invalid("limit", "limit must be non-negative")
        return int(text)

    def matcher_sets(self, *, required: bool = False) -> list[tuple[Matcher, ...]]:
        """The selectors of match[]."""
        texts = self.all("match[]")
        if required and not texts:
            raise InvalidParameter("no match[] parameter provided")
        sets = []
        for text in texts:
            try:
                matchers = parse_selector(text)
            except ParseError as err:
                raise invalid("match[]", str(err)) from None
            if all(matcher.matches_empty() for matcher in matchers):
                raise invalid("match[]", "match[] must contain at least one non-empty matcher")
            sets.append(matchers)
        return sets

    def timeout_seconds(self, most: float) -> float:
        text = self.get("timeout")
        return min(parse_duration_ms("timeout", text) / 1000, most) if text else most

    def lookback_ms(self) -> int:
        """0: the engine's."""
        text = self.get("lookback_delta")
        if not text:
            return 0
        try:
            return duration_ms(text)
        except ValueError as err:
            raise InvalidParameter(f"error parsing lookback delta duration: {err}") from None

    def grid(self) -> StepGrid:
        """start, end and step of a range query, within upstream's bounds."""
        start, end = self.required_time_ms("start"), self.required_time_ms("end")
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        step = parse_duration_ms("step", self.get("step"))
        if step <= 0:
            raise invalid(
                "step", "zero or negative query resolution step widths are not accepted. Try a positive integer"
            )
        if (end - start) // step > POINTS_MAX:
            raise InvalidParameter(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        return StepGrid(start, end, step)

    def time_range(self) -> tuple[int, int]:
        """start and end where both may be missing."""
        start, end = self.time_ms("start", MIN_TIME_MS), self.time_ms("end", MAX_TIME_MS)
        if end < start:
            raise invalid("end", "end timestamp must not be before start time")
        return start, end


def invalid(name: str, problem: str) -> InvalidParameter:
    return InvalidParameter(f'invalid parameter "{name}": {problem}')


def parse_time_ms(name: str, text: str, *, prefix: str = "") -> int:
    """Unix seconds with a fraction, or RFC 3339."""
    if _FLOAT.fullmatch(text):
        seconds = float(text)
        if math.isfinite(seconds) and abs(seconds) * 1000 < 2**63:
            return round(seconds * 1000)
    match = _RFC3339.fullmatch(text)
    if match is not None:
        found = _rfc3339_ms(match)
        if found is not None:
            return found
    if text in _UPSTREAM_BOUNDS:
        return _UPSTREAM_BOUNDS[text]
    raise invalid(name, f'{prefix}cannot parse "{text}" to a valid timestamp')


def _rfc3339_ms(match: re.Match[str]) -> int | None:
    date, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    except ValueError:
        return None
    whole = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds()  # noqa: UP017 - 3.11's UTC reads no better
    return int(whole) * 1000 + (int(float(fraction) * 1000) if fraction else 0)


def parse_duration_ms(name: str, text: str) -> int:
    """Seconds with a fraction, or `5m`."""
    try:
        return duration_ms(text)
    except ValueError as err:
        raise invalid(name, str(err)) from None


def duration_ms(text: str) -> int:
    """Raises: ValueError with upstream's text."""
    if _FLOAT.fullmatch(text):
        seconds = float(text)
        if abs(seconds) * 1e9 >= 2**63:
            raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows int64')
        return round(seconds * 1000)
    try:
        return parse_prometheus_duration(text)
    except ValueError:
        raise ValueError(f'cannot parse "{text}" to a valid duration') from None


def tenant_of(request: Request) -> str:
    """X-Scope-OrgID; "" where there is none."""
    tenant = request.headers.get("x-scope-orgid", "")
    if tenant and (_TENANT.fullmatch(tenant) is None or tenant in (".", "..")):
        raise InvalidParameter(f"tenant ID {tenant!r} is not valid: at most 150 letters, digits and !-_.*'()")
    return tenant
