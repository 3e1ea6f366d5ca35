"""timestamp: an extracted value becomes the entry's time.

On failure, `fudge` gives the time of the last entry of the same labels plus one nanosecond; `skip` leaves the time of reading.
"""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from spyglass.agent.entry import Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import TimestampStage
from spyglass.text.golayout import days_of_civil, parse_time

LAST_KNOWN = 10_000
"""Label sets whose last time is remembered for fudging. A smaller number costs fudged times when streams are many."""

_DAY_NS = 86_400 * 10**9


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: TimestampStage = spec.options
    source = options.source
    formats = (options.format, *options.fallback_formats)
    location = ZoneInfo(options.location) if options.location else None
    fudge = options.action_on_failure == "fudge"
    last: OrderedDict[frozenset[tuple[str, str]], int] = OrderedDict()

    def remember(entry: Entry) -> None:
        key = frozenset(entry.labels.items())
        last[key] = entry.time_ns
        last.move_to_end(key)
        if len(last) > LAST_KNOWN:
            last.popitem(last=False)

    def change(entry: Entry) -> None:
        time_ns = _read(text_of(entry.extracted.get(source)), formats, location, context.now_ns)
        if time_ns is not None:
            entry.time_ns = time_ns
            if fudge:
                remember(entry)
            return
        context.metrics.pipeline_errors.inc("timestamp", "unparsable" if source in entry.extracted else "missing")
        known = last.get(frozenset(entry.labels.items())) if fudge else None
        if known is not None:
            entry.time_ns = known + 1
            remember(entry)

    return each(change)


def _read(text: str | None, formats: tuple[str, ...], location: ZoneInfo | None, now_ns: Any) -> int | None:
    if text is None:
        return None
    for name in formats:
        try:
            time = parse_time(name, text, location=location)
        except ValueError:
            continue
        return time.unix_ns if time.year else in_a_year(time.unix_ns, now_ns())
    return None


def in_a_year(year_zero_ns: int, now_ns: int) -> int:
    """A time of year 0 moved to the year that makes sense now: December seen in January is last year's, and the reverse.

    >>> in_a_year((days_of_civil(0, 12, 31) * _DAY_NS), days_of_civil(2026, 1, 1) * _DAY_NS) // _DAY_NS
    20453
    """
    now = datetime.fromtimestamp(now_ns // 10**9, UTC)
    day, rest = divmod(year_zero_ns, _DAY_NS)
    # Year 0 is a leap year that begins on day -719528.
    in_year = day - days_of_civil(0, 1, 1)
    month = next(m for m in range(12, 0, -1) if days_of_civil(0, m, 1) - days_of_civil(0, 1, 1) <= in_year)
    year = (
        now.year - 1 if (month, now.month) == (12, 1) else now.year + 1 if (month, now.month) == (1, 12) else now.year
    )
    offset = day - days_of_civil(0, month, 1)
    return (days_of_civil(year, month, 1) + offset) * _DAY_NS + rest
