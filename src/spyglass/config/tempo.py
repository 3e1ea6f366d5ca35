"""tempo.yaml of 2.x and 3.x: read and checked. Tempo 3 refuses what it removed; here both generations load.

Tracing itself is not part of this version; the file is checked so that it is known to be good when it is needed.
"""

from pathlib import Path

from spyglass.config.source import read_yaml

TOP_LEVEL = frozenset(
    """
    autocomplete_filtering_enabled backend_scheduler backend_scheduler_client backend_worker block_builder cache compactor
    distributor enable_go_runtime_metrics http_api_prefix ingester ingester_client internal_server live_store
    live_store_client memberlist metrics_generator metrics_generator_client multitenancy_enabled overrides partition_ring
    querier query_frontend server shutdown_delay storage stream_over_http_enabled target usage_report use_otel_tracer ingest
    generator_ring
    """.split()  # noqa: SIM905 - a table of names reads better than quoted ones
)

REMOVED = ("ingester", "ingester_client", "compactor", "metrics_generator_client")
"""Blocks that Tempo 3 removed: it refuses to start with them."""


def load_tempo(path: Path) -> list[str]:
    """Read one file. Returns warnings (`file:line: ...`). Raises ConfigError."""
    document = read_yaml(path)
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        raise document.error((), "should be a mapping of blocks such as server and storage")
    for key in data:
        if key not in TOP_LEVEL:
            raise document.error((key,), "no version of Tempo has this block")
    return [
        f"{document.file}:{document.line((key,))}: {key}: removed in Tempo 3, which refuses to start with it; ignored here"
        for key in REMOVED
        if key in data
    ]
