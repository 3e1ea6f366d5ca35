"""What keeps one query, or one client, from taking the server down: against a real process on a store of eleven million samples."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from tests.support.stack import Stack, get, post, wait_for

from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.formats.snappy import compress
from spyglass.model.labels import Labels, labels_of
from spyglass.model.samples import WriteBatch
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles
from spyglass.storage.metrics.options import MetricStoreOptions
from spyglass.storage.metrics.stores import open_metric_stores

HOUR = 3_600_000
STEP = 15_000
HOURS = 12
LABELS: list[Labels] = [
    labels_of({"__name__": "big_bucket", "instance": f"host-{i}", "path": f"/p/{p}", "le": str(le)})
    for i in range(10)
    for p in range(25)
    for le in range(16)
]
MONSTER = 'count({__name__=~".+"}) by (instance, path, le)'
MEGABYTE = 1_000_000


def fill(data: Path) -> int:
    """4,000 series, twelve hours at 15 s, up to two hours ago. Returns the end in ms."""
    options = MetricStoreOptions(retention_ms=0, min_free_bytes=0, sync_interval_s=3600)
    stores = open_metric_stores(data / "metrics", files=RealFiles(), clock=SystemClock(), options=options)
    store = stores.store("")
    end = int(time.time() * 1000) // STEP * STEP - 2 * HOUR
    rng = np.random.default_rng(7)
    values = np.zeros(len(LABELS))
    for at in range(end - HOURS * HOUR, end, STEP * 20):
        refs = np.tile(store.resolve(LABELS), 20)
        times = np.repeat(np.arange(at, at + 20 * STEP, STEP), len(LABELS))
        grown = values + np.cumsum(rng.poisson(0.3, (20, len(LABELS))), axis=0)
        store.append(WriteBatch(refs, times, grown.ravel()), durable=False)
        values = grown[-1]
        if at % (HOUR // 2) == 0:
            store.maintain(0)
    store.maintain(0)
    stores.close()
    return end


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A scraper that was stopped in the middle of a scrape."""


