"""GET /loki/api/v1/tail: a websocket that sends what arrives, as frames of {"streams": [...], "dropped_entries": [...]}."""

import asyncio
import re
from collections.abc import Sequence
from functools import partial

import orjson
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from spyglass.api.loki import params as read
from spyglass.api.loki.deps import LokiDeps
from spyglass.api.loki.legacy import legacy_streams
from spyglass.api.loki.tenant import BadTenant, NoTenant, tenant_of
from spyglass.model.errors import SpyglassError
from spyglass.model.labels import Labels
from spyglass.protocols.log_store import LogEntry
from spyglass.query.log_tail import TailFilter

POLL_SECONDS = 0.2
MAX_DELAY_SECONDS = 5

Streams = list[tuple[Labels, list[LogEntry]]]
Sent = set[tuple[Labels, LogEntry]]


async def tail(socket: WebSocket, deps: LokiDeps, *, legacy: bool = False) -> None:
    """Serve one tail until the client leaves. A bad query closes the socket with the reason. legacy: frames of /api/prom."""
    params = {name: socket.query_params.getlist(name) for name in socket.query_params}
    try:
        tenant = tenant_of(socket, deps.tenancy)
    except (NoTenant, BadTenant) as err:
        await _refuse(socket, str(err), 401 if isinstance(err, NoTenant) else 400)
        return
    await socket.accept()
    try:
        keep = TailFilter(read.required(params, "query"))
        delay = _delay(read.text(params, "delay_for", "0"))
        limit, open_tails = deps.limits_of(tenant).max_concurrent_tail_requests, deps.tails[tenant]
        if limit and open_tails >= limit:
            raise ValueError(f"max concurrent tail requests limit exceeded, count > limit ({open_tails + 1} > {limit})")
    except (SpyglassError, ValueError) as err:
        await socket.close(1011, str(err)[:120])
        return
    deps.tails[tenant] += 1
    try:
        await _serve(socket, deps, tenant, params, keep, delay, legacy)
    finally:
        deps.tails[tenant] -= 1


def _delay(text: str) -> int:
    """Seconds to wait for late lines. Raises: ValueError with upstream's texts."""
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
        raise ValueError(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) > MAX_DELAY_SECONDS:
        raise ValueError(f"delay_for can't be greater than {MAX_DELAY_SECONDS}")
    return max(int(text), 0)


async def _serve(
    socket: WebSocket, deps: LokiDeps, tenant: str, params: read.Params, keep: TailFilter, delay: int, legacy: bool
) -> None:
    subscription = deps.stores.store(tenant).subscribe()
    gone = asyncio.create_task(_until_gone(socket))
    try:
        sent = await _send_past(socket, deps, tenant, params, legacy)
        dropped = 0
        while not gone.done():
            await asyncio.wait({gone}, timeout=POLL_SECONDS + delay)
            arrived = subscription.drain()
            missed, dropped = subscription.dropped - dropped, subscription.dropped
            streams: Streams = []
            if arrived:
                passed = await deps.bridge.run(partial(keep.apply, arrived))
                streams = _without(passed, sent)
            if streams or missed:
                await socket.send_text(_frame(streams, missed, legacy))
    except (WebSocketDisconnect, RuntimeError):
        pass
    except SpyglassError as err:
        await socket.close(1011, str(err)[:120])
    finally:
        subscription.close()
        gone.cancel()


async def _send_past(socket: WebSocket, deps: LokiDeps, tenant: str, params: read.Params, legacy: bool) -> Sent:
    """What came between `start` (an hour ago) and now, at most `limit` entries."""
    now = deps.clock.now_ns()
    start = read.time_ns(read.text(params, "start"), "start") if read.text(params, "start") else now - read.HOUR_NS
    limit, budget, query = read.limit_of(params), deps.budget(tenant), read.required(params, "query")
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
        await socket.send_text(_frame([(labels, list(reversed(entries))) for labels, entries in streams], 0, legacy))
    return {(labels, entry) for labels, entries in streams for entry in entries}


def _without(streams: Streams, sent: Sent) -> Streams:
    """Lines that arrived while the past was read were in both: each is shown once."""
    if not sent:
        return streams
    fresh = [(labels, [entry for entry in entries if (labels, entry) not in sent]) for labels, entries in streams]
    return [(labels, entries) for labels, entries in fresh if entries]


async def _refuse(socket: WebSocket, reason: str, status: int) -> None:
    """An HTTP answer instead of the upgrade, where the server can; else the handshake fails."""
    if "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(PlainTextResponse(f"{reason}\n", status_code=status))
    else:
        await socket.close(1008, reason)


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _frame(streams: Sequence[tuple[Labels, Sequence[LogEntry]]], dropped: int, legacy: bool) -> str:
    lost = [{"labels": {}, "count": dropped}] if dropped else None
    shown: list[dict[str, object]]
    if legacy:
        shown = legacy_streams(streams)
    else:
        shown = [
            {"stream": dict(labels), "values": [[str(e.time_ns), e.line] for e in entries]}
            for labels, entries in streams
        ]
    # A text message, as upstream sends it.
    return orjson.dumps({"streams": shown, "dropped_entries": lost}).decode()
