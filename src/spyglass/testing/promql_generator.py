"""Random PromQL and data to go with it, from a seed: for comparing engines with each other.

Data and queries avoid what engines may legitimately disagree on: no two values are equal by chance, nothing lies on a window's
border (samples stand at odd milliseconds, queries a few seconds off every subquery's steps, subqueries do not nest), counters never
come near zero, rates are of counters.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from spyglass.model.labels import METRIC_NAME, Labels, labels_of

START_MS = 1_700_000_000_000
SPAN_MS = 40 * 60_000
STEP_MS = 15_000

JOBS = ("api", "web")
INSTANCES = ("a:1", "b:2", "c:3")
PATHS = ("/", "/login", "/items")
BOUNDS = ("0.1", "0.5", "1", "5", "+Inf")

GeneratedSeries = tuple[Labels, list[tuple[int, float]]]


def generate_series(seed: int) -> list[GeneratedSeries]:
    """Counters with resets, gauges with NaN, histograms, and info series, with gaps, births and deaths."""
    rng = random.Random(seed)
    out: list[GeneratedSeries] = []
    for job in JOBS:
        for instance in INSTANCES:
            target = {"job": job, "instance": instance}
            times = _times(rng)
            out.append(_series("up", target, times, lambda: float(rng.random() < 0.9)))
            out.append(_series("temperature", target, times, _gauge(rng)))
            version = {"version": f"1.{rng.randrange(3)}"}
            out.append(_series("build_info", target | version, times, lambda: 1.0))
            for path in PATHS:
                for code in ("200", "500"):
                    labels = target | {"path": path, "code": code}
                    out.append(_series("requests_total", labels, _times(rng), _counter(rng)))
            out.extend(_histogram(rng, target, times))
    return out


def _times(rng: random.Random) -> list[int]:
    """Every 15 s and a bit; some scrapes fail, some series are born late or die early."""
    shift = rng.randrange(1, STEP_MS // 2) * 2 + 1
    count = SPAN_MS // STEP_MS
    first = rng.randrange(count // 3) if rng.random() < 0.2 else 0
    last = rng.randrange(2 * count // 3, count) if rng.random() < 0.2 else count
    return [START_MS + i * STEP_MS + shift for i in range(first, last) if rng.random() > 0.05]


def _series(name: str, labels: dict[str, str], times: list[int], value: Callable[[], float]) -> GeneratedSeries:
    return labels_of({METRIC_NAME: name, **labels}), [(t, value()) for t in times]


def _counter(rng: random.Random) -> Callable[[], float]:
    """Reset at most once, and to far below: a window is then never near the counter's zero point."""
    current, fresh = rng.uniform(1e6, 2e6), True

    def step() -> float:
        nonlocal current, fresh
        if fresh and rng.random() < 0.01:
            current, fresh = rng.uniform(2_000, 3_000), False
        current += rng.uniform(0, 20)
        return round(current, 6)

    return step


def _gauge(rng: random.Random) -> Callable[[], float]:
    def step() -> float:
        chance = rng.random()
        if chance < 0.02:
            return math.nan
        return round(rng.gauss(10, 30), 6)

    return step


def _histogram(rng: random.Random, target: dict[str, str], times: list[int]) -> list[GeneratedSeries]:
    counts = [5_000.123] * len(BOUNDS)
    rows: list[list[float]] = [[] for _ in BOUNDS]
    sums: list[float] = []
    total = 20_000.0
    for _ in times:
        grown = sorted(rng.randrange(40) for _ in BOUNDS)
        counts = [count + more for count, more in zip(counts, grown, strict=True)]
        total += rng.uniform(0, 50)
        sums.append(round(total, 3))
        for row, count in zip(rows, counts, strict=True):
            row.append(count)
    out = [
        (labels_of({METRIC_NAME: "latency_bucket", "le": bound, **target}), list(zip(times, row, strict=True)))
        for bound, row in zip(BOUNDS, rows, strict=True)
    ]
    out.append((labels_of({METRIC_NAME: "latency_sum", **target}), list(zip(times, sums, strict=True))))
    out.append((labels_of({METRIC_NAME: "latency_count", **target}), list(zip(times, rows[-1], strict=True))))
    return out


@dataclass(frozen=True, slots=True)
class GeneratedQuery:
    """text, and when: start_ms == end_ms with step_ms 0 is an instant."""

    text: str
    start_ms: int
    end_ms: int
    step_ms: int


