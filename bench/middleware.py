"""What instrumentation adds to a request, in microseconds: spyglass-sdk beside other libraries, in one run.

The same FastAPI application is called over ASGI, in process, so that nothing but the middleware differs. Variants take turns;
medians are printed. Needs: fastapi, and for the peers prometheus-fastapi-instrumentator, starlette-exporter and
opentelemetry-instrumentation-fastapi with opentelemetry-sdk (those that are not installed are left out).

    python bench/middleware.py --requests 3000 --rounds 9
"""

import argparse
import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from spyglass_sdk import JsonLog, Registry, instrument

SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/api/v1/contacts/7",
    "raw_path": b"/api/v1/contacts/7",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"x"), (b"x-tenant-id", b"acme")],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 80),
}


def application() -> FastAPI:
    app = FastAPI()

    @app.get("/api/v1/contacts/{contact_id}")
    async def contact(contact_id: str) -> str:
        return contact_id

    return app


def none() -> FastAPI:
    return application()


def sdk_metrics() -> FastAPI:
    app = application()
    instrument(app, Registry(), tenant_header="x-tenant-id")
    return app


def sdk_metrics_and_log() -> FastAPI:
    app = application()
    log = JsonLog(Path(tempfile.mkdtemp()) / "combined.log", max_queued=10_000_000)
    instrument(app, Registry(), log=log, tenant_header="x-tenant-id")
    return app


def instrumentator() -> FastAPI:
    from prometheus_client import CollectorRegistry  # noqa: PLC0415 - the peers are optional
    from prometheus_fastapi_instrumentator import Instrumentator  # noqa: PLC0415 - the peers are optional

    app = application()
    Instrumentator(registry=CollectorRegistry()).instrument(app)
    return app


def exporter() -> FastAPI:
    from starlette_exporter import PrometheusMiddleware  # noqa: PLC0415 - the peers are optional

    app = application()
    app.add_middleware(PrometheusMiddleware)
    return app


def opentelemetry() -> FastAPI:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415 - the peers are optional
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - the peers are optional
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415 - the peers are optional

    app = application()
    FastAPIInstrumentor.instrument_app(app, meter_provider=MeterProvider([InMemoryMetricReader()]))
    return app


VARIANTS: dict[str, Callable[[], FastAPI]] = {
    "none": none,
    "spyglass-sdk, metrics": sdk_metrics,
    "spyglass-sdk, metrics and access log": sdk_metrics_and_log,
    "prometheus-fastapi-instrumentator": instrumentator,
    "starlette-exporter": exporter,
    "opentelemetry": opentelemetry,
}


async def measure(app: FastAPI, requests: int) -> float:
    """CPU microseconds a request, all threads of the process included."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        return None

    started = time.process_time()
    for _ in range(requests):
        await app(dict(SCOPE), receive, send)
    return (time.process_time() - started) / requests * 1e6


async def run(requests: int, rounds: int) -> None:
    apps: dict[str, FastAPI] = {}
    for name, build in VARIANTS.items():
        with contextlib.suppress(ImportError):
            apps[name] = build()
    times: dict[str, list[float]] = {name: [] for name in apps}
    for turn in range(rounds + 1):
        for name, app in apps.items():
            spent = await measure(app, requests)
            if turn:
                times[name].append(spent)
    base = statistics.median(times["none"])
    print(f"{'variant':40} {'us/request':>10} {'added':>8}")
    for name, spent_us in times.items():
        median = statistics.median(spent_us)
        print(f"{name:40} {median:10.1f} {median - base:8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    asyncio.run(run(args.requests, args.rounds))


if __name__ == "__main__":
    main()
