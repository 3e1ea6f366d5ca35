"""The agent part: the Promtail dialect, pushing to Loki's API over HTTP, ours or another."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace

from starlette.types import ASGIApp

from spyglass.agent.client import PushClient
from spyglass.agent.http import create_agent_app
from spyglass.agent.manager import AgentManager
from spyglass.agent.printing import printing_client
from spyglass.app.settings import AgentSettings
from spyglass.app.shared import Shared
from spyglass.config.promtail import ClientConfig, PromtailFile, load_promtail, parse_promtail


def print_line(text: str) -> None:
    """At once: who pipes the output wants to see it come."""
    print(text, flush=True)


def note_line(text: str) -> None:
    """Beside the output, so that what would be sent can still be piped on."""
    print(text, file=sys.stderr, flush=True)


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
            inspect=note_line if settings.inspect else None,
            stdin=settings.stdin,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        return self._file.warnings

    def app(self) -> ASGIApp:
        """The agent's own page."""
        return create_agent_app(self._manager, reload=self.reload)

    async def start(self, *, ended: Callable[[], None]) -> None:
        """ended: called when there is nothing more to read, ever: standard input is over."""
        await self._manager.start(ended=ended)

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
        if settings.config_file is None:
            loaded = parse_promtail("", file="no file")
        else:
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
