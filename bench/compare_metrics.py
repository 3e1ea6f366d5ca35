"""Spyglass beside Prometheus and VictoriaMetrics: the same samples in, the same questions asked, in one run.

    python -m bench.compare_metrics --hours 24 --servers spyglass,prometheus,victoria

The data is `bench.metric_data`'s back end: 340 endpoints, about 10,000 series, a scrape every 15 s, counters that reset, a tenth of
the series replaced half way. It goes in by remote write (prepared bodies, two connections), one server at a time; then the server is
asked, result caches off, medians of `--rounds`. CPU seconds and peak memory are the server process' own (/proc). Peers come from
Debian: prometheus, victoria-metrics; one that is not installed is left out. Ports are on loopback.
"""

import argparse
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.metric_data import BackEnd

from spyglass.formats import snappy
from spyglass.formats.remote_write import encode_v1
from spyglass.model.labels import Labels, labels_of

STEP_MS = 15_000
SCRAPES_PER_BODY = 4

SHAPES = (
    "rate(http_requests_total[5m])",
    "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.99, sum by (le, path) (rate(http_request_duration_seconds_bucket[5m])))",
    "sum(rate(http_requests_total[5m])) by (path)",
    '100 * sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))',
    "sum(rate(http_requests_total[5m])) by (status)",
    "topk(10, sum by (path) (rate(http_requests_total[5m])))",
    "bottomk(5, sum by (path) (rate(http_requests_total[5m])))",
    'increase(http_requests_total{status="500"}[1h])',
    "sum(increase(http_requests_total[1h]))",
    'irate(http_requests_total{method="GET"}[5m])',
    "max_over_time(http_requests_in_flight[10m])",
    "avg_over_time(process_gauge_1[30m])",
    "quantile_over_time(0.9, http_requests_in_flight[30m])",
    "stddev_over_time(process_gauge_2[10m])",
    "sum(http_requests_in_flight)",
    "avg by (method) (http_requests_in_flight)",
    "count(http_requests_in_flight > 0)",
    "quantile(0.9, http_requests_in_flight)",
    "rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])",
    "sum(rate(http_requests_total[5m])) - sum(rate(http_requests_total[5m] offset 1h))",
    "http_requests_in_flight * on (path, instance, method, job) group_left rate(http_request_duration_seconds_count[5m])",
    'label_replace(sum by (path) (rate(http_requests_total[5m])), "id", "$1", "path", ".*/(\\\\d+)")',
    "max_over_time(sum(rate(http_requests_total[5m]))[30m:1m])",
    'rate(http_requests_total{path!~".*[0-4]", status!="200"}[5m])',
    "changes(process_gauge_3[1h])",
    "deriv(process_gauge_4[10m])",
    'absent(http_requests_total{path="/none"})',
    "sum(rate(http_requests_total[5m])) by (method) > 0.5 or vector(0)",
)

RANGES = (("instant", 0, 0), ("1h", 3600, 15), ("6h", 6 * 3600, 60), ("24h", 24 * 3600, 300))


