"""Bodies of real client libraries, and targets behind credentials and TLS."""

import asyncio
import shutil
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families
from tests.integration.test_scrape import bench, exporter, job, until

from spyglass.formats.exposition.encode import encode_text
from spyglass.formats.exposition.parser import ExpositionDecoder
from spyglass.model.labels import Labels, labels_of
from spyglass.model.telemetry import Registry


def client_registry() -> CollectorRegistry:
    """One of each kind that the Python client has, with awkward labels."""
    registry = CollectorRegistry()
    counter = Counter("c", 'Help with "quotes" and \\ and\nlines.', ["path"], registry=registry)
    counter.labels('C:\\x "y"\nz').inc(3, exemplar={"trace_id": "abc"})
    Gauge("g", "Gauge.", registry=registry).set(1e-9)
    Histogram("h", "Histogram.", buckets=(0.005, 1, 2.5), registry=registry).observe(0.7, {"trace_id": "def"})
    Summary("s", "Summary.", ["a"], registry=registry).labels("ü").observe(4)
    Info("i", "Info.", registry=registry).info({"version": "1"})
    Enum("e", "Enum.", states=["on", "off"], registry=registry).state("on")
    return registry


def theirs(text: str) -> dict[Labels, float]:
    """What the client's own parser reads. Histograms' `le` is written as Prometheus 3 stores it already."""
    return {
        labels_of({**sample.labels, "__name__": sample.name}): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def ours(body: bytes, *, openmetrics: bool) -> dict[Labels, float]:
    decoder = ExpositionDecoder()
    decoded = decoder.decode(body, openmetrics=openmetrics)
    return {decoder.labels(s): v for s, v in zip(decoded.slots.tolist(), decoded.values.tolist(), strict=True)}


def test_the_python_clients_text_is_read_as_its_own_parser_reads_it() -> None:
    """Text 0.0.4, all kinds."""
    body = generate_latest(client_registry())
    assert ours(body, openmetrics=False) == theirs(body.decode())


def test_the_python_clients_openmetrics_is_read() -> None:
    """The same series and values as in the text format, and the exemplars."""
    registry = client_registry()
    decoder = ExpositionDecoder()
    decoded = decoder.decode(generate_openmetrics(registry), openmetrics=True)  # type: ignore[no-untyped-call]  # the client leaves it untyped
    found = {decoder.labels(s): v for s, v in zip(decoded.slots.tolist(), decoded.values.tolist(), strict=True)}
    assert found == theirs(generate_latest(registry).decode())
    assert sorted(dict(e.labels)["trace_id"] for _, e in decoded.exemplars) == ["abc", "def"]
    assert decoder.metadata["h"].kind == "histogram"


def test_their_parser_reads_our_metrics() -> None:
    """/metrics of ours, read by the client's parser."""
    registry = Registry()
    registry.counter("a_total", 'H\\"\n', ["x"]).inc('v"\\\n', by=2)
    registry.histogram("b", "B.").observe(0.2)
    body = encode_text(registry.collect())
    assert theirs(body.decode()) == ours(body, openmetrics=False)


async def test_credentials_go_along(tmp_path: Path) -> None:
    """basic_auth with a password file relative to the configuration, then a bearer token, then a header of one's own."""
    (tmp_path / "password").write_text("secret\n")
    async with exporter() as target, bench() as b:
        await b.load(job(target, "  basic_auth: {username: u, password_file: password}\n"), tmp_path)
        await until(lambda: target.hits > 0)
        assert target.seen[-1].headers["Authorization"] == "Basic dTpzZWNyZXQ="
        await b.load(
            job(target, "  authorization: {credentials: tok}\n  http_headers: {X-A: {values: [b]}}\n"), tmp_path
        )
        before = target.hits
        await until(lambda: target.hits > before)
        assert target.seen[-1].headers["Authorization"] == "Bearer tok"
        assert target.seen[-1].headers["X-A"] == "b"


async def test_oauth2_tokens_are_fetched_once_and_sent() -> None:
    """Client credentials: in the header first, in the form where the endpoint wants them there; a refusal is shown."""
    asked: list[dict[str, str]] = []

    async def token(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked.append(form)
        if "client_secret" not in form:
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["client_secret"] != "s":
            return web.json_response({"error": "no"}, status=401)
        return web.json_response({"access_token": "tok", "expires_in": 3600})

    app = web.Application()
    app.router.add_post("/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}/token".format(*runner.addresses[0][:2])
    try:
        async with exporter() as target, bench() as b:
            block = "  oauth2: {{client_id: c, client_secret: {}, token_url: '{}', scopes: [a, b]}}\n"
            await b.load(job(target, block.format("s", url)))
            await until(lambda: target.hits > 2)
            assert target.seen[-1].headers["Authorization"] == "Bearer tok"
            assert [form["scope"] for form in asked] == ["a b", "a b"]
            await b.load(job(target, block.format("wrong", url)))
            await until(lambda: b.only_target().health == "down")
            assert "oauth2: cannot fetch token: status 401" in b.only_target().error
    finally:
        await runner.cleanup()


async def test_a_missing_password_file_fails_the_scrape_with_its_name(tmp_path: Path) -> None:
    """The reason names the file; other targets go on."""
    async with exporter() as target, bench() as b:
        await b.load(job(target, "  bearer_token_file: nowhere\n"), tmp_path)
        await until(lambda: b.only_target().health == "down")
        assert "No such file or directory" in b.only_target().error
        assert str(tmp_path / "nowhere") in b.only_target().error
        assert target.hits == 0


async def test_redirects_are_followed_unless_told_otherwise() -> None:
    """follow_redirects: false reports the status."""
    async with exporter() as target, bench() as b:
        moved = web.Application()
        moved.router.add_get("/metrics", _redirect_to(f"http://{target.address}/metrics"))
        runner = web.AppRunner(moved)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = ":".join(map(str, runner.addresses[0][:2]))
        try:
            await b.load(job(address))
            await until(lambda: b.last("a") == 1.0)
            await b.load(job(address, "  follow_redirects: false\n"))
            await until(lambda: b.only_target().health == "down")
            assert b.only_target().error == "server returned HTTP status 302 Found"
        finally:
            await runner.cleanup()


def _redirect_to(url: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": url})

    return handler


async def test_tls_is_verified_by_name_and_authority(tmp_path: Path) -> None:
    """A self-signed target is refused, taken with its ca_file, and taken with insecure_skip_verify; mapped names are verified."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    arguments = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=backend"
    process = await asyncio.create_subprocess_exec(
        openssl,
        *arguments.split(),
        "-addext",
        "subjectAltName=DNS:backend",
        *("-keyout", "key.pem", "-out", "cert.pem"),
        cwd=tmp_path,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    app = web.Application()
    app.router.add_get("/metrics", _metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    address = ":".join(map(str, runner.addresses[0][:2]))
    try:
        async with bench(lambda _: address) as b:
            await b.load(job("backend:443", "  scheme: https\n"), tmp_path)
            await until(lambda: b.only_target().health == "down")
            assert "self-signed certificate" in b.only_target().error or "self signed" in b.only_target().error
            for option in ("{ca_file: cert.pem}", "{insecure_skip_verify: true}"):
                await b.load(job("backend:443", f"  scheme: https\n  tls_config: {option}\n"), tmp_path)
                await until(lambda: b.only_target().health == "up")
            wrong = "{ca_file: cert.pem, server_name: other}"
            await b.load(job("backend:443", f"  scheme: https\n  tls_config: {wrong}\n"), tmp_path)
            await until(lambda: b.only_target().health == "down")
            assert "Hostname mismatch" in b.only_target().error
    finally:
        await runner.cleanup()


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(text="a 1\n", headers={"Content-Type": "text/plain"})
