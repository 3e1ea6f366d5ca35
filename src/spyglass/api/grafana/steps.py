"""The step of a range query, and the macros that depend on it. The UI does this; here is what happens where it did not."""

import re

from spyglass.text.durations import format_prometheus_duration, parse_prometheus_duration

MAX_POINTS = 11_000
"""Points a series may have, Prometheus' own limit."""
DEFAULT_POINTS = 1_000
DEFAULT_SCRAPE_MS = 15_000

_ROUND_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000),
    *(60_000, 120_000, 300_000, 600_000, 900_000, 1_200_000, 1_800_000),
    *(3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000),
)

_MACRO = re.compile(
    r"\$\{(__rate_interval_ms|__rate_interval|__interval_ms|__interval|__range_ms|__range_s|__range|__auto)\}"
    r"|\$(__rate_interval_ms|__rate_interval|__interval_ms|__interval|__range_ms|__range_s|__range|__auto)\b"
)


def step_ms_of(*, range_ms: int, interval_ms: int, max_points: int, min_step_ms: int) -> int:
    """The step: what was asked for, else the range over the points, rounded; never more than MAX_POINTS points.

    interval_ms, max_points, min_step_ms: 0 where not given.
    """
    step = interval_ms or _round_interval(range_ms / (max_points or DEFAULT_POINTS))
    step = max(step, min_step_ms, 1)
    least = -(-range_ms // MAX_POINTS)
    return step if step >= least else _round_up(least)


def _round_interval(ms: float) -> int:
    """A readable interval no longer than the next one up."""
    return next((nice for nice in _ROUND_MS if nice >= ms), int(ms))


def _round_up(ms: int) -> int:
    return next((nice for nice in _ROUND_MS if nice >= ms), ms)


def duration_ms(text: object) -> int:
    """Milliseconds of `30s`, `>=1m` or a number of seconds; 0 for nothing or nonsense: the hint is then not used."""
    if not isinstance(text, str):
        return 0
    text = text.strip().removeprefix(">=").removeprefix(">").strip()
    try:
        return int(float(text) * 1000) if re.fullmatch(r"\d+(\.\d+)?", text) else parse_prometheus_duration(text)
    except ValueError:
        return 0


def fill_macros(expression: str, *, step_ms: int, range_ms: int, scrape_ms: int) -> str:
    """The expression with `$__interval` and its kin filled in.

    $__rate_interval = max($__interval + scrape interval, 4 x scrape interval), Grafana's rule.
    """
    if "$" not in expression:
        return expression
    rate_ms = max(step_ms + scrape_ms, 4 * scrape_ms)
    range_s = max(round(range_ms / 1000), 1)
    values = {
        "__interval": format_prometheus_duration(step_ms),
        "__auto": format_prometheus_duration(step_ms),
        "__interval_ms": str(step_ms),
        "__rate_interval": format_prometheus_duration(rate_ms),
        "__rate_interval_ms": str(rate_ms),
        "__range": f"{range_s}s",
        "__range_s": str(range_s),
        "__range_ms": str(range_ms),
    }
    return _MACRO.sub(lambda match: values[match.group(1) or match.group(2)], expression)
