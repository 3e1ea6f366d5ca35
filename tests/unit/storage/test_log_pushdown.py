"""Pushing a pipeline down to columns never changes an answer: the disk store against the oracle, through the one executor."""

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from spyglass.model.errors import QueryError
from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry, LogHints, LogStores
from spyglass.protocols.queries import MetricResult, StreamsResult
from spyglass.query.log_engine import LogEngine
from spyglass.query.logql.parser import parse_log
from spyglass.storage.files import RealFiles
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.scan import FIRST_BATCH_ROWS, TIE_ROWS
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.testing.clock import VirtualClock
from spyglass.testing.log_store_suite import SECOND, T0, UnlimitedBudget, random_line, stream

START = T0 // (60 * SECOND) * 60 * SECOND
LINES = 1000
Stores = tuple[LogStores, LogStores]

PIPELINES = """
|= "error"
|= `"level":"error"`
|= `"level":"error","n":1`
|= "error" != "12"
|= "level" |= "info" or "warn"
|= ""
!= ""
|= "-17"
|= "msg=\\"request 1"
|= "999"
|~ "err|warn"
|~ "done.*warn" or "GET.*[0-9]+"
|~ "xyzzy.*done"
|~ "level.*error"
|~ "(?i)ERROR"
|~ "n\\":[0-9]{3},"
!~ "err|warn"
|~ "[0-9]+" |= "done"
|= "é"
|= "2026-11-23T19:23:08.123Z"
|= "x y"
| json
| json | level="error"
| json | level!="error"
| json | level_extracted="error"
| json | level_extracted=~"e.*|w.*"
| json | n > 1000
| json | n <= 1000 | level_extracted="info"
| json | n > 10 and n < 1000000 or id="17"
| json | n = 1
| json | n=""
| json | id=~".*-1.*"
| json | id="1"
| json | __error__=""
| json | __error__="" | n > 5
| json | __error__!=""
| json | n > 5s
| json | n > 5kb
| json | trace_id="t1"
| json | app="web"
| json | none="x"
| json | none=""
| json | id=ip("10.0.0.0/8")
| json | n > 5 | id="3"
| json n="n"
| json | n > 500 |= "warn"
| logfmt
| logfmt | msg=~"request.*"
| logfmt | n > 500
| logfmt | path="/a/3"
| logfmt --keep-empty | msg=""
| logfmt --strict | n > 5
| logfmt | n > 5 | __error__=""
| trace_id="t1"
| trace_id!=""
| level="static"
| line_format "{{.app}}" |= "web"
| json | line_format "{{.n}}" |= "1"
| json | drop n | n=""
| json | label_format x=n | x > 5
| decolorize |= "error"
| pattern "<a> <b>" | a="level=info"
""".strip().splitlines()

METRICS = """
count_over_time({job="j"}[1m])
rate({job="j"}[30s])
bytes_over_time({job="j"}[1m])
bytes_rate({app="web"}[90s])
count_over_time({job="j"} |= "error" [1m])
count_over_time({job="j"} |= "" [1m])
sum(count_over_time({job="j"}[1m]))
sum by (app) (count_over_time({job="j"}[1m]))
sum by (none) (rate({job="j"}[1m]))
sum by (app, level) (count_over_time({job="j"} |= "id" [1m]))
sum(count_over_time({job="j"} | json [1m]))
sum by (level_extracted) (count_over_time({job="j"} | json | __error__="" [1m]))
sum by (level) (count_over_time({job="j"} | json | __error__="" [1m]))
sum by (n) (count_over_time({job="j"} |= "level" | json | __error__="" | n < 100 [1m]))
sum by (level_extracted, app) (bytes_over_time({job="j"} | json | n > 1000 | __error__="" [2m]))
sum by (path) (count_over_time({job="j"} | logfmt [1m]))
sum by (path) (count_over_time({job="j"} | logfmt | n > 500 [1m]))
sum by (level_extracted) (count_over_time({job="j"} | json [1m]))
sum(count_over_time({job="j"} | json | level_extracted="error" [1m]))
sum(count_over_time({job="j"} | json | n > 10 [1m]))
sum by (trace_id) (count_over_time({job="j"}[1m]))
count_over_time({job="j"} |~ "err.r" [1m])
sum(sum_over_time({job="j"} | logfmt | unwrap n | __error__="" [1m]))
sum by (path) (sum_over_time({job="j"} |= "request" | logfmt | unwrap n [1m]))
max_over_time({job="j"} |= "request" | logfmt | unwrap n [1m]) by (path)
min_over_time({job="j"} |= "request" | logfmt | unwrap n [2m]) by (path)
avg_over_time({job="j"} |= "request" | logfmt | unwrap n [1m]) by (path)
quantile_over_time(0.95, {job="j"} |= "request" | logfmt | unwrap n [1m]) by (path)
quantile_over_time(0.5, {job="j"} |= "request" | logfmt | unwrap n [3m]) by (path)
quantile_over_time(0.9, {job="j"} | json | __error__="" | unwrap n | __error__="" [1m]) by (app)
max_over_time({job="j"} |= "request" | logfmt | unwrap bytes(n) [1m]) by (path)
sum_over_time({job="j"} |= "request" | logfmt | unwrap bytes(n) [1m]) by (path)
quantile_over_time(0.5, {job="j"} |= "request" | logfmt | unwrap duration(n) [1m]) by (path)
absent_over_time({job="none"}[1m])
first_over_time({job="j"} |= "request" | logfmt | unwrap n [1m]) by (path)
count_over_time({job="j"}[1m] offset 1m)
sum by (app) (count_over_time({job="j"} | json | id="17" [5m]))
""".strip().splitlines()


