"""Stored annotations."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.protocols.dashboards import Annotation, AnnotationFilter


def routes(deps: GrafanaDeps) -> list[Route]:
    store = deps.annotations

    async def collection(request: Request) -> Response:
        if request.method == "POST":
            user = need(request, "Editor")
            body = await read_json(request)
            fresh = _annotation(
                body, Annotation(0, "", 0, 0, login=user.login), now_ms=deps.clock.now_ns() // 1_000_000
            )
            stored = await asyncio.to_thread(store.add, fresh)
            return reply({"message": "Annotation added", "id": stored.id})
        user_of(request)
        found = await asyncio.to_thread(store.find, _filter(request))
        ids = {info.uid: info.id for info in deps.library.all()}
        return reply([annotation_json(entry, ids.get(entry.dashboard_uid, 0)) for entry in found])

    async def one(request: Request) -> Response:
        user_of(request)
        number = min(request.path_params["id"], 2**53)
        old = await asyncio.to_thread(store.get, number)
        if old is None:
            raise ApiError(404, "annotation not found")
        if request.method == "GET":
            return reply(annotation_json(old, 0))
        need(request, "Editor")
        if request.method == "DELETE":
            await asyncio.to_thread(store.delete, number)
            return reply({"message": "Annotation deleted"})
        changed = _annotation(await read_json(request), old, now_ms=old.time_ms)
        await asyncio.to_thread(store.update, changed)
        return reply({"message": "Annotation updated" if request.method == "PUT" else "Annotation patched"})

    return [
        Route("/api/annotations", collection, methods=["GET", "POST"]),
        Route("/api/annotations/{id:int}", one, methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]


def _annotation(body: dict[str, Any], old: Annotation, *, now_ms: int) -> Annotation:
    """`old` with what the body gives. Raises: ApiError 400."""
    text = body.get("text", old.text)
    if not isinstance(text, str) or not text.strip():
        raise ApiError(400, "text field should not be empty")
    time_ms = _ms(body, "time", old.time_ms or now_ms)
    time_end_ms = _ms(body, "timeEnd", max(old.time_end_ms, time_ms)) or time_ms
    tags = body.get("tags", list(old.tags))
    if not isinstance(tags, list):
        raise ApiError(400, "tags should be a list of strings")
    uid, panel = body.get("dashboardUID", old.dashboard_uid), body.get("panelId", old.panel_id)
    return Annotation(
        id=old.id,
        text=text,
        time_ms=min(time_ms, time_end_ms),
        time_end_ms=max(time_ms, time_end_ms),
        tags=tuple(str(tag) for tag in tags),
        dashboard_uid=uid if isinstance(uid, str) else "",
        panel_id=panel if isinstance(panel, int) else 0,
        login=old.login,
        created_ms=old.created_ms,
    )


def _ms(body: dict[str, Any], key: str, default: int) -> int:
    value = body.get(key)
    if value is None or value == 0:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53:
        raise ApiError(400, f"{key} should be milliseconds since 1970")
    return value


def _filter(request: Request) -> AnnotationFilter:
    query = request.query_params

    def number(key: str, default: int = 0) -> int:
        text = query.get(key, "")
        return min(int(text), 2**53) if text.isdecimal() and len(text) < 30 else default

    return AnnotationFilter(
        from_ms=number("from"),
        to_ms=number("to"),
        dashboard_uid=query.get("dashboardUID"),
        panel_id=number("panelId"),
        tags=tuple(tag for tag in query.getlist("tags") if tag),
        match_any=query.get("matchAny", "").lower() == "true",
        limit=min(number("limit", 100), 10_000),
    )


def annotation_json(entry: Annotation, dashboard_id: int) -> dict[str, Any]:
    return {
        "id": entry.id,
        "alertId": 0,
        "dashboardId": dashboard_id,
        "dashboardUID": entry.dashboard_uid,
        "panelId": entry.panel_id,
        "time": entry.time_ms,
        "timeEnd": entry.time_end_ms,
        "text": entry.text,
        "tags": list(entry.tags),
        "login": entry.login,
        "created": entry.created_ms,
        "updated": entry.updated_ms,
    }
