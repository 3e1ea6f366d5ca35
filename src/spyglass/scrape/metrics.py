"""What scraping says of itself, under upstream's names."""

from spyglass.model.samples import WriteOutcome
from spyglass.model.telemetry import Registry


class ScrapeMetrics:
    """Counters of all pools together."""

    def __init__(self, registry: Registry) -> None:
        self._interval = registry.histogram(
            "spyglass_scrape_duration_seconds", "How long scrapes took, decoding and storing included.", ["interval"]
        )
        self._failed = registry.counter("spyglass_scrapes_failed_total", "Scrapes that brought nothing.")
        self._out_of_order = registry.counter(
            "prometheus_target_scrapes_sample_out_of_order_total",
            "Total number of samples rejected due to not being out of the expected order.",
        )
        self._duplicate = registry.counter(
            "prometheus_target_scrapes_sample_duplicate_timestamp_total",
            "Total number of samples rejected due to duplicate timestamps but different values.",
        )
        self._bounds = registry.counter(
            "prometheus_target_scrapes_sample_out_of_bounds_total",
            "Total number of samples rejected due to timestamp falling outside of the time bounds.",
        )
        self._limit = registry.counter(
            "prometheus_target_scrapes_exceeded_sample_limit_total",
            "Total number of scrapes that hit the sample limit and were rejected.",
        )
        self._body = registry.counter(
            "prometheus_target_scrapes_exceeded_body_size_limit_total",
            "Total number of scrapes that hit the body size limit.",
        )
        self.targets = registry.gauge(
            "prometheus_target_scrape_pool_targets", "Current number of targets in this scrape pool.", ["scrape_job"]
        )

    def finished(self, error: str, interval: str, seconds: float) -> None:
        self._interval.observe(seconds, interval)
        if error:
            self._failed.inc()
        if error == "sample limit exceeded":
            self._limit.inc()
        if error == "body size limit exceeded":
            self._body.inc()

    def refused(self, outcome: WriteOutcome) -> None:
        self._out_of_order.inc(by=len(outcome.out_of_order))
        self._duplicate.inc(by=len(outcome.duplicate))
        self._bounds.inc(by=len(outcome.too_old))
