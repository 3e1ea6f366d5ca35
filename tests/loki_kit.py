"""The Loki API in this process: a virtual clock, stores in memory, a test client."""

import asyncio
import json
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from spyglass.api.bridge import QueryBridge
from spyglass.api.loki.app import create_loki_app
from spyglass.api.loki.delete_requests import DeleteRequests
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import Tenancy
from spyglass.config.loki_limits import LimitsConfig
from spyglass.config.loki_overrides import TenantLimits
from spyglass.formats.exposition.encode import encode_text
from spyglass.ingest.log_checks import LogLimits
from spyglass.ingest.logs import LogIngest
from spyglass.model.telemetry import Registry
from spyglass.protocols.log_store import LogStores
from spyglass.query.budget import QueryBudget
from spyglass.query.log_engine import LogEngine
from spyglass.query.log_limits import LogQueryLimits
from spyglass.storage.files import RealFiles
from spyglass.storage.memory_logs import MemoryLogStores
from spyglass.testing.clock import VirtualClock

SECOND = 10**9
NOW = 1_700_000_000 * SECOND

Value = Sequence[object]


class Client:
    """Requests to an ASGI application, without sockets and from synchronous tests."""

    def __init__(self, app: Starlette, runner: asyncio.Runner) -> None:
        self.app, self._runner = app, runner

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return self.app.routes

    def run(self, scenario: Coroutine[Any, Any, None]) -> None:
        """In the loop that requests run in."""
        self._runner.run(scenario)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self._runner.run(self._send(method, path, arguments))

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, **arguments)

    async def _send(self, method: str, path: str, arguments: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://loki") as client:
            return await client.request(method, path, **arguments)


@dataclass
class LokiKit:
    """One API. `clock` moves by hand."""

    client: "Client"
    stores: LogStores
    clock: VirtualClock
    deletes: DeleteRequests
    ingest: LogIngest

    def push(
        self, streams: Sequence[tuple[Mapping[str, str], Sequence[Value]]], headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Status and body of a JSON push; times are texts or ints."""
        body = {
            "streams": [
                {"stream": dict(labels), "values": [[str(value[0]), *value[1:]] for value in values]}
                for labels, values in streams
            ]
        }
        answer = self.client.post("/loki/api/v1/push", json=body, headers=dict(headers or {}))
        return answer.status_code, answer.text.strip()

    def get(self, path: str, headers: Mapping[str, str] | None = None, /, **params: object) -> Any:
        """The JSON of a 200."""
        texts = {name: str(value) for name, value in params.items()}
        answer = self.client.get(path, params=texts, headers=dict(headers or {}))
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text)

    def error(self, path: str, headers: Mapping[str, str] | None = None, /, **params: object) -> tuple[int, str]:
        """Status and text of an answer that should be an error."""
        texts = {name: str(value) for name, value in params.items()}
        answer = self.client.get(path, params=texts, headers=dict(headers or {}))
        assert answer.status_code >= 400, answer.text
        return answer.status_code, answer.text.strip()

    def lines(self, query: str = '{job=~".+"}', tenant: str = "") -> list[str]:
        """All lines that match, oldest first."""
        headers = {"X-Scope-OrgID": tenant} if tenant else {}
        window = {"start": NOW - 30 * 86400 * SECOND, "end": NOW + 3600 * SECOND, "limit": 5000}
        data = self.get("/loki/api/v1/query_range", headers, query=query, direction="forward", **window)["data"]
        rows = [(int(at), line) for stream in data["result"] for at, line, *_ in stream["values"]]
        return [line for _, line in sorted(rows)]


@contextmanager
def loki(
    limits: LimitsConfig | None = None,
    *,
    overrides: Mapping[str, LimitsConfig] | None = None,
    auth_enabled: bool = False,
    tenancy: Tenancy | None = None,
    generation: int = 2,
    stores: LogStores | None = None,
    folder: Path | None = None,
    cancel_period_ns: int = 0,
    multi_tenant: bool = False,
) -> Iterator[LokiKit]:
    """generation 2: no service_name, no detected_level. folder: where delete requests are kept."""
    limits = limits or LimitsConfig()
    tenant_limits = TenantLimits(limits, overrides)
    stores, clock = stores or MemoryLogStores(), VirtualClock(start_ms=NOW // 1_000_000)
    ingest = LogIngest(stores, lambda tenant: LogLimits.of(tenant_limits.of(tenant), generation=generation), clock)
    bridge, ingest_bridge = QueryBridge(workers=2), QueryBridge(workers=1)
    path = folder / "deletes.json" if folder else None
    registry = Registry()
    deletes = DeleteRequests(
        stores,
        clock,
        path=path,
        files=RealFiles(),
        cancel_period_ns=cancel_period_ns,
        filter_only=limits.deletion_mode == "filter-only",
    )
    app = create_loki_app(
        LokiDeps(
            queries=LogEngine(
                stores, lambda tenant: LogQueryLimits.of(tenant_limits.of(tenant)), clock=clock, hidden=deletes.hidden
            ),
            stores=stores,
            ingest=ingest,
            bridge=bridge,
            ingest_bridge=ingest_bridge,
            clock=clock,
            budget=lambda _: QueryBudget(),
            registry=registry,
            deletes=deletes,
            render_metrics=lambda: encode_text(registry.collect()),
            limits_of=tenant_limits.of,
            tenancy=tenancy or (Tenancy.REQUIRED if auth_enabled else Tenancy.OPTIONAL),
            multi_tenant=multi_tenant,
            config_text="auth_enabled: false\n",
            version="test",
        )
    )
    with asyncio.Runner() as runner:
        yield LokiKit(Client(app, runner), stores, clock, deletes, ingest)
    bridge.close()
    ingest_bridge.close()
