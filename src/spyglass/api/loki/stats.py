"""The statistics in an answer, in Loki's shape: clients read fields of it by name. What has no counterpart here is 0.

Blocks are read as Loki's querier reads its store, so that is where lines and bytes stand. Source: the Loki HTTP API documentation,
statistics.
"""

from typing import Any

import numpy as np

from spyglass.protocols.queries import MetricResult, StreamsResult

_CACHE = {
    "entriesFound": 0,
    "entriesRequested": 0,
    "entriesStored": 0,
    "bytesReceived": 0,
    "bytesSent": 0,
    "requests": 0,
    "downloadTime": 0,
    "queryLengthServed": 0,
}
_CACHES = dict.fromkeys(
    ("chunk", "index", "result", "statsResult", "volumeResult", "seriesResult", "labelResult", "instantMetricResult"),
    _CACHE,
)
_INDEX = {"totalChunks": 0, "postFilterChunks": 0, "shardsDuration": 0, "usedBloomFilters": False}


def stats_of(result: StreamsResult | MetricResult) -> dict[str, Any]:
    """`data.stats` of an answer."""
    stats = result.stats
    rate = 1 / stats.seconds if stats.seconds else 0.0
    entries = _entries(result)
    found = entries if isinstance(result, StreamsResult) else 0
    summary = {
        "bytesProcessedPerSecond": int(stats.bytes * rate),
        "linesProcessedPerSecond": int(stats.lines * rate),
        "totalBytesProcessed": stats.bytes,
        "totalLinesProcessed": stats.lines,
        "execTime": stats.seconds,
        "queueTime": 0,
        "subqueries": 0,
        "totalEntriesReturned": entries,
        "splits": 0,
        "shards": 0,
        "totalPostFilterLines": found,
        "totalStructuredMetadataBytesProcessed": 0,
    }
    return {
        "summary": summary,
        "querier": {"store": _store(stats.bytes, stats.lines, found)},
        "ingester": {
            "totalReached": 0,
            "totalChunksMatched": 0,
            "totalBatches": 0,
            "totalLinesSent": 0,
            "store": _store(0, 0, 0),
        },
        "cache": _CACHES,
        "index": _INDEX,
    }


def _store(size: int, lines: int, found: int) -> dict[str, Any]:
    return {
        "totalChunksRef": 0,
        "totalChunksDownloaded": 0,
        "chunksDownloadTime": 0,
        "queryReferencedStructuredMetadata": False,
        "chunk": {
            "headChunkBytes": 0,
            "headChunkLines": 0,
            "decompressedBytes": size,
            "decompressedLines": lines,
            "compressedBytes": 0,
            "totalDuplicates": 0,
            "postFilterLines": found,
            "headChunkStructuredMetadataBytes": 0,
            "decompressedStructuredMetadataBytes": 0,
        },
        "chunkRefsFetchTime": 0,
        "congestionControlLatency": 0,
        "pipelineWrapperFilteredLines": 0,
    }


def _entries(result: StreamsResult | MetricResult) -> int:
    """Lines, or samples; none for a number alone, as upstream counts."""
    if isinstance(result, StreamsResult):
        return sum(len(entries) for _, entries in result.streams)
    return int(np.count_nonzero(result.frame.present)) if result.frame is not None and result.kind != "scalar" else 0