def fill(stores: LogStores, rng: random.Random) -> None:
    """LINES lines of all shapes over ten minutes, in three streams, some with metadata."""
    web, worker = stream(job="j", app="web", level="static"), stream(job="j", app="worker", level="static")
    other = stream(job="j", app="other", level="static")
    batch: dict[Labels, list[LogEntry]] = {web: [], worker: [], other: []}
    for i in range(LINES):
        labels = (web, worker, other)[min(2, rng.randrange(20))] if i % 3 else web
        metadata = (("trace_id", f"t{rng.randrange(4)}"),) if labels is other else ()
        batch[labels].append(LogEntry(START + i * 600_000_000, random_line(rng, i), metadata))
        if len(batch[web]) > 200:
            stores.store().append(list(batch.items()))
            batch = {web: [], worker: [], other: []}
    stores.store().append(list(batch.items()))


@pytest.fixture(scope="module", params=["hot", "blocks"])
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    oracle = MemoryLogStores()
    fill(oracle, random.Random(11))
    folder: Path = tmp_path_factory.mktemp("logs")
    rows = {"hot": 1 << 20, "blocks": 400}[request.param]
    options = LogStoreOptions(min_free_bytes=0, hot_rows=rows)
    disk: DiskLogStores = open_log_stores(folder, files=RealFiles(), clock=VirtualClock(), options=options)
    fill(disk, random.Random(11))
    if request.param != "hot":
        disk.store().flush()
        disk.store().maintain(0)
    yield oracle, disk
    disk.close()


def run(stores: LogStores, query: str, **more: object) -> object:
    engine = LogEngine(stores)
    arguments: dict[str, object] = {
        "start_ns": START, "end_ns": START + 600 * SECOND, "step_ns": 30 * SECOND, "limit": 100_000, "direction": "backward",
        "tenant": "fake", "budget": UnlimitedBudget(),
    }  # fmt: skip
    try:
        return engine.range(query, **(arguments | more))  # type: ignore[arg-type]
    except QueryError as err:
        return f"{type(err).__name__}: {err}"


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_lines_are_those_of_the_oracle(stores: Stores, pipeline: str) -> None:
    """A log query over columns gives the lines, labels and order that the oracle gives, from either end and in part."""
    query = f'{{job="j"}} {pipeline}'
    for more in ({}, {"direction": "forward", "limit": 50}, {"limit": 7, "end_ns": START + 300 * SECOND}):
        expected, actual = (run(which, query, **more) for which in stores)
        if isinstance(expected, StreamsResult):
            assert isinstance(actual, StreamsResult)
            assert actual.streams == expected.streams
            assert actual.categories == expected.categories
        else:
            assert actual == expected


@pytest.mark.parametrize("query", METRICS)
def test_metrics_are_those_of_the_oracle(stores: Stores, query: str) -> None:
    """A metric query over columns gives the numbers that the oracle gives, on whole ticks and between them."""
    for more in ({}, {"step_ns": 7 * SECOND}, {"step_ns": 600 * SECOND}):
        expected, actual = (run(which, query, **more) for which in stores)
        if isinstance(expected, MetricResult):
            assert isinstance(actual, MetricResult), actual
            assert actual.frame is not None
            assert expected.frame is not None
            assert actual.frame.labels.all_labels() == expected.frame.labels.all_labels()
            np.testing.assert_array_equal(actual.frame.present, expected.frame.present)
            left, right = actual.frame.values[actual.frame.present], expected.frame.values[expected.frame.present]
            np.testing.assert_array_equal(left, right)
        else:
            assert actual == expected


@pytest.mark.parametrize(
    ("pipeline", "most"),
    [
        ('| json | level="error"', 10 + TIE_ROWS),
        ('|= "level"', 10 + TIE_ROWS),
        ('| json | line_format "x"', FIRST_BATCH_ROWS),
        ('|~ "level.*error"', FIRST_BATCH_ROWS),
    ],
)
def test_a_scan_hands_out_little_more_than_was_asked_for(tmp_path: Path, pipeline: str, most: int) -> None:
    """Where the columns are sure of every line; where they are not, batches begin small and grow."""
    with_blocks = LogStoreOptions(min_free_bytes=0, hot_rows=100)
    disk = open_log_stores(tmp_path / "logs", files=RealFiles(), clock=VirtualClock(), options=with_blocks)
    try:
        lines = [LogEntry(START + n * SECOND, f'{{"level":"error","n":{n}}}') for n in range(1000)]
        for first in range(0, 1000, 100):
            disk.store().append([(stream(job="j"), lines[first : first + 100])])
        log = parse_log(f'{{job="j"}} {pipeline}')
        scan = disk.store().scan(
            log.matchers,
            log.stages,
            start_ns=START,
            end_ns=START + 1000 * SECOND,
            direction="backward",
            hints=LogHints(limit=10),
            budget=UnlimitedBudget(),
        )
        given = 0
        for batch in scan.batches:
            given += batch.size
            if given >= 10:
                break
        assert 10 <= given <= most
    finally:
        disk.close()
