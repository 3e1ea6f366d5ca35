"""What the questions of `bench.compare.queries` cost in CPU, one process and no HTTP: evaluation and encoding, over a store on disk.

    python -m bench.query_shapes fill /tmp/day [--hours 24]      make the store: `bench.metric_data`'s back end, as a server would
    python -m bench.query_shapes ask /tmp/day [--ranges 1h,6h] [--shapes 0,2,13] [--off-grid] [--profile]

The store ends amid a window, with its last samples in parts that are not merged, as after a clean stop of a running server. A question is
asked until it has taken half a second; the median counts. Wall clocks lie on a busy machine: the figures are CPU milliseconds of the
process, all threads.
"""

import argparse
import cProfile
import pstats
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from bench.compare.queries import RANGES, SHAPES
from bench.metric_data import BackEnd
from bench.metrics_store import open_store

from spyglass.api.prometheus.encode import encode_result
from spyglass.model.labels import labels_of
from spyglass.model.samples import WriteBatch
from spyglass.model.times import StepGrid
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine
from spyglass.storage.metrics.store import DiskMetricStore

START_MS = 1_700_006_400_000 + 50 * 60_000
"""Fifty minutes into a window of two hours."""
STEP_MS = 15_000
ENOUGH_S = 0.5
ROUNDS_MIN = 3


class OneTenant:
    """Stores of one tenant: what an engine asks."""

    def __init__(self, store: DiskMetricStore) -> None:
        self._store = store

    def store(self, tenant: str = "", *, create: bool = True) -> DiskMetricStore:  # noqa: ARG002
        return self._store


def fill(folder: Path, hours: float) -> None:
    """A tenth of the series is replaced half way, as in `bench.compare.bodies`."""
    back_end = BackEnd()
    store = open_store(folder)
    scrapes = int(hours * 3_600_000 / STEP_MS)
    refs = store.resolve(back_end.labels)
    for number, values in enumerate(back_end.scrapes(scrapes)):
        if number == scrapes // 2:
            renamed = [labels_of({**dict(one), "instance": "api:8001"}) for one in back_end.labels[::10]]
            refs = refs.copy()
            refs[::10] = store.resolve(renamed)
        at = np.full(len(refs), START_MS + number * STEP_MS)
        store.append(WriteBatch(refs, at, values), durable=False)
        if number % 8 == 0:
            store.maintain(int(at[0]))
    store.close()


def ask(engine: PromEngine, query: str, start_ms: int, end_ms: int, step_ms: int) -> int:
    """Bytes of the answer."""
    budget = QueryBudget(max_samples=0, max_bytes=0)
    if step_ms:
        result = engine.range(query, grid=StepGrid(start_ms, end_ms, step_ms), tenant="", budget=budget)
    else:
        result = engine.instant(query, time_ms=end_ms, tenant="", budget=budget)
    return sum(map(len, encode_result(result, time_ms=end_ms)))


def cpu_ms(call: Callable[[], object]) -> float:
    """Median of some rounds, after one that warms up."""
    call()
    times: list[float] = []
    while len(times) < ROUNDS_MIN or sum(times) < ENOUGH_S:
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return statistics.median(times) * 1000


@contextmanager
def profiled(wanted: bool) -> Iterator[None]:
    """Print where the time went, by own time and by callers."""
    profile = cProfile.Profile()
    if wanted:
        profile.enable()
    yield
    if wanted:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def questions(folder: Path, ranges: list[str], shapes: list[int], *, off_grid: bool, profile: bool) -> None:
    store = open_store(folder)
    engine = PromEngine(OneTenant(store))  # type: ignore[arg-type]  # the reading half is all the engine uses
    _, newest_ms = store.time_range() or (0, 0)
    end_ms = newest_ms - 30_000 - (7_003 if off_grid else 0)
    chosen = [one for one in RANGES if one[0] in ranges]
    print(f"{'':>3}" + "".join(f"{name:>10}" for name, _, _ in chosen))
    sums = np.zeros(len(chosen))
    for number in shapes:
        cells = []
        for name, span, step in chosen:
            del name

            def call(query: str = SHAPES[number], start_ms: int = end_ms - span * 1000, step: int = step) -> int:
                return ask(engine, query, start_ms, end_ms, step * 1000)

            call()
            with profiled(profile):
                cells.append(cpu_ms(call))
        sums += cells
        print(f"{number:>3}" + "".join(f"{cell:>10.2f}" for cell in cells) + f"  {SHAPES[number]}", flush=True)
    print("sum" + "".join(f"{cell:>10.2f}" for cell in sums))
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("fill")
    one.add_argument("folder", type=Path)
    one.add_argument("--hours", type=float, default=24.0)
    two = commands.add_parser("ask")
    two.add_argument("folder", type=Path)
    two.add_argument("--ranges", default="instant,1h,6h")
    two.add_argument("--shapes", default="")
    two.add_argument("--off-grid", action="store_true")
    two.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.command == "fill":
        fill(options.folder, options.hours)
        return
    shapes = [int(text) for text in options.shapes.split(",") if text] or list(range(len(SHAPES)))
    questions(options.folder, options.ranges.split(","), shapes, off_grid=options.off_grid, profile=options.profile)


if __name__ == "__main__":
    main()
