"""The metrics part: the metric stores, scraping, PromQL, Prometheus' HTTP API."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.types import ASGIApp

from spyglass import __version__
from spyglass.api.prometheus.app import create_prometheus_app
from spyglass.api.prometheus.deps import PrometheusDeps
from spyglass.app.reloads import Reloads
from spyglass.app.settings import MetricsSettings
from spyglass.app.shared import Shared
from spyglass.config.prometheus import PrometheusConfig, PrometheusFile, read_prometheus_file
from spyglass.config.secrets import masked
from spyglass.ingest.metrics import MetricIngest
from spyglass.ingest.remote_write import RemoteWriteIngest
from spyglass.model.errors import ConfigError
from spyglass.model.telemetry import Family
from spyglass.query.budget import QueryBudget
from spyglass.query.engine import PromEngine, PromSettings
from spyglass.query.promql.parser import Features
from spyglass.query.query_log import LoggedQueries, QueryLog
from spyglass.scrape.manager import ScrapeManager
from spyglass.storage.metrics.options import Downsampling, MetricStoreOptions, RetentionRule
from spyglass.storage.metrics.stores import open_metric_stores


class MetricsPart:
    """Built before anything is started; owns the stores and the scraping."""

    def __init__(self, settings: MetricsSettings, shared: Shared) -> None:
        """Raises: ConfigError, StoreLocked, StorageError."""
        self._settings, self._shared, self._started_ns = settings, shared, time.time_ns()
        self._file = self._load()
        self._query_log = QueryLog(shared.clock)
        self._query_log.reopen(self._log_path(self._file))
        named = settings.features or frozenset()
        keeps_starts = settings.start_timestamps or "st-storage" in named
        options = MetricStoreOptions(
            retention_ms=settings.retention_ms,
            retention_bytes=settings.retention_bytes,
            retention_rules=tuple(RetentionRule(matchers, keep) for matchers, keep in settings.retention_rules),
            downsampling=tuple(Downsampling(*one) for one in settings.downsampling),
            min_free_bytes=shared.settings.min_free_bytes,
            out_of_order_window_ms=settings.out_of_order_ms,
            max_series=settings.max_series,
            start_timestamps=keeps_starts,
        )
        self.stores = open_metric_stores(settings.data, files=shared.files, clock=shared.clock, options=options)
        interval = self._file.config.global_.evaluation_interval
        engine = PromEngine(
            self.stores,
            PromSettings(
                lookback_ms=settings.lookback_ms,
                delayed_names="promql-delayed-name-removal" in named,
                subquery_step_ms=interval,
                features=_language(settings.features),
                start_timestamps=settings.start_timestamps or "use-start-timestamps" in named,
            ),
        )
        self.engine = LoggedQueries(engine, self._query_log)
        self._reloads = Reloads(shared.registry, shared.clock)
        self._ingest = MetricIngest(shared.registry)
        self._scrapes = ScrapeManager(
            self.stores,
            shared.registry,
            executor=shared.executor,
            clock=shared.clock,
            map_address=shared.settings.map_address,
            ingest=self._ingest,
            start_timestamps=keeps_starts,
        )
        self._register()

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._file.warnings

    def app(self, *, reload: Callable[[], Awaitable[None]], quit: Callable[[], None], ui_port: int) -> ASGIApp:
        """The ASGI application. ui_port: of the web UI in this process, or 0."""
        shared, settings = self._shared, self._settings
        return create_prometheus_app(
            PrometheusDeps(
                queries=self.engine,
                stores=self.stores,
                targets=self._scrapes,
                ingest=self._ingest,
                bridge=shared.bridge,
                ingest_bridge=shared.ingest_bridge,
                clock=shared.clock,
                budget=self._budget,
                registry=shared.registry,
                started_ns=self._started_ns,
                version=__version__,
                config_text=lambda: masked(self._file.text),
                flags=settings.flags,
                reload=reload,
                quit=quit,
                external_labels=lambda: self._file.config.external_labels,
                lifecycle_enabled=settings.lifecycle,
                admin_enabled=settings.admin_api,
                remote_write_enabled=settings.remote_write_receiver,
                remote_write=RemoteWriteIngest(self._ingest),
                log_query=self.engine.note,
                query_timeout_seconds=shared.settings.queries.timeout_s,
                read_samples_max=settings.read_samples_max,
                read_frame_bytes_max=settings.read_frame_bytes_max,
                external_url=settings.external_url,
                ui_port=lambda: ui_port,
                runtime=self._reloads.runtime,
                notices=self._reloads.notices,
                language=_language(settings.features),
            )
        )

    async def start(self) -> None:
        await self._scrapes.start(self._file.config, self._file.folder)

    async def reload(self) -> None:
        """Raises: ConfigError, and the old configuration stays."""
        try:
            loaded = await asyncio.to_thread(self._load)
        except ConfigError:
            self._reloads.failed()
            raise
        await asyncio.to_thread(self._query_log.reopen, self._log_path(loaded))
        await self._scrapes.reload(loaded.config, loaded.folder)
        self._file = loaded
        self._reloads.succeeded()

    async def stop(self) -> None:
        await self._scrapes.stop()

    def maintain(self) -> None:
        self.stores.maintain(self._shared.clock.now_ns() // 1_000_000)

    def close(self) -> None:
        self.stores.close()
        self._query_log.close()

    def _log_path(self, file: PrometheusFile) -> Path | None:
        name = file.config.global_.query_log_file
        return file.folder / self._shared.settings.map_path(name) if name else None

    def _load(self) -> PrometheusFile:
        if self._settings.config_file is None:
            return PrometheusFile(PrometheusConfig(), (), "", Path.cwd())
        return read_prometheus_file(self._settings.config_file)

    def _budget(self, seconds: float) -> QueryBudget:
        queries = self._shared.settings.queries
        timeout = min(seconds, queries.timeout_s) if seconds > 0 else queries.timeout_s
        return QueryBudget(timeout_seconds=timeout, max_samples=queries.max_samples, max_bytes=queries.max_bytes)

    def _register(self) -> None:
        registry = self._shared.registry

        def total(field: str) -> Callable[[], float]:
            return lambda: float(sum(getattr(self.stores.store(t).stats(), field) for t in self.stores.tenants()))

        for name, field, help in (
            ("spyglass_metric_series_active", "series_active", "Series in the head."),
            ("spyglass_metric_samples_appended", "samples_appended", "Samples stored since the start."),
            ("spyglass_metric_store_disk_bytes", "disk_bytes", "Bytes that the metric stores use on disk."),
        ):
            registry.gauge(name, help).track(total(field))

        bridge, most = self._shared.bridge, self._shared.settings.queries.concurrency
        queries = registry.gauge(
            "prometheus_engine_queries", "The current number of queries being executed or waiting."
        )
        queries.track(lambda: float(bridge.pending))
        limit = registry.gauge("prometheus_engine_queries_concurrent_max", "The max number of concurrent queries.")
        limit.set(most)

        def query_log() -> list[Family]:
            name, log = "prometheus_engine_query_log", self._query_log
            failures = [("", (), float(log.failures))]
            return [
                Family(f"{name}_enabled", "gauge", "State of the query log.", [("", (), float(log.enabled))]),
                Family(f"{name}_failures_total", "counter", "The number of query log failures.", failures),
            ]

        registry.on_collect(query_log)


def _language(names: frozenset[str] | None) -> Features:
    """Upstream's --enable-feature names as parts of the language. None: everything is on."""
    if names is None:
        return Features()
    return Features(
        experimental_functions="promql-experimental-functions" in names,
        extended_range_selectors="promql-extended-range-selectors" in names,
        binop_fill_modifiers="promql-binop-fill-modifiers" in names,
    )
