"""How long PromQL's kernels take on tiles in memory: `python bench/promql_kernels.py [shape ...]`.

The store is a reader that hands out ready tiles, so that the figures are the engine's alone. Each shape runs three times; the
median counts. Raw samples: those in reach of the query.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from spyglass.model.labels import LabelColumn, LabelTable
from spyglass.model.matchers import Matcher
from spyglass.model.samples import SampleTile, Selection
from spyglass.model.times import StepGrid
from spyglass.protocols.budget import Budget
from spyglass.protocols.metric_store import SelectHints
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine

START_MS = 1_700_000_000_000
DAY_MS = 86_400_000
SCRAPE_MS = 15_000
ENDPOINTS = 340
CODES = ("200", "201", "204", "400", "404", "429", "500")
BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")


@dataclass(frozen=True, slots=True)
class Metric:
    labels: LabelTable
    values: "np.typing.NDArray[np.float64]"


def _table(name: str, label: str, texts: Sequence[str]) -> LabelTable:
    size = ENDPOINTS * len(texts)
    endpoint = LabelColumn(
        np.repeat(np.arange(1, ENDPOINTS + 1, dtype=np.int32), len(texts)), ["", *(f"/e{i}" for i in range(ENDPOINTS))]
    )
    second = LabelColumn(np.tile(np.arange(1, len(texts) + 1, dtype=np.int32), ENDPOINTS), ["", *texts])
    return LabelTable(size, {"__name__": LabelColumn.constant(name, size), "endpoint": endpoint, label: second})


def _counters(size: int, rng: np.random.Generator) -> "np.typing.NDArray[np.float64]":
    count = DAY_MS // SCRAPE_MS
    values = np.cumsum(rng.poisson(3, (size, count)).astype(np.float64), axis=1)
    for row in range(0, size, 20):
        at = int(rng.integers(count))
        values[row, at:] -= values[row, at] - 1
    return values


class TileReader:
    """The select half of a MetricReader over tiles."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.times = START_MS + 137 + SCRAPE_MS * np.arange(DAY_MS // SCRAPE_MS, dtype=np.int64)
        requests = _table("http_requests_total", "code", CODES)
        latency = _table("http_request_duration_seconds_bucket", "le", BOUNDS)
        self.metrics = {
            "http_requests_total": Metric(requests, _counters(requests.size, rng)),
            "http_request_duration_seconds_bucket": Metric(latency, _counters(latency.size, rng)),
        }

    def store(self, tenant: str = "", *, create: bool = True) -> "TileReader":  # noqa: ARG002
        return self

    def select(
        self,
        matchers: Sequence[Matcher],
        *,
        start_ms: int,
        end_ms: int,
        hints: SelectHints,  # noqa: ARG002
        budget: Budget,  # noqa: ARG002
    ) -> Selection:
        metric = self.metrics[next(m.value for m in matchers if m.name == "__name__")]
        first, last = np.searchsorted(self.times, start_ms), np.searchsorted(self.times, end_ms, side="right")
        values = metric.values[:, first:last]
        rows = np.arange(metric.labels.size)
        return Selection(metric.labels, [SampleTile(rows, self.times[first:last], values, None, False)])


SHAPES: dict[str, tuple[str, int, int]] = {
    "rate, 24 h": ("rate(http_requests_total[5m])", DAY_MS, 300_000),
    "rate, 1 h": ("rate(http_requests_total[5m])", 3_600_000, 15_000),
    "sum by rate, 24 h": ("sum by (endpoint) (rate(http_requests_total[5m]))", DAY_MS, 300_000),
    "sum rate, 24 h": ("sum(rate(http_requests_total[5m]))", DAY_MS, 300_000),
    "p95, 24 h": (
        "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))", DAY_MS, 300_000,
    ),
    "p95 by endpoint, 24 h": (
        "histogram_quantile(0.95, sum by (le, endpoint) (rate(http_request_duration_seconds_bucket[5m])))", DAY_MS, 300_000,
    ),
    "increase[1h], 24 h": ("increase(http_requests_total[1h])", DAY_MS, 300_000),
    "avg_over_time, 24 h": ("avg_over_time(http_requests_total[5m])", DAY_MS, 300_000),
    "avg_over_time[1h], 24 h": ("avg_over_time(http_requests_total[1h])", DAY_MS, 300_000),
    "max_over_time[1h], 24 h": ("max_over_time(http_requests_total[1h])", DAY_MS, 300_000),
    "quantile_over_time, 24 h": ("quantile_over_time(0.9, http_requests_total[5m])", DAY_MS, 300_000),
    "stddev_over_time, 24 h": ("stddev_over_time(http_requests_total[5m])", DAY_MS, 300_000),
    "deriv, 24 h": ("deriv(http_requests_total[5m])", DAY_MS, 300_000),
    "irate, 24 h": ("irate(http_requests_total[5m])", DAY_MS, 300_000),
    "plain, 24 h": ("http_requests_total", DAY_MS, 300_000),
    "topk, 24 h": ("topk(5, rate(http_requests_total[5m]))", DAY_MS, 300_000),
    "ratio, 24 h": (
        "sum by (endpoint) (rate(http_requests_total[5m])) / on (endpoint) group_left "
        "sum by (endpoint) (rate(http_requests_total[5m]))",
        DAY_MS, 300_000,
    ),
    "join, 24 h": (
        "rate(http_requests_total[5m]) / ignoring (code) group_left sum without (code) (rate(http_requests_total[5m]))",
        DAY_MS, 300_000,
    ),
    "subquery, 24 h": ("max_over_time(sum(rate(http_requests_total[5m]))[1h:5m])", DAY_MS, 300_000),
    "label_replace, 24 h": ('label_replace(rate(http_requests_total[5m]), "group", "$1", "endpoint", "/e(.).*")', DAY_MS, 300_000),
    "instant rate": ("rate(http_requests_total[5m])", 0, 0),
}  # fmt: skip


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main(wanted: Sequence[str]) -> None:
    reader = TileReader()
    engine = PromEngine(reader)  # type: ignore[arg-type]  # the reading half is all the engine uses
    end = START_MS + DAY_MS - 1_000
    print(f"{'shape':28}{'ms':>9}{'samples':>12}{'ns/sample':>11}")
    for name, (query, span_ms, step_ms) in SHAPES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        grid = (
            StepGrid(end - span_ms + 3_600_000 * (span_ms == DAY_MS), end, step_ms)
            if step_ms
            else StepGrid.instant(end)
        )
        samples = 0

        def run(query: str = query, grid: StepGrid = grid) -> None:
            nonlocal samples
            budget = QueryBudget(max_samples=0, max_bytes=0)
            samples = engine.range(query, grid=grid, tenant="", budget=budget).stats.samples

        seconds = statistics.median(_timed(run) for _ in range(3))
        print(f"{name:28}{seconds * 1000:>9.1f}{samples:>12,}{seconds * 1e9 / max(samples, 1):>11.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
