"""The running process: parts are built, doors opened, housekeeping done, and everything stopped in reverse."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.app.http import Door
from spyglass.app.memory import collect_settled, give_back, limit_arenas, settle_garbage
from spyglass.app.running import remove_state, write_state
from spyglass.app.settings import Address, Settings, Target
from spyglass.app.shared import Shared
from spyglass.app.sockets import listen
from spyglass.app.warm import import_what_comes_first
from spyglass.model.errors import SpyglassError
from spyglass.storage.lock import DirectoryLock

if TYPE_CHECKING:
    from spyglass.app.agent import AgentPart
    from spyglass.app.logs import LogsPart
    from spyglass.app.metrics import MetricsPart
    from spyglass.app.ui import UiPart

log = logging.getLogger(__name__)

MAINTAIN_SECONDS = 5.0
TRIM_ROUNDS = 6
"""Free memory is given back once in so many rounds."""
MAPPED = {
    Target.METRICS: "ports.prometheus",
    Target.LOGS: "ports.loki",
    Target.AGENT: "ports.agent",
    Target.UI: "ports.ui",
}


class Server:
    """One Spyglass process. Build it (which reads every file and binds every port), then `run`."""

    def __init__(self, settings: Settings) -> None:
        """Raises: ConfigError, PortInUse, StoreLocked, StorageError. What was opened before is closed again."""
        self._settings = settings
        limit_arenas()
        with contextlib.ExitStack() as undo:
            # The lock first: a second start on the same data should say whose it is, not that a port is taken.
            self._lock = DirectoryLock(settings.data)
            undo.callback(self._lock.close)
            self._sockets = {}
            for target, address in self._addresses().items():
                self._sockets[target] = listen(address, part=target.value, setting=f"{MAPPED[target]} in spyglass.yml")
                undo.callback(self._sockets[target].close)
            self._shared = Shared.of(settings)
            undo.callback(self._shared.close)
            self._metrics = _metrics(settings, self._shared)
            if self._metrics:
                undo.callback(self._metrics.close)
            self._logs = _logs(settings, self._shared)
            if self._logs:
                undo.callback(self._logs.close)
            self._agent = _agent(settings, self._shared)
            self._ui = _ui(settings, self._shared)
            undo.pop_all()
        self._doors: dict[Target, Door] = {}
        self._stopping = asyncio.Event()
        self._housekeeper: threading.Thread | None = None
        self._answering, self._housekeeping_over = threading.Event(), threading.Event()

    @property
    def warnings(self) -> list[str]:
        """What the files do not do, to be said once at the start."""
        parts = (self._metrics, self._logs, self._agent, self._ui)
        return [text for part in parts if part is not None for text in part.warnings]

    @property
    def new_password(self) -> str:
        """The administrator's password if it was made just now; shown once."""
        return self._ui.new_password if self._ui else ""

    @property
    def addresses(self) -> dict[Target, Address]:
        """Where the doors really listen (port 0 resolved)."""
        found = {}
        for target, bound in self._sockets.items():
            host, port = bound.getsockname()[:2]
            found[target] = Address(host, port)
        return found

    async def run(self, *, started: Callable[[], None] = lambda: None) -> None:
        """Serve until SIGTERM, SIGINT or `stop`. SIGHUP reloads the configuration. started: called when all doors answer."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(self._reload_quietly()))
        try:
            await self._start()
            settle_garbage()
            write_state(self._settings.data, {target.value: str(at) for target, at in self.addresses.items()})
            started()
            self._answering.set()
            await self._stopping.wait()
        finally:
            await self._stop()

    def stop(self) -> None:
        """Ask `run` to return. Call from the event loop's thread (or a signal handler of it)."""
        self._stopping.set()

    async def reload(self) -> None:
        """Read the configuration files again. Raises: ConfigError, and the old configuration keeps running."""
        if self._metrics:
            await self._metrics.reload()
        if self._agent:
            await self._agent.reload()
        if self._ui:
            self._ui.reload()

    async def _reload_quietly(self) -> None:
        try:
            await self.reload()
            log.info("configuration reloaded")
        except SpyglassError as err:
            log.error("configuration not reloaded, the old one stays: %s", err)

    async def _start(self) -> None:
        apps = {}
        if self._metrics:
            ui = self.addresses.get(Target.UI)
            apps[Target.METRICS] = self._metrics.app(reload=self.reload, quit=self.stop, ui_port=ui.port if ui else 0)
        if self._logs:
            apps[Target.LOGS] = self._logs.app()
        if self._agent and Target.AGENT in self._sockets:
            apps[Target.AGENT] = self._agent.app()
        local = {f"http://127.0.0.1:{self.addresses[target].port}": app for target, app in apps.items()}
        if self._ui:
            prom = self._metrics.engine if self._metrics else None
            logs = self._logs.engine if self._logs else None
            await self._ui.start()
            apps[Target.UI] = self._ui.app(prom=prom, logs=logs, local=local)
        for target, app in apps.items():
            self._doors[target] = Door(app, self._sockets[target], name=target.value)
            await self._doors[target].start()
        self._housekeeper = threading.Thread(target=self._keep_house, name="housekeeper", daemon=True)
        self._housekeeper.start()
        if self._metrics:
            await self._metrics.start()
        if self._agent:
            await self._agent.start(ended=self.stop)

    async def _stop(self) -> None:
        """Sources first, so that nothing is accepted that could not be stored; stores last."""
        if self._agent:
            await self._agent.stop()
        if self._metrics:
            await self._metrics.stop()
        for door in reversed(list(self._doors.values())):
            await door.stop()
        if self._ui:
            await self._ui.stop()
        self._housekeeping_over.set()
        self._answering.set()
        if self._housekeeper:
            await asyncio.to_thread(self._housekeeper.join)
        await asyncio.to_thread(self._close_stores)
        with contextlib.suppress(OSError):
            remove_state(self._settings.data)
        self._lock.close()

    def _close_stores(self) -> None:
        self._shared.close()
        if self._metrics:
            self._metrics.close()
        if self._logs:
            self._logs.close()

    def _keep_house(self) -> None:
        self._answering.wait()
        # A lone agent answers no query.
        if (self._metrics or self._logs) and not self._housekeeping_over.is_set():
            import_what_comes_first()
        rounds = 0
        while not self._housekeeping_over.wait(MAINTAIN_SECONDS):
            for part in (self._metrics, self._logs):
                if part is None:
                    continue
                try:
                    part.maintain()
                except SpyglassError as err:
                    log.error("housekeeping: %s", err)
            if not rounds:
                collect_settled()
            rounds += 1
            if rounds % TRIM_ROUNDS == 0:
                give_back()

    def _addresses(self) -> dict[Target, Address]:
        settings = self._settings
        found = {
            Target.METRICS: settings.metrics.address if settings.metrics else None,
            Target.LOGS: settings.logs.address if settings.logs else None,
            Target.AGENT: settings.agent.address if settings.agent else None,
            Target.UI: settings.ui.address if settings.ui else None,
        }
        return {target: address for target, address in found.items() if address is not None}


# Parts are imported when they run: a lone agent must not carry the query engines and the dashboards in memory.


def _metrics(settings: Settings, shared: Shared) -> "MetricsPart | None":
    if settings.metrics is None:
        return None
    from spyglass.app.metrics import MetricsPart  # noqa: PLC0415 - see above

    return MetricsPart(settings.metrics, shared)


def _logs(settings: Settings, shared: Shared) -> "LogsPart | None":
    if settings.logs is None:
        return None
    from spyglass.app.logs import LogsPart  # noqa: PLC0415 - see above

    return LogsPart(settings.logs, shared)


def _agent(settings: Settings, shared: Shared) -> "AgentPart | None":
    if settings.agent is None:
        return None
    from spyglass.app.agent import AgentPart  # noqa: PLC0415 - see above

    return AgentPart(settings.agent, shared)


def _ui(settings: Settings, shared: Shared) -> "UiPart | None":
    if settings.ui is None:
        return None
    from spyglass.app.ui import UiPart  # noqa: PLC0415 - see above

    return UiPart(settings.ui, shared)
