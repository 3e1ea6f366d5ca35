"""Every store gives the engine the same answers: lines in a list, in the disk store's memory, in its blocks.

The disk store answers from columns what it can; the list hands out every line. Lines here are good and bad JSON, logfmt and text.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from spyglass.model.errors import QueryError
from spyglass.model.labels import labels_of
from spyglass.protocols.log_store import LogEntry, LogStores
from spyglass.protocols.queries import StreamsResult
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.testing.clock import VirtualClock

NS = 10**9
T0 = 1_790_000_400
LINES = 400

QUERIES = [
    '{app=~".+"}',
    '{app="json"} |= "error" != "9"',
    '{app=~"json|mixed"} | json',
    '{app=~"json|mixed"} | json | level="error" | n > 3',
    '{app="json"} | json | nested_k=~"a|b" or took > 500ms',
    '{app="json"} | json x="nested.k", y="list[0]" | x!=""',
    '{app="logfmt"} | logfmt | n >= 5 | line_format "{{.level}} {{.n}}"',
    '{app=~".+"} | logfmt --strict',
    '{app="mixed"} |~ "(?i)ERROR|warn" | json | __error__=""',
    '{app="meta"} | logfmt | trace!="t1"',
    '{app="json"} | json | drop nested_k, list | keep level, n',
    'count_over_time({app=~".+"}[1m])',
    'sum by (app) (rate({app=~".+"} |= "error" [2m]))',
    'sum by (level) (count_over_time({app="json"} | json [1m]))',
    'sum by (level, app) (count_over_time({app=~"json|mixed"} | json [1m]))',
    'sum by (level) (count_over_time({app=~"json|mixed"} | json | __error__="" [1m]))',
    'sum(count_over_time({app=~"json|mixed"} | json | level="error" [1m]))',
    'sum by (level) (bytes_rate({app="logfmt"} | logfmt [1m]))',
    'sum by (nested_k) (count_over_time({app="json"} | json | n > 2 [1m]))',
    'sum by (app) (sum_over_time({app="json"} | json | unwrap n [1m]))',
    'avg_over_time({app="json"} | json | unwrap n [1m]) by (level)',
    'quantile_over_time(0.9, {app="json"} | json | unwrap n [2m]) by (level)',
    'max_over_time({app=~"json|mixed"} | json | unwrap n [1m]) by (app)',
    'min_over_time({app="logfmt"} | logfmt | unwrap n [1m]) by (level)',
    'sum_over_time({app="logfmt"} | logfmt | unwrap duration(took) [1m])',
    'max_over_time({app="logfmt"} | logfmt | unwrap duration(took) [1m]) by (level)',
    'quantile_over_time(0.9, {app="logfmt"} | logfmt | unwrap duration_seconds(took) [1m]) by (level)',
    'avg_over_time({app="logfmt"} | logfmt | unwrap duration(took) [1m]) by (level)',
    'last_over_time({app="json"} | json | unwrap n [1m]) by (level)',
    'absent_over_time({app="nosuch"}[1m])',
    'sum by (trace) (count_over_time({app="meta"} | logfmt [1m]))',
    'sum by (level_extracted) (count_over_time({app="clash"} | json [1m]))',
    'topk(1, sum by (level) (count_over_time({app="json"} | json [1m])))',
]


def line(rnd: random.Random, kind: str, i: int) -> str:
    level = rnd.choice(["info", "info", "warn", "error"])
    if kind in ("json", "clash"):
        value: dict[str, object] = {
            "level": level,
            "n": rnd.randint(0, 9),
            "took": f"{rnd.randint(1, 999)}ms",
            "list": [1],
        }
        if rnd.random() < 0.8:
            value["nested"] = {"k": rnd.choice("abc")}
        return json.dumps(value, separators=(",", ":"))
    if kind == "logfmt" or kind == "meta":
        return f'level={level} n={rnd.randint(0, 9)} took={rnd.randint(1, 99)}ms msg="line {i}"'
    odd = ["[1]", "level=warn n=3", "", '{"n":1.50}', '{"level":"error","n":1']
    return rnd.choice([*odd, line(rnd, "json", i), f"ERROR plain {i}", f'{{"level":"warn","n":"x{i}"}}'])


def fill(stores: LogStores) -> None:
    rnd = random.Random(5)
    for kind in ("json", "logfmt", "mixed", "meta", "clash"):
        labels = labels_of({"app": kind, "level": "stream"} if kind == "clash" else {"app": kind})
        entries = []
        for i in range(LINES):
            metadata = labels_of({"trace": f"t{i % 3}"}) if kind == "meta" and i % 4 else ()
            entries.append(LogEntry((T0 + i) * NS + rnd.randint(0, NS - 1), line(rnd, kind, i), metadata))
        stores.store().append([(labels, entries)])


@pytest.fixture(scope="module")
def oracle() -> LogEngine:
    stores = MemoryLogStores()
    fill(stores)
    return LogEngine(stores)


@pytest.fixture(scope="module", params=["fresh", "blocks"])
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogEngine]:
    folder: Path = tmp_path_factory.mktemp("logs")
    stores: DiskLogStores = open_log_stores(
        folder, files=RealFiles(), clock=VirtualClock(), options=LogStoreOptions(min_free_bytes=0)
    )
    fill(stores)
    if request.param == "blocks":
        stores.store().flush()
    yield LogEngine(stores)
    stores.close()


def answer(engine: LogEngine, query: str) -> object:
    try:
        result = engine.range(
            query,
            start_ns=T0 * NS,
            end_ns=(T0 + LINES) * NS,
            step_ns=30 * NS,
            limit=5000,
            direction="forward",
            tenant="fake",
            budget=QueryBudget(),
        )
    except QueryError as err:
        # Which of several failing lines is met first may differ.
        return type(err).__name__, err.message.split(" for series")[0]
    if isinstance(result, StreamsResult):
        return sorted(result.streams)
    assert result.frame is not None
    frame = result.frame
    return {
        labels: [round(v, 9) if p else None for v, p in zip(values, present, strict=True)]
        for labels, values, present in zip(
            frame.labels.all_labels(), frame.values.tolist(), frame.present.tolist(), strict=True
        )
    }


@pytest.mark.parametrize("query", QUERIES)
def test_the_disk_store_answers_as_the_list_does(oracle: LogEngine, disk: LogEngine, query: str) -> None:
    """Lines, values, presence, and the error where there is one."""
    assert answer(disk, query) == answer(oracle, query)
