"""Remote write: prepared bodies into a server, and what that took."""

import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.compare.servers import Server

HEADERS = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

Prepared = list[tuple[Path, int]]
"""Files with a compressed body each, and how many samples it holds."""


def prepared(bodies: Iterable[tuple[bytes, int]], folder: Path) -> Prepared:
    """Bodies as files: they are made before the server runs, and take no memory while it does."""
    folder.mkdir()
    found = []
    for number, (body, count) in enumerate(bodies):
        path = folder / f"{number:06d}"
        path.write_bytes(body)
        found.append((path, count))
    return found


def write(server: Server, body: bytes) -> None:
    request = urllib.request.Request(f"{server.base}/api/v1/write", data=body, headers=HEADERS)
    try:
        urllib.request.urlopen(request, timeout=300).read()
    except urllib.error.HTTPError as err:
        raise SystemExit(f"{server.name}: {err.code} {err.read()[:500]!r}") from None


def ingest(server: Server, bodies: Prepared) -> dict[str, Any]:
    """All bodies in order, one at a time: two connections would reorder a series' samples."""
    cpu, began = server.cpu(), time.perf_counter()
    for path, _ in bodies:
        write(server, path.read_bytes())
    total = sum(count for _, count in bodies)
    return {
        "samples": total,
        "samples_per_s": total / (time.perf_counter() - began),
        "cpu_s_per_million": (server.cpu() - cpu) / total * 1e6,
        "peak_mb": server.peak_mb(),
    }
