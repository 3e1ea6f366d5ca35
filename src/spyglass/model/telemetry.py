"""Our own metrics: counters, gauges and histograms that any room may register, thread-safe.

One `Registry` per process, made by the composition root and handed down. Registering a name twice gives the same metric back,
so that rooms need not agree on who comes first. `formats/exposition/encode.py` renders a registry for /metrics.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Sample = tuple[str, tuple[tuple[str, str], ...], float]
"""(suffix of the family's name, label pairs, value)."""

DEFAULT_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family as /metrics shows it. kind: counter, gauge, histogram or unknown. A counter's name ends in _total."""

    name: str
    kind: str
    help: str
    samples: Sequence[Sample] = field(default_factory=list)


class _Metric:
    """What the three kinds share: label names, and one cell per combination of label values."""

    kind = "unknown"

    def __init__(self, name: str, help: str, labels: Sequence[str]) -> None:
        self.name, self.help, self.label_names = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._cells: dict[tuple[str, ...], float] = {} if labels else {(): 0.0}

    def _key(self, values: tuple[str, ...]) -> tuple[str, ...]:
        assert len(values) == len(self.label_names), f"{self.name} takes the labels {self.label_names}, got {values}"
        return values

    def value(self, *labels: str) -> float:
        """The present value; 0 where there is none yet."""
        return self._cells.get(labels, 0.0)

    def collect(self) -> Family:
        with self._lock:
            cells = list(self._cells.items())
        samples: list[Sample] = [("", tuple(zip(self.label_names, key, strict=True)), v) for key, v in cells]
        return Family(self.name, self.kind, self.help, samples)


class Counter(_Metric):
    """Only goes up."""

    kind = "counter"

    def inc(self, *labels: str, by: float = 1.0) -> None:
        """Add `by` (not negative) to the cell of these label values."""
        assert by >= 0, f"{self.name} is a counter and cannot go down"
        key = self._key(labels)
        with self._lock:
            self._cells[key] = self._cells.get(key, 0.0) + by


class Gauge(_Metric):
    """Goes anywhere; `track` reads it when /metrics is asked."""

    kind = "gauge"

    def __init__(self, name: str, help: str, labels: Sequence[str]) -> None:
        super().__init__(name, help, labels)
        self._sources: dict[tuple[str, ...], Callable[[], float]] = {}

    def set(self, value: float, *labels: str) -> None:
        key = self._key(labels)
        with self._lock:
            self._cells[key] = float(value)

    def inc(self, *labels: str, by: float = 1.0) -> None:
        key = self._key(labels)
        with self._lock:
            self._cells[key] = self._cells.get(key, 0.0) + by

    def track(self, source: Callable[[], float], *labels: str) -> None:
        """Ask `source` for the value at every collection."""
        self._sources[self._key(labels)] = source

    def remove(self, *labels: str) -> None:
        with self._lock:
            self._cells.pop(labels, None)
            self._sources.pop(labels, None)

    def collect(self) -> Family:
        for key, source in list(self._sources.items()):
            self.set(source(), *key)
        return super().collect()


class Histogram(_Metric):
    """Counts observations in cumulative buckets; the bounds are inclusive upper ones, +Inf is added."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str], buckets: Sequence[float] = DEFAULT_BUCKETS) -> None:
        super().__init__(name, help, labels)
        self.buckets = tuple(sorted(buckets))
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._cells.clear()

    def observe(self, value: float, *labels: str) -> None:
        key = self._key(labels)
        with self._lock:
            counts = self._counts.setdefault(key, [0] * (len(self.buckets) + 1))
            counts[bisect_left(self.buckets, value)] += 1
            self._cells[key] = self._cells.get(key, 0.0) + value

    def collect(self) -> Family:
        with self._lock:
            rows = [(key, list(counts), self._cells[key]) for key, counts in self._counts.items()]
        samples: list[Sample] = []
        for key, counts, total in rows:
            samples.extend(self._row(tuple(zip(self.label_names, key, strict=True)), counts, total))
        return Family(self.name, self.kind, self.help, samples)

    def _row(self, labels: tuple[tuple[str, str], ...], counts: list[int], total: float) -> list[Sample]:
        samples: list[Sample] = []
        running = 0
        for bound, count in zip((*self.buckets, float("inf")), counts, strict=True):
            running += count
            le = "+Inf" if bound == float("inf") else repr(float(bound))
            samples.append(("_bucket", (*labels, ("le", le)), float(running)))
        return [*samples, ("_sum", labels, total), ("_count", labels, float(running))]


Kind = TypeVar("Kind", bound=_Metric)


class Registry:
    """All metrics of the process.

    >>> registry = Registry()
    >>> pushes = registry.counter("pushes_total", "Pushes taken.", ["tenant"])
    >>> pushes.inc("acme")
    >>> registry.counter("pushes_total", "Pushes taken.", ["tenant"]).value("acme")
    1.0
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: dict[str, _Metric] = {}
        self._collectors: list[Callable[[], Iterable[Family]]] = []

    def counter(self, name: str, help: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; `name` should end in _total."""
        return self._register(Counter(name, help, labels))

    def gauge(self, name: str, help: str, labels: Sequence[str] = ()) -> Gauge:
        return self._register(Gauge(name, help, labels))

    def histogram(
        self, name: str, help: str, labels: Sequence[str] = (), buckets: Sequence[float] = DEFAULT_BUCKETS
    ) -> Histogram:
        return self._register(Histogram(name, help, labels, buckets))

    def on_collect(self, collector: Callable[[], Iterable[Family]]) -> None:
        """Families that are computed when /metrics is asked, such as a store's statistics."""
        with self._lock:
            self._collectors.append(collector)

    def collect(self) -> list[Family]:
        """Every family, sorted by name."""
        with self._lock:
            metrics, collectors = list(self._metrics.values()), list(self._collectors)
        families = [metric.collect() for metric in metrics]
        families.extend(family for collector in collectors for family in collector())
        return sorted(families, key=lambda family: family.name)

    def _register(self, metric: Kind) -> Kind:
        with self._lock:
            known = self._metrics.setdefault(metric.name, metric)
        assert type(known) is type(metric), f"{metric.name} is registered as a {known.kind}"
        assert known.label_names == metric.label_names, f"{metric.name} is registered with labels {known.label_names}"
        return known
