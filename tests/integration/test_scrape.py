"""Scraping real HTTP targets into a store: labels, automatic series, staleness, limits, reload."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from aiohttp import web

from spyglass.config.prometheus import PrometheusConfig, parse_prometheus
from spyglass.model.labels import Labels, labels_of
from spyglass.model.matchers import Matcher
from spyglass.model.samples import SampleRuns, is_stale
from spyglass.model.telemetry import Registry
from spyglass.protocols.metric_store import SelectHints
from spyglass.protocols.targets import ActiveTarget
from spyglass.scrape.manager import ScrapeManager
from spyglass.storage.clock import SystemClock
from spyglass.storage.memory_metrics import MemoryMetricStore


class NoBudget:
    def check(self) -> None: ...
    def charge_samples(self, count: int) -> None: ...
    def charge_bytes(self, count: int) -> None: ...


class OneStore:
    """A MetricStores of one tenant."""

    def __init__(self) -> None:
        self.metrics = MemoryMetricStore()

    def store(self, tenant: str = "", *, create: bool = True) -> MemoryMetricStore:
        del tenant, create
        return self.metrics

    def tenants(self) -> list[str]:
        return [""]

    def maintain(self, now_ms: int) -> None: ...
    def close(self) -> None: ...


@dataclass
class Exporter:
    """A real HTTP target whose answer the test sets."""

    address: str = ""
    body: bytes = b"a 1\n"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain; version=0.0.4"})
    status: int = 200
    hits: int = 0
    seen: list[web.Request] = field(default_factory=list)
    delay: float = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        self.hits += 1
        self.seen.append(request)
        if self.delay:
            await asyncio.sleep(self.delay)
        return web.Response(body=self.body, headers=self.headers, status=self.status)


@asynccontextmanager
async def exporter() -> AsyncIterator[Exporter]:
    served = Exporter()
    app = web.Application()
    app.router.add_get("/{path:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    served.address = f"{host}:{port}"
    try:
        yield served
    finally:
        await runner.cleanup()


@dataclass
class Bench:
    """A manager on a memory store."""

    manager: ScrapeManager
    stores: OneStore
    registry: Registry

    async def load(self, text: str, folder: Path = Path("/")) -> None:
        await self.manager.reload(config(text, folder), folder)

    def samples(self, **labels: str) -> list[tuple[Labels, list[float]]]:
        """Per series its values, oldest first; stale markers as None would be: the string is easier to compare."""
        matchers = [Matcher.of(name, "=", value) for name, value in labels.items()]
        selection = self.stores.metrics.select(
            matchers, start_ms=0, end_ms=2**60, hints=SelectHints(), budget=NoBudget()
        )
        rows: dict[int, list[float]] = {}
        for piece in selection.pieces:
            assert isinstance(piece, SampleRuns), "the memory store hands out runs"
            for index, row in enumerate(piece.rows.tolist()):
                rows[row] = piece.values[piece.offsets[index] : piece.offsets[index + 1]].tolist()
        return [(selection.labels.labels(row), values) for row, values in sorted(rows.items())]

    def last(self, name: str, **labels: str) -> float | None:
        """The newest value of the one series; None while there is none."""
        found = self.samples(__name__=name, **labels)
        return found[0][1][-1] if found else None

    def ended(self, name: str, **labels: str) -> bool:
        """Whether the newest sample of the one series is a stale marker."""
        found = self.samples(__name__=name, **labels)
        return bool(found) and bool(is_stale(np.array([found[0][1][-1]]))[0])

    def only_target(self) -> ActiveTarget:
        [view] = self.manager.targets()
        return view


def config(text: str, folder: Path = Path("/")) -> PrometheusConfig:
    return parse_prometheus(text, file="p.yml", folder=folder).config


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that real scraping brings about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - conditions of a real scrape have no event to wait for
            await asyncio.sleep(0.01)


@asynccontextmanager
async def bench(map_address: Callable[[str], str] = lambda address: address) -> AsyncIterator[Bench]:
    registry, stores = Registry(), OneStore()
    with ThreadPoolExecutor(2) as pool:
        manager = ScrapeManager(stores, registry, executor=pool, clock=SystemClock(), map_address=map_address)
        try:
            yield Bench(manager, stores, registry)
        finally:
            await manager.stop()


def job(target: Exporter | str, extra: str = "", interval: str = "100ms") -> str:
    address = target if isinstance(target, str) else target.address
    return (
        f"global: {{scrape_interval: {interval}}}\nscrape_configs:\n- job_name: j\n"
        f"  static_configs: [{{targets: ['{address}'], labels: {{zone: z}}}}]\n{extra}"
    )


async def test_a_target_is_scraped_with_its_labels_and_the_automatic_series() -> None:
    """Samples carry job, instance and the group's labels; up and its kin are written with them."""
    async with exporter() as target, bench() as b:
        target.body = b'a{x="1"} 5\na{x="2"} 6\n'
        await b.load(job(target))
        await until(lambda: b.last("up") == 1.0)
        instance = target.address
        assert [labels for labels, _ in b.samples(__name__="a")] == [
            labels_of({"__name__": "a", "x": x, "job": "j", "instance": instance, "zone": "z"}) for x in "12"
        ]
        assert b.last("a", x="2") == 6.0
        assert b.last("scrape_samples_scraped") == 2.0
        assert b.last("scrape_samples_post_metric_relabeling") == 2.0
        assert b.samples(__name__="scrape_series_added")[0][1][0] == 2.0
        assert 0 < (b.last("scrape_duration_seconds") or 0) < 5
        await until(lambda: b.only_target().health != "unknown")
        view = b.only_target()
        assert (view.health, view.error, view.url) == ("up", "", f"http://{instance}/metrics")


