"""Realistic samples for the store benchmarks: one web back end, scraped every 15 s.

Per endpoint a 12-bucket latency histogram (buckets, sum, count), request counters by status, an in-flight gauge; per process some
counters that reset and gauges that walk. Deterministic: seeded, and reproducible slice by slice.
"""

from collections.abc import Iterator

import numpy as np

from spyglass.model.arrays import F64
from spyglass.model.labels import Labels, labels_of

BUCKETS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf")
_STATUSES = ("200", "201", "204", "301", "400", "401", "403", "404", "409", "422", "500", "502", "503")
_PER_ENDPOINT = len(BUCKETS) + 2 + len(_STATUSES) + 1


class BackEnd:
    """`endpoints` * 28 series and `gauges` gauges. `labels` names them in the order of the columns that `scrapes` yields.

    interval_s: between two scrapes; the shorter, the fewer values have moved.
    """

    def __init__(
        self,
        *,
        endpoints: int = 340,
        gauges: int = 480,
        seed: int = 1,
        instance: str = "api:8000",
        interval_s: float = 15.0,
    ) -> None:
        self._interval_s = interval_s
        self._random = np.random.default_rng(seed)
        self._endpoints, self._gauges = endpoints, gauges
        self.labels: list[Labels] = [one for n in range(endpoints) for one in _endpoint_labels(n, instance)]
        for n in range(gauges):
            self.labels.append(
                labels_of({"__name__": f"process_gauge_{n % 40}", "instance": instance, "worker": str(n // 40)})
            )
        self._rate = self._random.lognormal(0.0, 1.6, endpoints)
        self._mean = self._random.lognormal(-3.0, 1.0, endpoints)
        self._share = self._random.dirichlet([20, 2, 1, *[0.3] * (len(_STATUSES) - 3)], endpoints)
        self._buckets = np.zeros((endpoints, len(BUCKETS)))
        self._sum = np.zeros(endpoints)
        self._statuses = np.zeros((endpoints, len(_STATUSES)))
        self._gauge = np.round(self._random.normal(50, 20, gauges), 2)
        self._gauge_step = np.where(np.arange(gauges) % 3 == 0, 0.0, 0.5)
        self._edges = np.asarray([float(b) for b in BUCKETS[:-1]])

    @property
    def size(self) -> int:
        return len(self.labels)

    def scrapes(self, count: int, *, reset_every: int = 2000) -> Iterator[F64]:
        """`count` scrapes [size]; the process restarts every `reset_every` scrapes, and its counters with it."""
        for number in range(count):
            if number and number % reset_every == 0:
                self._buckets[:] = self._sum[:] = self._statuses[:] = 0
            day = 1 + 0.6 * np.sin(number / 5760 * 2 * np.pi)
            yield self._scrape(day)

    def _scrape(self, day: float) -> F64:
        requests = self._random.poisson(self._rate * day * self._interval_s / 10)
        under = 1 / (1 + (self._mean[:, None] / self._edges) ** 1.8)
        shares = np.diff(np.concatenate([np.zeros((len(under), 1)), under, np.ones((len(under), 1))], axis=1), axis=1)
        self._buckets += np.cumsum(self._random.multinomial(requests, shares), axis=1)
        self._sum += requests * self._mean * self._random.lognormal(0, 0.2, len(requests))
        self._statuses += self._random.multinomial(requests, self._share)
        in_flight = self._random.poisson(self._rate * 0.2)
        moved = self._random.random(self._gauges) < 0.5 * self._interval_s / 15
        self._gauge = np.round(self._gauge + moved * self._gauge_step * self._random.normal(0, 1, self._gauges), 2)
        columns = [self._buckets, self._sum[:, None], self._buckets[:, -1:], self._statuses, in_flight[:, None]]
        return np.concatenate([np.concatenate(columns, axis=1).reshape(-1), self._gauge]).astype(np.float64)


def _endpoint_labels(number: int, instance: str) -> list[Labels]:
    base = {
        "instance": instance,
        "job": "api",
        "method": ("GET", "POST", "PUT")[number % 3],
        "path": f"/v1/things/{number}",
    }

    def named(name: str, **more: str) -> Labels:
        return labels_of({"__name__": name, **base, **more})

    found = [named("http_request_duration_seconds_bucket", le=le) for le in BUCKETS]
    found += [named("http_request_duration_seconds_sum"), named("http_request_duration_seconds_count")]
    found += [named("http_requests_total", status=status) for status in _STATUSES]
    return [*found, named("http_requests_in_flight")]
