"""Durations as Prometheus and as Go write them.

Prometheus (`[5m]`, `1h30m`, `2w`): units y w d h m s ms, each at most once, in this order, whole numbers; 1y = 365d.
Go (`1.5h`, `300ms`, `-1m0.5s`): units h m s ms us/µs ns, any order, fractions; no days.
"""

import re

_PROM = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_PROM_UNITS_MS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)
_PROM_NAMES = ("y", "w", "d", "h", "m", "s", "ms")
_GO_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_GO_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}


def parse_prometheus_duration(text: str) -> int:
    """Milliseconds of a Prometheus duration.

    Raises: ValueError with upstream's text.  Source: prometheus/common model.ParseDuration.

    >>> parse_prometheus_duration("1h30m")
    5400000
    """
    if text == "0":
        return 0
    if text == "":
        raise ValueError("empty duration string")
    match = _PROM.fullmatch(text)
    if match is None:
        raise ValueError(f"not a valid duration string: {_go_quote(text)}")
    total = sum(int(n) * unit for n, unit in zip(match.groups(), _PROM_UNITS_MS, strict=True) if n)
    if total * 1_000_000 >= 2**63:
        raise ValueError("duration out of range")
    return total


def format_prometheus_duration(ms: int) -> str:
    """The shortest exact spelling upstream prints: `1h30m`, `0s`. Weeks and years only where they divide evenly.

    >>> format_prometheus_duration(90_000)
    '1m30s'
    """
    if ms == 0:
        return "0s"
    sign, rest, parts = ("-", -ms, []) if ms < 0 else ("", ms, [])
    for name, unit in zip(_PROM_NAMES, _PROM_UNITS_MS, strict=True):
        # Upstream only writes years and weeks where nothing is left over.
        if name in ("y", "w") and rest % unit:
            continue
        if rest >= unit:
            parts.append(f"{rest // unit}{name}")
            rest %= unit
    return sign + "".join(parts)


def parse_go_duration(text: str) -> int:
    """Nanoseconds of a Go duration.

    Raises: ValueError with Go's text.  Source: Go time.ParseDuration.

    >>> parse_go_duration("1m0.5s")
    60500000000
    """
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return 0
    total, at = 0, 0
    for match in _GO_PART.finditer(body):
        if match.start() != at:
            break
        number, unit = match.groups()
        whole, _, fraction = number.partition(".")
        scale = _GO_UNITS_NS[unit]
        total += int(whole or 0) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
        at = match.end()
    if body == "" or at != len(body):
        raise ValueError(_go_duration_problem(text, body, at))
    if total >= 2**63:
        raise ValueError(f"time: invalid duration {_go_quote(text)}")
    return -total if text.startswith("-") else total


def _go_duration_problem(text: str, body: str, at: int) -> str:
    rest = body[at:]
    number = re.match(r"\d+\.?\d*|\.\d+", rest)
    if number is None:
        return f"time: invalid duration {_go_quote(text)}"
    unit = re.match(r"[^\d.]*", rest[number.end() :])
    found = unit.group() if unit else ""
    if not found:
        return f"time: missing unit in duration {_go_quote(text)}"
    return f"time: unknown unit {_go_quote(found)} in duration {_go_quote(text)}"


def format_go_duration(ns: int) -> str:
    """Go's Duration.String: `1h0m0s`, `1.5s`, `2.2ms`, `100ns`, `0s`.

    >>> format_go_duration(3_600_000_000_000)
    '1h0m0s'
    """
    if ns == 0:
        return "0s"
    sign, ns = ("-", -ns) if ns < 0 else ("", ns)
    for unit, name in ((1_000, "ns"), (1_000_000, "µs"), (10**9, "ms")):
        if ns < unit:
            scale = max(unit // 1_000, 1)
            return f"{sign}{_trim(ns, scale)}{name}"
    minutes, rest = divmod(ns, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_trim(rest, 10**9)}s"


def _trim(amount: int, scale: int) -> str:
    whole, rest = divmod(amount, scale)
    if rest == 0:
        return str(whole)
    return f"{whole}.{rest:0{len(str(scale)) - 1}d}".rstrip("0")


def _go_quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
