"""What the process itself uses, under the names every client library has, and the heap under Python's name.

Source of the process names: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
"""

import gc
import os
import platform
import resource
import time
from pathlib import Path

from spyglass_sdk.metrics import Gauge, Registry

_PAGE = os.sysconf("SC_PAGE_SIZE")


class ProcessMetrics:
    """Registers the process' metrics. node_aliases: also answer as `nodejs_heap_size_*` (see the README)."""

    def __init__(self, registry: Registry, *, node_aliases: bool = False) -> None:
        self._cpu = registry.counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.")
        self._resident = registry.gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
        self._virtual = registry.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")
        self._open = registry.gauge("process_open_fds", "Number of open file descriptors.")
        self._max = registry.gauge("process_max_fds", "Maximum number of open file descriptors.")
        start = registry.gauge("process_start_time_seconds", "Start time of the process since 1970 in seconds.")
        start.set(_start_time())
        info = registry.gauge("python_info", "Version of Python.", ("implementation", "version"))
        info.set(1, platform.python_implementation(), platform.python_version())
        self._collections = registry.gauge("python_gc_collections", "Collections so far.", ("generation",))
        prefixes = ("python", "nodejs") if node_aliases else ("python",)
        self._heaps: list[tuple[Gauge, Gauge]] = [
            (
                registry.gauge(f"{prefix}_heap_size_total_bytes", "Private memory reserved, in bytes (VmData)."),
                registry.gauge(f"{prefix}_heap_size_used_bytes", "Private memory in use, in bytes (RssAnon)."),
            )
            for prefix in prefixes
        ]
        registry.before_scrape(self.refresh)

    def refresh(self) -> None:
        """Read everything anew."""
        times = os.times()
        self._cpu.inc(by=max(times.user + times.system - self._cpu.value(), 0.0))
        status = _status()
        self._resident.set(status.get("VmRSS", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024))
        self._virtual.set(status.get("VmSize", 0))
        try:
            self._open.set(len(os.listdir("/proc/self/fd")))
        except OSError:
            self._open.set(0)
        self._max.set(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        for generation, stats in enumerate(gc.get_stats()):
            self._collections.set(stats["collections"], str(generation))
        for total, used in self._heaps:
            total.set(status.get("VmData", 0))
            used.set(status.get("RssAnon", 0))


def _status() -> dict[str, int]:
    """/proc/self/status, its sizes in bytes; empty where there is none."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return {}
    return {
        name: int(rest.split()[0]) * 1024
        for name, _, rest in (li.partition(":") for li in lines)
        if rest.endswith("kB")
    }


def _start_time() -> float:
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        boot = next(li for li in Path("/proc/stat").read_text().splitlines() if li.startswith("btime"))
        return int(boot.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, StopIteration, IndexError, ValueError):
        return time.time()
