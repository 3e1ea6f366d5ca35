"""metrics: counters, gauges and histograms of what lines say, one series per label set of the lines.

They belong to the job: all its files count into the same metrics. A series that was idle for max_idle_duration is removed.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from spyglass.agent.entry import TENANT_LABEL, Entry
from spyglass.agent.stages.base import Stage, StageContext, each
from spyglass.agent.stages.values import number_of, text_of
from spyglass.config.promtail import StageSpec
from spyglass.config.promtail_stages import MetricStage
from spyglass.model.telemetry import Family, Sample
from spyglass.text.gofloat import format_float

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Of a histogram that names none: those of upstream's client library."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Series:
    value: float = 0.0
    count: int = 0
    buckets: list[int] = field(default_factory=list)
    touched_ns: int = 0


class CustomMetric:
    """One metric of a metrics stage."""

    def __init__(self, name: str, options: MetricStage, monotonic_ns: Callable[[], int]) -> None:
        self.name = options.prefix + name
        self._options, self._monotonic_ns = options, monotonic_ns
        self._source = options.source or name
        self._action = options.config.action.lower()
        self._bounds = tuple(sorted(options.config.buckets)) or BUCKETS
        self._series: dict[Pairs, _Series] = {}

    def record(self, entry: Entry) -> None:
        """Count one line, if it is this metric's business."""
        config = self._options.config
        if config.match_all:
            amount: float | None = float(len(entry.line.encode())) if config.count_entry_bytes else 1.0
        else:
            if self._source not in entry.extracted:
                return
            found = entry.extracted[self._source]
            if config.value is not None and text_of(found) != config.value:
                return
            amount = number_of(found)
        self._apply(entry, amount)

    def _apply(self, entry: Entry, amount: float | None) -> None:
        if self._action in ("inc", "dec"):
            amount = 1.0
        if amount is None or (self._options.type == "counter" and amount < 0):
            return
        key = tuple(sorted((n, v) for n, v in entry.labels.items() if v and n != TENANT_LABEL))
        series = self._series.setdefault(key, _Series())
        series.touched_ns = self._monotonic_ns()
        if self._options.type == "histogram":
            series.buckets = series.buckets or [0] * (len(self._bounds) + 1)
            series.buckets[bisect_left(self._bounds, amount)] += 1
            series.count += 1
            series.value += amount
        elif self._action == "set":
            series.value = amount
        else:
            series.value += -amount if self._action in ("dec", "sub") else amount

    def collect(self) -> Family:
        self._expire()
        samples = [sample for key, series in list(self._series.items()) for sample in self._samples(key, series)]
        return Family(self.name, self._options.type, self._options.description, samples)

    def _samples(self, key: Pairs, series: _Series) -> Iterable[Sample]:
        if self._options.type != "histogram":
            yield "", key, series.value
            return
        running = 0
        for bound, count in zip((*self._bounds, float("inf")), series.buckets, strict=True):
            running += count
            yield "_bucket", (*key, ("le", format_float(bound))), float(running)
        yield "_sum", key, series.value
        yield "_count", key, float(series.count)

    def _expire(self) -> None:
        oldest = self._monotonic_ns() - self._options.max_idle_duration
        for key in [key for key, series in list(self._series.items()) if series.touched_ns < oldest]:
            del self._series[key]


def build(spec: StageSpec, context: StageContext) -> Stage:
    options: dict[str, MetricStage] = spec.options

    def make() -> list[CustomMetric]:
        metrics = [CustomMetric(name, metric, context.monotonic_ns) for name, metric in options.items()]
        context.metrics.add_custom(metrics)
        return metrics

    metrics: list[CustomMetric] = context.share(id(spec), make)

    def change(entry: Entry) -> None:
        for metric in metrics:
            metric.record(entry)

    return each(change)
