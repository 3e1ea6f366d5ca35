"""The logs part: the log stores, LogQL, Loki's HTTP API."""

import logging
import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp

from spyglass import __version__
from spyglass.api.loki.app import create_loki_app
from spyglass.api.loki.delete_requests import DeleteRequests
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import DEFAULT_TENANT, SEPARATOR, Tenancy
from spyglass.app.settings import LogsSettings
from spyglass.app.shared import Shared
from spyglass.config.loki import LokiConfig, LokiFile, expand_environment, load_loki, parse_selector
from spyglass.config.loki_overrides import OverridesFile, TenantLimits
from spyglass.config.secrets import masked
from spyglass.ingest.log_checks import LogLimits
from spyglass.ingest.logs import LogIngest
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.storage.logs.options import LogStoreOptions, StreamRetention
from spyglass.storage.logs.stores import open_log_stores

log = logging.getLogger(__name__)


class LogsPart:
    """Built before anything is started; owns the stores."""

    def __init__(self, settings: LogsSettings, shared: Shared) -> None:
        """Raises: ConfigError, StoreLocked, StorageError."""
        self._shared, self._settings = shared, settings
        loaded = LokiFile(LokiConfig(auth_enabled=False), (), "", 3)
        if settings.config_file is not None:
            loaded = load_loki(settings.config_file, expand_env=settings.expand_env)
        self._config, self._text = loaded.config, masked(loaded.text)
        self._tenancy = _tenancy(settings, loaded.config)
        self._overrides = OverridesFile(
            loaded.config,
            Path.cwd(),
            map_path=shared.settings.map_path,
            expand=partial(expand_environment, environment=os.environ) if settings.expand_env else str,
        )
        overrides = self._overrides.read()
        self._limits = TenantLimits(loaded.config.limits_config, overrides.limits)
        self.warnings = (*loaded.warnings, *overrides.warnings)
        self.stores = open_log_stores(
            settings.data,
            files=shared.files,
            clock=shared.clock,
            options=LogStoreOptions(max_bytes=settings.retention_bytes, min_free_bytes=shared.settings.min_free_bytes),
            of_tenant=self._store_options,
        )
        self.ingest = LogIngest(self.stores, partial(self._ingest_limits, loaded.generation), shared.clock)
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
            lambda tenant: LogQueryLimits.of(self._limits.of(tenant)),
            clock=shared.clock,
            hidden=self.deletes.hidden,
            # Data sources of dashboards name tenants too.
            tenant_of=_only_one if self._tenancy is Tenancy.IGNORED else str,
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
                budget=self._budget,
                registry=shared.registry,
                deletes=self.deletes,
                render_metrics=shared.render_metrics,
                limits_of=self._limits.of,
                tenancy=self._tenancy,
                multi_tenant=self._config.querier.multi_tenant_queries_enabled,
                config_text=self._text,
                version=__version__,
                flush=self._flush,
            )
        )

    def maintain(self) -> None:
        now = self._shared.clock.now_ns()
        overrides = self._overrides.changed(now)
        if overrides is not None:
            self._limits.replace(overrides.limits)
            log.info("the tenants' limits were read again: %d tenants have their own", len(overrides.limits))
        self.stores.maintain(now)
        self.deletes.run(now)

    def _flush(self) -> None:
        for tenant in self.stores.tenants():
            self.stores.store(tenant).flush()

    def close(self) -> None:
        self.stores.close()

    def _ingest_limits(self, generation: int, tenant: str) -> LogLimits:
        return LogLimits.of(self._limits.of(tenant), generation=generation)

    def _budget(self, tenants: str) -> QueryBudget:
        """With the least timeout of the tenants."""
        timeouts = [self._limits.of(tenant).query_timeout for tenant in tenants.split(SEPARATOR)]
        return self._shared.budget(timeout_seconds=min(filter(None, timeouts), default=0) / 1e9)

    def _store_options(self, tenant: str, options: LogStoreOptions) -> LogStoreOptions:
        """With the tenant's retention; spyglass.yml's period wins over the Loki file's."""
        limits = self._limits.of(tenant)
        streams = [
            StreamRetention(tuple(parse_selector(rule.selector)), rule.period, rule.priority)
            for rule in (limits.retention_stream if self._config.compactor.retention_enabled else ())
        ]
        period = self._settings.retention_ms * 1_000_000 or self._config.retention_of(limits)
        return replace(options, retention_ns=period, retention_streams=streams)

    def _register(self) -> None:
        registry, ingest = self._shared.registry, self.ingest
        lines = registry.gauge("spyglass_log_lines_received", "Log lines taken since the start.")
        lines.track(lambda: float(ingest.counts().lines.total()))
        size = registry.gauge("spyglass_log_bytes_received", "Bytes of log lines taken since the start.")
        size.track(lambda: float(ingest.counts().bytes.total()))
        name = "loki_runtime_config_last_reload_successful"
        reloaded = registry.gauge(
            name, "Whether the tenants' limits were read without a mistake when they were last looked at."
        )
        reloaded.track(lambda: float(not self._overrides.failed))
        disk = registry.gauge("spyglass_log_store_disk_bytes", "Bytes that the log stores use on disk.")
        disk.track(lambda: float(sum(self.stores.store(t).stats().disk_bytes for t in self.stores.tenants())))


def _only_one(tenant: str) -> str:  # noqa: ARG001
    return DEFAULT_TENANT


def _tenancy(settings: LogsSettings, config: LokiConfig) -> Tenancy:
    """As Loki's auth_enabled says, where a Loki file or a flag says it."""
    if settings.auth_enabled is not None:
        return Tenancy.REQUIRED if settings.auth_enabled else Tenancy.IGNORED
    if settings.config_file is None:
        return Tenancy.OPTIONAL
    return Tenancy.REQUIRED if config.auth_enabled else Tenancy.IGNORED
