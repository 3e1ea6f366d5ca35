"""What the API and the store behind it say of themselves, under the names that Prometheus' own dashboards ask for."""

from collections.abc import Callable

from spyglass.api.prometheus.status import PEER_VERSION
from spyglass.model.telemetry import Counter, Family, Histogram, Registry
from spyglass.protocols.metric_store import MetricStores, StoreStats

REQUEST_BUCKETS = (0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0)
"""Upstream's, of prometheus_http_request_duration_seconds."""


class RequestMetrics:
    """Counts answers by endpoint. The label is the route, never what a client made up."""

    def __init__(self, registry: Registry) -> None:
        self.requests: Counter = registry.counter(
            "prometheus_http_requests_total", "Counter of HTTP requests.", ["handler", "code"]
        )
        self.seconds: Histogram = registry.histogram(
            "prometheus_http_request_duration_seconds",
            "Histogram of latencies for HTTP requests.",
            ["handler"],
            REQUEST_BUCKETS,
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        self.requests.inc(route, str(status))
        self.seconds.observe(seconds, route)


def register_store_metrics(registry: Registry, stores: MetricStores, ready: Callable[[], str]) -> None:
    """prometheus_tsdb_*, summed over tenants, prometheus_build_info and prometheus_ready."""

    def collect() -> list[Family]:
        stats = [stores.store(tenant).stats() for tenant in stores.tenants()]

        def family(name: str, kind: str, help: str, read: Callable[[StoreStats], int]) -> Family:
            return Family(name, kind, help, [("", (), float(sum(map(read, stats))))])

        build = (("branch", "spyglass"), ("version", PEER_VERSION))
        return [
            family(
                "prometheus_tsdb_head_series",
                "gauge",
                "Total number of series in the head block.",
                lambda s: s.series_active,
            ),
            family(
                "prometheus_tsdb_head_series_created_total",
                "counter",
                "Total number of series created in the head",
                lambda s: s.series_created,
            ),
            family(
                "prometheus_tsdb_head_samples_appended_total",
                "counter",
                "Total number of appended samples.",
                lambda s: s.samples_appended,
            ),
            family(
                "prometheus_tsdb_blocks_loaded", "gauge", "Number of currently loaded data blocks", lambda s: s.blocks
            ),
            family(
                "prometheus_tsdb_storage_blocks_bytes",
                "gauge",
                "The number of bytes that are currently used for local storage by all blocks.",
                lambda s: s.disk_bytes,
            ),
            Family("prometheus_build_info", "gauge", "The version whose API is spoken.", [("", build, 1.0)]),
            Family("prometheus_ready", "gauge", "Whether startup was fully completed.", [("", (), float(not ready()))]),
        ]

    registry.on_collect(collect)
