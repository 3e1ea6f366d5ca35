"""Takes chunks from the buffer and delivers them, one batch at a time: written down, sent, then counted as read."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import aiohttp

from spyglass.agent.batch import Batch, build_batch
from spyglass.agent.buffer import Buffer
from spyglass.agent.client import PushClient
from spyglass.agent.positions import Parcel, Positions
from spyglass.protocols.clock import Clock

log = logging.getLogger(__name__)

DISK_RETRY_SECONDS = 1.0


class Sender:
    """The only one who moves positions."""

    def __init__(
        self,
        buffer: Buffer,
        clients: Sequence[PushClient],
        positions: Positions,
        session: aiohttp.ClientSession,
        *,
        clock: Clock,
        sync_period_ns: int,
    ) -> None:
        self._buffer, self._clients, self._positions, self._session = buffer, clients, positions, session
        self._clock, self._sync_period_ns = clock, sync_period_ns
        self._busy = asyncio.Lock()
        self.problem = ""
        self._batch_bytes = min((client.config.batchsize for client in clients), default=1 << 20)
        self._wait_ns = min((client.config.batchwait for client in clients), default=10**9)

    async def run(self) -> None:
        """Deliver what a previous life left, then everything that comes, until the buffer is closed and empty."""
        async with self._busy:
            if self._positions.unsent:
                await self._deliver(self._positions.unsent)
            await self._on_disk(self._positions.settle)
        while chunks := await self._buffer.take(batch_bytes=self._batch_bytes, wait_ns=self._wait_ns):
            async with self._busy:
                await self._send(await asyncio.to_thread(build_batch, chunks, [c.config for c in self._clients]))
        await self.settle()

    async def keep_settled(self) -> None:
        """Write positions.yaml once in a sync period, for ever."""
        while True:
            await self._clock.sleep(self._sync_period_ns / 1e9)
            await self.settle()

    async def settle(self) -> None:
        """Write positions.yaml now; waits for a batch that is on its way."""
        async with self._busy:
            await self._on_disk(self._positions.settle)

    async def _on_disk(self, write: Callable[[], None]) -> None:
        """Write positions or a batch; where the disk cannot take it (full, read-only), try again until it can.

        Nothing is sent meanwhile: what is sent without being written down would be sent twice after a crash.
        """
        while True:
            try:
                await asyncio.to_thread(write)
            except OSError as err:
                if not self.problem:
                    log.error("cannot write %s: %s; trying again", self._positions.file, err.strerror or err)
                self.problem = f"cannot write {self._positions.file}: {err.strerror or err}"
                await self._clock.sleep(DISK_RETRY_SECONDS)
            else:
                self.problem = ""
                return

    async def _send(self, batch: Batch) -> None:
        if not batch.parcels:
            self._positions.advance(batch.positions)
            return
        await self._on_disk(lambda: self._positions.prepare(batch.positions, batch.parcels))
        await self._deliver(batch.parcels)

    async def _deliver(self, parcels: Sequence[Parcel]) -> None:
        """Every client gets its parcels in order; the clients work side by side.

        A client that is alone is waited for without end. One of several gives up after max_retries once another
        client has everything: it would hold up the others.
        """
        done: set[str] = set()

        async def deliver(client: PushClient) -> None:
            for parcel in parcels:
                if self._addressee(parcel) is client:
                    await client.push(self._session, parcel, may_give_up=lambda: bool(done))
            done.add(client.name)

        async with asyncio.TaskGroup() as group:
            for client in self._clients:
                group.create_task(deliver(client))

    def _addressee(self, parcel: Parcel) -> PushClient:
        """The client by name; where the configuration has changed in between, the first one."""
        return next((client for client in self._clients if client.name == parcel.client), self._clients[0])
