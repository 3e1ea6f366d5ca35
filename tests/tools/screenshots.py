"""Screenshots of dashboards on real data: a whole stack on free ports, Debian's node exporter, the example back end with traffic.

python -m tests.tools.screenshots OUT [DASHBOARD.json ...]      # needs `make ui` and `make peers`

Takes the demo's dashboard, Explore, and the given dashboards, in both themes, wide and narrow. Most of an hour of history is
written by remote write, from two real scrapes: counters go back at their measured rate with some swing, gauges swing around
their value, so that graphs have lines from the start.
"""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

import cramjam
import yaml
from tests.conformance_data import ROOT
from tests.support.stack import Stack, free_ports, get, post, wait_for

from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.labels import Labels, labels_of

EXAMPLE = ROOT / "examples" / "clientforge"
NODE = Path(sys.executable).with_name("node")
INSTANCE = {"instance": "web-1:9100"}
OLD_NAMES = (
    ("node_disk_(read|written)_bytes_total", "node_disk_bytes_$1"),
    ("node_disk_(io|read|write)_time_seconds_total", "node_disk_$1_time_ms"),
    ("(node_\\w+?)(_seconds)?_total", "$1"),
    ("node_(boot_time|time)_seconds", "node_$1"),
    ("(node_(memory|filesystem)_\\w+)_bytes", "$1"),
)
"""What metrics were called before node exporter 0.16, which old dashboards ask for: a job of its own has these names."""
HISTORY_MS, STEP_MS, APART_S = 55 * 60_000, 15_000, 10
SWINGING = re.compile(
    r"node_(memory_(?!.*Total)|load|procs|filefd_allocated|sockstat|netstat|entropy|schedstat|forks|intr)"
)
LINE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Scrape:
    """values by series; counters: the names that only grow."""

    at_ms: int
    values: dict[Labels, float]
    counters: frozenset[str]


def main() -> None:
    out, dashboards = Path(sys.argv[1]).resolve(), [Path(name) for name in sys.argv[2:]]
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        for url in running(Path(folder), dashboards):
            pages = json.dumps(list(pages_of(dashboards)))
            command = [str(NODE), "dev/page-shots.mjs", str(out), pages]
            subprocess.run(command, cwd=ROOT / "ui", env=os.environ | {"SPYGLASS_URL": url}, check=True)


def pages_of(dashboards: list[Path]) -> Iterator[dict[str, object]]:
    metrics = "sum by (endpoint) (rate(http_requests_total[5m]))"
    yield {"name": "demo", "path": "/d/clientforge-backend/x?from=now-30m&to=now"}
    yield {"name": "explore", "path": f"/explore?datasource=prometheus&expr={metrics}".replace(" ", "%20")}
    yield {"name": "explore-logs", "path": '/explore?datasource=loki&expr={job="backend"}'}
    for file in dashboards:
        yield {"name": file.stem, "path": f"/d/{uid_of(file)}/x?from=now-45m&to=now", "height": 1150}


def uid_of(file: Path) -> str:
    return f"shot-{crc32(file.stem.encode()):x}"


def running(folder: Path, dashboards: list[Path]) -> Iterator[str]:
    """The address of the web UI, once there is data. Ends everything afterwards."""
    exporter_port, backend_port = free_ports(2)
    backend = f"http://127.0.0.1:{backend_port}"
    with Stack(folder, backend_port=backend_port) as stack:
        _configure(stack, exporter_port, dashboards)
        children = [
            subprocess.Popen(
                [
                    "prometheus-node-exporter",
                    f"--web.listen-address=127.0.0.1:{exporter_port}",
                    "--no-collector.systemd",
                    "--log.level=error",
                ]
            ),
            subprocess.Popen(
                [sys.executable, "-m", "clientforge", "--port", str(backend_port), "--logs", str(stack.logs)],
                cwd=EXAMPLE,
                stderr=subprocess.DEVNULL,
            ),
        ]
        try:
            wait_for(lambda: get(f"{backend}/api/v1/health")[0] == 200, "the back end answers")
            traffic = [sys.executable, "-m", "clientforge.traffic", "--url", backend, "--rate", "25"]
            children.append(subprocess.Popen(traffic, cwd=EXAMPLE))
            exporter = f"http://127.0.0.1:{exporter_port}/metrics"
            sources = [
                (exporter, {"job": "node-exporter", **INSTANCE}),
                (exporter, {"job": "node", **INSTANCE}),
                (f"{backend}/metrics", {"job": "backend", "instance": "backend:3000"}),
            ]
            wait_for(lambda: get(exporter)[0] == 200, "the node exporter answers")
            before = [scrape(url, labels) for url, labels in sources]
            time.sleep(APART_S)
            after = [scrape(url, labels) for url, labels in sources]
            stack.start()
            for older, newer in zip(before, after, strict=True):
                _push(stack, older, newer)
            # Scraping begins only now: what is older than a series' last sample would be refused.
            (stack.folder / "jobs.yml").rename(stack.folder / "prometheus.yml")
            assert stack.process is not None
            stack.process.send_signal(signal.SIGHUP)
            wait_for(lambda: stack.query('up{job="node-exporter"} == 1'), "the node exporter is scraped", seconds=60)
            wait_for(lambda: stack.lines('{job="backend"} |= "ERROR"'), "an error is logged", seconds=90)
            yield stack.url("ui")
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait()
        stack.stop()


