"""The asynchronous worker: named queues, one consumer each, their depth as a gauge."""

import asyncio
import random
from collections.abc import Callable

from spyglass_sdk import Gauge, JsonLog

QUEUES = {"email": 0.05, "search-sync": 0.02, "reports": 0.4}
"""Queue name -> mean seconds a job takes."""

MAX_DEPTH = 1000


class Worker:
    """Owns the queues and their consumers."""

    def __init__(self, depth: Gauge, log: JsonLog, *, seed: int = 0) -> None:
        self._depth, self._log, self._random = depth, log, random.Random(seed)
        self._queues: dict[str, asyncio.Queue[str]] = {name: asyncio.Queue(MAX_DEPTH) for name in QUEUES}
        self._tasks: list[asyncio.Task[None]] = []
        for name in QUEUES:
            depth.set(0, name)

    def submit(self, queue: str, job: str) -> bool:
        """Queue a job; False when the queue is full."""
        try:
            self._queues[queue].put_nowait(job)
        except asyncio.QueueFull:
            self._log.write("error", f"ERROR queue {queue} is full", queue=queue)
            return False
        self._depth.set(self._queues[queue].qsize(), queue)
        return True

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._consume(name), name=f"worker-{name}") for name in self._queues]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _consume(self, name: str) -> None:
        queue, mean = self._queues[name], QUEUES[name]
        draw: Callable[[float], float] = self._random.expovariate
        while True:
            job = await queue.get()
            await asyncio.sleep(min(draw(1 / mean), 20 * mean))
            self._depth.set(queue.qsize(), name)
            if self._random.random() < 0.002:
                self._log.write("error", f"ERROR job failed: {job}", queue=name)
