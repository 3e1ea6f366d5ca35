"""Scraping at one second: all servers at once from the same targets, so that a minute measures everybody.

What is counted is each process' own CPU and memory; the bodies it took are counted by the targets.
"""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import orjson
from bench.compare.servers import Server, server

PORT = 19199
SERIES = 10_000
AGENTS = {"spyglass": "spyglass", "prometheus": "prometheus", "victoria": "vm_promscrape"}
"""How each server calls itself in User-Agent."""

WARM_SECONDS = 5

_CONFIG = """
scrape_configs:
  - job_name: api
    scrape_interval: 1s
    scrape_timeout: 1s
    relabel_configs:
      - {source_labels: [path], target_label: __metrics_path__}
      - {source_labels: [path], target_label: instance}
      - {action: labeldrop, regex: path}
    static_configs:
"""


def scraping(names: Sequence[str], root: Path, *, targets: int, seconds: float) -> dict[str, dict[str, float]]:
    """By server: CPU seconds per million samples, samples a second, and peak memory in MB."""
    config = _CONFIG + "".join(
        f"      - {{targets: ['127.0.0.1:{PORT}'], labels: {{path: /metrics/{n}}}}}\n" for n in range(targets)
    )
    with ExitStack() as undo:
        undo.enter_context(_served(targets))
        running = [server(name, root / name, config=config) for name in names]
        for one in running:
            undo.callback(one.stop)
            one.start()
        time.sleep(WARM_SECONDS)
        before = _state(running)
        time.sleep(seconds)
        after = _state(running)
        return {one.name: _spent(before[one.name], after[one.name], seconds) for one in running}


def _state(running: Sequence[Server]) -> dict[str, tuple[float, int, float]]:
    """By server: CPU seconds, bodies taken, peak memory."""
    served = _bodies_served()
    return {one.name: (one.cpu(), served.get(AGENTS[one.name], 0), one.peak_mb()) for one in running}


def _spent(before: tuple[float, int, float], after: tuple[float, int, float], seconds: float) -> dict[str, float]:
    samples = (after[1] - before[1]) * SERIES
    if not samples:
        raise SystemExit("a server has scraped nothing")
    return {
        "cpu_s_per_million": (after[0] - before[0]) / samples * 1e6,
        "samples_per_s": samples / seconds,
        "peak_mb": after[2],
    }


@contextmanager
def _served(count: int) -> Iterator[None]:
    """The targets in a process of their own."""
    command = [sys.executable, "-m", "bench.compare.targets", str(PORT), str(count)]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 60
            while not _answers():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the targets do not start")
                time.sleep(0.1)
            yield
        finally:
            process.kill()


def _answers() -> bool:
    try:
        _bodies_served()
    except OSError:
        return False
    return True


def _bodies_served() -> dict[str, Any]:
    answer: dict[str, Any] = orjson.loads(urllib.request.urlopen(f"http://127.0.0.1:{PORT}/served", timeout=5).read())
    return answer