def _configure(stack: Stack, exporter_port: int, dashboards: list[Path]) -> None:
    """The repository's files, a job for the node exporter, and the dashboards."""
    jobs = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())
    static = [{"targets": [f"127.0.0.1:{exporter_port}"], "labels": INSTANCE}]
    renaming = [
        {"source_labels": ["__name__"], "regex": regex, "replacement": name, "target_label": "__name__"}
        for regex, name in OLD_NAMES
    ]
    jobs["scrape_configs"] += [
        {"job_name": "node-exporter", "static_configs": static},
        {"job_name": "node", "static_configs": static, "metric_relabel_configs": renaming},
    ]
    (stack.folder / "jobs.yml").write_text(yaml.safe_dump(jobs))
    (stack.folder / "prometheus.yml").write_text(yaml.safe_dump(jobs | {"scrape_configs": []}))
    shown = stack.folder / "dashboards"
    shutil.copytree(ROOT / "dashboards", shown)
    for file in dashboards:
        (shown / file.name).write_text(json.dumps(json.loads(file.read_text()) | {"uid": uid_of(file), "id": None}))
    config = stack.folder / "spyglass.yml"
    text = json.loads(config.read_text())
    text["files"]["prometheus"] = str(stack.folder / "prometheus.yml")
    text["paths"]["/var/lib/grafana/dashboards"] = str(shown)
    config.write_text(json.dumps(text, indent=1))


def scrape(url: str, labels: dict[str, str]) -> Scrape:
    """One real exposition, read with the simplest of parsers."""
    status, text = get(url)
    assert status == 200, text
    values, counters = {}, set()
    rename = old_name if labels["job"] == "node" else str
    for line in text.splitlines():
        if line.startswith("# TYPE") and line.endswith((" counter", " histogram", " summary")):
            counters.add(rename(line.split()[2]))
        match = LINE.fullmatch(line)
        if match:
            own = {name: value.replace('\\"', '"') for name, value in LABEL.findall(match[2] or "")}
            values[labels_of({**own, **labels, "__name__": rename(match[1])})] = float(match[3])
    return Scrape(time.time_ns() // 1_000_000, values, frozenset(counters))


def old_name(name: str) -> str:
    for regex, replacement in OLD_NAMES:
        match = re.fullmatch(regex, name)
        name = match.expand(replacement.replace("$", "\\")) if match else name
    return name


def _push(stack: Stack, before: Scrape, after: Scrape) -> None:
    times = list(range(after.at_ms - HISTORY_MS, after.at_ms - STEP_MS, STEP_MS))
    series = [(labels, history(before, after, labels, times)) for labels in after.values]
    for start in range(0, len(series), 200):
        body = bytes(cramjam.snappy.compress_raw(encode_v1(series[start : start + 200])))
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        status, text = post(stack.url("prometheus", "/api/v1/write"), body, headers)
        assert status == 204, text


def history(before: Scrape, after: Scrape, labels: Labels, times: list[int]) -> list[tuple[int, float]]:
    """A past that ends at the measured value."""
    name, value = dict(labels)["__name__"], after.values[labels]
    # What adds up swings together.
    together = "memory" if "_memory_" in name else repr(labels)
    phase = crc32(together.encode()) % 628 / 100
    if name in ("node_time_seconds", "node_time"):
        return [(at, at / 1000) for at in times]
    if name in after.counters or re.sub("_(bucket|sum|count)$", "", name) in after.counters:
        rate = (value - before.values.get(labels, value)) / (after.at_ms - before.at_ms)
        # What has run for less than that long counted from zero before, and was started again.
        at_start = max(0.0, value - rate * _grown(times[0], after.at_ms, phase))
        return [(at, at_start + rate * _grown(times[0], at, phase)) for at in times]
    share = (0.02 if "_memory_" in name else 0.08) if SWINGING.match(name) else 0.0
    return [
        (at, value * (1 + share * math.sin(at / 400_000 + phase) + share / 3 * math.sin(at / 70_000))) for at in times
    ]


def _grown(start_ms: int, end_ms: int, phase: float) -> float:
    """The integral of 1 + 0.4 sin(t / 300 s + phase) + 0.2 sin(t / 50 s) over the time, ms."""
    slow = -300_000 * (math.cos(end_ms / 300_000 + phase) - math.cos(start_ms / 300_000 + phase))
    fast = -50_000 * (math.cos(end_ms / 50_000) - math.cos(start_ms / 50_000))
    return end_ms - start_ms + 0.4 * slow + 0.2 * fast


if __name__ == "__main__":
    main()
