"""The log store on the CRM lines: ingest, disk, queries through the LogQL engine, restart; beside a yardstick on the same bytes.

    python bench/logs_store.py [lines] [--keep FOLDER]

Lines: JSON of level, timestamp, message, method, path, statusCode, duration, tenantId, requestId, userId; 254 bytes on average, spread over
24 hours, 4 levels (streams), 200 tenants; three lines hold the needle. The yardstick is `zstd -dc | grep -c` over the same lines and
`bytes.find` over them in memory, so that the ratio holds on any machine. Times are medians; "cold" is the first run after opening.
"""

import argparse
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spyglass.protocols.log_store import LogEntry
from spyglass.query.log_engine import LogEngine
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles, disk_usage_bytes
from spyglass.storage.logs.options import LogStoreOptions
from spyglass.storage.logs.stores import DiskLogStores, open_log_stores

DAY_NS = 86_400 * 1_000_000_000
START_NS = 1_795_392_000 * 1_000_000_000
NEEDLE = "5f0c1e55-dead-4bee-8f00-0123456789ab"
BATCH = 5000
LEVELS = ["DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "WARN", "ERROR"]
PATHS = [f"/api/v1/{noun}/{verb}" for noun in ("contacts", "deals", "leads", "tasks", "mails", "users") for verb in
         ("list", "get", "search", "create", "update")]  # fmt: skip
METHODS = ("GET", "GET", "POST", "PUT")
MESSAGES = ["Request completed", "Cache refreshed for tenant", "Query executed", "Webhook delivered", "Session renewed"]


def lines(count: int, seed: int = 1) -> Iterator[tuple[str, LogEntry]]:
    """(level, entry), in order of time."""
    rng = random.Random(seed)
    step_ns = DAY_NS // count
    needles = {count // 7, count // 2, count - count // 9}
    for i in range(count):
        time_ns = (START_NS + i * step_ns + rng.randrange(step_ns)) // 1_000_000 * 1_000_000
        ms = time_ns // 1_000_000
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"
        level = rng.choice(LEVELS)
        bits = rng.getrandbits(128)
        request = (
            NEEDLE
            if i in needles
            else (
                f"{bits >> 96:08x}-{bits >> 80 & 65535:04x}-{bits >> 64 & 65535:04x}-{bits >> 48 & 65535:04x}-{bits & (1 << 48) - 1:012x}"
            )
        )
        duration = int(rng.expovariate(1 / 180))
        yield level, LogEntry(time_ns, (
            f'{{"level":"{level}","timestamp":"{stamp}","message":"{rng.choice(MESSAGES)}","method":"{rng.choice(METHODS)}",'
            f'"path":"{rng.choice(PATHS)}","statusCode":{rng.choice((200, 200, 200, 201, 404, 500))},"duration":{duration},'
            f'"tenantId":"tenant-{rng.randrange(200):04d}","requestId":"{request}","userId":"user-{rng.randrange(20000):05d}"}}'
        ))  # fmt: skip


class Unlimited:
    """A query that may use anything."""

    def check(self) -> None: ...

    def charge_samples(self, count: int) -> None: ...

    def charge_bytes(self, count: int) -> None: ...


QUERIES: list[tuple[str, str, dict[str, object]]] = [
    ("last 100", '{job="backend"}', {"limit": 100}),
    ("last 5,000", '{job="backend"}', {"limit": 5000}),
    ('|= "ERROR", limit 100', '{job="backend"} |= "ERROR"', {"limit": 100}),
    ("needle in 3 lines", f'{{job="backend"}} |= "{NEEDLE}"', {"limit": 100}),
    ("needle in none", '{job="backend"} |= "5f0c1e55-dead-4bee-8f00-0123456789ac"', {"limit": 100}),
    ("word in none", '{job="backend"} |= "OutOfMemory"', {"limit": 100}),
    ("half an id, in none", '{job="backend"} |= "dead-4bee-9f00"', {"limit": 100}),
    ("|~ regex, limit 100", '{job="backend"} |~ "tenant-00[0-4]2.*user-1"', {"limit": 100}),
    ('json tenantId="tenant-0042", limit 100', '{job="backend"} | json | tenantId="tenant-0042"', {"limit": 100}),
    ("json duration > 1000, limit 1000", '{job="backend"} | json | duration > 1000', {"limit": 1000}),
    ("json duration > 100000 (none)", '{job="backend"} | json | duration > 100000', {"limit": 1000}),
    ("sum by (level) (rate [5m])", 'sum by (level) (rate({job="backend"}[5m]))', {}),
    ('count |= "ERROR" [5m]', 'sum(count_over_time({job="backend"} |= "ERROR" [5m]))', {}),
    ("count by tenant over json [5m]", 'sum by (tenantId) (count_over_time({job="backend"} | json [5m]))', {}),
    (
        "p95 duration by method [5m]",
        'quantile_over_time(0.95, {job="backend"} | json | unwrap duration [5m]) by (method)',
        {},
    ),
    (
        "p95 duration by path [5m]",
        'quantile_over_time(0.95, {job="backend"} | json | unwrap duration [5m]) by (path)',
        {},
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="use this folder and leave it")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="logs-bench-"))
    try:
        run(folder, options.lines)
    finally:
        if not options.keep:
            shutil.rmtree(folder)


def run(folder: Path, count: int) -> None:
    raw = folder / "lines.zst"
    raw_bytes = write_raw(raw, count)
    print(f"{count} lines, {raw_bytes / 1e6:.0f} MB, {raw_bytes / count:.0f} bytes each")
    stores = open_store(folder / "store")
    if not stores.store().blocks.all:
        ingest(stores, count, raw_bytes)
    disk = disk_usage_bytes(folder / "store")
    print(f"disk: {disk / 1e6:.1f} MB, {disk / raw_bytes:.4f} of raw, {len(stores.store().blocks.all)} blocks")
    stores.close()
    started = time.perf_counter()
    stores = open_store(folder / "store")
    print(f"ready after restart: {(time.perf_counter() - started) * 1e3:.1f} ms")
    queries(stores)
    print(f"peak resident memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    stores.close()
    yardstick(raw)


def open_store(folder: Path) -> DiskLogStores:
    return open_log_stores(folder, files=RealFiles(), clock=SystemClock(), options=LogStoreOptions(min_free_bytes=0))


def write_raw(path: Path, count: int) -> int:
    """The lines as a zstd file, for the yardstick; returns their bytes."""
    size = path.with_suffix(".size")
    if size.exists():
        return int(size.read_text())
    total = 0
    with subprocess.Popen(["zstd", "-q", "-3", "-o", str(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for _, entry in lines(count):
            data = entry.line.encode() + b"\n"
            total += len(data) - 1
            process.stdin.write(data)
    size.write_text(str(total))
    return total


def ingest(stores: DiskLogStores, count: int, raw_bytes: int) -> None:
    """Batches as a push brings them; generating them is not measured."""
    store = stores.store()
    wall = cpu = 0.0
    slowest = 0.0
    batch: dict[str, list[LogEntry]] = {}
    pending = 0

    def send() -> None:
        nonlocal wall, cpu, slowest, pending
        streams = [((("job", "backend"), ("level", level)), entries) for level, entries in batch.items()]
        wall0, cpu0 = time.perf_counter(), time.process_time()
        store.append(streams)
        took = time.perf_counter() - wall0
        wall, cpu, slowest, pending = wall + took, cpu + time.process_time() - cpu0, max(slowest, took), 0
        batch.clear()

    for level, entry in lines(count):
        batch.setdefault(level, []).append(entry)
        pending += 1
        if pending == BATCH:
            send()
    if pending:
        send()
    wall0, cpu0 = time.perf_counter(), time.process_time()
    store.flush()
    stores.maintain(START_NS + DAY_NS)
    wall, cpu = wall + time.perf_counter() - wall0, cpu + time.process_time() - cpu0
    print(
        f"ingest: {count / wall:,.0f} lines/s, {cpu / raw_bytes * 1e9:.1f} CPU s/GB (shredding, blocks and merging included), "
        f"slowest append {slowest * 1e3:.0f} ms, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


def queries(stores: DiskLogStores) -> None:
    engine = LogEngine(stores)
    print(f"{'query (24 h)':42} {'cold ms':>9} {'median ms':>9}  found")
    for name, query, more in QUERIES:
        arguments: dict[str, object] = {
            "start_ns": START_NS, "end_ns": START_NS + DAY_NS, "step_ns": 300_000_000_000, "limit": 100, "direction": "backward",
            "tenant": "fake", "budget": Unlimited(),
        }  # fmt: skip

        def once(query: str = query, arguments: dict[str, object] = arguments | more) -> object:
            return engine.range(query, **arguments)  # type: ignore[arg-type]

        cold, median, answer = timed(once)
        streams = getattr(answer, "streams", None)
        frame = getattr(answer, "frame", None)
        found = (
            sum(len(entries) for _, entries in streams)
            if streams is not None
            else f"{frame.size} series"
            if frame
            else ""
        )
        print(f"{name:42} {cold:9.1f} {median:9.1f}  {found}", flush=True)
    values = timed(lambda: stores.store().label_values("level", [], start_ns=START_NS, end_ns=START_NS + DAY_NS))
    print(f"{'label values':42} {values[0]:9.1f} {values[1]:9.1f}  {values[2]}")


def timed(work: Callable[[], object], rounds: int = 5) -> tuple[float, float, object]:
    """(first, median of the others, answer), in ms."""
    times = []
    answer: object = None
    for _ in range(rounds + 1):
        started = time.perf_counter()
        answer = work()
        times.append((time.perf_counter() - started) * 1e3)
        if sum(times) > 20_000:
            break
    return times[0], statistics.median(times[1:] or times), answer


def yardstick(raw: Path) -> None:
    started = time.perf_counter()
    found = subprocess.run(f"zstd -dc {raw} | grep -c {NEEDLE}", shell=True, capture_output=True, text=True, check=True)
    print(
        f"yardstick: zstd -dc | grep -c: {(time.perf_counter() - started) * 1e3:.0f} ms ({found.stdout.strip()} lines)"
    )
    data = subprocess.run(["zstd", "-dc", str(raw)], capture_output=True, check=True).stdout[: 256 << 20]
    started = time.perf_counter()
    data.count(NEEDLE.encode())
    took = time.perf_counter() - started
    print(f"yardstick: bytes.count in memory: {len(data) / took / 1e9:.2f} GB/s")


if __name__ == "__main__":
    main()
