"""The one bridge between HTTP (async) and engines (synchronous): a bounded pool, a bounded queue, cancellation.

A call runs in a worker thread. When its asker leaves, its budget is cancelled and the worker stops at the next check. When
all workers are busy callers wait in line; when the line is full they are refused at once (503), so that a flood of
queries can never pile up memory. Whose deadline passes in line, or whose asker leaves it, leaves the line.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

from spyglass.model.errors import QueryCanceled, QueryTimeout, Unavailable
from spyglass.protocols.budget import Budget

T = TypeVar("T")

POLL_SECONDS = 0.25
"""How often a running query looks whether its asker is still there."""


class CancellableBudget(Budget, Protocol):
    """A budget whose query can be told to stop, from any thread."""

    def cancel(self) -> None: ...


class QueryBridge:
    """Runs synchronous engine calls for async doors. One per process; owned (and closed) by the composition root."""

    def __init__(self, *, workers: int = 4, max_waiting: int = 200) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="query")
        self._max_pending = workers + max_waiting
        self._pending = 0
        self._lock = threading.Lock()

    @property
    def pending(self) -> int:
        """Calls running or waiting."""
        return self._pending

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
        waiting = self._submit(call)
        future = asyncio.wrap_future(waiting)
        try:
            if disconnected is None:
                return await asyncio.shield(future)
            return await self._watched(future, waiting, budget, disconnected)
        except asyncio.CancelledError:
            if budget is not None:
                budget.cancel()
            waiting.cancel()
            raise

    def _submit(self, call: Callable[[], T]) -> "Future[T]":
        with self._lock:
            if self._pending >= self._max_pending:
                raise Unavailable("too many queries are waiting; try again later")
            self._pending += 1
        submitted = self._pool.submit(call)
        submitted.add_done_callback(self._over)
        return submitted

    def _over(self, _: "Future[T]") -> None:
        """A call ended or left the line: only then is its place free, whoever still waits for it."""
        with self._lock:
            self._pending -= 1

    async def _watched(
        self,
        future: "asyncio.Future[T]",
        waiting: "Future[T]",
        budget: CancellableBudget | None,
        disconnected: Callable[[], Awaitable[bool]],
    ) -> T:
        while True:
            done, _ = await asyncio.wait({future}, timeout=POLL_SECONDS)
            if done:
                return future.result()
            if budget is None:
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
        self._pool.shutdown(wait=True, cancel_futures=True)
