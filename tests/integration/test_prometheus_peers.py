"""Real peers: node exporter scraped by us, the real Prometheus writing to us, and the two answering alike."""

import asyncio
import json
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from tests.integration.prometheus_bench import door, until
from tests.integration.test_scrape import exporter
from tests.unit.formats.test_exposition_protobuf import NATIVE

from spyglass.config.prometheus import parse_prometheus
from spyglass.formats import snappy, wire
from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.labels import Labels, labels_of

T = 1_700_000_000_000


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def running(*command: str, ready: str) -> AsyncIterator[None]:
    """A peer's process, up once `ready` (a URL) answers."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    process = await asyncio.create_subprocess_exec(
        program, *command[1:], stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20), httpx.AsyncClient() as client:
            while not await _answers(client, ready):  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


@asynccontextmanager
async def prometheus(folder: Path, config: str, *flags: str) -> AsyncIterator[str]:
    """Debian's Prometheus on a configuration; its URL."""
    (folder / "prometheus.yml").write_text(config)
    url = f"http://127.0.0.1:{free_port()}"
    async with running(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--web.enable-remote-write-receiver",
        *flags,
        ready=url + "/-/ready",
    ):
        yield url


async def test_the_node_exporter_is_scraped() -> None:
    """Every line of a real exporter, again and again, with its metadata."""
    address = f"127.0.0.1:{free_port()}"
    async with (
        door() as d,
        running("prometheus-node-exporter", f"--web.listen-address={address}", ready=f"http://{address}/metrics"),
    ):
        text = f"scrape_configs: [{{job_name: node, scrape_interval: 300ms, static_configs: [{{targets: ['{address}']}}]}}]"
        await d.manager.reload(parse_prometheus(text, file="p", folder=Path("/")).config, Path("/"))
        await until(d, 'count_over_time(up{job="node"}[1m]) > 2')
        [target] = (await d.data("/api/v1/targets"))["activeTargets"]
        assert target["health"] == "up", target["lastError"]
        assert await until(d, "scrape_samples_scraped > 300")
        assert await until(d, "node_memory_MemTotal_bytes")
        assert (await d.data("/api/v1/metadata", metric="node_load1"))["node_load1"][0]["type"] == "gauge"


async def test_native_histograms_are_scraped_queried_and_end() -> None:
    """Protobuf is negotiated, a histogram function answers, and a series that is gone is gone at once."""
    body = wire.put_text(1, "h") + wire.put_int(3, 4) + wire.put_bytes(4, wire.put_bytes(7, NATIVE))
    async with door() as d, exporter() as target:
        target.body = wire.put_varint(len(body)) + body
        target.headers = {
            "Content-Type": "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        }
        text = (
            "scrape_configs: [{job_name: n, scrape_interval: 200ms, scrape_native_histograms: true, "
            f"static_configs: [{{targets: ['{target.address}']}}]}}]"
        )
        await d.manager.reload(parse_prometheus(text, file="p", folder=Path("/")).config, Path("/"))
        [row] = await until(d, "histogram_count(h)")
        assert row["value"][1] == "6"
        assert target.seen[0].headers["Accept"].startswith("application/vnd.google.protobuf;")
        [row] = (await d.data("/api/v1/query", query="h"))["result"]
        assert row["histogram"][1]["sum"] == "18.4"
        target.body = b""
        await until(d, "absent(h)")


async def test_the_real_prometheus_writes_to_us(tmp_path: Path) -> None:
    """Remote write 1.0 from upstream: samples, external labels, and stale markers of a target that goes away."""
    async with door() as d:
        address = d.url.removeprefix("http://")
        config = (
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms, external_labels: {site: a}}\n"
            f"remote_write: [{{url: '{d.url}/api/v1/write', queue_config: {{batch_send_deadline: 100ms}}, "
            "metadata_config: {send_interval: 1s}}]\n"
            f"scrape_configs: [{{job_name: them, static_configs: [{{targets: ['{address}']}}]}}]\n"
        )
        async with prometheus(tmp_path, config):
            [row, *_] = await until(d, 'up{site="a"} == 1')
            assert row["metric"] == {"__name__": "up", "instance": address, "job": "them", "site": "a"}
            await until(d, 'spyglass_ingested_samples_total{door="remote_write"} > 20')