_SELECTORS = (
    "requests_total", "temperature", "up", "build_info", "latency_sum", "latency_count", "latency_bucket",
    'requests_total{code="500"}', 'requests_total{path=~"/l.*|/"}', 'requests_total{path!~"/l.*",job="api"}',
    'temperature{instance=~"a:1|b:2"}', '{__name__=~"temperature|up"}', 'up{job!="web"}', 'nothing_here',
    'requests_total{missing=""}', 'requests_total{instance="a:1",path="/"}',
)  # fmt: skip
_COUNTERS = (
    "requests_total", "latency_sum", "latency_count", "latency_bucket", 'requests_total{code="500"}',
    'requests_total{path!~"/l.*",job="api"}', "nothing_here",
)  # fmt: skip
_RANGE_FUNCTIONS = (
    "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "sum_over_time", "avg_over_time",
    "min_over_time", "max_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time",
    "present_over_time", "absent_over_time",
)  # fmt: skip
_VECTOR_FUNCTIONS = (
    "abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "sin", "cos", "tan", "atan", "sinh", "cosh",
    "tanh", "asinh", "deg", "rad", "timestamp", "minute", "hour", "day_of_week", "day_of_month", "day_of_year",
    "days_in_month", "month", "year", "absent",
)  # fmt: skip
_AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
_ARITHMETIC = ("+", "-", "*", "/", "%", "^", "atan2")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_SETS = ("and", "or", "unless")
_LABELS = ("job", "instance", "path", "code", "le", "version", "missing")


