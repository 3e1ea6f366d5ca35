"""The questions: thirty shapes over four ranges, one after the other and by several clients at once."""

import statistics
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from bench.compare.servers import Server

SHAPES = (
    "rate(http_requests_total[5m])",
    "histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m]))",
    "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.99, sum by (le, path) (rate(http_request_duration_seconds_bucket[5m])))",
    "sum(rate(http_requests_total[5m])) by (path)",
    '100 * sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))',
    "sum(rate(http_requests_total[5m])) by (status)",
    "topk(10, sum by (path) (rate(http_requests_total[5m])))",
    "bottomk(5, sum by (path) (rate(http_requests_total[5m])))",
    'increase(http_requests_total{status="500"}[1h])',
    "sum(increase(http_requests_total[1h]))",
    'irate(http_requests_total{method="GET"}[5m])',
    "max_over_time(http_requests_in_flight[10m])",
    "avg_over_time(process_gauge_1[30m])",
    "quantile_over_time(0.9, http_requests_in_flight[30m])",
    "stddev_over_time(process_gauge_2[10m])",
    "sum(http_requests_in_flight)",
    "avg by (method) (http_requests_in_flight)",
    "count(http_requests_in_flight > 0)",
    "quantile(0.9, http_requests_in_flight)",
    "rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])",
    "sum(rate(http_requests_total[5m])) - sum(rate(http_requests_total[5m] offset 1h))",
    "http_requests_in_flight * on (path, instance, method, job) group_left rate(http_request_duration_seconds_count[5m])",
    'label_replace(sum by (path) (rate(http_requests_total[5m])), "id", "$1", "path", ".*/(\\\\d+)")',
    "max_over_time(sum(rate(http_requests_total[5m]))[30m:1m])",
    'rate(http_requests_total{path!~".*[0-4]", status!="200"}[5m])',
    "changes(process_gauge_3[1h])",
    "deriv(process_gauge_4[10m])",
    'absent(http_requests_total{path="/none"})',
    "sum(rate(http_requests_total[5m])) by (method) > 0.5 or vector(0)",
)

OFF_GRID = "24h off the grid"
RANGES = (
    ("instant", 0, 0),
    ("1h", 3600, 15),
    ("6h", 6 * 3600, 60),
    ("24h", 24 * 3600, 300),
    (OFF_GRID, 24 * 3600, 300),
)
"""Name, span and step, both in seconds. Step 0: an instant query. Start and end are multiples of the step, as dashboards ask; but for one,
whose steps are between them."""
_OFF_GRID_S = 15

SHAPE_SECONDS = 4.0
"""A shape that has taken so long over one range is not asked again: two rounds tell as much there."""

DASHBOARD = SHAPES[:6]


def ask(server: Server, query: str, start: float, end: float, step: int) -> float:
    """Milliseconds until the whole answer is here. start, end: seconds since 1970."""
    form = {"query": query, **server.ask_also}
    form |= {"start": f"{start}", "end": f"{end}", "step": f"{step}"} if step else {"time": f"{end}"}
    path = "/api/v1/query_range" if step else "/api/v1/query"
    began = time.perf_counter()
    request = urllib.request.Request(server.base + path, data=urllib.parse.urlencode(form).encode())
    try:
        urllib.request.urlopen(request, timeout=300).read()
    except urllib.error.HTTPError as err:
        raise SystemExit(f"{server.name}: {query}: {err.code} {err.read()[:300]!r}") from None
    return (time.perf_counter() - began) * 1000


def questions(server: Server, end: float, hours: float, rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds by range and shape; a first round of each warms up."""
    found: dict[str, dict[str, float]] = {}
    for name, span, step in RANGES:
        if span <= hours * 3600 + 1:
            until = on_grid(end, step) - (_OFF_GRID_S if name == OFF_GRID else 0)
            found[name] = {query: _median(server, query, until - span, until, step, rounds) for query in SHAPES}
    return found


def on_grid(end: float, step: int) -> float:
    """The last multiple of the step before the end, if there is one."""
    return end // step * step if step else end


def _median(server: Server, query: str, start: float, end: float, step: int, rounds: int) -> float:
    ask(server, query, start, end, step)
    times: list[float] = []
    while len(times) < rounds and sum(times) < SHAPE_SECONDS * 1000:
        times.append(ask(server, query, start, end, step))
    return statistics.median(times)


def clients(server: Server, end: float, seconds: float, *, apart_s: int = 0, count: int = 8) -> dict[str, float]:
    """A dashboard of the last hour replayed by several clients at once: queries a second, and the peak memory while they do.

    apart_s: how far apart in time the clients' questions lie; 0: all ask the very same.
    """
    server.reset_peak()
    over, done = time.monotonic() + seconds, [0] * count

    def replay(number: int) -> None:
        while time.monotonic() < over:
            for query in DASHBOARD:
                until = end - number * apart_s
                ask(server, query, until - 3600, until, 15)
                done[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=replay, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"queries_per_s": sum(done) / (time.monotonic() - began), "peak_mb": server.peak_mb()}
