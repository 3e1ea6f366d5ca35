"""The bridge: a bounded pool and line, and leaving either."""

import asyncio
import threading

import pytest

from spyglass.api.bridge import QueryBridge
from spyglass.model.errors import QueryCanceled, QueryTimeout, Unavailable
from spyglass.query.budget import QueryBudget


async def _nobody_leaves() -> bool:
    return False


async def _left() -> bool:
    return True


class Busy:
    """A bridge with one worker, which is busy until `release`."""

    def __init__(self, *, max_waiting: int = 2) -> None:
        self.bridge = QueryBridge(workers=1, max_waiting=max_waiting)
        self.gate, self.started = threading.Event(), threading.Event()

    def hold(self) -> str:
        self.started.set()
        assert self.gate.wait(20)
        return "held"

    async def __aenter__(self) -> "Busy":
        self.running = asyncio.create_task(self.bridge.run(self.hold))
        await asyncio.to_thread(self.started.wait, 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await asyncio.gather(self.running, return_exceptions=True)
        await asyncio.to_thread(self.bridge.close)
        assert self.bridge.pending == 0


async def test_a_full_line_refuses() -> None:
    """Beyond the workers and the line a call is refused at once; those in line are answered."""
    async with Busy(max_waiting=1) as busy:
        second = asyncio.create_task(busy.bridge.run(lambda: "second"))
        await asyncio.sleep(0)
        assert busy.bridge.pending == 2
        with pytest.raises(Unavailable):
            await busy.bridge.run(lambda: "third")
        busy.gate.set()
        assert await second == "second"
        assert await busy.running == "held"


async def test_a_deadline_passes_in_line() -> None:
    """The call is never made, and its place is free again."""
    calls: list[int] = []
    async with Busy() as busy:
        with pytest.raises(QueryTimeout, match="query timed out in query queue"):
            await busy.bridge.run(
                lambda: calls.append(1), budget=QueryBudget(timeout_seconds=0.01), disconnected=_nobody_leaves
            )
        assert busy.bridge.pending == 1
    assert calls == []


async def test_an_asker_leaves_the_line() -> None:
    """As with a deadline."""
    calls: list[int] = []
    async with Busy() as busy:
        with pytest.raises(QueryCanceled, match="query was canceled in query queue"):
            await busy.bridge.run(lambda: calls.append(1), budget=QueryBudget(), disconnected=_left)
        assert busy.bridge.pending == 1
    assert calls == []


async def test_a_cancelled_task_cancels_its_budget_but_keeps_its_place_until_the_worker_ends() -> None:
    """A worker that still runs is not counted as free."""
    busy = Busy()
    budget = QueryBudget()
    task = asyncio.create_task(busy.bridge.run(busy.hold, budget=budget, disconnected=_nobody_leaves))
    await asyncio.to_thread(busy.started.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.canceled
    assert busy.bridge.pending == 1
    busy.gate.set()
    await asyncio.to_thread(busy.bridge.close)
    assert busy.bridge.pending == 0
