"""The API: contacts, accounts, deals, activities, search, reports and health, for many tenants."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request
from pydantic import BaseModel, Field

from clientforge.store import KINDS, Tables, Tenants
from clientforge.worker import Worker
from spyglass_sdk import JsonLog, ProcessMetrics, Registry, instrument, metrics_endpoint


class Record(BaseModel):
    """What every kind of record holds; deals have an amount."""

    name: str = Field(max_length=200)
    email: str | None = Field(default=None, max_length=200)
    amount: float | None = Field(default=None, ge=0)


def create_app(logs: Path, *, seed: int = 0) -> FastAPI:
    """The application. logs: the folder of combined.log and error.log."""
    registry = Registry()
    log = JsonLog(logs / "combined.log", errors=logs / "error.log")
    ProcessMetrics(registry, node_aliases=True)
    tenant_requests = registry.counter(
        "clientforge_tenant_requests_total", "Total requests per tenant", ("tenantId", "endpoint")
    )
    worker = Worker(registry.gauge("clientforge_queue_depth", "Current queue depth", ("queue",)), log, seed=seed)
    tenants, dice = Tenants(), random.Random(seed)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        log.write("info", "ClientForge started")
        worker.start()
        yield
        await worker.stop()
        log.write("info", "ClientForge stopped")
        log.close()

    app = FastAPI(title="ClientForge CRM", lifespan=lifespan)
    instrument(app, registry, log=log, tenant_header="x-tenant-id")
    app.add_route("/metrics", metrics_endpoint(registry))

    async def tables(request: Request, x_tenant_id: Annotated[str, Header(max_length=64)] = "public") -> Tables:
        tenant_requests.inc(x_tenant_id, request.scope["route"].path)
        return tenants.tables(x_tenant_id)

    app.include_router(_system_router(tables))
    app.include_router(_reports_router(tables, worker, dice))
    for kind in KINDS:
        app.include_router(_records_router(kind, tables, worker, dice))
    return app


def _system_router(tables: Any) -> APIRouter:
    router = APIRouter(prefix="/api/v1")

    @router.get("/health", dependencies=[Depends(tables)])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return router


def _records_router(kind: str, tables: Any, worker: Worker, dice: random.Random) -> APIRouter:
    router = APIRouter(prefix=f"/api/v1/{kind}")
    Data = Annotated[Tables, Depends(tables)]

    @router.get("")
    async def index(
        data: Data, offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 20
    ) -> list[dict[str, Any]]:
        await _work(dice, 0.004)
        return data.page(kind, offset=offset, limit=limit)

    @router.post("", status_code=201)
    async def create(data: Data, record: Record) -> dict[str, Any]:
        await _work(dice, 0.008)
        row = data.add(kind, record.model_dump(exclude_none=True))
        worker.submit("search-sync", f"index {kind}/{row['id']}")
        return row

    @router.get("/{record_id}")
    async def read(data: Data, record_id: int) -> dict[str, Any]:
        await _work(dice, 0.003)
        return _found(data.get(kind, record_id))

    @router.put("/{record_id}")
    async def update(data: Data, record_id: int, record: Record) -> dict[str, Any]:
        await _work(dice, 0.01)
        row = _found(data.get(kind, record_id))
        row.update(record.model_dump(exclude_none=True))
        worker.submit("search-sync", f"index {kind}/{record_id}")
        return row

    @router.delete("/{record_id}", status_code=204)
    async def delete(data: Data, record_id: int) -> None:
        await _work(dice, 0.005)
        if not data.remove(kind, record_id):
            raise HTTPException(404)

    return router


def _reports_router(tables: Any, worker: Worker, dice: random.Random) -> APIRouter:
    router = APIRouter(prefix="/api/v1")
    Data = Annotated[Tables, Depends(tables)]

    @router.get("/search")
    async def search(data: Data, q: Annotated[str, Query(max_length=100)] = "") -> list[dict[str, Any]]:
        await _work(dice, 0.03)
        return [row for kind in KINDS for row in data.all(kind) if q in str(row.get("name", ""))][:20]

    @router.get("/reports/revenue")
    async def revenue(data: Data) -> dict[str, float]:
        """The slow one: now and then over a second."""
        await _work(dice, 0.35)
        worker.submit("reports", "revenue")
        return {"revenue": sum(float(row.get("amount") or 0) for row in data.all("deals"))}

    @router.post("/deals/{deal_id}/close")
    async def close(data: Data, deal_id: int, x_incident: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        """Closing a deal calls a payment provider, which fails when there is an incident."""
        await _work(dice, 0.05)
        if x_incident and dice.random() < 0.7:
            raise RuntimeError("payment provider did not answer")
        row = _found(data.get("deals", deal_id))
        row["closed"] = True
        worker.submit("email", f"deal {deal_id} closed")
        return row

    return router


async def _work(dice: random.Random, mean_seconds: float) -> None:
    """Time as a database would take it: mostly near the mean, with a long tail."""
    await asyncio.sleep(min(dice.lognormvariate(0, 0.6) * mean_seconds, 5.0))


def _found(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise HTTPException(404)
    return row
