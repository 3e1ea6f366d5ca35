"""Counters, gauges and histograms, made to be cheap on the request path: one dictionary look-up and one lock.

Text format 0.0.4. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, as prom-client and most client libraries have them; +Inf is implied."""

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Metric:
    """What the three kinds share: a name, label names, and children by label values."""

    kind = "untyped"

    def __init__(self, name: str, help: str, labels: tuple[str, ...] = ()) -> None:
        if not _METRIC_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a metric name")
        if bad := [label for label in labels if not _LABEL_NAME.fullmatch(label) or label.startswith("__")]:
            raise ValueError(f"{bad[0]!r} is not a label name")
        self.name, self.help, self.label_names = name, help, labels
        self.lock = threading.Lock()

    def samples(self) -> Iterator[str]:
        raise NotImplementedError

    def prefix(self, values: tuple[str, ...], suffix: str = "", extra: str = "") -> str:
        """`name_suffix{a="x",extra} `: made once per child, not at every scrape."""
        pairs = [f'{name}="{_escape(value)}"' for name, value in zip(self.label_names, values, strict=True)]
        inside = ",".join([*pairs, extra] if extra else pairs)
        return f"{self.name}{suffix}{{{inside}}} " if inside else f"{self.name}{suffix} "

    def check(self, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) != len(self.label_names):
            raise ValueError(f"{self.name} has the labels {self.label_names}, got {len(values)} values")
        return values


class Counter(Metric):
    """Only goes up. Its name ends in `_total`."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: tuple[str, ...] = ()) -> None:
        super().__init__(name, help, labels)
        self._values: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}
        self._prefixes: dict[tuple[str, ...], str] = {}

    def inc(self, *values: str, by: float = 1.0) -> None:
        """Add `by` (not negative) to the child with these label values."""
        if by < 0:
            raise ValueError("a counter never goes down")
        with self.lock:
            try:
                self._values[values] += by
            except KeyError:
                self._values[self.check(values)] = by

    def value(self, *values: str) -> float:
        return self._values.get(values, 0.0)

    def samples(self) -> Iterator[str]:
        with self.lock:
            current = list(self._values.items())
        for values, value in current:
            prefix = self._prefixes.get(values) or self._prefixes.setdefault(values, self.prefix(values))
            yield prefix + _number(value)


class Gauge(Counter):
    """Goes up and down; or is read from a function when scraped."""

    kind = "gauge"

    def __init__(
        self, name: str, help: str, labels: tuple[str, ...] = (), *, read: Callable[[], float] | None = None
    ) -> None:
        super().__init__(name, help, labels)
        self._read = read

    def set(self, value: float, *values: str) -> None:
        with self.lock:
            self._values[self.check(values)] = value

    def inc(self, *values: str, by: float = 1.0) -> None:
        with self.lock:
            self._values[self.check(values)] = self._values.get(values, 0.0) + by

    def dec(self, *values: str, by: float = 1.0) -> None:
        self.inc(*values, by=-by)

    def samples(self) -> Iterator[str]:
        if self._read is not None:
            self.set(self._read())
        return super().samples()


class Histogram(Metric):
    """Counts observations in buckets. `buckets`: ascending upper bounds without +Inf."""

    kind = "histogram"

    def __init__(
        self, name: str, help: str, labels: tuple[str, ...] = (), *, buckets: Iterable[float] = DEFAULT_BUCKETS
    ) -> None:
        super().__init__(name, help, labels)
        self.buckets = tuple(buckets)
        if list(self.buckets) != sorted(set(self.buckets)) or not self.buckets:
            raise ValueError("buckets must be ascending")
        # Per child: one count per bucket and +Inf (not cumulative), then the sum.
        self._children: dict[tuple[str, ...], list[float]] = {}
        self._prefixes: dict[tuple[str, ...], list[str]] = {}

    def observe(self, value: float, *values: str) -> None:
        """Count one observation."""
        index = bisect_left(self.buckets, value)
        with self.lock:
            child = self._children.get(values)
            if child is None:
                child = self._children[self.check(values)] = [0.0] * (len(self.buckets) + 2)
            child[index] += 1.0
            child[-1] += value

    def samples(self) -> Iterator[str]:
        with self.lock:
            current = [(values, list(child)) for values, child in self._children.items()]
        for values, child in current:
            prefixes = self._prefixes.get(values) or self._prefixes.setdefault(values, self._child_prefixes(values))
            total = 0.0
            for prefix, count in zip(prefixes, child[:-1], strict=False):
                total += count
                yield prefix + _number(total)
            yield prefixes[-2] + _number(child[-1])
            yield prefixes[-1] + _number(total)

    def _child_prefixes(self, values: tuple[str, ...]) -> list[str]:
        bounds = [*(_number(bound) for bound in self.buckets), "+Inf"]
        buckets = [self.prefix(values, "_bucket", f'le="{bound}"') for bound in bounds]
        return [*buckets, self.prefix(values, "_sum"), self.prefix(values, "_count")]


M = TypeVar("M", bound=Metric)


class Registry:
    """The metrics of one process."""

    CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self._metrics: dict[str, Metric] = {}
        self._before: list[Callable[[], None]] = []

    def counter(self, name: str, help: str, labels: tuple[str, ...] = ()) -> Counter:
        return self._add(Counter(name, help, labels))

    def gauge(
        self, name: str, help: str, labels: tuple[str, ...] = (), *, read: Callable[[], float] | None = None
    ) -> Gauge:
        return self._add(Gauge(name, help, labels, read=read))

    def histogram(
        self, name: str, help: str, labels: tuple[str, ...] = (), *, buckets: Iterable[float] = DEFAULT_BUCKETS
    ) -> Histogram:
        return self._add(Histogram(name, help, labels, buckets=buckets))

    def before_scrape(self, refresh: Callable[[], None]) -> None:
        """Call `refresh` before each exposition, for gauges that are read together."""
        self._before.append(refresh)

    def expose(self) -> str:
        """All metrics in text format 0.0.4."""
        for refresh in self._before:
            refresh()
        lines: list[str] = []
        for metric in list(self._metrics.values()):
            lines.append(f"# HELP {metric.name} {_escape_help(metric.help)}")
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            lines.extend(metric.samples())
        lines.append("")
        return "\n".join(lines)

    def _add(self, metric: M) -> M:
        if metric.name in self._metrics:
            raise ValueError(f"{metric.name} is registered already")
        self._metrics[metric.name] = metric
        return metric


def _number(value: float) -> str:
    whole = int(value) if value == value and abs(value) < 1e15 else None
    if whole is not None and whole == value:
        return str(whole)
    return {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}.get(text := repr(value), text)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
