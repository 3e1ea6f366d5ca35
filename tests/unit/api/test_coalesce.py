"""Identical queries at the same time: one evaluation, and nobody's rights are less than alone."""

import asyncio
import random
import threading
from collections.abc import Callable

import pytest

from spyglass.api.bridge import QueryBridge
from spyglass.api.coalesce import Asker, Coalescer
from spyglass.model.errors import ExecutionError, QueryCanceled, QueryTimeout
from spyglass.protocols.budget import Budget
from spyglass.query.budget import QueryBudget


async def _stays() -> bool:
    return False


async def _leaves() -> bool:
    return True


def _asker(*, timeout_seconds: float = 20, leaves: bool = False) -> Asker:
    return Asker(QueryBudget(timeout_seconds=timeout_seconds), _leaves if leaves else _stays)


class Store:
    """A number that writers count up, and calls that read it: slowly, once `gate` is open."""

    def __init__(self, *, workers: int = 4) -> None:
        self.bridge = QueryBridge(workers=workers)
        self.answers: Coalescer[int] = Coalescer(self.bridge)
        self.gate, self.reading, self.stopped = threading.Event(), threading.Event(), threading.Event()
        self.value = self.version = self.calls = 0

    def write(self) -> int:
        self.value += 1
        self.version += 1
        return self.value

    def read(self, budget: Budget) -> int:
        self.calls += 1
        value = self.value
        self.reading.set()
        try:
            while not self.gate.wait(0.005):
                budget.check()
        except QueryCanceled:
            self.stopped.set()
            raise
        return value

    def ask(self, asker: Asker, call: Callable[[Budget], int] | None = None) -> "asyncio.Task[int]":
        run = self.answers.run("key", call or self.read, version=lambda: self.version, asker=asker)
        return asyncio.create_task(run)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.reading.wait, 20)
        self.reading.clear()

    async def __aenter__(self) -> "Store":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.gate.set()
        await asyncio.to_thread(self.bridge.close)
        assert self.bridge.pending == 0


async def test_who_asks_the_same_while_it_runs_gets_the_same_answer() -> None:
    """One call for three askers; the next one after it landed is a call of its own."""
    async with Store() as store:
        askers = [_asker() for _ in range(3)]
        first = store.ask(askers[0])
        await store.begun()
        others = [store.ask(asker) for asker in askers[1:]]
        await asyncio.sleep(0)
        store.gate.set()
        assert list(await asyncio.gather(first, *others)) == [0, 0, 0]
        assert [asker.joined for asker in askers] == [False, True, True]
        assert store.calls == 1
        assert await store.ask(_asker()) == 0
        assert store.calls == 2


async def test_an_acknowledged_write_is_seen_by_whoever_asks_after_it() -> None:
    """The call that began before the write is not joined, the one that began after it is."""
    async with Store() as store:
        before = store.ask(_asker())
        await store.begun()
        store.write()
        after = store.ask(_asker())
        await store.begun()
        late = store.ask(_asker())
        await asyncio.sleep(0)
        store.gate.set()
        assert list(await asyncio.gather(before, after, late)) == [0, 1, 1]
        assert store.calls == 2


async def test_a_call_that_waits_in_line_is_joined_whatever_was_written() -> None:
    """It has read nothing yet: what was written before it begins is in its answer."""
    async with Store(workers=1) as store:
        busy = store.ask(_asker())
        await store.begun()
        store.write()
        waiting = store.ask(_asker())
        await asyncio.sleep(0)
        store.write()
        asker = _asker()
        joined = store.ask(asker)
        await asyncio.sleep(0)
        store.gate.set()
        assert list(await asyncio.gather(busy, waiting, joined)) == [0, 2, 2]
        assert asker.joined
        assert store.calls == 2


@pytest.mark.parametrize("leaving", [0, 1])
async def test_one_leaves_and_the_other_is_answered(leaving: int) -> None:
    """The call goes on, also when it was the first who left."""
    async with Store() as store:
        tasks = [store.ask(_asker(leaves=leaving == 0))]
        await store.begun()
        tasks.append(store.ask(_asker(leaves=leaving == 1)))
        with pytest.raises(QueryCanceled):
            await tasks[leaving]
        store.gate.set()
        assert await tasks[1 - leaving] == 0
        assert store.calls == 1


async def test_the_call_ends_when_all_have_left() -> None:
    """Cancelled tasks leave too; the worker stops at its next check."""
    async with Store() as store:
        first = store.ask(_asker())
        await store.begun()
        second = store.ask(_asker(leaves=True))
        with pytest.raises(QueryCanceled):
            await second
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await asyncio.to_thread(store.stopped.wait, 20)
        assert not store.gate.is_set()
        # A new asker does not join what is ending.
        again = store.ask(_asker())
        await store.begun()
        store.gate.set()
        assert await again == 0


@pytest.mark.parametrize("hurried", [0, 1])
async def test_each_has_a_deadline_of_its_own(hurried: int) -> None:
    """Whose time is up is told so; the other waits on."""
    async with Store() as store:
        tasks = [store.ask(_asker(timeout_seconds=0.05 if hurried == 0 else 20))]
        await store.begun()
        tasks.append(store.ask(_asker(timeout_seconds=0.05 if hurried == 1 else 20)))
        with pytest.raises(QueryTimeout):
            await tasks[hurried]
        store.gate.set()
        assert await tasks[1 - hurried] == 0
        assert store.calls == 1


async def test_whoever_joined_a_call_that_ended_for_another_asks_anew() -> None:
    """The first asker's time was up before the second came: its error is not the second's."""
    async with Store() as store:
        late = threading.Event()

        def timed_out(_: Budget) -> int:
            store.reading.set()
            assert late.wait(20)
            raise QueryTimeout("query timed out in expression evaluation")

        first = store.ask(_asker(), timed_out)
        await store.begun()
        second = store.ask(_asker())
        await asyncio.sleep(0)
        late.set()
        store.gate.set()
        with pytest.raises(QueryTimeout):
            await first
        assert await second == 0


async def test_an_error_is_everybody_s() -> None:
    """What is wrong with the query is wrong for all who ask it."""
    async with Store() as store:

        def fails(budget: Budget) -> int:
            store.read(budget)
            raise ExecutionError("many-to-many")

        first = store.ask(_asker(), fails)
        await store.begun()
        second = store.ask(_asker(), fails)
        await asyncio.sleep(0)
        store.gate.set()
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [str(error) for error in results] == ["many-to-many", "many-to-many"]
        assert store.calls == 1


async def test_no_answer_is_older_than_what_was_acknowledged_when_it_was_asked() -> None:
    """Writers and askers as they come, 400 askers: every answer holds what was written before its asker came."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    async with Store(workers=2) as store:
        store.gate.set()

        async def ask() -> tuple[int, int]:
            written = store.value
            return written, await store.ask(_asker())

        tasks = []
        for _ in range(400):
            if chance.random() < 0.3:
                await asyncio.to_thread(store.write)
            tasks.append(asyncio.create_task(ask()))
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks)
    assert all(answer >= written for written, answer in answers), f"seed {seed}"
    assert store.calls < 400, f"seed {seed}: nothing was shared"
