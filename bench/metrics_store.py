"""The metric store alone: CPU per million samples, bytes per sample, memory, cold start, selects.

    python -m bench.metrics_store ingest --hours 24        fill a directory (default: below /tmp) and compact it
    python -m bench.metrics_store read DIR                 cold start and selects over it
    python -m bench.metrics_store active --series 1000000  memory and query time with many active series
    python -m bench.metrics_store churn --hours 168        10 % of the series replaced every hour: memory and query time by day

Each in a process of its own, so that memory is that of the store. Prints one JSON object.
"""

import argparse
import itertools
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench.metric_data import BackEnd

from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import WriteBatch
from spyglass.protocols.metric_store import SelectHints
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles, disk_usage_bytes
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.store import DiskMetricStore
from spyglass.testing.metric_store_suite import UnlimitedBudget

T0 = 1_700_006_400_000
STEP_MS = 15_000
HOUR_MS = 3_600_000


def open_store(folder: Path) -> DiskMetricStore:
    return DiskMetricStore(folder, files=RealFiles(), clock=SystemClock(), options=MetricStoreOptions(retention_ms=0))


def rss_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def ingest(folder: Path, hours: float, parts: int) -> dict[str, object]:
    """Append scrapes as fast as they come, in `parts` batches a scrape, keeping house as a server would."""
    back_end = BackEnd()
    base_mb = rss_mb()
    store = open_store(folder)
    refs = store.resolve(back_end.labels)
    count = int(hours * HOUR_MS / STEP_MS)
    bounds = np.linspace(0, len(refs), parts + 1).astype(int)
    spent = {"append": 0.0, "maintain": 0.0}
    for number, values in enumerate(back_end.scrapes(count)):
        began = time.process_time()
        for low, high in itertools.pairwise(bounds):
            times = np.full(high - low, T0 + number * STEP_MS)
            store.append(WriteBatch(refs[low:high], times, values[low:high]), durable=False)
        spent["append"] += time.process_time() - began
        if number % 8 == 0:
            began = time.process_time()
            store.maintain(T0 + number * STEP_MS)
            spent["maintain"] += time.process_time() - began
    samples = count * len(refs)
    before_bytes = disk_usage_bytes(folder)
    began = time.process_time()
    store.flush()
    store.compact()
    final = time.process_time() - began
    size = disk_usage_bytes(folder / "blocks")
    blocks = len(store.blocks)
    store.close()
    return {
        "samples_millions": samples / 1e6,
        "append_cpu_s_per_million": spent["append"] / samples * 1e6,
        "maintain_cpu_s_per_million": spent["maintain"] / samples * 1e6,
        "final_compaction_s": final,
        "bytes_per_sample": size / samples,
        "disk_mb_before_close": before_bytes / 1e6,
        "blocks": blocks,
        "base_mb": base_mb,
        "rss_mb": rss_mb(),
        "peak_mb": peak_mb(),
        "folder": str(folder),
    }


def read(folder: Path) -> dict[str, object]:
    began = time.perf_counter()
    store = open_store(folder)
    found: dict[str, object] = {"cold_start_s": time.perf_counter() - began, "rss_mb_at_start": rss_mb()}
    _, high = store.time_range() or (0, 0)
    day = (high - 24 * HOUR_MS, high)
    hour = (high - HOUR_MS, high)
    shapes: dict[str, tuple[list[Matcher], tuple[int, int]]] = {
        "buckets_24h": ([Matcher.of("__name__", "=", "http_request_duration_seconds_bucket")], day),
        "one_bucket_24h": (
            [Matcher.of("__name__", "=", "http_request_duration_seconds_bucket"), Matcher.of("le", "=", "0.1")],
            day,
        ),
        "one_series_24h": (
            [
                Matcher.of("__name__", "=", "http_requests_total"),
                Matcher.of("path", "=", "/v1/things/7"),
                Matcher.of("status", "=", "200"),
            ],
            day,
        ),
        "regex_24h": (
            [Matcher.of("__name__", "=", "http_requests_total"), Matcher.of("status", "=~", "5..")],
            day,
        ),
        "buckets_1h": ([Matcher.of("__name__", "=", "http_request_duration_seconds_bucket")], hour),
        "one_series_1h": (
            [Matcher.of("__name__", "=", "http_requests_total"), Matcher.of("path", "=", "/v1/things/7")],
            hour,
        ),
        "instant_all": ([Matcher.of("__name__", "=~", ".+")], (high - 300_000, high)),
    }
    for name, (matchers, (start, end)) in shapes.items():
        found[name] = timed(partial(_select, store, matchers, start, end))
    found["label_values_s"] = timed(lambda: len(store.label_values("path", [], start_ms=day[0], end_ms=day[1])))
    found["rss_mb"] = rss_mb()
    found["peak_mb"] = peak_mb()
    store.close()
    return found


