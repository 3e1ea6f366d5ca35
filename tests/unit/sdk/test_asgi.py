"""The SDK's middleware around real FastAPI and Starlette applications, over ASGI."""

import asyncio
import json
from collections.abc import AsyncIterator, MutableMapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, BackgroundTasks, FastAPI, HTTPException, WebSocket
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from spyglass_sdk import JsonLog, ProcessMetrics, Registry, instrument, metrics_endpoint


def samples(registry: Registry, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The registry's samples of one name, read by the reference parser."""
    families = text_string_to_metric_families(registry.expose())
    return {tuple(sorted(s.labels.items())): s.value for f in families for s in f.samples if s.name == name}


def client(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")


def build(tmp_path: Path) -> tuple[FastAPI, Registry, JsonLog, list[str]]:
    app, registry, done = FastAPI(), Registry(), list[str]()
    log = JsonLog(tmp_path / "combined.log", errors=tmp_path / "error.log", flush_seconds=0.0)
    instrument(app, registry, log=log, tenant_header="x-tenant-id", tenant_label=True, max_tenants=2)
    app.add_route("/metrics", metrics_endpoint(registry))
    router = APIRouter(prefix="/api/v1")

    @router.get("/contacts/{contact_id}")
    async def contact(contact_id: int) -> dict[str, int]:
        if contact_id == 0:
            raise HTTPException(404)
        if contact_id == 13:
            raise RuntimeError('broken "pipe"')
        return {"id": contact_id}

    @router.get("/stream")
    async def stream(tasks: BackgroundTasks) -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for part in (b"one ", b"two"):
                await asyncio.sleep(0)
                yield part

        tasks.add_task(done.append, "task")
        return StreamingResponse(chunks(), background=tasks)

    @app.websocket("/ws")
    async def ws(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("hello")
        await socket.close()

    app.include_router(router)
    return app, registry, log, done


async def test_requests_are_counted_by_route_template(tmp_path: Path) -> None:
    """Two ids of one route share the labels; the status and the tenant separate them."""
    app, registry, log, _ = build(tmp_path)
    async with client(app) as http:
        for contact_id in (1, 2, 0):
            await http.get(f"/api/v1/contacts/{contact_id}", headers={"x-tenant-id": "acme"})
    log.close()
    counted = samples(registry, "http_requests_total")
    base = (("endpoint", "/api/v1/contacts/{contact_id}"), ("method", "GET"))
    assert counted == {
        (*base, ("status", "200"), ("tenant", "acme")): 2.0,
        (*base, ("status", "404"), ("tenant", "acme")): 1.0,
    }
    assert sum(samples(registry, "http_request_duration_seconds_count").values()) == 3.0
    # Errors begin at 0 with the first request, so that the first error has a rate.
    errors = samples(registry, "http_request_errors_total")
    assert errors == {(*base, ("status", "500"), ("tenant", "acme")): 0.0}


async def test_unknown_paths_methods_and_tenants_make_no_new_label_values(tmp_path: Path) -> None:
    """A scanner with a thousand paths, odd methods and made-up tenants gets a bounded number of series."""
    app, registry, log, _ = build(tmp_path)
    async with client(app) as http:
        for n in range(50):
            await http.request("BREW" if n % 2 else "GET", f"/wp-admin/{n}", headers={"x-tenant-id": f"t{n}"})
    log.close()
    labels = [dict(key) for key in samples(registry, "http_requests_total")]
    assert {label["endpoint"] for label in labels} == {"<unmatched>"}
    assert {label["method"] for label in labels} == {"GET", "OTHER"}
    assert {label["tenant"] for label in labels} == {"t0", "t1", "<other>"}


async def test_exceptions_are_counted_logged_with_the_word_error_and_go_on(tmp_path: Path) -> None:
    """A failing endpoint is an error in the metrics and in both log files, and still raises."""
    app, registry, log, _ = build(tmp_path)
    async with client(app) as http:
        answer = await http.get("/api/v1/contacts/13")
    log.close()
    assert answer.status_code == 500
    assert list(samples(registry, "http_request_errors_total").values()) == [1.0]
    entry = json.loads((tmp_path / "error.log").read_text())
    assert entry["level"] == "error"
    assert "ERROR" in entry["message"]
    assert entry["error"] == 'RuntimeError: broken "pipe"'
    assert (tmp_path / "combined.log").read_text() == (tmp_path / "error.log").read_text()


async def test_streams_and_background_tasks_pass_untouched(tmp_path: Path) -> None:
    """The chunks arrive, the background task runs, and the request is counted once."""
    app, registry, log, done = build(tmp_path)
    async with client(app) as http:
        answer = await http.get("/api/v1/stream")
    log.close()
    assert answer.text == "one two"
    assert done == ["task"]
    assert sum(samples(registry, "http_requests_total").values()) == 1.0


async def test_websockets_pass_untouched(tmp_path: Path) -> None:
    """A websocket works and is no HTTP request."""
    app, registry, log, _ = build(tmp_path)
    incoming, sent = [{"type": "websocket.connect"}], list[str]()

    async def receive() -> dict[str, str]:
        return incoming.pop(0) if incoming else {"type": "websocket.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    await app({"type": "websocket", "path": "/ws", "headers": [], "query_string": b""}, receive, send)
    log.close()
    assert sent == ["websocket.accept", "websocket.send", "websocket.close"]
    assert samples(registry, "http_requests_total") == {}


async def test_the_access_log_has_the_documented_fields(tmp_path: Path) -> None:
    """One line per request, one JSON object per line, with hostile header and path text escaped."""
    app, _, log, _ = build(tmp_path)
    async with client(app) as http:
        await http.get("/api/v1/contacts/7%22%0A", headers={"x-tenant-id": 'a"b'})
    log.close()
    lines = (tmp_path / "combined.log").read_text().splitlines()
    assert len(lines) == 1
    entry = json.loads(lines[0])
    assert set(entry) == {
        "level", "timestamp", "message", "tenantId", "method", "path", "statusCode", "duration", "requestId",
    }  # fmt: skip
    assert entry["tenantId"] == 'a"b'
    assert entry["path"] == '/api/v1/contacts/7"\n'
    assert entry["statusCode"] == 422
    assert entry["timestamp"].endswith("Z")


async def test_starlette_routes_and_mounts_get_their_templates() -> None:
    """Without FastAPI the template is found in the application's routes, mounts included."""
    registry = Registry()

    async def item(request: Request) -> Response:
        return PlainTextResponse(request.path_params["key"])

    async def item2(request: Request) -> Response:
        return PlainTextResponse(request.path_params["a"])

    app = Starlette(
        routes=[
            Route("/items/{key}", item),
            Mount("/in", routes=[Route("/{a}/b", item2)]),
            Mount("/static", PlainTextResponse("x")),
        ]
    )
    instrument(app, registry)
    async with client(app) as http:
        await http.get("/items/5")
        await http.get("/in/5/b")
        await http.get("/static/a.css")
    endpoints = {dict(key)["endpoint"] for key in samples(registry, "http_requests_total")}
    assert endpoints == {"/items/{key}", "/in/{a}/b", "/static/{path}"}


async def test_metrics_endpoint_is_read_by_the_reference_parser_and_not_counted(tmp_path: Path) -> None:
    """/metrics holds process and heap gauges, Node's names as aliases, and does not count itself."""
    app, registry, log, _ = build(tmp_path)
    ProcessMetrics(registry, node_aliases=True)
    async with client(app) as http:
        answer = await http.get("/metrics")
    log.close()
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"process_cpu_seconds", "nodejs_heap_size_used_bytes", "python_heap_size_total_bytes"} <= names
    assert samples(registry, "nodejs_heap_size_used_bytes")[()] > 1_000_000
    assert samples(registry, "http_requests_total") == {}


def test_a_moved_log_file_is_opened_anew(tmp_path: Path) -> None:
    """logrotate renames the file: later lines go to a new one, none is lost."""
    path = tmp_path / "combined.log"
    log = JsonLog(path, flush_seconds=0.0)
    log.write("info", "before", n=1, ok=True, nothing=None, ratio=0.5)
    while not (path.exists() and path.stat().st_size):
        pass
    path.rename(tmp_path / "combined.log.1")
    log.write("info", "after")
    log.close()
    assert json.loads((tmp_path / "combined.log.1").read_text())["n"] == 1
    assert json.loads(path.read_text())["message"] == "after"


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.25, "0.25"), (float("inf"), "+Inf"), (1e300, "1e+300")])
def test_values_are_written_as_the_text_format_wants(value: float, text: str) -> None:
    """Whole numbers without a fraction, infinities with a sign."""
    registry = Registry()
    registry.gauge("g", "a gauge").set(value)
    assert registry.expose().splitlines()[-1] == f"g {text}"


def test_bad_names_are_refused() -> None:
    """A name that Prometheus would refuse is refused when it is registered."""
    registry = Registry()
    with pytest.raises(ValueError, match="metric name"):
        registry.counter("2xx total", "bad")
    with pytest.raises(ValueError, match="label name"):
        registry.counter("ok_total", "bad", ("le-gend",))
    registry.counter("twice_total", "first")
    with pytest.raises(ValueError, match="already"):
        registry.counter("twice_total", "second")
