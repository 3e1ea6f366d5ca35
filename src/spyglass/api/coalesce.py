"""Identical queries that are asked while one of them runs are answered by that one.

A wall of dashboards asks the same things at the same times. The first asker's call becomes a flight; who asks for the same key while
it is on its way joins it, and all get the one answer. Nothing is kept once it has landed: this is no cache.

- What was acknowledged is seen: a flight may be joined as long as it has not begun to read, and after that only while the store's
  version is still the one at which it began.
- Each asker has a budget of its own. The call goes on while any of them lets it; whose time is up, or who leaves, leaves alone.

One event loop; the call runs in a worker of the bridge. May import the bridge, model and protocols.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from spyglass.api.bridge import POLL_SECONDS, CancellableBudget, QueryBridge
from spyglass.model.errors import QueryCanceled, QueryError, QueryTimeout
from spyglass.protocols.budget import Budget

T = TypeVar("T")


class SharedBudget:
    """The budget of a call that several wait for. What it uses is charged to the first: their limits are alike."""

    def __init__(self, first: CancellableBudget) -> None:
        self._askers: tuple[CancellableBudget, ...] = (first,)

    def join(self, asker: CancellableBudget) -> None:
        # Replaced, not changed: the worker may be looking through it.
        self._askers = (*self._askers, asker)

    def check(self) -> None:
        """Raises: what the last asker's budget raises, if none lets the call go on."""
        refusal: QueryError | None = None
        for asker in self._askers:
            try:
                asker.check()
            except QueryError as err:
                refusal = err
            else:
                return
        assert refusal is not None, "a call has an asker"
        raise refusal

    def charge_samples(self, count: int) -> None:
        self._askers[0].charge_samples(count)

    def charge_bytes(self, count: int) -> None:
        self._askers[0].charge_bytes(count)

    def cancel(self) -> None:
        for asker in self._askers:
            asker.cancel()


@dataclass(slots=True)
class Asker:
    """Who waits for an answer. disconnected: Starlette's request.is_disconnected. joined: whether another's call is waited for."""

    budget: CancellableBudget
    disconnected: Callable[[], Awaitable[bool]]
    joined: bool = False


class _Flight(Generic[T]):
    """One call on its way."""

    def __init__(self, budget: CancellableBudget) -> None:
        self.budget = SharedBudget(budget)
        self.waiting = 1
        self.began: Hashable = None
        """The store's version when the call began to read; None: it has not yet."""
        self.task: asyncio.Task[T]


class Coalescer(Generic[T]):
    """Runs calls through a bridge, identical ones once. Owned by an API's application."""

    def __init__(self, bridge: QueryBridge) -> None:
        self._bridge = bridge
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def run(
        self, key: Hashable, call: Callable[[Budget], T], *, version: Callable[[], Hashable], asker: Asker
    ) -> T:
        """The call's result, or its exception.

        key: calls with equal keys have equal answers, as long as the store has the same version.
        version: of the store, now, never None; cheap, from any thread.
        Raises: Unavailable when the queue is full; QueryTimeout and QueryCanceled for this asker alone.
        """
        while True:
            flight = self._boarded(key, call, version, asker)
            try:
                return await self._landed(flight, asker)
            except (QueryTimeout, QueryCanceled):
                # Ended for the sake of those who were there before: then this asker sets out anew.
                if not asker.joined or _spent(asker.budget):
                    raise
            finally:
                self._leave(key, flight)

    def _boarded(
        self, key: Hashable, call: Callable[[Budget], T], version: Callable[[], Hashable], asker: Asker
    ) -> _Flight[T]:
        flight = self._flights.get(key)
        asker.joined = flight is not None and (flight.began is None or flight.began == version())
        if flight is None or not asker.joined:
            return self._take_off(key, call, version, asker.budget)
        flight.budget.join(asker.budget)
        flight.waiting += 1
        return flight

    def _leave(self, key: Hashable, flight: _Flight[T]) -> None:
        flight.waiting -= 1
        if not flight.waiting and not flight.task.done():
            flight.task.cancel()
            self._landing(key, flight)

    def _landing(self, key: Hashable, flight: _Flight[T]) -> None:
        """Nobody joins from here on. A later flight of the same key may have taken the place."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _take_off(
        self, key: Hashable, call: Callable[[Budget], T], version: Callable[[], Hashable], budget: CancellableBudget
    ) -> _Flight[T]:
        flight = self._flights[key] = _Flight[T](budget)

        def work() -> T:
            # Before anything is read: what is stored from here on makes another version.
            flight.began = version()
            return call(flight.budget)

        async def fly() -> T:
            try:
                return await self._bridge.run(work, budget=flight.budget, disconnected=_never)
            finally:
                self._landing(key, flight)

        flight.task = asyncio.create_task(fly())
        return flight

    async def _landed(self, flight: _Flight[T], asker: Asker) -> T:
        try:
            while not flight.task.done():
                await asyncio.wait({flight.task}, timeout=POLL_SECONDS)
                if not flight.task.done():
                    await self._check(flight, asker)
            return flight.task.result()
        except asyncio.CancelledError:
            asker.budget.cancel()
            raise

    async def _check(self, flight: _Flight[T], asker: Asker) -> None:
        if await asker.disconnected():
            asker.budget.cancel()
        if flight.waiting > 1:
            # The call goes on without this asker. Whoever is alone with it is told by the call itself how far it came.
            asker.budget.check()


def _spent(budget: CancellableBudget) -> bool:
    try:
        budget.check()
    except QueryError:
        return True
    return False


async def _never() -> bool:
    return False
