"""status/*: what this server is, what it was told, and how it is."""

import os
import platform
import socket
import threading
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.api.prometheus.params import Params, invalid
from spyglass.api.prometheus.reading import store_of
from spyglass.api.prometheus.replies import success
from spyglass.api.prometheus.targets import rfc3339

PEER_VERSION = "3.14.0"
"""The Prometheus whose API this is. Clients switch features on by the version, so buildinfo must give one that they know."""


async def buildinfo(request: Request, deps: PrometheusDeps) -> Response:
    del request
    return success(build_info(deps))


def build_info(deps: PrometheusDeps) -> dict[str, str]:
    return {
        "version": PEER_VERSION,
        "revision": f"spyglass-{deps.version}",
        "branch": "spyglass",
        "buildUser": "",
        "buildDate": "",
        "goVersion": f"python{platform.python_version()}",
    }


async def config(request: Request, deps: PrometheusDeps) -> Response:
    del request
    return success({"yaml": deps.config_text()})


async def flags(request: Request, deps: PrometheusDeps) -> Response:
    del request
    return success(dict(deps.flags))


async def runtimeinfo(request: Request, deps: PrometheusDeps) -> Response:
    """Upstream's keys; those of Go's run time have the nearest thing in ours."""
    store = store_of(request, deps)
    stats = await deps.bridge.run(store.stats)
    return success(
        {
            "startTime": rfc3339(deps.started_ns),
            "CWD": str(Path.cwd()),
            "hostname": socket.gethostname(),
            "serverTime": rfc3339(deps.clock.now_ns()),
            "reloadConfigSuccess": True,
            "lastConfigTime": rfc3339(deps.started_ns),
            "corruptionCount": stats.corruptions,
            "goroutineCount": threading.active_count(),
            "GOMAXPROCS": os.cpu_count() or 1,
            "GOMEMLIMIT": 0,
            "GOGC": "",
            "GODEBUG": "",
            "storageRetention": deps.flags.get("storage.tsdb.retention.time", "15d"),
            **deps.runtime(),
        }
    )


async def tsdb(request: Request, deps: PrometheusDeps) -> Response:
    """Cardinality of the head."""
    params = await Params.of(request)
    limit = params.limit() or 10
    if limit > 10_000:
        raise invalid("limit", "limit must be less than 10000")
    store = store_of(request, deps)
    found = await deps.bridge.run(lambda: store.cardinality(limit=limit))

    def listed(pairs: "object") -> list[dict[str, object]]:
        return [{"name": name, "value": value} for name, value in pairs]  # type: ignore[attr-defined]

    return success(
        {
            "headStats": {
                "numSeries": found.series,
                "numLabelPairs": found.label_pairs,
                "chunkCount": found.chunks,
                "minTime": found.min_time_ms,
                "maxTime": found.max_time_ms,
            },
            "seriesCountByMetricName": listed(found.series_by_metric),
            "labelValueCountByLabelName": listed(found.values_by_label),
            "memoryInBytesByLabelName": listed(found.bytes_by_label),
            "seriesCountByLabelValuePair": listed(found.series_by_pair),
        }
    )


async def tsdb_blocks(request: Request, deps: PrometheusDeps) -> Response:
    """The blocks on disk. Blocks of ours are numbered: upstream's ULID, 26 characters, is the number with leading zeros.

    A block of downsampling buckets has its resolution in ms beside upstream's keys, and before its number.
    """
    store = store_of(request, deps)
    found = await deps.bridge.run(store.block_infos)
    blocks = [
        {
            "ulid": _ulid(block.resolution_ms, block.number),
            "minTime": block.min_ms,
            # Upstream's ranges are open at the end.
            "maxTime": block.max_ms + 1,
            "stats": {"numSamples": block.samples, "numSeries": block.series},
            "compaction": {"level": block.level + 1, "sources": [_ulid(block.resolution_ms, n) for n in block.sources]},
            "version": 1,
            **({"downsample": {"resolution": block.resolution_ms}} if block.resolution_ms else {}),
        }
        for block in found
    ]
    return success({"blocks": blocks})


def _ulid(resolution_ms: int, number: int) -> str:
    return f"{resolution_ms:013d}{number:013d}"


async def walreplay(request: Request, deps: PrometheusDeps) -> Response:
    """The log is replayed before the port is opened, so it is always done."""
    del request, deps
    return success({"min": 0, "max": 0, "current": 0})