class QueryGenerator:
    """Well-typed expressions of a bounded depth."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._in_subquery = False

    def query(self) -> GeneratedQuery:
        """An expression with times somewhere inside of the data."""
        rng = self._rng
        text = self.vector(rng.randrange(1, 4))
        at = START_MS + rng.randrange(20, SPAN_MS // 15_000) * 15_000 + 7_000
        if rng.random() < 0.5:
            return GeneratedQuery(text, at, at, 0)
        step_ms = rng.choice((15, 30, 60, 120)) * 1000
        return GeneratedQuery(text, at, at + step_ms * rng.randrange(1, 20), step_ms)

    def vector(self, depth: int) -> str:
        if depth <= 0:
            return self.selector()
        return self._rng.choice((
            self._range_call, self._range_call, self._range_call, self._aggregate, self._aggregate, self._call,
            self._binary_vectors, self._binary_scalar, self._set, self._labels, self._quantile, self._wrapped,
            self._selecting,
        ))(depth)  # fmt: skip

    def selector(self) -> str:
        return self._rng.choice(_SELECTORS) + self._shift()

    def _shift(self) -> str:
        chance = self._rng.random()
        if chance < 0.7:
            return ""
        offset = f" offset {self._rng.choice(('', '', '-'))}{self._rng.choice(('30s', '1m', '5m'))}"
        at = f" @ {START_MS // 1000 + 15 * self._rng.randrange(4, 130) + 7}"
        return offset if chance < 0.85 else at if chance < 0.92 else at + offset

    def scalar(self, depth: int) -> str:
        rng = self._rng
        if depth <= 0 or rng.random() < 0.6:
            return rng.choice(("0", "1", "2.5", "-3", "1e3", "0.1", "100", "time()", "pi()"))
        return rng.choice(
            (f"scalar({self.vector(depth - 1)})", f"({self.scalar(depth - 1)} + {self.scalar(depth - 1)})")
        )

    def _duration(self) -> str:
        return self._rng.choice(("31s", "1m", "2m", "5m", "10m"))

    def _range(self, depth: int) -> str:
        if self._rng.random() < 0.75 or depth <= 1 or self._in_subquery:
            selector = self._rng.choice(_SELECTORS)
            return f"{selector}[{self._duration()}]{self._shift()}"
        step = self._rng.choice(("15s", "30s", "1m"))
        self._in_subquery = True
        inner = self.vector(depth - 1)
        self._in_subquery = False
        return f"({inner})[{self._duration()}:{step}]{self._shift()}"

    def _range_call(self, depth: int) -> str:
        rng = self._rng
        chance = rng.random()
        if chance < 0.08:
            return (
                f"quantile_over_time({rng.choice(('0', '0.25', '0.5', '0.9', '1', '2', '-1'))}, {self._range(depth)})"
            )
        if chance < 0.14:
            return f"predict_linear({self._range(depth)}, {rng.choice(('60', '3600', '-600'))})"
        function = rng.choice(_RANGE_FUNCTIONS)
        if function in ("rate", "increase"):
            return f"{function}({rng.choice(_COUNTERS)}[{self._duration()}]{self._shift()})"
        return f"{function}({self._range(depth)})"

    def _grouping(self) -> str:
        names = ", ".join(self._rng.sample(_LABELS, self._rng.randrange(0, 3)))
        return self._rng.choice(("", f" by ({names})", f" without ({names})"))

    def _aggregate(self, depth: int) -> str:
        rng = self._rng
        inner = self.vector(depth - 1)
        if rng.random() < 0.1:
            return f"quantile{self._grouping()} ({rng.choice(('0', '0.3', '0.5', '1', '1.5'))}, {inner})"
        if rng.random() < 0.1:
            return f'count_values{self._grouping()} ("value", round({inner}))'
        return f"{rng.choice(_AGGREGATIONS)}{self._grouping()} ({inner})"

    def _selecting(self, _: int) -> str:
        """topk and bottomk of what has no ties, summed up so that the order does not matter."""
        rng = self._rng
        op = rng.choice(("topk", "bottomk"))
        return f"{op}{self._grouping()} ({rng.randrange(0, 4)}, rate(requests_total[{self._duration()}]))"

    def _call(self, depth: int) -> str:
        rng = self._rng
        chance = rng.random()
        inner = self.vector(depth - 1)
        if chance < 0.1:
            return f"clamp({inner}, {self.scalar(0)}, {self.scalar(0)})"
        if chance < 0.2:
            return f"{rng.choice(('clamp_min', 'clamp_max'))}({inner}, {self.scalar(0)})"
        if chance < 0.3:
            return f"round({inner}, {rng.choice(('0.5', '10', '1', '7'))})"
        if chance < 0.35:
            return f"vector({self.scalar(depth - 1)})"
        return f"{rng.choice(_VECTOR_FUNCTIONS)}({inner})"

    def _labels(self, depth: int) -> str:
        inner = self.vector(depth - 1)
        if self._rng.random() < 0.5:
            return f'label_join({inner}, "joined", "-", "job", "instance")'
        pattern, replacement = self._rng.choice(
            (("(.*):(.*)", "$2-$1"), ("a.*", "x"), ("(?P<all>.*)", "${all}!"), ("zzz", "n"))
        )
        target = self._rng.choice(("copy", "instance"))
        return f'label_replace({inner}, "{target}", "{replacement}", "instance", "{pattern}")'

    def _quantile(self, _: int) -> str:
        by = self._rng.choice(("le", "le, job", "le, instance"))
        quantile = self._rng.choice(("0", "0.5", "0.9", "0.99", "1", "-1", "2"))
        inner = f"rate(latency_bucket[{self._duration()}])"
        return f"histogram_quantile({quantile}, {self._rng.choice((inner, f'sum by ({by}) ({inner})'))})"

    def _wrapped(self, depth: int) -> str:
        inner = self.vector(depth - 1)
        return self._rng.choice((f"({inner})", f"-({inner})", f"sort({inner})", f"sort_desc({inner})"))

    def _binary_scalar(self, depth: int) -> str:
        rng = self._rng
        left, right = f"({self.vector(depth - 1)})", self.scalar(depth - 1)
        if rng.random() < 0.5:
            left, right = right, left
        op = rng.choice((*_ARITHMETIC, *_COMPARISONS, *(f"{op} bool" for op in _COMPARISONS)))
        return f"{left} {op} {right}"

    def _matching(self) -> str:
        rng = self._rng
        labels = ", ".join(rng.sample(("job", "instance", "path", "code"), rng.randrange(1, 4)))
        kind = rng.choice(("", "", f"on ({labels})", f"ignoring ({labels})"))
        if kind and rng.random() < 0.5:
            kind += rng.choice((" group_left", " group_right", " group_left (version)"))
        return kind

    def _binary_vectors(self, depth: int) -> str:
        rng = self._rng
        op = rng.choice((*_ARITHMETIC, *_COMPARISONS, *(f"{op} bool" for op in _COMPARISONS)))
        matching = self._matching()
        if rng.random() < 0.3:
            return (
                f"rate(requests_total[{self._duration()}]) {op} on (job, instance) group_left (version) "
                f"sum by (job, instance, version) (build_info)"
            )
        return f"({self.vector(depth - 1)}) {op} {matching} ({self.vector(depth - 1)})"

    def _set(self, depth: int) -> str:
        rng = self._rng
        labels = ", ".join(rng.sample(("job", "instance", "path"), rng.randrange(1, 3)))
        matching = rng.choice(("", f"on ({labels})", f"ignoring ({labels})"))
        return f"({self.vector(depth - 1)}) {rng.choice(_SETS)} {matching} ({self.vector(depth - 1)})"
