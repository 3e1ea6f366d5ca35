"""Durations and sizes as configuration files and flags write them."""

import re

from spyglass.text.durations import parse_go_duration, parse_prometheus_duration

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgtpe]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def parse_size(value: object) -> object:
    """Bytes of `256KB`, `1.5GiB`, `64M` or a number. Units are powers of 1024, as Prometheus and Loki read them.

    >>> parse_size("256KB")
    262144
    """
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("should be a size such as 256KB, 64MB or 10GB")
    return int(float(match.group(1)) * 1024 ** _POWERS[match.group(2).lower()])


def parse_any_duration_ns(value: object) -> object:
    """Nanoseconds of a Prometheus (`7d`) or Go (`1h30m0.5s`) duration; a bare 0 is fine."""
    if isinstance(value, str):
        try:
            return parse_prometheus_duration(value) * 1_000_000
        except ValueError:
            return _go(value)
    if value == 0:
        return 0
    raise ValueError("should be a duration such as 15d, 12h or 30s")


def _go(value: str) -> int:
    try:
        return parse_go_duration(value)
    except ValueError:
        raise ValueError("should be a duration such as 15d, 12h or 30s") from None
