"""When a target is scraped, on a clock moved by hand."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from spyglass.config.prometheus import parse_prometheus
from spyglass.ingest.metrics import MetricIngest
from spyglass.model.telemetry import Registry
from spyglass.scrape.body import Fetched
from spyglass.scrape.loop import ScrapeLoop
from spyglass.scrape.metrics import ScrapeMetrics
from spyglass.scrape.target import Target, build_target
from spyglass.scrape.writer import TargetWriter
from spyglass.storage.memory_metrics import MemoryMetricStore
from spyglass.testing.clock import VirtualClock


class Inline(Executor):
    """Runs at once, in the caller's thread: no real time passes."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except BaseException as err:
            future.set_exception(err)
        return future


class Body:
    """Always the same body; notes when it was asked for, and may take its (virtual) time."""

    def __init__(self, clock: VirtualClock, *, seconds: float = 0.0) -> None:
        self.clock, self.seconds = clock, seconds
        self.asked_ms: list[int] = []

    async def fetch(self, target: Target) -> Fetched:
        del target
        self.asked_ms.append(self.clock.now_ms())
        await self.clock.sleep(self.seconds)
        return Fetched(b"a 1\n", "text/plain")

    async def close(self) -> None: ...


JOB = parse_prometheus("scrape_configs: [{job_name: j, scrape_interval: 10s}]", file="p", folder=Path("/")).config.jobs[
    0
]


def loop_of(clock: VirtualClock, body: Body, address: str = "a:1") -> tuple[ScrapeLoop, MemoryMetricStore]:
    store, registry = MemoryMetricStore(), Registry()
    target = build_target({"__address__": address}, JOB, ())
    assert isinstance(target, Target)
    writer = TargetWriter(store, MetricIngest(registry), target.labels, JOB)
    loop = ScrapeLoop(target, writer, body, fallback="", clock=clock, pool=Inline(), metrics=ScrapeMetrics(registry))
    return loop, store


async def test_a_target_keeps_its_place_in_the_interval() -> None:
    """Every ten seconds at the same offset, the first within one interval."""
    clock = VirtualClock(start_ms=1_700_000_003_500)
    body = Body(clock)
    loop, _ = loop_of(clock, body)
    loop.start()
    await clock.run_for(60)
    await loop.stop(mark_stale=False)
    assert len(body.asked_ms) == 6
    assert len({time_ms % 10_000 for time_ms in body.asked_ms}) == 1
    assert body.asked_ms[0] - 1_700_000_003_500 <= 10_000


async def test_targets_are_spread_over_the_interval() -> None:
    """Thirty targets of one job do not come at once."""
    clock = VirtualClock()
    offsets = {loop_of(clock, Body(clock), f"host{n}:1")[0]._first_ns() // 10**9 % 10 for n in range(30)}
    assert len(offsets) >= 7


async def test_a_slow_target_finds_back_to_its_place() -> None:
    """While scrapes take 25 s they follow one another; afterwards they are where they were."""
    clock = VirtualClock()
    body = Body(clock, seconds=25)
    loop, _ = loop_of(clock, body)
    loop.start()
    await clock.run_for(100)
    assert 3 <= len(body.asked_ms) <= 5
    body.seconds = 0
    await clock.run_for(100)
    await loop.stop(mark_stale=False)
    assert {time_ms % 10_000 for time_ms in body.asked_ms[-5:]} == {body.asked_ms[0] % 10_000}


async def test_a_clock_that_jumps_does_not_stop_scraping() -> None:
    """Forward and back by hours: the next scrape comes within an interval or two."""
    clock = VirtualClock()
    body = Body(clock)
    loop, _ = loop_of(clock, body)
    loop.start()
    await clock.run_for(30)
    for jump in (7200, -7200):
        clock.jump(jump)
        before = len(body.asked_ms)
        await clock.run_for(30)
        assert len(body.asked_ms) - before >= 1
    await loop.stop(mark_stale=False)


async def test_a_small_delay_is_stamped_with_the_planned_time() -> None:
    """Up to 20 ms late the sample has the planned time, so that gaps are equal."""
    clock = VirtualClock()
    loop, _ = loop_of(clock, Body(clock))
    planned_ns = 1_700_000_000_000 * 10**6
    assert loop._stamp_ms(planned_ns + 15 * 10**6, planned_ns) == 1_700_000_000_000
    assert loop._stamp_ms(planned_ns + 21 * 10**6, planned_ns) == 1_700_000_000_021


async def test_a_mistake_of_ours_is_shown_and_the_loop_goes_on() -> None:
    """Whatever fetching raises, the target is down with the reason and is tried again."""

    class Broken(Body):
        async def fetch(self, target: Target) -> Fetched:
            await super().fetch(target)
            raise KeyError("oops")

    clock = VirtualClock()
    body = Broken(clock)
    loop, _ = loop_of(clock, body)
    loop.start()
    await clock.run_for(30)
    await loop.stop(mark_stale=False)
    assert len(body.asked_ms) == 3
    assert (loop.state.health, loop.state.error) == ("down", "internal error: KeyError('oops')")
