"""Starting: seconds and CPU seconds until a server on a day of data answers, its first long query, and what a command's help costs.

    python -m bench.starting [--hours 24] [--rounds 7] [--servers spyglass,prometheus,victoria] [--folder DIR]

The data is `bench.compare.bodies`' back end of about 10,000 series, written by remote write, merged, and stopped cleanly. A start ends
with the first answer to `query=1`. Servers take turns, so that what else the machine does meets all of them; figures are medians.
--folder: the data is kept there and found again.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.compare.bodies import STEP_MS, bodies
from bench.compare.queries import SHAPES, ask
from bench.compare.servers import COMMANDS, Server, installed, server
from bench.compare.write import ingest, prepared
from bench.metric_data import BackEnd

FIRST_QUERY = SHAPES[2]
HELPS = (
    "",
    "prometheus",
    "up",
    "down",
    "status",
    "logs",
    "demo",
    "smoke",
    "query",
    "logql",
    "doctor",
    "check",
    "export",
    "test",
)
COLUMNS = ("ready, s", "ready, CPU s", "first query, s", "first query, CPU s")
SETTLE_SECONDS = 60


def filled(name: str, folder: Path, hours: float) -> tuple[Server, float]:
    """A stopped server with its data, and when that ends (seconds since 1970)."""
    stamp = folder / name / "end"
    running = server(name, folder / name)
    if not stamp.exists():
        end_ms = int(time.time() * 1000) // STEP_MS * STEP_MS
        files = folder / f"bodies-{name}"
        bodies_of_all = prepared(bodies(hours, end_ms - int(hours * 3_600_000), BackEnd()), files)
        running.start()
        ingest(running, bodies_of_all)
        running.settle(SETTLE_SECONDS)
        running.stop()
        for path in files.iterdir():
            path.unlink()
        stamp.write_text(f"{end_ms / 1000 - 30}")
    return running, float(stamp.read_text())


def started(running: Server, end: float, hours: float) -> tuple[float, ...]:
    """One start and one query, in COLUMNS' order."""
    try:
        ready = running.start()
        ready_cpu = running.cpu()
        query = ask(running, FIRST_QUERY, end - min(hours, 24) * 3600, end, 300) / 1000
        return ready, ready_cpu, query, running.cpu() - ready_cpu
    finally:
        running.stop()


def help_cpu(command: str, rounds: int) -> float:
    """Median CPU seconds of `spyglass COMMAND --help`."""
    arguments = [sys.executable, "-m", "spyglass", *([command] if command else []), "--help"]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as compiled:
        environment = kept | {"PYTHONPYCACHEPREFIX": compiled}
        times = [_child_cpu(arguments, environment) for _ in range(rounds + 1)]
    return statistics.median(times[1:])


def _child_cpu(arguments: Sequence[str], environment: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(arguments, stdout=subprocess.DEVNULL, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(folder: Path, args: argparse.Namespace) -> None:
    servers = [filled(name, folder, args.hours) for name in installed([*args.servers])]
    found: dict[str, list[tuple[float, ...]]] = {running.name: [] for running, _ in servers}
    # The round before the first compiles modules and fills the page cache.
    for number in range(args.rounds + 1):
        for running, end in servers:
            figures = started(running, end, args.hours)
            if number:
                found[running.name].append(figures)
    print(f"{'':24}" + "".join(f"{title:>20}" for title in COLUMNS))
    for name, rows in found.items():
        print(f"{name:24}" + "".join(f"{statistics.median(column):20.3f}" for column in zip(*rows, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--servers", type=lambda text: text.split(","), default=tuple(COMMANDS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-help", action="store_true", help="servers alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="starting-") as folder:
        measure(args.folder or Path(folder), args)
    if not args.no_help:
        for command in HELPS:
            title = " ".join(["spyglass", *([command] if command else []), "--help"])
            print(f"{title:24}{'':20}{help_cpu(command, args.rounds):20.3f}")


if __name__ == "__main__":
    main()
