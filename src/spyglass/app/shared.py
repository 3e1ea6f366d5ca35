"""What all parts share: the clock, the files, the telemetry registry, the query bridge, the pool for blocking work."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from spyglass import __version__
from spyglass.api.bridge import QueryBridge
from spyglass.app.settings import QuerySettings, Settings
from spyglass.formats.exposition.encode import encode_text
from spyglass.model.telemetry import Family, Registry
from spyglass.protocols.clock import Clock
from spyglass.protocols.files import Files
from spyglass.query.budget import QueryBudget
from spyglass.storage.clock import SystemClock
from spyglass.storage.files import RealFiles

QUERIES_TOGETHER = 2
"""One in the interpreter, another in numpy, which lets go of it. More at once would only take turns."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One per process; closed last."""

    settings: Settings
    clock: Clock
    files: Files
    registry: Registry
    bridge: QueryBridge
    ingest_bridge: QueryBridge
    executor: ThreadPoolExecutor

    @staticmethod
    def of(settings: Settings) -> "Shared":
        registry = Registry()
        _process_metrics(registry)
        return Shared(
            settings=settings,
            clock=SystemClock(),
            files=RealFiles(),
            registry=registry,
            bridge=QueryBridge(
                workers=settings.queries.concurrency, max_waiting=settings.queries.queue, together=QUERIES_TOGETHER
            ),
            # Pushes never wait behind queries.
            ingest_bridge=QueryBridge(workers=4),
            executor=ThreadPoolExecutor(max_workers=4, thread_name_prefix="scrape"),
        )

    def budget(self, *, timeout_seconds: float = 0) -> QueryBudget:
        """A new query's allowance. timeout_seconds: a shorter time than the settings', or 0."""
        queries: QuerySettings = self.settings.queries
        times = [seconds for seconds in (queries.timeout_s, timeout_seconds) if seconds]
        return QueryBudget(
            timeout_seconds=min(times, default=0.0), max_samples=queries.max_samples, max_bytes=queries.max_bytes
        )

    def render_metrics(self) -> bytes:
        """Our own metrics in text format 0.0.4."""
        return encode_text(self.registry.collect())

    def close(self) -> None:
        self.bridge.close()
        self.ingest_bridge.close()
        self.executor.shutdown(wait=True)


def _process_metrics(registry: Registry) -> None:
    """The process' own metrics, under the names that every client library has."""
    started = registry.gauge("process_start_time_seconds", "Start time of the process since 1970 in seconds.")
    started.set(time.time())
    info = registry.gauge("spyglass_build_info", "Version of Spyglass.", ("version",))
    info.set(1, __version__)
    registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.").track(resident_bytes)
    descriptors = registry.gauge("process_open_fds", "Number of open file descriptors.")
    descriptors.track(lambda: float(sum(1 for _ in Path("/proc/self/fd").iterdir())))
    limit = registry.gauge("process_max_fds", "Maximum number of open file descriptors.")
    limit.set(float(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))

    def cpu() -> list[Family]:
        help = "User and system CPU time spent, in seconds."
        return [Family("process_cpu_seconds_total", "counter", help, [("", (), time.process_time())])]

    registry.on_collect(cpu)


def resident_bytes() -> float:
    """Resident memory of this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    return float(pages * resource.getpagesize())
