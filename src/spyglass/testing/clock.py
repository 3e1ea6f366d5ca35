"""A clock that a test moves by hand."""

import asyncio
import heapq
import itertools


class VirtualClock:
    """`protocols.clock.Clock`. Wall time starts at `start_ms`; `advance` moves both clocks and wakes the sleepers that are due.

    >>> clock = VirtualClock(start_ms=1000)
    >>> clock.advance(2.5)
    >>> clock.now_ms()
    3500
    """

    def __init__(self, *, start_ms: int = 1_700_000_000_000) -> None:
        self._wall_ns = start_ms * 1_000_000
        self._monotonic_ns = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        return self._wall_ns

    def now_ms(self) -> int:
        return self._wall_ns // 1_000_000

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due_ns = self._monotonic_ns + int(seconds * 1e9)
        heapq.heappush(self._sleepers, (due_ns, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Move time on and wake who is due, in order of time. Sleepers run when the loop next does."""
        self._wall_ns += int(seconds * 1e9)
        self._monotonic_ns += int(seconds * 1e9)
        self._wake()

    async def run_for(self, seconds: float) -> None:
        """Advance from sleeper to sleeper, letting tasks run in between, so that they see each moment they asked for."""
        end_ns = self._monotonic_ns + int(seconds * 1e9)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end_ns:
            self.advance((self._sleepers[0][0] - self._monotonic_ns) / 1e9)
            await settle()
        self.advance((end_ns - self._monotonic_ns) / 1e9)
        await settle()

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as an operator or NTP does; may go back."""
        self._wall_ns += int(seconds * 1e9)

    @property
    def sleepers(self) -> int:
        """Tasks that wait for time to pass."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._monotonic_ns:
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


async def settle(turns: int = 20) -> None:
    """Let tasks that are ready run."""
    for _ in range(turns):
        await asyncio.sleep(0)
