"""The agent's own metrics under Promtail's names, so that existing dashboards of Promtail fit."""

from collections.abc import Sequence
from typing import Protocol

from spyglass.model.telemetry import Family, Registry


class Custom(Protocol):
    """A metric that a stage keeps."""

    def collect(self) -> Family: ...


class AgentMetrics:
    """Every metric that the agent keeps; custom ones are registered by the metrics stage."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.read_lines = registry.counter("promtail_read_lines_total", "Number of lines read.", ["path"])
        self.read_bytes = registry.gauge("promtail_read_bytes_total", "Number of bytes read.", ["path"])
        self.file_bytes = registry.gauge("promtail_file_bytes_total", "Number of bytes total.", ["path"])
        self.files_active = registry.gauge("promtail_files_active_total", "Number of active files.")
        self.targets_active = registry.gauge("promtail_targets_active_total", "Number of active total.")
        self.targets_failed = registry.counter("promtail_targets_failed_total", "Number of failed targets.", ["reason"])
        self.encoded_bytes = registry.counter(
            "promtail_encoded_bytes_total", "Number of bytes encoded and ready to send.", ["host"]
        )
        self.sent_bytes = registry.counter("promtail_sent_bytes_total", "Number of bytes sent.", ["host"])
        self.sent_entries = registry.counter("promtail_sent_entries_total", "Number of entries sent.", ["host"])
        self.dropped_bytes = registry.counter(
            "promtail_dropped_bytes_total", "Number of bytes dropped after all.", ["host", "tenant", "reason"]
        )
        self.dropped_entries = registry.counter(
            "promtail_dropped_entries_total", "Number of log entries dropped after all.", ["host", "tenant", "reason"]
        )
        self.batch_retries = registry.counter(
            "promtail_batch_retries_total", "Number of times batches have had to be retried.", ["host", "tenant"]
        )
        self.request_seconds = registry.histogram(
            "promtail_request_duration_seconds", "Duration of send requests.", ["status_code", "host"]
        )
        self.dropped_lines = registry.counter(
            "logentry_dropped_lines_total", "Lines dropped by stages of pipelines.", ["reason"]
        )
        self.pipeline_errors = registry.counter(
            "promtail_pipeline_errors_total", "Lines that a stage could not work on as configured.", ["stage", "reason"]
        )
        self.buffered_bytes = registry.gauge(
            "promtail_buffered_bytes", "Bytes of lines read that wait to be sent; reading pauses at the limit."
        )
        self._custom: list[Custom] = []
        registry.on_collect(lambda: [metric.collect() for metric in self._custom])

    def add_custom(self, metrics: Sequence[Custom]) -> None:
        """Metrics of a metrics stage, shown until the next reload."""
        self._custom.extend(metrics)

    def forget_custom(self) -> None:
        self._custom.clear()