@dataclass
class Server:
    """A server under test: how it starts, where it takes and answers."""

    name: str
    command: Sequence[str]
    port: int
    folder: Path
    extra: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Seconds until a query is answered."""
        began = time.perf_counter()
        with (self.folder / "log").open("ab") as sink:
            self.process = subprocess.Popen(self.command, stdout=sink, stderr=sink, cwd=self.folder)
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/api/v1/query?query=1", timeout=1).read()
                return time.perf_counter() - began
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - began > 120:
                    raise SystemExit(
                        f"{self.name} does not start: {(self.folder / 'log').read_text()[-800:]}"
                    ) from None
                time.sleep(0.01)

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)

    def cpu(self) -> float:
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6

    def reset_peak(self) -> None:
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def disk(self) -> int:
        return sum(file.stat().st_size for file in self.folder.rglob("*") if file.is_file() and file.name != "log")


def servers(names: Sequence[str], root: Path) -> Iterator[Server]:
    """Those that are asked for and installed."""
    for offset, name in enumerate(names):
        folder, port = root / name, 19090 + offset
        folder.mkdir()
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        data = str(folder / "data")
        # Debian's own configuration scrapes: one sample of now, and all that is older than an hour would be refused.
        flags = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=90d",
        ]
        if name == "spyglass":
            command = [sys.executable, "-m", "spyglass", "prometheus", *flags, "--web.enable-remote-write-receiver"]
            yield Server(name, [*command, "--query.max-samples=500000000"], port, folder)
        elif name == "prometheus" and shutil.which("prometheus"):
            command = ["prometheus", *flags, "--web.enable-remote-write-receiver", "--query.max-samples=500000000"]
            yield Server(name, command, port, folder)
        elif name == "victoria" and shutil.which("victoria-metrics"):
            flags = [f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={data}", "-retentionPeriod=100y"]
            more = ["-search.disableCache", "-search.latencyOffset=0s", "-search.maxPointsPerTimeseries=100000"]
            yield Server(
                name,
                ["victoria-metrics", *flags, *more, "-search.maxSamplesPerQuery=2000000000"],
                port,
                folder,
                {"nocache": "1"},
            )


def bodies(hours: float, start_ms: int) -> Iterator[tuple[bytes, int]]:
    """Remote write bodies of a few scrapes each, and how many samples they hold."""
    back_end = BackEnd()
    labels: list[Labels] = list(back_end.labels)
    scrapes = int(hours * 3600 * 1000 / STEP_MS)
    rows = back_end.scrapes(scrapes)
    for first in range(0, scrapes, SCRAPES_PER_BODY):
        if first <= scrapes // 2 < first + SCRAPES_PER_BODY:
            # A deploy: a tenth of the series goes on under another instance.
            labels = [_renamed(one) if n % 10 == 0 else one for n, one in enumerate(labels)]
        block = [next(rows) for _ in range(min(SCRAPES_PER_BODY, scrapes - first))]
        times = [start_ms + (first + n) * STEP_MS for n in range(len(block))]
        columns = list(zip(*(row.tolist() for row in block), strict=True))
        series = [(one, list(zip(times, values, strict=True))) for one, values in zip(labels, columns, strict=True)]
        yield bytes(snappy.compress(encode_v1(series))), len(series) * len(block)


def _renamed(labels: Labels) -> Labels:
    return labels_of({**dict(labels), "instance": "api:8001"})


def ingest(server: Server, prepared: Sequence[tuple[Path, int]]) -> dict[str, float]:
    """All bodies in order. Two connections would reorder a series' samples: one sends, the other prepares."""
    assert server.process is not None
    cpu, began, total = server.cpu(), time.perf_counter(), 0
    headers = {
        "Content-Encoding": "snappy",
        "Content-Type": "application/x-protobuf",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    for path, count in prepared:
        request = urllib.request.Request(f"{server.base}/api/v1/write", data=path.read_bytes(), headers=headers)
        try:
            urllib.request.urlopen(request, timeout=300).read()
        except urllib.error.HTTPError as err:
            raise SystemExit(f"{server.name}: {err.code} {err.read()[:500]!r}") from None
        total += count
    seconds = time.perf_counter() - began
    return {
        "samples": total,
        "samples_per_s": total / seconds,
        "cpu_s_per_million": (server.cpu() - cpu) / total * 1e6,
        "peak_mb": server.peak_mb(),
    }


def settle(server: Server, seconds: float) -> None:
    """Wait until the server has been idle for a while: merges are over."""
    last, quiet, deadline = server.cpu(), 0, time.monotonic() + seconds
    while quiet < 8 and time.monotonic() < deadline:
        time.sleep(1)
        now = server.cpu()
        quiet = quiet + 1 if now - last < 0.05 else 0
        last = now


def ask(server: Server, query: str, start: float, end: float, step: int) -> tuple[float, int]:
    """(milliseconds, bytes of the answer)."""
    form = {"query": query, **server.extra}
    form |= {"start": f"{start}", "end": f"{end}", "step": f"{step}"} if step else {"time": f"{end}"}
    path = "/api/v1/query_range" if step else "/api/v1/query"
    began = time.perf_counter()
    request = urllib.request.Request(server.base + path, data=urllib.parse.urlencode(form).encode())
    try:
        body = urllib.request.urlopen(request, timeout=300).read()
    except urllib.error.HTTPError as err:
        raise SystemExit(f"{server.name}: {query}: {err.code} {err.read()[:300]!r}") from None
    return (time.perf_counter() - began) * 1000, len(body)


def questions(server: Server, end: float, hours: float, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds by range and shape."""
    found: dict[str, dict[str, float]] = {}
    for name, span, step in RANGES:
        if span > hours * 3600 + 1:
            continue
        found[name] = {}
        for query in SHAPES:
            ask(server, query, end - span, end, step)
            times = [ask(server, query, end - span, end, step)[0] for _ in range(rounds)]
            found[name][query] = statistics.median(times)
    return found


def clients(server: Server, end: float, seconds: float, *, apart_s: int = 0, count: int = 8) -> dict[str, float]:
    """Dashboards replayed by several clients at once: queries a second, and the peak memory while they do.

    apart_s: how far apart in time the clients' questions lie; 0: all ask the very same.
    """
    server.reset_peak()
    over, done = time.monotonic() + seconds, [0] * count

    def replay(number: int) -> None:
        while time.monotonic() < over:
            for query in SHAPES[:6]:
                until = end - number * apart_s
                ask(server, query, until - 3600, until, 15)
                done[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=replay, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"queries_per_s": sum(done) / (time.monotonic() - began), "peak_mb": server.peak_mb()}


def measured(
    server: Server, prepared: Sequence[tuple[Path, int]], end: float, args: argparse.Namespace
) -> dict[str, Any]:
    """As measure; nothing is left running when something goes wrong."""
    try:
        return measure(server, prepared, end, args)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
            server.process.wait()


def measure(
    server: Server, prepared: Sequence[tuple[Path, int]], end: float, args: argparse.Namespace
) -> dict[str, Any]:
    """Everything about one server."""
    server.start()
    result: dict[str, Any] = {"ingest": ingest(server, prepared)}
    say(f"{server.name}: ingested, {result['ingest']['samples_per_s']:.0f} samples/s")
    settle(server, args.settle)
    server.stop()
    result["ready_s"] = server.start()
    began = time.perf_counter()
    ask(server, SHAPES[2], end - min(args.hours, 24) * 3600, end, 300)
    result["first_query_s"] = time.perf_counter() - began
    settle(server, 20)
    result["bytes_per_sample"] = server.disk() / result["ingest"]["samples"]
    result["queries_ms"] = questions(server, end, args.hours, args.rounds)
    say(f"{server.name}: asked")
    result["clients"] = clients(server, end, args.client_seconds)
    result["clients_apart"] = clients(server, end, args.client_seconds, apart_s=1)
    server.stop()
    return result


def report(results: Mapping[str, Any]) -> None:
    """The table of the goals."""
    names = list(results)
    print(f"{'':44}" + "".join(f"{name:>14}" for name in names))

    def row(title: str, value: Any) -> None:
        print(f"{title:44}" + "".join(f"{value(results[name]):14.3f}" for name in names))

    row("remote write, CPU s per million samples", lambda r: r["ingest"]["cpu_s_per_million"])
    row("remote write, million samples/s", lambda r: r["ingest"]["samples_per_s"] / 1e6)
    row("peak memory while ingesting, MB", lambda r: r["ingest"]["peak_mb"])
    row("disk, bytes per sample", lambda r: r["bytes_per_sample"])
    row("cold start: ready, s", lambda r: r["ready_s"])
    row("cold start: first long query, s", lambda r: r["first_query_s"])
    for key, title in (("clients", "8 clients, same times"), ("clients_apart", "8 clients, times differ")):
        row(f"{title}: queries/s", lambda r, k=key: r[k]["queries_per_s"])
        row(f"{title}: peak memory, MB", lambda r, k=key: r[k]["peak_mb"])
    base = results.get("prometheus")
    for span in next(iter(results.values()))["queries_ms"]:
        row(f"{len(SHAPES)} queries, {span}: sum of medians, ms", lambda r, s=span: sum(r["queries_ms"][s].values()))
        if base:
            row(
                f"{len(SHAPES)} queries, {span}: geometric mean vs Prometheus",
                lambda r, s=span: geometric([r["queries_ms"][s][q] / base["queries_ms"][s][q] for q in SHAPES]),
            )
            row(
                f"{len(SHAPES)} queries, {span}: worst difference, ms",
                lambda r, s=span: max(r["queries_ms"][s][q] - base["queries_ms"][s][q] for q in SHAPES),
            )
    longest = list(next(iter(results.values()))["queries_ms"])[-1]
    row(f"{longest} histogram_quantile over sum by (le), ms", lambda r: r["queries_ms"][longest][SHAPES[2]])
    row(f"{longest} rate() of all requests, ms", lambda r: r["queries_ms"][longest][SHAPES[0]])
    row("1h rate() of all requests at 15 s, ms", lambda r: r["queries_ms"]["1h"][SHAPES[0]])


def geometric(ratios: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--servers", default="spyglass,prometheus,victoria")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--settle", type=float, default=120.0, help="at most so many seconds for merges after ingestion"
    )
    parser.add_argument("--client-seconds", type=float, default=15.0)
    parser.add_argument("--json", type=Path, help="also write everything here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compare-metrics-") as folder:
        root = Path(folder)
        # The data ends now: peers refuse what is far from their clock.
        end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
        start_ms = end_ms - int(args.hours * 3_600_000)
        say("preparing bodies")
        prepared = []
        for number, (body, count) in enumerate(bodies(args.hours, start_ms)):
            path = root / f"{number:06d}.body"
            path.write_bytes(body)
            prepared.append((path, count))
        say(f"{sum(count for _, count in prepared)} samples in {len(prepared)} bodies")
        results = {
            server.name: measured(server, prepared, end_ms / 1000 - 30, args)
            for server in servers(args.servers.split(","), root)
        }
    report(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
