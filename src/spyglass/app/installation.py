"""Settings from an installation: spyglass.yml and the files it names."""

from collections.abc import Callable
from pathlib import Path

from spyglass.app.settings import (
    ALL_TARGETS,
    Address,
    AgentSettings,
    LogsSettings,
    MetricsSettings,
    QuerySettings,
    Settings,
    Target,
    UiSettings,
)
from spyglass.config.grafana_settings import grafana_settings
from spyglass.config.spyglass import Installation


def settings_of(
    installation: Installation,
    *,
    targets: frozenset[Target] = ALL_TARGETS,
    data: Path | None = None,
    listen: str = "",
    demo: bool = False,
) -> Settings:
    """What `spyglass up` runs. data, listen: override the file's. demo: admin/admin.

    An agent without a promtail file does not run.
    """
    config = installation.config
    folder = data.absolute() if data else installation.data
    host, ports = listen or config.listen, config.ports
    own = _own_ports(installation)
    return Settings(
        data=folder,
        metrics=_metrics(installation, Address(host, ports.prometheus), folder) if Target.METRICS in targets else None,
        logs=LogsSettings(
            Address(host, ports.loki),
            folder / "logs",
            installation.loki,
            expand_env=True,
            retention_ms=config.logs.retention,
            retention_bytes=config.logs.max_disk,
        )
        if Target.LOGS in targets
        else None,
        agent=AgentSettings(Address(host, ports.agent), installation.promtail, expand_env=True)
        if Target.AGENT in targets and installation.promtail
        else None,
        ui=_ui(installation, Address(host, ports.ui), folder, demo=demo) if Target.UI in targets else None,
        queries=QuerySettings(
            timeout_s=config.queries.timeout / 1000,
            max_samples=config.queries.max_samples,
            max_bytes=config.queries.max_memory,
            concurrency=config.queries.concurrency,
            queue=config.queries.queue,
        ),
        min_free_bytes=config.disk.min_free,
        map_address=lambda address: own(installation.map_address(address)),
        map_url=installation.map_url,
        map_path=installation.map_path,
    )


def _metrics(installation: Installation, address: Address, folder: Path) -> MetricsSettings:
    config = installation.config
    return MetricsSettings(
        address,
        folder / "metrics",
        installation.prometheus,
        retention_ms=config.metrics.retention,
        retention_bytes=config.metrics.max_disk,
        retention_rules=tuple((rule.matchers, rule.keep) for rule in config.metrics.retention_rules),
        downsampling=tuple((one.resolution, one.after, one.keep) for one in config.metrics.downsampling),
        max_series=config.metrics.max_series,
        out_of_order_ms=config.metrics.out_of_order_window,
        start_timestamps=config.metrics.start_timestamps,
    )


def _ui(installation: Installation, address: Address, folder: Path, *, demo: bool) -> UiSettings:
    given = grafana_settings()
    return UiSettings(
        address,
        folder / "state",
        installation.provisioning,
        user=given.admin_user or "admin",
        password="admin" if demo else given.admin_password,
        demo=demo,
    )


def _own_ports(installation: Installation) -> Callable[[str], str]:
    """`localhost:9090` in prometheus.yml means Prometheus itself: where our port was moved, that is followed."""
    moved = installation.config.ports.prometheus

    def own(address: str) -> str:
        return f"127.0.0.1:{moved}" if moved and address in ("localhost:9090", "127.0.0.1:9090") else address

    return own