class Target:
    """Something to scrape; it notes when it was."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.text = b"little 1\n"
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target.arrivals.append(time.monotonic())
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(target.text)))
                self.end_headers()
                self.wfile.write(target.text)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = _Quiet(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def longest_gap(self, since: float, until: float) -> float:
        times = [since, *(at for at in self.arrivals if since <= at <= until), until]
        return max(after - before for before, after in pairwise(times))


class Served:
    """A running server, its target, and the newest time of its large store."""

    def __init__(self, stack: Stack, target: Target, end_ms: int) -> None:
        self.stack, self.target, self.end_ms = stack, target, end_ms

    def api(self, path: str) -> str:
        return self.stack.url("prometheus", f"/api/v1/{path}")

    def range(self, query: str, *, hours: float = HOURS, step: float = 15, **more: str) -> tuple[int, Any]:
        times = {"start": str(self.end_ms / 1000 - hours * 3600), "end": str(self.end_ms / 1000), "step": str(step)}
        status, body = get(self.api("query_range"), {"query": query, **times, **more})
        # A large answer is not parsed: that would hold up the target, which lives in this process.
        return status, json.loads(body) if len(body) < MEGABYTE else body

    def configure(self, **queries: object) -> None:
        """Start again with other limits."""
        self.stack.stop()
        path = self.stack.folder / "spyglass.yml"
        config = json.loads(path.read_text())
        config["queries"] = queries
        path.write_text(json.dumps(config))
        self.stack.start()

    def gauge(self, name: str) -> float:
        text = get(self.stack.url("prometheus", "/metrics"))[1]
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("guard-rails")
    end_ms = fill(folder / "data")
    target = Target()
    file = folder / "prometheus.yml"
    write_prometheus(file, target)
    with Stack(folder, targets="metrics") as stack:
        config = json.loads((folder / "spyglass.yml").read_text())
        config["files"]["prometheus"] = str(file)
        (folder / "spyglass.yml").write_text(json.dumps(config))
        stack.start()
        yield Served(stack, target, end_ms)
        assert stack.stop() == 0
    target.server.shutdown()
    target.server.server_close()


def write_prometheus(path: Path, target: Target, **settings: str) -> None:
    job = {"job_name": "t", "scrape_interval": "1s", "static_configs": [{"targets": [target.address]}]}
    path.write_text(json.dumps({"global": settings, "scrape_configs": [job]}))


class Memory:
    """The most that a process held resident since this was made, over what it held then. Bytes."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._before = self._read("VmRSS")

    def growth(self) -> int:
        return self._read("VmHWM") - self._before

    def _read(self, name: str) -> int:
        line = next(line for line in self._status.read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024


def pid_of(served: Served) -> int:
    assert served.stack.process is not None
    return served.stack.process.pid


def test_a_monstrous_query_delays_no_scrape_and_keeps_to_its_memory(served: Served) -> None:
    """All series over all time at every step: refused for its memory, which stays within max_memory; or, over fewer steps, answered.
    Scrapes go on meanwhile, none later than a second."""
    served.configure(max_memory="512MB")
    wait_for(lambda: len(served.target.arrivals) > 1, "the first scrapes")
    assert served.range(MONSTER, hours=0.1)[0] == 200
    for step, expected in ((15, 422), (60, 200)):
        memory, since = Memory(pid_of(served)), time.monotonic()
        status, answer = served.range(MONSTER, step=step)
        until = time.monotonic()
        growth, gap = memory.growth(), served.target.longest_gap(since, until)
        shown = f"step {step} s: {status} in {until - since:.1f} s, {growth / MEGABYTE:.0f} MB more, {gap:.2f} s without a scrape"
        print(shown)
        assert status == expected, answer
        assert growth < 512 << 20, shown
        assert gap < 2, shown
    assert len(json.loads(answer)["data"]["result"]) == len(LABELS)


def test_a_deadline_ends_a_query(served: Served) -> None:
    """503 timeout in upstream's words, by the request's parameter and by the server's own."""
    status, answer = served.range(MONSTER, timeout="50ms")
    assert (status, answer["errorType"]) == (503, "timeout")
    assert answer["error"].startswith("query timed out in expression evaluation")


def test_a_query_may_load_so_many_samples(served: Served) -> None:
    """422 execution in upstream's words; a smaller query is answered."""
    served.configure(max_samples=100_000)
    status, answer = served.range("sum(rate(big_bucket[5m]))")
    assert (status, answer["errorType"]) == (422, "execution")
    assert answer["error"].startswith("query processing would load too many samples into memory in query execution")
    assert served.range('sum(rate(big_bucket{instance="host-1",path="/p/1"}[5m]))', hours=1)[0] == 200


def test_too_many_queries_wait_and_more_are_refused(served: Served) -> None:
    """Of different queries one runs, one waits, the rest is told at once to come again; later everything is answered as ever."""
    served.configure(concurrency=1, queue=1)
    with ThreadPoolExecutor(6) as pool:
        queries = [f"sum(rate(big_bucket[{minutes}m]))" for minutes in range(5, 11)]
        started = [pool.submit(served.range, query, step=30) for query in queries]
        answers = [one.result() for one in started]
    assert {status for status, _ in answers} == {200, 503}
    refused = [answer for status, answer in answers if status == 503]
    assert {answer["errorType"] for answer in refused} == {"unavailable"}
    assert 1 <= len(refused) <= 4
    wait_for(lambda: served.gauge("prometheus_engine_queries") == 0, "the end of the queue")
    assert served.range("vector(1)")[0] == 200


def test_the_same_query_asked_by_many_takes_one_place(served: Served) -> None:
    """They share an answer, so that none of them is refused where one may wait; the query log has a line for each."""
    log = served.stack.folder / "shared.log"
    write_prometheus(served.stack.folder / "prometheus.yml", served.target, query_log_file=str(log))
    served.configure(concurrency=1, queue=1)
    with ThreadPoolExecutor(6) as pool:
        started = [pool.submit(served.range, "sum(rate(big_bucket[5m]))", hours=1) for _ in range(6)]
        answers = [one.result() for one in started]
    assert [status for status, _ in answers] == [200] * 6
    assert all(answer == answers[0][1] for _, answer in answers)
    assert [json.loads(line)["params"]["query"] for line in log.read_text().splitlines()] == [
        "sum(rate(big_bucket[5m]))"
    ] * 6


def test_a_deadline_counts_in_the_queue_too(served: Served) -> None:
    """A query whose time passes while it waits for a worker is answered then, not when a worker is free."""
    served.configure(concurrency=1)
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(
            served.range, " + ".join(["sum(rate(big_bucket[5m]))", "sum(rate(big_bucket[9m]))"]), step=15
        )
        wait_for(lambda: served.gauge("prometheus_engine_queries") == 1, "the long query runs")
        status, answer = served.range("vector(1)", timeout="100ms")
        assert not long.done()
        assert (status, answer["errorType"], answer["error"]) == (503, "timeout", "query timed out in query queue")
        assert long.result()[0] == 200


def test_a_client_that_leaves_takes_its_query_along(served: Served) -> None:
    """The worker stops in the middle; the query log says that the query was cancelled."""
    log = served.stack.folder / "canceled.log"
    write_prometheus(served.stack.folder / "prometheus.yml", served.target, query_log_file=str(log))
    served.configure(concurrency=1)
    end = served.end_ms / 1000
    times = {"start": end - HOURS * 3600, "end": end, "step": 15}
    query = urlencode({"query": " + ".join([f"sum(rate(big_bucket[{m}m]))" for m in range(5, 15)]), **times})
    with socket.create_connection(("127.0.0.1", served.stack.ports["prometheus"])) as client:
        client.sendall(f"GET /api/v1/query_range?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for(lambda: served.gauge("prometheus_engine_queries") == 1, "the query runs")
    left = time.monotonic()
    wait_for(lambda: served.gauge("prometheus_engine_queries") == 0, "the query ends")
    print(f"ended {time.monotonic() - left:.1f} s after the client left")
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["error"] == "query was canceled in expression evaluation"


def test_the_query_log_is_upstreams(served: Served) -> None:
    """A line per evaluated query: parameters, what it took, who asked, its error; on and off by reload."""
    file, log = served.stack.folder / "prometheus.yml", served.stack.folder / "query.log"
    reload = served.stack.url("prometheus", "/-/reload")
    write_prometheus(file, served.target, query_log_file="query.log")
    assert post(reload, b"", {})[0] == 200
    assert served.gauge("prometheus_engine_query_log_enabled") == 1
    get(served.api("query"), {"query": "up", "time": "1700000000.5"})
    get(served.api("query_range"), {"query": "sum(up)", "start": "1700000000", "end": "1700000100", "step": "15.5"})
    get(served.api("query"), {"query": 'label_replace(vector(1),"a","b","c","(")'})
    get(served.api("query"), {"query": "up{"})
    first, second, third = [json.loads(line) for line in log.read_text().splitlines()]
    at = "2023-11-14T22:13:20.500Z"
    assert first["params"] == {"query": "up", "start": at, "end": at, "step": 0}
    assert first["httpRequest"] == {"clientIP": "127.0.0.1", "method": "GET", "path": "/api/v1/query"}
    assert set(first["stats"]) == {"timings", "samples"}
    assert (first["msg"], first["level"]) == ("promql query logged", "INFO")
    assert "error" not in first
    assert (second["params"]["step"], second["httpRequest"]["path"]) == (15, "/api/v1/query_range")
    assert third["error"].startswith("invalid regular expression in label_replace(): (")
    write_prometheus(file, served.target, query_log_file="no/such/folder/query.log")
    status, body = post(reload, b"", {})
    assert (status, "query_log_file: cannot write to" in body) == (500, True)
    write_prometheus(file, served.target)
    assert post(reload, b"", {})[0] == 200
    assert served.gauge("prometheus_engine_query_log_enabled") == 0
    get(served.api("query"), {"query": "up"})
    assert len(log.read_text().splitlines()) == 3


def test_a_tenant_has_so_many_series(tmp_path: Path) -> None:
    """Above metrics.max_series new series are refused, as a partial write; known ones, and other tenants, go on."""
    with Stack(tmp_path, targets="metrics") as stack:
        path = tmp_path / "spyglass.yml"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"metrics": {"max_series": 30}}))
        stack.start()

        def push(tenant: str, numbers: range, time_ms: int) -> tuple[int, str]:
            rows = [(labels_of({"__name__": "m", "i": str(i)}), [(time_ms, 1.0)]) for i in numbers]
            headers = {"X-Scope-OrgID": tenant, "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
            return post(stack.url("prometheus", "/api/v1/write"), compress(encode_v1(rows)), headers)

        def count(tenant: str, time_ms: int) -> list[str]:
            at = {"query": "count(timestamp(m) > 0)", "time": str(time_ms / 1000), "lookback_delta": "1ms"}
            body = json.loads(get(stack.url("prometheus", "/api/v1/query"), at, {"X-Scope-OrgID": tenant})[1])
            return [row["value"][1] for row in body["data"]["result"]]

        now = int(time.time() * 1000)
        assert push("a", range(20), now - 3000)[0] == 204
        status, body = push("a", range(50), now - 2000)
        assert (status, "the limit of active series is reached" in body) == (400, True), body
        assert count("a", now - 2000) == ["30"]
        assert push("b", range(25), now - 1000)[0] == 204
        assert push("a", range(30), now)[0] == 204
        assert (count("a", now), count("b", now - 1000)) == (["30"], ["25"])
        assert stack.stop() == 0
