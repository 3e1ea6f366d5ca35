"""The virtual clock: time passes when the test says so."""

import asyncio

from spyglass.testing.clock import VirtualClock, settle


async def test_sleepers_wake_in_order_and_not_before() -> None:
    """A task sleeps until the clock has been moved past its time; run_for shows each sleeper the moment it asked for."""
    clock = VirtualClock(start_ms=1000)
    seen: list[tuple[str, int]] = []

    async def tick(name: str, seconds: float) -> None:
        for _ in range(3):
            await clock.sleep(seconds)
            seen.append((name, clock.now_ms()))

    tasks = [asyncio.create_task(tick("slow", 2)), asyncio.create_task(tick("fast", 1))]
    await settle()
    assert clock.sleepers == 2
    clock.advance(0.5)
    await settle()
    assert seen == []
    await clock.run_for(6)
    assert seen == [("fast", 2000), ("slow", 3000), ("fast", 3000), ("fast", 4000), ("slow", 5000), ("slow", 7000)]
    await asyncio.gather(*tasks)
    assert clock.monotonic_ns() == 6_500_000_000


async def test_the_wall_clock_may_jump_alone() -> None:
    """A jump moves what people see, and wakes nobody."""
    clock = VirtualClock(start_ms=5000)
    sleeper = asyncio.create_task(clock.sleep(1))
    await settle()
    clock.jump(-3)
    await settle()
    assert clock.now_ms() == 2000
    assert not sleeper.done()
    clock.advance(1)
    await sleeper
