"""The logs part: the log stores, LogQL, Loki's HTTP API."""

from functools import partial

from starlette.types import ASGIApp

from spyglass import __version__
from spyglass.api.loki.app import create_loki_app
from spyglass.api.loki.delete_requests import DeleteRequests
from spyglass.api.loki.deps import LokiDeps
from spyglass.app.settings import LogsSettings
from spyglass.app.shared import Shared
from spyglass.config.loki import LokiConfig, LokiFile, load_loki, parse_selector
from spyglass.config.secrets import masked
from spyglass.ingest.log_checks import LogLimits
from spyglass.ingest.logs import LogIngest
from spyglass.query.log_engine import LogEngine, LogQueryLimits
from spyglass.storage.logs.options import LogStoreOptions, StreamRetention
from spyglass.storage.logs.stores import open_log_stores


class LogsPart:
    """Built before anything is started; owns the stores."""

    def __init__(self, settings: LogsSettings, shared: Shared) -> None:
        """Raises: ConfigError, StoreLocked, StorageError."""
        self._shared = shared
        loaded = LokiFile(LokiConfig(auth_enabled=False), (), "", 3)
        if settings.config_file is not None:
            loaded = load_loki(settings.config_file, expand_env=settings.expand_env)
        self._config, self._text = loaded.config, masked(loaded.text)
        self._auth = loaded.config.auth_enabled if settings.auth_enabled is None else settings.auth_enabled
        self.warnings = loaded.warnings
        self.stores = open_log_stores(
            settings.data,
            files=shared.files,
            clock=shared.clock,
            options=_store_options(settings, shared, loaded.config),
        )
        limits = LogLimits.of(loaded.config.limits_config, generation=loaded.generation)
        self.ingest = LogIngest(self.stores, limits, shared.clock)
        self.deletes = DeleteRequests(
            self.stores,
            shared.clock,
            path=settings.data / "deletes.json",
            files=shared.files,
            cancel_period_ns=loaded.config.compactor.delete_request_cancel_period,
            filter_only=loaded.config.limits_config.deletion_mode == "filter-only",
        )
        self.engine = LogEngine(
            self.stores,
            LogQueryLimits.of(loaded.config.limits_config),
            clock=shared.clock,
            hidden=self.deletes.hidden,
        )
        self._register()

    def app(self) -> ASGIApp:
        """The ASGI application."""
        shared = self._shared
        return create_loki_app(
            LokiDeps(
                queries=self.engine,
                stores=self.stores,
                ingest=self.ingest,
                bridge=shared.bridge,
                ingest_bridge=shared.ingest_bridge,
                clock=shared.clock,
                budget=partial(shared.budget, timeout_seconds=self._config.limits_config.query_timeout / 1e9),
                registry=shared.registry,
                deletes=self.deletes,
                render_metrics=shared.render_metrics,
                limits=self._config.limits_config,
                auth_enabled=self._auth,
                multi_tenant=self._config.querier.multi_tenant_queries_enabled,
                config_text=self._text,
                version=__version__,
                flush=self._flush,
            )
        )

    def maintain(self) -> None:
        now = self._shared.clock.now_ns()
        self.stores.maintain(now)
        self.deletes.run(now)

    def _flush(self) -> None:
        for tenant in self.stores.tenants():
            self.stores.store(tenant).flush()

    def close(self) -> None:
        self.stores.close()

    def _register(self) -> None:
        registry, ingest = self._shared.registry, self.ingest
        lines = registry.gauge("spyglass_log_lines_received", "Log lines taken since the start.")
        lines.track(lambda: float(ingest.counts().lines.total()))
        size = registry.gauge("spyglass_log_bytes_received", "Bytes of log lines taken since the start.")
        size.track(lambda: float(ingest.counts().bytes.total()))
        disk = registry.gauge("spyglass_log_store_disk_bytes", "Bytes that the log stores use on disk.")
        disk.track(lambda: float(sum(self.stores.store(t).stats().disk_bytes for t in self.stores.tenants())))


def _store_options(settings: LogsSettings, shared: Shared, config: LokiConfig) -> LogStoreOptions:
    """spyglass.yml's retention wins over the Loki file's."""
    retention = settings.retention_ms * 1_000_000 or config.retention_ns
    streams = [
        StreamRetention(tuple(parse_selector(rule.selector)), rule.period, rule.priority)
        for rule in (config.limits_config.retention_stream if config.compactor.retention_enabled else ())
    ]
    return LogStoreOptions(
        retention_ns=retention,
        retention_streams=streams,
        max_bytes=settings.retention_bytes,
        min_free_bytes=shared.settings.min_free_bytes,
    )