async def test_the_request_says_what_we_take() -> None:
    """Accept, timeout and user agent as exporters expect them; params and path in the URL."""
    async with exporter() as target, bench() as b:
        await b.load(job(target, "  metrics_path: /probe\n  params: {module: [http_2xx], target: ['a b']}\n"))
        await until(lambda: target.hits > 0)
        request = target.seen[0]
        assert request.raw_path == "/probe?module=http_2xx&target=a+b"
        assert request.headers["Accept"] == (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
            "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
        )
        assert request.headers["X-Prometheus-Scrape-Timeout-Seconds"] == "0.1"
        assert request.headers["User-Agent"].startswith("Spyglass/")


async def test_a_series_that_disappears_ends() -> None:
    """The next scrape without it writes a stale marker; it may come back."""
    async with exporter() as target, bench() as b:
        target.body = b"a 1\nb 2\n"
        await b.load(job(target))
        await until(lambda: b.last("b") == 2.0)
        target.body = b"a 1\n"
        await until(lambda: b.ended("b"))
        assert not b.ended("a")
        target.body = b"a 1\nb 3\n"
        await until(lambda: b.last("b") == 3.0)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"status": 503}, "server returned HTTP status 503 Service Unavailable"),
        ({"body": b"a 1\nb\n"}, "line 2: expected a value after the metric 'b'"),
        (
            {"headers": {"Content-Type": "application/json"}},
            'received unsupported Content-Type "application/json" and no fallback_scrape_protocol specified for target',
        ),
    ],
)
async def test_a_failed_scrape_is_down_with_a_reason_and_ends_the_series(change: dict[str, object], error: str) -> None:
    """up is 0, the reason is on the targets page, what was scraped before ends, and nothing of a bad body is kept."""
    async with exporter() as target, bench() as b:
        await b.load(job(target))
        await until(lambda: b.last("a") == 1.0)
        for name, value in change.items():
            setattr(target, name, value)
        await until(lambda: b.last("up") == 0.0)
        assert b.ended("a")
        await until(lambda: b.only_target().error == error)
        assert b.only_target().health == "down"
        assert b.last("scrape_samples_scraped") == 0.0


async def test_a_target_that_is_not_there_or_too_slow() -> None:
    """Connection refused and the deadline have their own words."""
    async with exporter() as target, bench() as b:
        await b.load(job("127.0.0.1:1"))
        await until(lambda: b.only_target().health == "down")
        assert b.last("up") == 0.0
        assert b.only_target().error == 'Get "http://127.0.0.1:1/metrics": connect: connection refused'
        target.delay = 1.0
        await b.load(job(target))
        await until(lambda: b.only_target().health == "down")
        assert b.only_target().error == f'Get "http://{target.address}/metrics": context deadline exceeded'


async def test_a_mapped_host_keeps_its_name() -> None:
    """The labels and the Host header have the configured address, the connection goes elsewhere."""
    async with exporter() as target, bench(lambda a: target.address if a == "backend:3000" else a) as b:
        await b.load(job("backend:3000"))
        await until(lambda: b.last("up", instance="backend:3000") == 1.0)
        assert target.seen[0].headers["Host"] == "backend:3000"


async def test_conflicting_labels_are_exported_or_honoured() -> None:
    """Without honor_labels the target's own job label moves to exported_job; with it, it wins."""
    async with exporter() as target, bench() as b:
        target.body = b'a{job="inner"} 1\n'
        await b.load(job(target))
        await until(lambda: b.last("a", exported_job="inner", job="j") == 1.0)
        await b.load(job(target, "  honor_labels: true\n"))
        await until(lambda: b.last("a", job="inner") == 1.0)


