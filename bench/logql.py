"""LogQL on one machine: lines a second per query shape, over the disk store. Run: python bench/logql.py [lines]."""

import json
import random
import sys
import tempfile
import time
from pathlib import Path

from spyglass.model.labels import labels_of
from spyglass.protocols.log_store import LogEntry
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.testing.clock import VirtualClock

NS = 10**9
T0_S = 1_790_000_400
HOUR_S = 3600
PODS = 4

SHAPES = {
    "line filter, newest 100": '{job="backend"} |= "error"',
    "json field, newest 100": '{job="backend"} | json | tenantId="t-7"',
    "json field that is nowhere": '{job="backend"} | json | tenantId="nosuch"',
    "regex and template": '{job="backend"} |~ "request \\\\d+7 done" | line_format "{{.pod}} {{__line__}}"',
    "count by stream": 'count_over_time({job="backend"}[5m])',
    "rate of a line filter": 'sum(rate({job="backend"} |= "error" [5m]))',
    "count by json field": 'sum by (level) (count_over_time({job="backend"} | json [5m]))',
    "mean of a json field": 'avg_over_time({job="backend"} | json | unwrap took [5m]) by (level)',
    "quantile of durations": 'quantile_over_time(0.95, {job="backend"} | json | unwrap duration(duration) [5m]) by (pod)',
    "count by a regex group": 'sum by (t) (count_over_time({job="backend"} | regexp "tenantId\\":\\"(?P<t>[^\\"]+)" [5m]))',
}


def line(rnd: random.Random, i: int) -> str:
    value = {
        "level": rnd.choice(["info"] * 8 + ["warn", "error"]),
        "msg": f"request {i} done",
        "status": rnd.choice([200, 201, 404, 500]),
        "duration": f"{rnd.randint(1, 2000)}ms",
        "took": rnd.random(),
        "tenantId": f"t-{i % 50}",
        "client": {"ip": f"10.0.{i % 256}.{i % 7}"},
    }
    return json.dumps(value, separators=(",", ":"))


def fill(stores: DiskLogStores, lines: int) -> None:
    """An hour of lines over a few pods."""
    rnd = random.Random(1)
    for pod in range(PODS):
        labels = labels_of({"job": "backend", "pod": f"p{pod}"})
        entries = [LogEntry(T0_S * NS + i * HOUR_S * NS // lines, line(rnd, i)) for i in range(pod, lines, PODS)]
        for start in range(0, len(entries), 20_000):
            stores.store().append([(labels, entries[start : start + 20_000])])
    stores.store().flush()


def seconds(engine: LogEngine, query: str) -> float:
    """The better of two runs, a minute's step over the hour."""
    best = float("inf")
    for _ in range(2):
        started = time.perf_counter()
        engine.range(
            query,
            start_ns=T0_S * NS,
            end_ns=(T0_S + HOUR_S) * NS,
            step_ns=60 * NS,
            limit=100,
            direction="backward",
            tenant="fake",
            budget=QueryBudget(),
        )
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        stores = open_log_stores(Path(folder), files=RealFiles(), clock=VirtualClock(), options=LogStoreOptions())
        fill(stores, lines)
        engine = LogEngine(stores, LogQueryLimits(max_query_series=0))
        for name, query in SHAPES.items():
            took = seconds(engine, query)
            print(f"{name:28} {took:8.3f} s {lines / took / 1e6:8.2f} M lines/s")
        stores.close()


if __name__ == "__main__":
    main()
