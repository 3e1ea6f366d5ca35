"""Times as people give them on a command line: `now`, `now-1h`, `-15m`, RFC 3339, or seconds since 1970."""

import time
from datetime import datetime

import typer

from spyglass.text.durations import parse_prometheus_duration


def parse_time(text: str) -> float:
    """Seconds since 1970. Raises typer.BadParameter.

    >>> parse_time("1700000000.5")
    1700000000.5
    """
    value = text.strip()
    try:
        if value == "now":
            return time.time()
        if value.startswith(("now-", "-")):
            return time.time() - parse_prometheus_duration(value.removeprefix("now").removeprefix("-")) / 1000
        try:
            return float(value)
        except ValueError:
            return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time: use now, now-1h, 2026-01-02T03:04:05Z or seconds since 1970"
        ) from None
