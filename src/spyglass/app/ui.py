"""The UI part: Grafana's HTTP API, provisioned dashboards and data sources, accounts, and the built web UI's files."""

import asyncio
import logging
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from spyglass.api.grafana.app import create_grafana_app
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.app.settings import UiSettings
from spyglass.app.shared import Shared
from spyglass.config.grafana import Provisioning, load_provisioning
from spyglass.config.grafana_settings import grafana_settings
from spyglass.dashboards.accounts import SqliteAccounts, ensure_admin
from spyglass.dashboards.annotations import SqliteAnnotations
from spyglass.dashboards.library import Library
from spyglass.dashboards.library_elements import SqliteLibraryElements, panel_models
from spyglass.dashboards.state import State
from spyglass.dashboards.watcher import ProvisioningWatcher
from spyglass.protocols.queries import LogQueries, PromQueries

log = logging.getLogger(__name__)


class UiPart:
    """Built before anything is started; owns the state file and the watcher."""

    def __init__(self, settings: UiSettings, shared: Shared) -> None:
        """Raises: ConfigError for provisioning that cannot be read, StorageError."""
        self._settings, self._shared = settings, shared
        self._provisioning = self._load()
        self._state = State(settings.data / "spyglass.sqlite")
        self._elements = SqliteLibraryElements(self._state)
        self._library = Library(self._state, library_panel=panel_models(self._elements))
        self._accounts = SqliteAccounts(self._state)
        self._watcher = ProvisioningWatcher(self._library, self._provisioning.providers, clock=shared.clock)
        self._task: asyncio.Task[None] | None = None
        self._app: Starlette | None = None
        first = ensure_admin(self._accounts, login=settings.user, password=settings.password, demo=settings.demo)
        self.new_password = first.password

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the provisioning files do not do."""
        return self._provisioning.warnings

    def app(self, *, prom: PromQueries | None, logs: LogQueries | None, local: Mapping[str, ASGIApp]) -> ASGIApp:
        """The ASGI application. local: our own doors by URL."""
        self._app = create_grafana_app(
            GrafanaDeps(
                library=self._library,
                accounts=self._accounts,
                annotations=SqliteAnnotations(self._state),
                elements=self._elements,
                datasources=lambda: self._provisioning.datasources,
                bridge=self._shared.bridge,
                new_budget=self._shared.budget,
                clock=self._shared.clock,
                prom=prom,
                logs=logs,
                local=local,
                settings=grafana_settings(),
                ui_dir=ui_folder(),
                demo=self._settings.demo,
                metrics=self._shared.render_metrics,
            )
        )
        return self._app

    async def start(self) -> None:
        await asyncio.to_thread(self._watcher.load)
        self._task = asyncio.create_task(self._watcher.run(), name="dashboards")

    def reload(self) -> None:
        """Read the provisioning again. Raises: ConfigError, and keeps the old."""
        self._provisioning = self._load()
        self._watcher.replace(self._provisioning.providers)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._app is not None:
            await self._app.state.close()
        self._state.close()

    def _load(self) -> Provisioning:
        folder = self._settings.provisioning
        if folder is None:
            return Provisioning()
        settings = self._shared.settings
        return load_provisioning(folder, map_path=settings.map_path, map_url=settings.map_url)


def ui_folder() -> Path | None:
    """The built web UI: in the wheel at spyglass/ui, in a checkout at ui/dist."""
    packaged = Path(str(files("spyglass"))) / "webui"
    checkout = Path(__file__).resolve().parents[3] / "ui" / "dist"
    for folder in (packaged, checkout):
        if (folder / "index.html").is_file():
            return folder
    log.warning("the web UI is not built: run `make ui` in a checkout; the APIs work without it")
    return None
