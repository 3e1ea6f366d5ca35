"""Spyglass beside Prometheus and VictoriaMetrics: the same samples in, the same questions asked, in one run.

    python -m bench.compare_metrics --hours 24 --servers spyglass,prometheus,victoria --parts scrape,active,day

day     `bench.metric_data`'s back end: 340 endpoints, about 10,000 series, a scrape every 15 s, counters that reset, a tenth of the
        series replaced half way. It goes in by remote write, one server at a time; then the server starts again and is asked, result
        caches off, medians of `--rounds`.
scrape  10,000 and 10 x 10,000 series at 1 s, all servers at once.
active  a million active series by remote write, and a question to a thousand of them.

24 h (57.6 M samples) take about 20 minutes for three servers on two idle cores. After `--minutes` nothing more is begun, and the table
shows what there is; Ctrl-C ends with the table too. CPU seconds and peak memory are the server process' own
(/proc). Peers come from Debian (prometheus, victoria-metrics); one that is not installed is left out. Ports are on loopback.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.compare.active import active
from bench.compare.active import bodies as active_bodies
from bench.compare.bodies import STEP_MS, bodies
from bench.compare.queries import SHAPES, ask, clients, on_grid, questions
from bench.compare.scraping import scraping
from bench.compare.servers import COMMANDS, installed, server
from bench.compare.table import report
from bench.compare.write import Prepared, ingest, prepared
from bench.metric_data import BackEnd

PARTS = ("scrape", "active", "day")
FIRST_QUERY = SHAPES[2]


def day(name: str, root: Path, bodies: Prepared, end: float, args: argparse.Namespace, result: dict[str, Any]) -> None:
    """One server's day: in, compacted, started again, asked. end: seconds since 1970. result: filled as far as it gets."""
    running = server(name, root / name)
    try:
        running.start()
        result["ingest"] = ingest(running, bodies)
        say(f"{name}: ingested, {result['ingest']['samples_per_s']:.0f} samples/s")
        running.settle(args.settle)
        running.stop()
        result["ready_s"] = running.start()
        until = on_grid(end, 300)
        result["first_query_s"] = ask(running, FIRST_QUERY, until - min(args.hours, 24) * 3600, until, 300) / 1000
        running.settle(20)
        result["bytes_per_sample"] = running.disk() / result["ingest"]["samples"]
        result["queries_ms"] = questions(running, end, args.hours, args.rounds)
        say(f"{name}: asked")
        result["clients"] = clients(running, end, args.client_seconds)
        result["clients_apart"] = clients(running, end, args.client_seconds, apart_s=1)
    finally:
        running.stop()


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def measure(args: argparse.Namespace, root: Path, results: dict[str, dict[str, Any]]) -> None:
    """results: by server, then by part; filled as far as it gets."""
    names = list(results)

    def keep(part: str, found: Mapping[str, Any]) -> None:
        for name, result in found.items():
            results[name][part] = result

    over = time.monotonic() + args.minutes * 60
    # What is written ends now: peers refuse what is far from their clock.
    end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
    if "scrape" in args.parts:
        for targets in (1, 10):
            say(f"scraping {targets} x 10,000 series")
            folder = root / f"scrape-{targets}"
            keep(f"scrape_{targets}", scraping(names, folder, targets=targets, seconds=args.scrape_seconds))
    if "active" in args.parts:
        say(f"{args.series} active series")
        files = prepared(active_bodies(args.series, end_ms), root / "active-bodies")
        # Their memory is the question; Prometheus' goal is not among ours.
        keep("active", active([name for name in names if name != "prometheus"], root / "active", files, end_ms))
    if "day" in args.parts:
        say("preparing bodies")
        files = prepared(bodies(args.hours, end_ms - int(args.hours * 3_600_000), BackEnd()), root / "day-bodies")
        say(f"{sum(count for _, count in files)} samples in {len(files)} bodies")
        for name in names:
            if time.monotonic() < over:
                day(name, root / "day", files, end_ms / 1000 - 30, args, results[name].setdefault("day", {}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--servers", default=",".join(COMMANDS))
    parser.add_argument("--parts", type=lambda text: text.split(","), default=PARTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--settle", type=float, default=60.0, help="at most so many seconds for merges after ingestion")
    parser.add_argument("--client-seconds", type=float, default=15.0)
    parser.add_argument("--scrape-seconds", type=float, default=120.0)
    parser.add_argument("--series", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="also write everything here")
    args = parser.parse_args()
    results: dict[str, dict[str, Any]] = {name: {} for name in installed(args.servers.split(","))}
    with tempfile.TemporaryDirectory(prefix="compare-metrics-") as folder, suppress(KeyboardInterrupt):
        measure(args, Path(folder), results)
    report(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
