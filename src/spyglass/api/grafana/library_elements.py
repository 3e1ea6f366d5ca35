"""Library panels: `/api/library-elements`, with Grafana's status codes."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import need, user_of
from spyglass.api.grafana.connections import Connections
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.api.grafana.shapes import in_thread, iso, text_of
from spyglass.protocols.dashboards import GENERAL, Folder
from spyglass.protocols.library_elements import (
    PANEL,
    ElementChange,
    ElementFilter,
    ElementRefused,
    LibraryElement,
)

MAX_PER_PAGE = 1_000
_NOT_FOUND = "library element could not be found"


def routes(deps: GrafanaDeps) -> list[Route]:
    elements = deps.elements
    connections = Connections(deps.library)

    async def everything(request: Request) -> Response:
        if request.method == "POST":
            return await create(request)
        user_of(request)
        wanted = _filter(request.query_params, deps.library.folders())
        found, total = await in_thread(lambda: elements.find(wanted))
        shown = await in_thread(lambda: [_json(deps, connections, one) for one in found])
        page = {"totalCount": total, "page": wanted.page, "perPage": wanted.per_page, "elements": shown}
        return reply({"result": page})

    async def create(request: Request) -> Response:
        user = need(request, "Editor")
        body = await read_json(request)
        folder_uid = _folder_uid(deps, body) or ""
        made = await in_thread(
            lambda: elements.create(
                text_of(body, "name"),
                _model(body) or {},
                kind=_int(body, "kind") or PANEL,
                folder_uid=folder_uid,
                uid=text_of(body, "uid"),
                by=user.login,
            )
        )
        return reply({"result": _json(deps, connections, made)})

    async def one(request: Request) -> Response:
        uid = request.path_params["uid"]
        if request.method == "DELETE":
            need(request, "Editor")
            if await in_thread(lambda: connections.of(uid)):
                raise ElementRefused("in-use", "the library element has connections")
            gone = await in_thread(lambda: elements.delete(uid))
            return reply({"message": "Library element deleted", "id": gone.id})
        if request.method == "PATCH":
            user = need(request, "Editor")
            body = await read_json(request)
            change = ElementChange(
                _int(body, "version") or 0,
                name=text_of(body, "name") or None,
                model=_model(body),
                folder_uid=_folder_uid(deps, body),
                kind=_int(body, "kind"),
                uid=text_of(body, "uid") or None,
            )
            changed = await in_thread(lambda: elements.change(uid, change, by=user.login))
            return reply({"result": _json(deps, connections, changed)})
        user_of(request)
        return reply({"result": _json(deps, connections, await in_thread(lambda: _get(deps, uid)))})

    async def by_name(request: Request) -> Response:
        user_of(request)
        found = await in_thread(lambda: elements.named(request.path_params["name"]))
        if not found:
            raise ApiError(404, _NOT_FOUND)
        return reply({"result": [_json(deps, connections, element) for element in found]})

    async def connected(request: Request) -> Response:
        user_of(request)
        element = await in_thread(lambda: _get(deps, request.path_params["uid"]))
        infos = await in_thread(lambda: connections.of(element.uid))
        rows = [
            {
                "id": number,
                "kind": 1,
                "elementId": element.id,
                "connectionId": info.id,
                "connectionUid": info.uid,
                "created": iso(info.updated_ms),
                "createdBy": _person(info.updated_by),
            }
            for number, info in enumerate(infos, start=1)
        ]
        return reply({"result": rows})

    return [
        Route("/api/library-elements", everything, methods=["GET", "POST"]),
        Route("/api/library-elements/name/{name}", by_name),
        Route("/api/library-elements/{uid}/connections", connected),
        Route("/api/library-elements/{uid}", one, methods=["GET", "PATCH", "DELETE"]),
    ]


def _get(deps: GrafanaDeps, uid: str) -> LibraryElement:
    found = deps.elements.get(uid)
    if found is None:
        raise ApiError(404, _NOT_FOUND)
    return found


def _filter(query: Mapping[str, str], folders: Sequence[Folder]) -> ElementFilter:
    def number(name: str, default: int, most: int) -> int:
        text = query.get(name, "")
        return min(max(int(text), 1), most) if text.isdecimal() else default

    def listed(name: str) -> list[str]:
        return [part for part in query.get(name, "").split(",") if part]

    uids: list[str] | None = None
    if listed("folderFilterUIDs"):
        uids = ["" if uid == "general" else uid for uid in listed("folderFilterUIDs")]
    elif listed("folderFilter"):
        by_id = {str(folder.id): folder.uid for folder in (GENERAL, *folders)}
        uids = [by_id[number] for number in listed("folderFilter") if number in by_id]
    return ElementFilter(
        text=query.get("searchString", ""),
        kind=number("kind", 0, 2),
        types=listed("typeFilter"),
        folder_uids=uids,
        exclude_uid=query.get("excludeUid", ""),
        descending=query.get("sortDirection") == "alpha-desc",
        page=number("page", 1, 1 << 31),
        per_page=number("perPage", 100, MAX_PER_PAGE),
    )


def _model(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    model = body.get("model")
    if model is None:
        return None
    if not isinstance(model, dict):
        raise ApiError(400, "bad request data: model should be a JSON object")
    return model


def _int(body: Mapping[str, Any], key: str) -> int | None:
    value = body.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _folder_uid(deps: GrafanaDeps, body: Mapping[str, Any]) -> str | None:
    """The folder that a body names; None: none. Raises: ApiError 404."""
    uid, number = body.get("folderUid"), _int(body, "folderId")
    if not isinstance(uid, str) and (number is None or number < 0):
        return None
    if uid in ("", "general") or (not isinstance(uid, str) and number == 0):
        return ""
    for folder in deps.library.folders():
        if folder.uid == uid or (not isinstance(uid, str) and folder.id == number):
            return folder.uid
    raise ApiError(404, "folder not found")


def _json(deps: GrafanaDeps, connections: Connections, element: LibraryElement) -> dict[str, Any]:
    folder = next((one for one in deps.library.folders() if one.uid == element.folder_uid), GENERAL)
    return {
        "id": element.id,
        "orgId": 1,
        "folderId": folder.id,
        "folderUid": folder.uid,
        "uid": element.uid,
        "name": element.name,
        "kind": element.kind,
        "type": element.type,
        "description": element.description,
        "model": dict(element.model),
        "version": element.version,
        "meta": {
            "folderName": folder.title,
            "folderUid": folder.uid,
            "connectedDashboards": len(connections.of(element.uid)),
            "created": iso(element.created_ms),
            "updated": iso(element.updated_ms),
            "createdBy": _person(element.created_by),
            "updatedBy": _person(element.updated_by),
        },
    }


def _person(login: str) -> dict[str, Any]:
    return {"id": 0, "name": login or "Anonymous", "avatarUrl": ""}
