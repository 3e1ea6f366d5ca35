"""The one bridge between HTTP (async) and engines (synchronous): a bounded pool, a bounded queue, cancellation.

A call runs in a worker thread. When its asker leaves, its budget is cancelled and the worker stops at the next check. When
all workers are busy callers wait in line; when the line is full they are refused at once (503), so that a flood of
queries can never pile up memory. Whose deadline passes in line, or whose asker leaves it, leaves the line.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from spyglass.api.line import Line
from spyglass.model.errors import QueryCanceled, QueryTimeout
from spyglass.protocols.budget import Budget

T = TypeVar("T")

POLL_SECONDS = 0.25
"""How often a running query looks whether its asker is still there, and the line whether more may start."""


class CancellableBudget(Budget, Protocol):
    """A budget whose query can be told to stop, from any thread."""

    def cancel(self) -> None: ...


class QueryBridge:
    """Runs synchronous engine calls for async doors. One per process; owned (and closed) by the composition root."""

    def __init__(self, *, workers: int = 4, max_waiting: int = 200, together: int = 0) -> None:
        """together: how many calls that began just now may run side by side (see Line); 0: as many as there are workers."""
        self._line = Line(workers=workers, together=together or workers, max_pending=workers + max_waiting)

    @property
    def pending(self) -> int:
        """Calls running or waiting."""
        return self._line.pending

    async def run(
        self,
        call: Callable[[], T],
        *,
        budget: CancellableBudget | None = None,
        disconnected: Callable[[], Awaitable[bool]] | None = None,
    ) -> T:
        """The call's result, or its exception.

        budget: cancelled when the asker leaves or this task is cancelled. disconnected: Starlette's request.is_disconnected.
        Raises: Unavailable when the queue is full.
        """
        waiting: Future[T] = self._line.submit(call)
        future = asyncio.wrap_future(waiting)
        try:
            return await self._watched(future, waiting, budget, disconnected)
        except asyncio.CancelledError:
            if budget is not None:
                budget.cancel()
            waiting.cancel()
            # Nobody waits for it any longer, so nobody looks at its error.
            future.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            raise

    async def _watched(
        self,
        future: "asyncio.Future[T]",
        waiting: "Future[T]",
        budget: CancellableBudget | None,
        disconnected: Callable[[], Awaitable[bool]] | None,
    ) -> T:
        while True:
            done, _ = await asyncio.wait({future}, timeout=POLL_SECONDS)
            if done:
                return future.result()
            self._line.start_more()
            if budget is None or disconnected is None:
                continue
            if await disconnected():
                budget.cancel()
            if not waiting.running():
                self._check_in_line(waiting, budget)

    def _check_in_line(self, waiting: "Future[T]", budget: CancellableBudget) -> None:
        """Take a call out of the line that has no time left, or nobody who asks."""
        try:
            budget.check()
        except QueryTimeout:
            if waiting.cancel():
                raise QueryTimeout("query timed out in query queue") from None
        except QueryCanceled:
            if waiting.cancel():
                raise QueryCanceled("query was canceled in query queue") from None

    def close(self) -> None:
        """Wait for running calls; calls still in line are dropped."""
        self._line.close()
