"""python -m clientforge.traffic: believable traffic. Tenants of different sizes, a mix of endpoints, a daily shape in
fast-forward (a day takes `--day` seconds), bursts of errors now and then.
"""

import argparse
import asyncio
import math
import random
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress

import aiohttp

TENANTS = ("acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "wonka")
KINDS = ("contacts", "accounts", "deals", "activities")

Call = Callable[["Client"], Coroutine[None, None, None]]


class Client:
    """One tenant's user: knows a few ids, does one thing at a time."""

    def __init__(self, session: aiohttp.ClientSession, dice: random.Random) -> None:
        # Tenant sizes follow Zipf: the first is by far the largest.
        weights = [1 / (rank + 1) for rank in range(len(TENANTS))]
        self.session, self.dice = session, dice
        self.headers = {"x-tenant-id": dice.choices(TENANTS, weights)[0]}

    async def send(self, method: str, path: str, json: object = None, **headers: str) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.request(method, path, json=json, headers=self.headers | headers) as answer:
                await answer.read()

    @property
    def kind(self) -> str:
        return self.dice.choice(KINDS)

    @property
    def row(self) -> int:
        return self.dice.randint(1, 60)

    def record(self) -> dict[str, object]:
        return {"name": f"Name {self.dice.randint(1, 999)}", "amount": round(self.dice.lognormvariate(6, 1), 2)}


MIX: tuple[tuple[float, Call], ...] = (
    (30, lambda c: c.send("GET", f"/api/v1/{c.kind}")),
    (25, lambda c: c.send("GET", f"/api/v1/{c.kind}/{c.row}")),
    (14, lambda c: c.send("POST", f"/api/v1/{c.kind}", c.record())),
    (8, lambda c: c.send("PUT", f"/api/v1/{c.kind}/{c.row}", c.record())),
    (8, lambda c: c.send("GET", f"/api/v1/search?q={c.row}")),
    (5, lambda c: c.send("GET", "/api/v1/health")),
    (4, lambda c: c.send("POST", f"/api/v1/deals/{c.row}/close")),
    (3, lambda c: c.send("GET", "/api/v1/reports/revenue")),
    (2, lambda c: c.send("DELETE", f"/api/v1/{c.kind}/{c.row}")),
    (1, lambda c: c.send("GET", f"/old/{c.row}.php")),
)


def rate_now(elapsed: float, *, mean: float, day: float) -> float:
    """Requests a second at this time of the (shortened) day: low at night, two humps in office hours."""
    hour = (elapsed % day) / day * 24
    shape = 0.3 + math.exp(-((hour - 10.5) ** 2) / 8) + 0.9 * math.exp(-((hour - 15) ** 2) / 7)
    return mean * shape / 0.85


async def generate(url: str, *, rate: float, day: float, seed: int, seconds: float) -> None:
    """Send requests until cancelled, or for `seconds` (0: for ever)."""
    dice = random.Random(seed)
    weights, calls = [weight for weight, _ in MIX], [call for _, call in MIX]
    started = time.monotonic()
    # The demo starts in the morning, when there is something to see.
    offset, running = day * 0.36, set[asyncio.Task[None]]()
    # The first incident comes early, so that the error panels have something to show.
    next_incident, incident_until = 8.0, 0.0
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        while not seconds or time.monotonic() - started < seconds:
            elapsed = time.monotonic() - started
            await asyncio.sleep(dice.expovariate(rate_now(elapsed + offset, mean=rate, day=day)))
            if elapsed > next_incident:
                incident_until = elapsed + dice.uniform(5, 15)
                next_incident = incident_until + dice.expovariate(1 / 180)
            client = Client(session, dice)
            if elapsed < incident_until and dice.random() < 0.3:
                work = client.send("POST", f"/api/v1/deals/{client.row}/close", **{"x-incident": "1"})
            else:
                work = dice.choices(calls, weights)[0](client)
            task = asyncio.create_task(work)
            running.add(task)
            task.add_done_callback(running.discard)
        await asyncio.gather(*running)


def main() -> None:
    parser = argparse.ArgumentParser(prog="clientforge.traffic", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--rate", type=float, default=8.0, help="mean requests a second")
    parser.add_argument("--day", type=float, default=1200.0, help="seconds that a day takes")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.0, help="stop after so long; 0: at Ctrl-C")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        asyncio.run(generate(args.url, rate=args.rate, day=args.day, seed=args.seed, seconds=args.seconds))


if __name__ == "__main__":
    main()
