"""The agent part: the Promtail dialect, pushing to Loki's API over HTTP, ours or another."""

import asyncio
from dataclasses import replace

from starlette.types import ASGIApp

from spyglass.agent.client import PushClient
from spyglass.agent.http import create_agent_app
from spyglass.agent.manager import AgentManager
from spyglass.agent.printing import printing_client
from spyglass.app.settings import AgentSettings
from spyglass.app.shared import Shared
from spyglass.config.promtail import ClientConfig, PromtailFile, load_promtail


def print_line(text: str) -> None:
    """At once: who pipes the output wants to see it come."""
    print(text, flush=True)


class AgentPart:
    """Built before anything is started; owns the manager."""

    def __init__(self, settings: AgentSettings, shared: Shared) -> None:
        """Raises: ConfigError."""
        self._settings, self._file = settings, self._load(settings)
        self._manager = AgentManager(
            self._file,
            clock=shared.clock,
            map_path=shared.settings.map_path,
            map_url=shared.settings.map_url,
            registry=shared.registry,
            client=printing_client(print_line) if settings.dry_run else PushClient,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._file.warnings

    def app(self) -> ASGIApp:
        """The agent's own page."""
        return create_agent_app(self._manager, reload=self.reload)

    async def start(self) -> None:
        await self._manager.start()

    async def reload(self) -> None:
        """Raises: ConfigError, and the old configuration stays."""
        loaded = await asyncio.to_thread(self._load, self._settings)
        await self._manager.reload(loaded)
        self._file = loaded

    async def stop(self) -> None:
        await self._manager.stop()

    @staticmethod
    def _load(settings: AgentSettings) -> PromtailFile:
        """The file with what the command line adds to it."""
        loaded = load_promtail(settings.config_file, expand_env=settings.expand_env)
        config = loaded.config
        if settings.positions is not None:
            config = config.model_copy(
                update={"positions": config.positions.model_copy(update={"filename": str(settings.positions)})}
            )
        clients = [*config.clients, *(ClientConfig(url=url, tenant_id=settings.tenant_id) for url in settings.urls)]
        if settings.external_labels:
            added = dict(settings.external_labels)
            clients = [c.model_copy(update={"external_labels": {**c.external_labels, **added}}) for c in clients]
        return replace(loaded, config=config.model_copy(update={"clients": tuple(clients)}))