async def test_the_real_prometheus_reads_from_us(tmp_path: Path) -> None:
    """Remote read: a query there is answered with our samples, our external labels added."""
    async with door(external_labels=lambda: {"site": "a"}) as d:
        d.put({"x": (T, 1.5), "y": (1000, 2.5)})
        config = f"remote_read: [{{url: '{d.url}/api/v1/read', read_recent: true, filter_external_labels: false}}]\n"
        async with prometheus(tmp_path, config) as upstream:
            for time_s, value in ((T / 1000, "1.5"), (1, "2.5")):
                params = {"query": 'm{site="a"}', "time": time_s}
                [row] = (await d.client.get(f"{upstream}/api/v1/query", params=params)).json()["data"]["result"]
                assert (row["value"][1], row["metric"]["site"]) == (value, "a")


async def test_the_real_prometheus_federates_from_us(tmp_path: Path) -> None:
    """/federate is a target like any other."""
    async with door() as d:
        d.put({"x": (time.time_ns() // 1_000_000, 1.5), "old": (1000, 1.0)})
        config = (
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            "scrape_configs: [{job_name: f, metrics_path: /federate, honor_labels: true, "
            f"params: {{'match[]': ['m']}}, static_configs: [{{targets: ['{d.url.removeprefix('http://')}']}}]}}]\n"
        )
        async with prometheus(tmp_path, config) as upstream, asyncio.timeout(20):
            rows: list[dict[str, object]] = []
            while not rows:
                await asyncio.sleep(0.1)
                answer = await d.client.get(f"{upstream}/api/v1/query", params={"query": "m"})
                rows = answer.json()["data"]["result"]
            assert [row["metric"] for row in rows] == [{"__name__": "m", "s": "x", "job": "f"}]
        assert (await d.get("/federate", {"match[]": "m{"})).status_code == 400


LABELS: list[Labels] = [labels_of({"__name__": "m", "s": str(i), "le": f"{i % 3}"}) for i in range(6)]
VALUES = [1.0, 0.1, 1e21, 1e-7, float("inf"), -123456.789]

QUERIES: list[tuple[str, dict[str, str | float]]] = [
    ("query", {"query": "m", "time": T / 1000}),
    ("query", {"query": "m > 1", "time": T / 1000 + 1.5}),
    ("query", {"query": "sum by (le) (m)", "time": T / 1000}),
    ("query", {"query": "m[5m]", "time": T / 1000}),
    ("query", {"query": "1e-7", "time": "2023-11-14T22:13:20.25Z"}),
    ("query", {"query": "-1e300", "time": 1}),
    ("query", {"query": '"text"', "time": 1}),
    ("query", {"query": "nothing", "time": 1}),
    ("query_range", {"query": "m", "start": T / 1000 - 30, "end": T / 1000 + 290, "step": "7.5"}),
    ("query_range", {"query": "vector(1)", "start": 1, "end": 2, "step": "250ms"}),
    ("series", {"match[]": "m", "start": T / 1000 - 1, "end": T / 1000 + 1}),
    ("labels", {"start": T / 1000 - 1, "end": T / 1000 + 1}),
    ("label/s/values", {"match[]": 'm{le="1"}', "start": T / 1000 - 1, "end": T / 1000 + 1}),
    ("query", {"query": "m{", "time": 1}),
    ("query", {"query": "rate(m)", "time": 1}),
    ("query", {}),
    ("query", {"query": "m", "time": "tomorrow"}),
    ("query", {"query": "m", "time": "NaN"}),
    ("query", {"query": "m", "timeout": "x"}),
    ("query_range", {"query": "m", "end": 1, "step": 1}),
    ("query_range", {"query": "m", "start": 1, "end": "x", "step": 1}),
    ("query_range", {"query": "m", "start": 2, "end": 1, "step": 1}),
    ("query_range", {"query": "m", "start": 1, "end": 2, "step": -1}),
    ("query_range", {"query": "m", "start": 1, "end": 2, "step": "1x"}),
    ("query_range", {"query": "m", "start": 0, "end": 20000, "step": 1}),
    ("query_range", {"query": "m[5m]", "start": 1, "end": 2, "step": 1}),
    ("series", {}),
    ("series", {"match[]": "{}"}),
    ("series", {"match[]": "m{"}),
    ("label/a-b/values", {}),
    ("metadata", {"limit": "x"}),
    ("targets/metadata", {"match_target": "{"}),
    ("targets/metadata", {}),
    ("format_query", {"query": "sum(m)by(le)"}),
    ("format_query", {"query": "sum("}),
    ("rules", {"type": "x"}),
    ("rules", {}),
    ("alerts", {}),
    ("alertmanagers", {}),
    ("targets", {}),
    ("admin/tsdb/snapshot", {}),
    ("status/walreplay", {}),
    ("query_exemplars", {"query": "m", "start": 1, "end": 2}),
    ("query_exemplars", {"query": "m{"}),
]
"""Asked of both. Only what 2.42 and 3.14 answer alike: the differences are in DIFFERENT."""

DIFFERENT = {
    "label/a-b/values {}": "UTF-8 label names are valid since 3.0",
    "targets {}": "3.x adds droppedTargetCounts",
    'query {"query": "m", "time": "NaN"}': "upstream takes NaN for some time or other; we refuse it",
}


async def test_answers_equal_upstreams(tmp_path: Path) -> None:
    """The same samples in both; the same questions; the same JSON and status codes."""
    body = snappy.compress(encode_v1([(labels, [(T, value)]) for labels, value in zip(LABELS, VALUES, strict=True)]))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    async with door() as d, prometheus(tmp_path, "global: {}\n") as upstream:
        for url in (d.url, upstream):
            assert (await d.client.post(url + "/api/v1/write", content=body, headers=headers)).status_code == 204
        problems = []
        for path, params in QUERIES:
            name = f"{path} {json.dumps(params)}"
            ours = await d.client.request(_method(path), f"{d.url}/api/v1/{path}", params=params)
            theirs = await d.client.request(_method(path), f"{upstream}/api/v1/{path}", params=params)
            same = (ours.status_code, _sorted(ours)) == (theirs.status_code, _sorted(theirs))
            if same == (name in DIFFERENT):
                problems.append(
                    f"{name}\n  ours   {ours.status_code} {ours.text}\n  theirs {theirs.status_code} {theirs.text}"
                )
        assert not problems, "\n".join(problems)


def _method(path: str) -> str:
    return "POST" if path.startswith("admin") else "GET"


def _sorted(answer: httpx.Response) -> object:
    """An instant vector has no order."""
    data = answer.json()
    if isinstance(data.get("data"), dict) and data["data"].get("resultType") == "vector":
        data["data"]["result"].sort(key=json.dumps)
    return data


PLAIN = [
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
    ("GET", "/-/reload"),
    ("POST", "/-/reload"),
    ("PUT", "/-/quit"),
    ("GET", "/-/quit"),
    ("GET", "/nothing"),
    ("GET", "/api/v1/nothing"),
    ("DELETE", "/api/v1/query"),
    ("POST", "/api/v1/label/a/values"),
    ("GET", "/federate"),
    ("GET", "/federate?match[]=m{"),
    ("POST", "/api/v1/read"),
]


async def test_plain_answers_equal_upstreams(tmp_path: Path) -> None:
    """Management, unknown paths and methods, and the doors that answer in text."""
    async with door() as d, prometheus(tmp_path, "global: {}\n") as upstream:
        for method, path in PLAIN:
            ours = await d.client.request(method, d.url + path, content=b"x" if path.endswith("read") else None)
            theirs = await d.client.request(method, upstream + path, content=b"x" if path.endswith("read") else None)
            assert (path, ours.status_code, ours.text) == (path, theirs.status_code, theirs.text)
            assert ours.headers["content-type"] == theirs.headers["content-type"]


async def test_old_samples_and_refusals_of_remote_write() -> None:
    """1970 is fine; the same time with another value is a 400 that names the series, and the good sample stays."""
    async with door() as d:
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}

        async def send(*rows: tuple[Labels, list[tuple[int, float]]]) -> httpx.Response:
            content = snappy.compress(encode_v1(rows))
            return await d.client.post(d.url + "/api/v1/write", content=content, headers=headers)

        assert (await send((LABELS[0], [(1000, 1.0)]))).status_code == 204
        assert (await send((LABELS[0], [(1000, 1.0)]))).status_code == 204
        refused = await send((LABELS[0], [(1000, 2.0)]), (LABELS[1], [(1000, 3.0)]))
        assert refused.status_code == 400
        assert refused.text.startswith("duplicate sample for timestamp, for example of series m{")
        rows = (await d.data("/api/v1/query", query="m", time=1))["result"]
        assert sorted(row["value"][1] for row in rows) == ["1", "3"]
        garbage = await d.client.post(d.url + "/api/v1/write", content=b"\xff\xff", headers=headers)
        assert garbage.status_code == 400
        wrong = await d.client.post(d.url + "/api/v1/write", content=b"", headers={"Content-Type": "text/plain"})
        assert wrong.status_code == 415
    async with door(remote_write_enabled=False) as d:
        off = await d.client.post(d.url + "/api/v1/write", content=b"")
        assert (off.status_code, off.text) == (
            404,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n",
        )
