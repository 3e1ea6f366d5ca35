"""The log engine through the real server: push, disk, queries, eight clients, restart; beside a yardstick on the same bytes.

    python bench/logs_http.py [--lines 5000000] [--json FILE] [--folder FOLDER] [--no-levels]

The lines are those of bench/logs_store.py: JSON of a CRM back end, 254 bytes, 24 hours, 4 levels (streams), 200 tenants as a field. The
server is `spyglass loki` as a child process with its rate limits lifted. Pushes are prepared protobuf bodies over two connections; times
are wall clock at the client, medians of five after one warm-up; answers are checked against counts taken while the lines were made.
CPU and memory are the server's (/proc/PID). Goals and peers: the table of figures that the engine was built against.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from logs_store import DAY_NS, NEEDLE, START_NS, lines
from spyglass.formats.loki_push import encode_protobuf
from spyglass.protocols.log_store import LogEntry

BATCH = 5000
ROUNDS = 5
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
CLIENTS = 8
CLIENT_SECONDS = 20
SCAN_BYTES = 256 << 20


# --- the data -----------------------------------------------------------------------------------------------------------


@dataclass
class Corpus:
    """Bodies on disk by (offset, size); truth: how many lines a query should find."""

    folder: Path
    lines: int
    raw_bytes: int = 0
    bodies: list[tuple[int, int]] = field(default_factory=list)
    truth: Counter[str] = field(default_factory=Counter)

    @property
    def raw(self) -> Path:
        return self.folder / "lines.zst"

    @property
    def pushes(self) -> Path:
        return self.folder / "pushes"


def prepare(folder: Path, count: int) -> Corpus:
    corpus = Corpus(folder, count)
    batch: dict[str, list[LogEntry]] = {}
    zstd = subprocess.Popen(["zstd", "-q", "-3", "-f", "-o", str(corpus.raw)], stdin=subprocess.PIPE)
    assert zstd.stdin is not None
    with corpus.pushes.open("wb") as pushes:
        for number, (level, entry) in enumerate(lines(count), 1):
            batch.setdefault(level, []).append(entry)
            data = entry.line.encode()
            corpus.raw_bytes += len(data)
            zstd.stdin.write(data + b"\n")
            _count(corpus.truth, level, entry.line)
            if number % BATCH == 0 or number == count:
                body = encode_protobuf([(f'{{job="backend", level="{name}"}}', of) for name, of in batch.items()])
                corpus.bodies.append((pushes.tell(), len(body)))
                pushes.write(body)
                batch = {}
    zstd.stdin.close()
    zstd.wait()
    return corpus


def _count(truth: Counter[str], level: str, line: str) -> None:
    fields = json.loads(line)
    truth["all"] += 1
    truth[level] += 1
    truth["needle"] += fields["requestId"] == NEEDLE
    truth["tenant"] += fields["tenantId"] == "tenant-0042"
    truth["slow"] += fields["duration"] > 1000
    tenant, user = fields["tenantId"], fields["userId"]
    truth["regex"] += tenant[:9] == "tenant-00" and tenant[9] in "01234" and tenant[10] == "2" and user[5] == "1"


# --- the server ---------------------------------------------------------------------------------------------------------


class Server:
    """`spyglass loki` as a child process on a free port."""

    def __init__(self, folder: Path, *, levels: bool) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        limits = {
            "ingestion_rate_mb": 100000, "ingestion_burst_size_mb": 100000, "per_stream_rate_limit": "100GB",
            "per_stream_rate_limit_burst": "100GB", "reject_old_samples": False, "creation_grace_period": "100000h",
            "max_entries_limit_per_query": 5000, "max_query_series": 100000, "max_query_length": 0, "query_timeout": "5m",
            "discover_log_levels": levels,
        }  # fmt: skip
        config = {
            "auth_enabled": False,
            "server": {"http_listen_address": "127.0.0.1", "http_listen_port": self.port},
            "common": {"path_prefix": str(folder / "data")},
            "limits_config": limits,
        }
        self.config = folder / "loki.yml"
        self.config.write_text(json.dumps(config))
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Returns: seconds until it was ready."""
        started = time.perf_counter()
        command = [str(Path(sys.executable).with_name("spyglass")), "loki", f"-config.file={self.config}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        while True:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError):
                connection = self.connect()
                connection.request("GET", "/ready")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - started
            time.sleep(0.005)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
            self.process = None

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.connect()
        assert connection.sock is not None
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _proc(self, name: str) -> str:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/{name}").read_text()

    def cpu_seconds(self) -> float:
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def peak_mb(self) -> float:
        return (
            int(next(line for line in self._proc("status").splitlines() if line.startswith("VmHWM")).split()[1]) / 1024
        )

    def forget_peak(self) -> None:
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def disk_bytes(self) -> int:
        sizes = 0
        for path in self.data.rglob("*"):
            with contextlib.suppress(FileNotFoundError):
                sizes += path.stat().st_size if path.is_file() else 0
        return sizes


# --- measuring ----------------------------------------------------------------------------------------------------------


def ingest(server: Server, corpus: Corpus) -> dict[str, float]:
    work = iter(corpus.bodies)
    lock = threading.Lock()
    failures: list[str] = []
    slowest = [0.0]

    def sender() -> None:
        connection = server.connect()
        with corpus.pushes.open("rb") as pushes:
            while True:
                with lock:
                    place = next(work, None)
                if place is None or failures:
                    return
                body = os.pread(pushes.fileno(), place[1], place[0])
                started = time.perf_counter()
                connection.request("POST", "/loki/api/v1/push", body, {"Content-Type": "application/x-protobuf"})
                answer = connection.getresponse()
                text = answer.read()
                slowest[0] = max(slowest[0], time.perf_counter() - started)
                if answer.status != 204:
                    failures.append(f"{answer.status} {text[:300]!r}")

    cpu, started = server.cpu_seconds(), time.perf_counter()
    senders = [threading.Thread(target=sender) for _ in range(2)]
    for thread in senders:
        thread.start()
    for thread in senders:
        thread.join()
    if failures:
        raise SystemExit(f"a push failed: {failures[0]}")
    wall = time.perf_counter() - started
    settle(server)
    cpu = server.cpu_seconds() - cpu
    return {
        "lines_per_second": corpus.lines / wall,
        "cpu_seconds_per_gb": cpu / corpus.raw_bytes * 1e9,
        "slowest_push_ms": slowest[0] * 1e3,
        "peak_mb": server.peak_mb(),
        "disk_per_raw_byte": server.disk_bytes() / corpus.raw_bytes,
    }


def settle(server: Server) -> None:
    """Everything in blocks, and nothing changing on disk any longer."""
    connection = server.connect()
    connection.request("POST", "/flush")
    connection.getresponse().read()
    known, since, deadline = -1, time.perf_counter(), time.perf_counter() + 120
    while time.perf_counter() - since < 6 and time.perf_counter() < deadline:
        size = server.disk_bytes()
        if size != known:
            known, since = size, time.perf_counter()
        time.sleep(0.5)


@dataclass(frozen=True)
class Query:
    """key: of the goals. expected(truth): the lines, or the sum of all samples; None: not known in advance."""

    key: str
    text: str
    limit: int = 100
    goal_ms: float = 0
    peers: str = ""
    expected: Callable[[Counter[str]], float | None] = lambda truth: None  # noqa: ARG005
    series: int = 0


JSON_P95 = 'quantile_over_time(0.95, {job="backend"} | json | unwrap duration [5m])'
QUERIES = (
    Query("last 100", '{job="backend"}', 100, 15, "10 / 22-39", lambda t: min(100, t["all"])),
    Query("last 5,000", '{job="backend"}', 5000, 60, "29-48 / 116-169", lambda t: min(5000, t["all"])),
    Query('|= "ERROR", limit 100', '{job="backend"} |= "ERROR"', 100, 18, "333 / 18", lambda t: min(100, t["ERROR"])),
    Query("needle in 3 lines", f'{{job="backend"}} |= "{NEEDLE}"', 100, 10, "3279 / 5", lambda t: t["needle"]),
    Query("needle in none", '{job="backend"} |= "5f0c1e55-dead-4bee-8f00-0123456789ac"', 100, 5, "2844 / 1", lambda t: 0),  # noqa: ARG005
    Query("|~ regex, limit 100", '{job="backend"} |~ "tenant-00[0-4]2.*user-1"', 100, 80, "1650 / 94", lambda t: min(100, t["regex"])),
    Query("json tenantId, limit 100", '{job="backend"} | json | tenantId="tenant-0042"', 100, 40, "240 / 127",
          lambda t: min(100, t["tenant"])),
    Query("json duration > 1000, limit 1000", '{job="backend"} | json | duration > 1000', 1000, 80, "2030 / 278",
          lambda t: min(1000, t["slow"])),
    Query("sum by (level) (rate [5m])", 'sum by (level) (rate({job="backend"}[5m]))', 100, 60, "3280 / 98", lambda t: t["all"] / 300, 4),
    Query("count by tenant over json", 'sum by (tenantId) (count_over_time({job="backend"} | json [5m]))', 100, 250, "6500 / 612",
          lambda t: t["all"], 200),
    Query("p95 duration by method", f"{JSON_P95} by (method)", 100, 600, "5290 / 4850", series=3),
    Query("p95 duration by path", f"{JSON_P95} by (path)", 100, 500, "3580 / 1070", series=30),
)  # fmt: skip


def path_of(query: Query) -> str:
    values = {"query": query.text, "start": START_NS, "end": START_NS + DAY_NS, "step": "300", "limit": query.limit}
    return "/loki/api/v1/query_range?" + urlencode(values)


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {body[:500]!r}")
    return body


def check(query: Query, body: bytes, truth: Counter[str]) -> str:
    """What was found, after a look at whether that can be right."""
    data = json.loads(body)["data"]
    result = data["result"]
    if data["resultType"] == "streams":
        found: float = sum(len(stream["values"]) for stream in result)
        shown = f"{found:.0f} lines"
    else:
        found = sum(float(value) for series in result for _, value in series["values"])
        shown = f"{len(result)} series"
        if query.series and len(result) != query.series:
            raise SystemExit(f"{query.key}: {len(result)} series, expected {query.series}")
    wanted = query.expected(truth)
    if wanted is not None and abs(found - wanted) > 1e-6 * max(1, wanted):
        raise SystemExit(f"{query.key}: found {found}, expected {wanted}")
    return shown


def timed(server: Server, path: str) -> tuple[float, float, float, bytes]:
    """(first, median of the others, the server's CPU per question) in ms, and the answer."""
    connection = server.connect()
    times = []
    body = b""
    cpu = 0.0
    for number in range(ROUNDS + 1):
        if number == 1:
            cpu = server.cpu_seconds()
        started = time.perf_counter()
        body = ask(connection, path)
        times.append((time.perf_counter() - started) * 1e3)
    return times[0], statistics.median(times[1:]), (server.cpu_seconds() - cpu) / ROUNDS * 1e3, body


def many(server: Server) -> dict[str, float]:
    """Eight clients, each asking queries of the table at random."""
    server.forget_peak()
    took: list[float] = []
    stop_at = time.perf_counter() + CLIENT_SECONDS
    failures: list[BaseException] = []

    def client(seed: int) -> None:
        rng, connection = random.Random(seed), server.connect()
        try:
            while time.perf_counter() < stop_at:
                path = path_of(rng.choice(QUERIES))
                started = time.perf_counter()
                ask(connection, path)
                took.append(time.perf_counter() - started)
        except BaseException as err:
            failures.append(err)

    cpu, started = server.cpu_seconds(), time.perf_counter()
    clients = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if failures:
        raise SystemExit(str(failures[0]))
    wall = time.perf_counter() - started
    return {
        "queries_per_second": len(took) / wall,
        "p95_seconds": float(np.quantile(took, 0.95)),
        "peak_mb": server.peak_mb(),
        "cpu_ms_per_query": (server.cpu_seconds() - cpu) / len(took) * 1e3,
    }


def yardstick(corpus: Corpus) -> dict[str, float]:
    command = f"zstd -dc {corpus.raw} | grep -c {NEEDLE}"
    greps = []
    for _ in range(3):
        started = time.perf_counter()
        found = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
        greps.append((time.perf_counter() - started) * 1e3)
        assert int(found) == corpus.truth["needle"], found
    with subprocess.Popen(["zstd", "-dc", str(corpus.raw)], stdout=subprocess.PIPE) as zstd:
        assert zstd.stdout is not None
        data = np.frombuffer(zstd.stdout.read(SCAN_BYTES), np.uint8)
        zstd.kill()
    scans = []
    for _ in range(3):
        started = time.perf_counter()
        np.count_nonzero(data == ord("{"))
        scans.append((time.perf_counter() - started) * 1e3 * corpus.raw_bytes / len(data))
    return {"grep_ms": statistics.median(greps), "numpy_scan_ms": statistics.median(scans)}


# --- the table ----------------------------------------------------------------------------------------------------------


def run(folder: Path, count: int, *, levels: bool) -> dict[str, Any]:
    corpus = prepare(folder, count)
    print(f"{count:,} lines, {corpus.raw_bytes / 1e6:.0f} MB, {corpus.raw_bytes / count:.0f} bytes each", flush=True)
    server = Server(folder, levels=levels)
    answer: dict[str, Any] = {"lines": count, "raw_bytes": corpus.raw_bytes, "levels": levels}
    try:
        server.start()
        answer["ingest"] = ingest(server, corpus)
        show_ingest(answer["ingest"])
        server.stop()
        answer["restart_seconds"] = server.start()
        answer["idle_mb"] = server.peak_mb()
        answer["yardstick"] = yardstick(corpus)
        answer["queries"] = dict(table(server, corpus, answer["yardstick"]))
        answer["clients"] = many(server)
    finally:
        server.stop()
    show_rest(answer)
    return answer


def show_ingest(found: dict[str, float]) -> None:
    print(f"{'':34} {'goal':>9} {'ours':>9}   Loki / VictoriaLogs")
    rows = [
        ("ingest by push, lines/s", 250_000, found["lines_per_second"], "236-273 k / 296 k"),
        ("CPU seconds per GB", 12, found["cpu_seconds_per_gb"], "14.8 / 19.2"),
        ("memory while ingesting, MB", 350, found["peak_mb"], "939 / 348"),
        ("disk per raw byte", 0.14, found["disk_per_raw_byte"], "0.208 / 0.155"),
    ]
    for name, goal, ours, peers in rows:
        digits = 3 if goal < 1 else 1 if goal < 100 else 0
        print(f"{name:34} {goal:9,g} {ours:9,.{digits}f}   {peers}")
    print(f"{'slowest push, ms':34} {'':9} {found['slowest_push_ms']:9.0f}", flush=True)


def table(server: Server, corpus: Corpus, yard: dict[str, float]) -> Iterator[tuple[str, dict[str, float]]]:
    print(f"yardstick: zstd -dc | grep -c {yard['grep_ms']:.0f} ms, numpy memory scan {yard['numpy_scan_ms']:.0f} ms")
    print(
        f"{'24 h, ms':34} {'goal':>9} {'ours':>9} {'first':>8} {'CPU':>7} {'/grep':>7} {'/scan':>7}   Loki / VictoriaLogs; found"
    )
    for query in QUERIES:
        first, median, cpu, body = timed(server, path_of(query))
        found = check(query, body, corpus.truth)
        yield query.key, show(query.key, query.goal_ms, first, median, cpu, yard, f"{query.peers}; {found}")
    values = "/loki/api/v1/label/level/values?" + urlencode({"start": START_NS, "end": START_NS + DAY_NS})
    first, median, cpu, body = timed(server, values)
    assert json.loads(body)["data"] == ["DEBUG", "ERROR", "INFO", "WARN"], body
    yield "label values", show("label values", 3, first, median, cpu, yard, "3 / 1")


def show(
    name: str, goal: float, first: float, median: float, cpu: float, yard: dict[str, float], more: str
) -> dict[str, float]:
    grep, scan = median / yard["grep_ms"], median / yard["numpy_scan_ms"]
    print(f"{name:34} {goal:9g} {median:9.1f} {first:8.1f} {cpu:7.1f} {grep:7.3f} {scan:7.3f}   {more}", flush=True)
    return {"goal_ms": goal, "median_ms": median, "first_ms": first, "cpu_ms": cpu, "of_grep": grep, "of_scan": scan}


def show_rest(answer: dict[str, Any]) -> None:
    clients = answer["clients"]
    rows = [
        (
            "8 clients: queries/s",
            80,
            clients["queries_per_second"],
            f"9 / 73; CPU {clients['cpu_ms_per_query']:.1f} ms a query",
        ),
        ("8 clients: 95th percentile, s", 0.2, clients["p95_seconds"], "2.0 / 0.2"),
        ("8 clients: memory, MB", 500, clients["peak_mb"], "1200 / 420"),
        ("ready after restart, s", 1, answer["restart_seconds"], "10 / 0.06"),
    ]
    for name, goal, ours, peers in rows:
        print(f"{name:34} {goal:9} {ours:9.2f}   {peers}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--folder", type=Path, help="work in this folder and leave it")
    parser.add_argument(
        "--no-levels", action="store_true", help="no detected_level on every line (discover_log_levels: false)"
    )
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="logs-http-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        answer = run(folder, options.lines, levels=not options.no_levels)
    finally:
        if not options.folder:
            shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        options.json.write_text(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
