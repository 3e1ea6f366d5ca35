"""The real clock."""

import asyncio
import time


class SystemClock:
    """`protocols.clock.Clock` over the operating system."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
