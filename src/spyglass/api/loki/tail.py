"""GET /loki/api/v1/tail: a websocket that sends what arrives, as frames of {"streams": [...], "dropped_entries": [...]}."""

import asyncio
from collections.abc import Sequence

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.tenant import DEFAULT_TENANT
from spyglass.model.errors import SpyglassError
from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry
from spyglass.query.log_tail import TailFilter

POLL_SECONDS = 0.2
MAX_DELAY_SECONDS = 5


async def tail(socket: WebSocket, deps: LokiDeps) -> None:
    """Serve one tail until the client leaves. A bad query closes the socket with the reason."""
    params = {name: socket.query_params.getlist(name) for name in socket.query_params}
    tenant = socket.headers.get("x-scope-orgid") or DEFAULT_TENANT
    await socket.accept()
    try:
        keep = TailFilter(read.required(params, "query"))
        delay = int(read.text(params, "delay_for", "0"))
        if delay > MAX_DELAY_SECONDS:
            raise ValueError(f"delay_for can't be greater than {MAX_DELAY_SECONDS}")
    except (SpyglassError, ValueError) as err:
        await socket.close(1011, str(err)[:120])
        return
    await _serve(socket, deps, tenant, params, keep, delay)


async def _serve(
    socket: WebSocket, deps: LokiDeps, tenant: str, params: read.Params, keep: TailFilter, delay: int
) -> None:
    subscription = deps.stores.store(tenant).subscribe()
    gone = asyncio.create_task(_until_gone(socket))
    try:
        await _send_past(socket, deps, tenant, params)
        dropped = 0
        while not gone.done():
            await asyncio.wait({gone}, timeout=POLL_SECONDS + delay)
            arrived = subscription.drain()
            missed, dropped = subscription.dropped - dropped, subscription.dropped
            streams = keep.apply(arrived) if arrived else []
            if streams or missed:
                await socket.send_bytes(_frame(streams, missed))
    except (WebSocketDisconnect, RuntimeError):
        pass
    finally:
        subscription.close()
        gone.cancel()


async def _send_past(socket: WebSocket, deps: LokiDeps, tenant: str, params: read.Params) -> None:
    """What came between `start` (an hour ago) and now, at most `limit` entries."""
    now = deps.clock.now_ns()
    start = read.time_ns(read.text(params, "start"), "start") if read.text(params, "start") else now - read.HOUR_NS
    limit, budget, query = read.limit_of(params), deps.budget(), read.required(params, "query")
    result = await deps.bridge.run(
        lambda: deps.queries.range(
            query,
            start_ns=start,
            end_ns=now,
            step_ns=10**9,
            limit=limit,
            direction="backward",
            tenant=tenant,
            budget=budget,
        ),
        budget=budget,
    )
    streams = getattr(result, "streams", ())
    if streams:
        await socket.send_bytes(_frame([(labels, list(reversed(entries))) for labels, entries in streams], 0))


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _frame(streams: Sequence[tuple[Labels, Sequence[LogEntry]]], dropped: int) -> bytes:
    shown = [
        {"stream": dict(labels), "values": [[str(e.time_ns), e.line] for e in entries]} for labels, entries in streams
    ]
    return orjson.dumps({"streams": shown, "dropped_entries": [{"labels": {}, "count": dropped}] if dropped else None})
