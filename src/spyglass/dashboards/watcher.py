"""Keeps a library in step with the provisioned files: looks at each provider's folder every updateIntervalSeconds."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from spyglass.config.grafana import DashboardProvider
from spyglass.dashboards.library import Library
from spyglass.dashboards.provisioned import Snapshot, scan
from spyglass.model.errors import StorageError
from spyglass.protocols.clock import Clock

log = logging.getLogger(__name__)


class ProvisioningWatcher:
    """`load` once before the doors open, then `run` as a task. `replace` takes the providers of a reloaded configuration."""

    def __init__(self, library: Library, providers: Sequence[DashboardProvider], *, clock: Clock) -> None:
        self._library, self._clock = library, clock
        self._providers = tuple(providers)
        self._snapshots: dict[str, Snapshot] = {}
        self._said: set[tuple[str, str]] = set()
        self._changed = asyncio.Event()

    def load(self) -> None:
        """Look at every folder now. Blocks: call it before serving, or in a thread."""
        for provider in self._providers:
            self._look(provider)
        self._report()

    def replace(self, providers: Sequence[DashboardProvider]) -> None:
        """Take a new set of providers; they are looked at at once. Call from the event loop's thread."""
        self._providers = tuple(providers)
        names = [provider.name for provider in self._providers]
        self._snapshots = {name: snapshot for name, snapshot in self._snapshots.items() if name in names}
        self._library.drop_providers(names)
        self._changed.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._changed.clear()
            async with asyncio.TaskGroup() as group:
                watching = [group.create_task(self._watch(provider)) for provider in self._providers]
                await self._changed.wait()
                for task in watching:
                    task.cancel()
            await asyncio.to_thread(self.load)

    async def _watch(self, provider: DashboardProvider) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                await self._clock.sleep(provider.update_interval_seconds)
                try:
                    await asyncio.to_thread(self._look, provider)
                except StorageError as err:
                    log.warning("dashboards of provider %r: %s", provider.name, err)
                self._report()

    def _look(self, provider: DashboardProvider) -> None:
        before = self._snapshots.get(provider.name)
        if before is not None and before.provider != provider:
            before = None
        snapshot = scan(provider, before)
        self._snapshots[provider.name] = snapshot
        self._library.replace_provider(snapshot)

    def _report(self) -> None:
        """Say each problem once, and again when it came back after being away."""
        problems = set(self._library.problems())
        for path, reason in sorted(problems - self._said):
            log.warning("dashboard file %s: %s", path, reason)
        self._said = problems
