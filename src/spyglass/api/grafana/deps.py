"""What Grafana's HTTP API is made from. The composition root fills it in; tests fill in small ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from spyglass import __version__
from spyglass.api.bridge import CancellableBudget, QueryBridge
from spyglass.config.grafana import Datasource
from spyglass.config.grafana_settings import GrafanaSettings
from spyglass.protocols.clock import Clock
from spyglass.protocols.dashboards import Accounts, Annotations, DashboardLibrary
from spyglass.protocols.library_elements import LibraryElements
from spyglass.protocols.queries import LogQueries, PromQueries


@dataclass(frozen=True, slots=True)
class GrafanaDeps:
    """datasources: the provisioned ones as of now (a reload changes what it returns).

    local: our own Prometheus and Loki doors by URL (`http://127.0.0.1:9090`): a data source that points there is served in
    this process, queries by `prom` and `logs`, the proxy by the ASGI app. ui_dir: the built web UI, or None: no UI.
    metrics: the text of /metrics, or None: no such page. demo: the password is admin/admin, and the login page says so.
    """

    library: DashboardLibrary
    accounts: Accounts
    annotations: Annotations
    elements: LibraryElements
    datasources: Callable[[], Sequence[Datasource]]
    bridge: QueryBridge
    new_budget: Callable[[], CancellableBudget]
    clock: Clock
    prom: PromQueries | None = None
    logs: LogQueries | None = None
    local: Mapping[str, ASGIApp] = field(default_factory=dict)
    settings: GrafanaSettings = field(default_factory=GrafanaSettings)
    ui_dir: Path | None = None
    demo: bool = False
    metrics: Callable[[], bytes] | None = None
    version: str = __version__