async def test_metric_relabelling_drops_and_renames() -> None:
    """Dropped samples count as scraped but not as kept; the automatic series are not relabelled."""
    rules = (
        "  metric_relabel_configs:\n  - {source_labels: [__name__], regex: 'go_.*|up', action: drop}\n"
        "  - {source_labels: [x], target_label: y}\n  - {regex: x, action: labeldrop}\n"
    )
    async with exporter() as target, bench() as b:
        target.body = b'go_a 1\na{x="1"} 2\n'
        await b.load(job(target, rules))
        await until(lambda: b.last("a", y="1") == 2.0)
        assert b.samples(__name__="go_a") == []
        assert (b.last("scrape_samples_scraped"), b.last("scrape_samples_post_metric_relabeling")) == (2.0, 1.0)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("sample_limit: 1", "sample limit exceeded"),
        ("body_size_limit: 5B", "body size limit exceeded"),
        ("label_limit: 3", "label_limit exceeded (metric: a, number of labels: 4, limit: 3)"),
        ("target_limit: 1", ""),
    ],
)
async def test_limits_fail_the_scrape(option: str, error: str) -> None:
    """A limit passed: up is 0, the reason is named, nothing is stored. One target is within target_limit."""
    async with exporter() as target, bench() as b:
        target.body = b"a 1\nb 2\n"
        await b.load(job(target, f"  {option}\n"))
        await until(lambda: b.last("up") is not None and b.only_target().health != "unknown")
        assert b.only_target().error == error
        assert b.last("a") == (None if error else 1.0)


async def test_timestamps_of_the_target_are_kept_or_not() -> None:
    """honor_timestamps (the default) stores the target's own time, and watches no staleness for it."""
    async with exporter() as target, bench() as b:
        target.body = b"a 1 12345\n"
        await b.load(job(target))
        await until(lambda: b.last("up") == 1.0)
        names, _ = b.stores.metrics.time_range() or (0, 0)
        assert names == 12345
        target.body = b"c 1\n"
        await until(lambda: b.last("c") == 1.0)
        assert not b.ended("a")


async def test_gzip_and_openmetrics_with_exemplars() -> None:
    """A compressed OpenMetrics body; exemplars and metadata reach the store."""
    async with exporter() as target, bench() as b:
        body = b'# TYPE f counter\n# HELP f Help.\nf_total{a="1"} 5 # {trace_id="t"} 0.5\n# EOF\n'
        target.body = gzip.compress(body)
        target.headers = {
            "Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "Content-Encoding": "gzip",
        }
        await b.load(job(target))
        await until(lambda: b.last("f_total") == 5.0)
        [(labels, [exemplar, *_])] = b.stores.metrics.exemplars([], start_ms=0, end_ms=2**60)
        assert dict(labels)["a"] == "1"
        assert exemplar.labels == (("trace_id", "t"),)
        assert b.stores.metrics.metadata()["f"][0].help == "Help."


async def test_a_reload_keeps_what_did_not_change_and_ends_what_is_gone() -> None:
    """A removed job's series end, its up included; the untouched job's loop goes on."""
    async with exporter() as target, bench() as b:
        both = job(target) + f"- job_name: k\n  static_configs: [{{targets: ['{target.address}']}}]\n"
        await b.load(both)
        await until(lambda: b.last("up", job="k") == 1.0 and b.last("up", job="j") == 1.0)
        [kept] = b.manager._pools["j"].loops.values()
        await b.load(job(target))
        assert b.ended("up", job="k")
        assert b.ended("a", job="k")
        assert list(b.manager._pools["j"].loops.values()) == [kept]


async def test_targets_from_files_come_and_go(tmp_path: Path) -> None:
    """file_sd_configs: a changed file is read again; a broken one keeps the old targets and is reported."""
    async with exporter() as target, bench() as b:
        found = tmp_path / "t.json"
        found.write_text(f'[{{"targets": ["{target.address}"], "labels": {{"a": "1.10"}}}}]')
        text = "global: {scrape_interval: 100ms}\nscrape_configs:\n- job_name: j\n  file_sd_configs: [{files: ['*.json']}]\n"
        await b.load(text, tmp_path)
        await until(lambda: b.last("up", a="1.10") == 1.0)
        assert ("__meta_filepath", str(found)) in b.only_target().discovered
        found.write_text("[{")
        await until(lambda: bool(b.manager.problems()))
        assert len(b.manager.targets()) == 1
        found.write_text("[]")
        await until(lambda: not b.manager.targets() and b.ended("up", a="1.10"))


async def test_relabelling_decides_address_interval_and_drop() -> None:
    """The blackbox pattern: the target becomes a parameter, the address is replaced; __scrape_interval__ works too."""
    rules = (
        "  relabel_configs:\n  - {source_labels: [__address__], target_label: __param_target}\n"
        "  - {source_labels: [__param_target], target_label: instance}\n"
        "  - {target_label: __address__, replacement: '%s'}\n  - {target_label: __scrape_interval__, replacement: 200ms}\n"
    )
    async with exporter() as target, bench() as b:
        await b.load(job("example.com", rules % target.address))
        await until(lambda: b.last("up", instance="example.com") == 1.0)
        assert target.seen[0].raw_path == "/metrics?target=example.com"
        assert b.only_target().interval == "200ms"
        await b.load(job("example.com", "  relabel_configs: [{source_labels: [job], action: drop, regex: j}]\n"))
        assert b.manager.targets() == []
        assert b.manager.dropped_counts() == {"j": 1}
