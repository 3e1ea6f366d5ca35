"""Instrumentation for web back ends: metrics and JSON access logs for ASGI applications, without dependencies."""

from spyglass_sdk.asgi import instrument, metrics_endpoint
from spyglass_sdk.jsonlog import JsonLog
from spyglass_sdk.metrics import Counter, Gauge, Histogram, Registry
from spyglass_sdk.process import ProcessMetrics

__all__ = [
    "Counter",
    "Gauge",
    "Histogram",
    "JsonLog",
    "ProcessMetrics",
    "Registry",
    "instrument",
    "metrics_endpoint",
]
