"""What the API and the ingest behind it say of themselves, under the names that Loki's own dashboards and alerts ask for."""

import re

from spyglass.ingest.logs import LogIngest
from spyglass.model.telemetry import Family, Histogram, Registry
from spyglass.protocols.log_store import LogStores

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0)
"""Upstream's, of loki_request_duration_seconds."""

_OTHERS = re.compile(r"[^a-z0-9]+")


class RequestMetrics:
    """Times answers by route, never by what a client made up."""

    def __init__(self, registry: Registry) -> None:
        self._seconds: Histogram = registry.histogram(
            "loki_request_duration_seconds",
            "Time (in seconds) spent serving HTTP requests.",
            ["method", "route", "status_code", "ws"],
            REQUEST_BUCKETS,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """route: as route_name makes it."""
        self._seconds.observe(seconds, method, route, str(status), "false")


def route_name(path: str) -> str:
    """
    >>> route_name("/loki/api/v1/label/{name}/values")
    'loki_api_v1_label_name_values'
    """
    return _OTHERS.sub("_", path.lower()).strip("_")


def register_log_metrics(registry: Registry, ingest: LogIngest, stores: LogStores, version: str) -> None:
    """loki_distributor_*, loki_discarded_*, loki_ingester_memory_streams, per tenant; loki_build_info."""

    def collect() -> list[Family]:
        counts = ingest.counts()

        def per_tenant(name: str, kind: str, help: str, of: dict[str, int]) -> Family:
            return Family(name, kind, help, [("", (("tenant", tenant),), float(n)) for tenant, n in of.items()])

        discarded = [
            ("", (("reason", reason), ("tenant", tenant)), float(n)) for (tenant, reason), n in counts.discarded.items()
        ]
        streams = {tenant: stores.store(tenant).stats().series_active for tenant in stores.tenants()}
        build = (("branch", "spyglass"), ("version", version))
        return [
            per_tenant(
                "loki_distributor_lines_received_total",
                "counter",
                "The total number of lines received per tenant",
                counts.lines,
            ),
            per_tenant(
                "loki_distributor_bytes_received_total",
                "counter",
                "The total number of uncompressed bytes received per tenant.",
                counts.bytes,
            ),
            Family(
                "loki_discarded_samples_total", "counter", "The total number of samples that were discarded.", discarded
            ),
            per_tenant(
                "loki_ingester_memory_streams", "gauge", "The total number of streams in memory per tenant.", streams
            ),
            Family("loki_build_info", "gauge", "The version whose API is spoken.", [("", build, 1.0)]),
        ]

    registry.on_collect(collect)