def _select(store: DiskMetricStore, matchers: list[Matcher], start: int, end: int) -> str:
    selection = store.select(matchers, start_ms=start, end_ms=end, hints=SelectHints(), budget=UnlimitedBudget())
    samples = sum(piece.values.size for piece in selection.pieces)
    return f"{selection.size} series, {samples / 1e6:.2f} M samples, {len(selection.pieces)} pieces"


def timed(work: Callable[[], Any]) -> dict[str, object]:
    spans = []
    for _ in range(4):
        began = time.perf_counter()
        answer = work()
        spans.append(time.perf_counter() - began)
    return {"first_ms": spans[0] * 1e3, "best_ms": min(spans[1:]) * 1e3, "what": answer}


def active(folder: Path, series: int, scrapes: int) -> dict[str, object]:
    """Many active series: targets of 1,000 series each, all scraped `scrapes` times."""
    store = open_store(folder)
    base_mb = rss_mb()
    began = time.process_time()
    targets = [store.resolve(list(target(number))) for number in range(series // 1000)]
    resolve_s = time.process_time() - began
    indexed_mb = rss_mb()
    began = time.process_time()
    for turn in range(scrapes):
        for number, refs in enumerate(targets):
            values = np.arange(len(refs), dtype=np.float64) + turn
            times = np.full(len(refs), T0 + turn * STEP_MS + number)
            store.append(WriteBatch(refs, times, values), durable=False)
        store.maintain(0)
    append_s = time.process_time() - began
    matchers = [Matcher.of("__name__", "=", "metric_7"), Matcher.of("instance", "=~", "host-1.*")]
    result = {
        "series": series,
        "resolve_us_per_series": resolve_s / series * 1e6,
        "append_cpu_s_per_million": append_s / (series * scrapes) * 1e6,
        "base_mb": base_mb,
        "indexed_mb": indexed_mb,
        "rss_mb": rss_mb(),
        "peak_mb": peak_mb(),
        "query": timed(lambda: _select(store, matchers, T0, T0 + scrapes * STEP_MS)),
        "query_1000": timed(
            lambda: _select(store, [Matcher.of("__name__", "=", "metric_7")], T0, T0 + scrapes * STEP_MS)
        ),
    }
    store.close()
    began = time.perf_counter()
    again = open_store(folder)
    result["restart_s"] = time.perf_counter() - began
    result["blocks"] = len(again.blocks)
    again.close()
    return result


def churn(folder: Path, hours: int, series: int = 2000) -> dict[str, object]:
    """Scrape every minute; every hour a tenth of the pods are new. Memory and a query over the last hour, once a day."""
    store = open_store(folder)
    pods = [(n, 0) for n in range(series)]
    days: list[dict[str, object]] = []
    for hour in range(hours):
        first = hour * series // 10 % series
        pods[first : first + series // 10] = [(n, hour + 1) for n, _ in pods[first : first + series // 10]]
        labels = [labels_of({"__name__": "churn", "pod": f"pod-{n}-{age}", "job": "k8s"}) for n, age in pods]
        refs = store.resolve(labels)
        for minute in range(60):
            times = np.full(series, T0 + (hour * 60 + minute) * 60_000)
            batch = WriteBatch(refs, times, np.arange(series, dtype=np.float64) + minute)
            assert store.append(batch, durable=False).accepted == series
        store.maintain(0)
        if hour % 24 == 23:
            end = T0 + hour * HOUR_MS + HOUR_MS
            query = timed(partial(_select, store, [Matcher.of("__name__", "=", "churn")], end - HOUR_MS, end))
            days.append({"day": hour // 24 + 1, "rss_mb": rss_mb(), "slots": store.head_slots, "query": query})
    store.close()
    return {"days": days, "peak_mb": peak_mb()}


def target(number: int) -> Iterator[Labels]:
    for at in range(1000):
        yield labels_of(
            {"__name__": f"metric_{at}", "instance": f"host-{number}:9100", "job": "node", "zone": f"z{number % 3}"}
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("ingest")
    one.add_argument("--hours", type=float, default=24)
    one.add_argument("--parts", type=int, default=1)
    one.add_argument("--folder", type=Path)
    two = commands.add_parser("read")
    two.add_argument("folder", type=Path)
    three = commands.add_parser("active")
    three.add_argument("--series", type=int, default=1_000_000)
    three.add_argument("--scrapes", type=int, default=20)
    four = commands.add_parser("churn")
    four.add_argument("--hours", type=int, default=168)
    options = parser.parse_args()
    if options.command == "ingest":
        result = ingest(options.folder or Path(tempfile.mkdtemp(prefix="bench-metrics-")), options.hours, options.parts)
    elif options.command == "read":
        result = read(options.folder)
    elif options.command == "churn":
        with tempfile.TemporaryDirectory() as folder:
            result = churn(Path(folder), options.hours)
    else:
        with tempfile.TemporaryDirectory() as folder:
            result = active(Path(folder), options.series, options.scrapes)
    json.dump(result, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
