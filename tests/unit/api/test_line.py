"""The line: first come, first served, few of the young side by side, and nobody behind a long call for long."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError

import pytest

from spyglass.api.line import PATIENCE_SECONDS, Line
from spyglass.model.errors import Unavailable


class Held:
    """Calls that go on until they are let go; `began` has the names of those that began, in order."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self._gates: dict[str, threading.Event] = {}
        self._changed = threading.Condition()

    def call(self, name: str) -> Callable[[], str]:
        gate = self._gates[name] = threading.Event()

        def work() -> str:
            with self._changed:
                self.began.append(name)
                self._changed.notify_all()
            assert gate.wait(20)
            return name

        return work

    def let_go(self, *names: str) -> None:
        for name in names:
            self._gates[name].set()

    def wait_for(self, count: int) -> list[str]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.began) >= count, timeout=20)
            return list(self.began)


@pytest.fixture
def held() -> Iterator[Held]:
    calls = Held()
    yield calls
    calls.let_go(*calls._gates)


class Time:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def line_of(time: Time, *, workers: int = 3) -> Line:
    return Line(workers=workers, together=1, max_pending=100, now=time)


def test_calls_that_began_just_now_run_one_by_one(held: Held) -> None:
    """The next begins when the one before ends, in the order in which they came."""
    line = line_of(Time())
    futures = [line.submit(held.call(name)) for name in "abc"]
    assert held.wait_for(1) == ["a"]
    held.let_go("a")
    assert held.wait_for(2) == ["a", "b"]
    held.let_go("b", "c")
    assert [future.result(20) for future in futures] == ["a", "b", "c"]
    line.close()
    assert (held.began, line.pending) == (["a", "b", "c"], 0)


def test_a_long_call_is_passed_by_others(held: Held) -> None:
    """Once it has had its time it counts no longer, up to the number of workers."""
    time = Time()
    line = line_of(time)
    for name in "abcd":
        line.submit(held.call(name))
    line.start_more()
    assert held.wait_for(1) == ["a"]
    for expected in (["a", "b"], ["a", "b", "c"]):
        time.seconds += PATIENCE_SECONDS
        line.start_more()
        assert held.wait_for(len(expected)) == expected
    time.seconds += PATIENCE_SECONDS
    line.start_more()
    assert held.began == ["a", "b", "c"], "there are three workers"
    held.let_go("b")
    assert held.wait_for(4) == ["a", "b", "c", "d"]
    held.let_go("a", "c", "d")
    line.close()


def test_who_left_the_line_is_not_called(held: Held) -> None:
    """And its place is free at once."""
    line = line_of(Time())
    line.submit(held.call("a"))
    gone, last = line.submit(held.call("b")), line.submit(held.call("c"))
    assert gone.cancel()
    assert line.pending == 2
    held.let_go("a", "c")
    assert last.result(20) == "c"
    line.close()
    assert held.began == ["a", "c"]


def test_an_error_makes_room_like_a_result() -> None:
    """The asker gets it."""
    line = line_of(Time())
    futures = [line.submit(lambda: 1 // 0), line.submit(lambda: 7)]
    with pytest.raises(ZeroDivisionError):
        futures[0].result(20)
    assert futures[1].result(20) == 7
    line.close()


def test_closing_drops_who_waits(held: Held) -> None:
    """Who runs is waited for; who comes later is refused."""
    line = line_of(Time())
    running, waiting = line.submit(held.call("a")), line.submit(held.call("b"))
    held.wait_for(1)
    closing = threading.Thread(target=line.close)
    closing.start()
    with pytest.raises(CancelledError):
        waiting.result(20)
    held.let_go("a")
    closing.join(20)
    assert (running.result(20), held.began, line.pending) == ("a", ["a"], 0)
    with pytest.raises(Unavailable):
        line.submit(held.call("c"))
