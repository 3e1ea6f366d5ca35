"""The queue between readers and the sender, on a virtual clock."""

import asyncio

from spyglass.agent.buffer import Buffer, Chunk
from spyglass.agent.entry import Entry
from spyglass.agent.positions import Position
from spyglass.testing.clock import VirtualClock, settle

SECOND = 10**9


def chunk(clock: VirtualClock, name: str, size: int) -> Chunk:
    entry = Entry({}, "x" * max(size - 64, 0), 1)
    return Chunk.of(name, [entry] if size else [], Position(1), clock.monotonic_ns())


async def test_a_batch_leaves_when_it_is_full() -> None:
    """The oldest chunks first, no more than fit, at least one."""
    clock = VirtualClock()
    buffer = Buffer(clock, limit_bytes=10_000)
    for name, size in (("a", 100), ("b", 100), ("c", 5000)):
        await buffer.put(chunk(clock, name, size))
    assert [c.key for c in await buffer.take(batch_bytes=300, wait_ns=SECOND)] == ["a", "b"]
    assert [c.key for c in await buffer.take(batch_bytes=300, wait_ns=SECOND)] == ["c"]
    assert buffer.is_empty


async def test_a_small_batch_leaves_when_its_time_has_come() -> None:
    """Counted from the birth of its oldest chunk."""
    clock = VirtualClock()
    buffer = Buffer(clock, limit_bytes=10_000)
    taking = asyncio.ensure_future(buffer.take(batch_bytes=300, wait_ns=SECOND))
    await settle()
    await buffer.put(chunk(clock, "a", 100))
    await clock.run_for(0.9)
    assert not taking.done()
    await clock.run_for(0.2)
    assert [c.key for c in await taking] == ["a"]


async def test_readers_wait_while_it_is_full() -> None:
    """And go on when the sender has taken something."""
    clock = VirtualClock()
    buffer = Buffer(clock, limit_bytes=100)
    await buffer.put(chunk(clock, "a", 200))
    putting = asyncio.ensure_future(buffer.put(chunk(clock, "b", 200)))
    await settle()
    assert not putting.done()
    await buffer.take(batch_bytes=100, wait_ns=SECOND)
    await putting
    assert buffer.size == 200


async def test_closing_lets_the_rest_go() -> None:
    """Without waiting; then there is nothing more."""
    clock = VirtualClock()
    buffer = Buffer(clock, limit_bytes=1000)
    await buffer.put(chunk(clock, "a", 100))
    buffer.close()
    assert [c.key for c in await buffer.take(batch_bytes=300, wait_ns=SECOND)] == ["a"]
    assert await buffer.take(batch_bytes=300, wait_ns=SECOND) == []
