"""Folders of dashboards."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import has_role, need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.api.grafana.shapes import folder_url, in_thread, iso, text_of
from spyglass.protocols.dashboards import GENERAL, Folder


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library
    base = deps.settings.sub_path

    async def folders(request: Request) -> Response:
        if request.method == "POST":
            need(request, "Editor")
            body = await read_json(request)
            made = await in_thread(lambda: library.save_folder(text_of(body, "title"), uid=text_of(body, "uid")))
            return reply(_folder_json(base, made, request))
        user_of(request)
        return reply([{"id": folder.id, "uid": folder.uid, "title": folder.title} for folder in library.folders()])

    async def folder(request: Request) -> Response:
        user_of(request)
        uid = request.path_params["uid"]
        if request.method == "GET":
            return reply(_folder_json(base, _folder(deps, uid), request))
        need(request, "Editor")
        if request.method == "DELETE":
            gone = await in_thread(lambda: library.delete_folder(uid))
            return reply({"message": "Folder deleted", "title": gone.title, "id": gone.id})
        body = await read_json(request)
        given = body.get("version")
        version = given if isinstance(given, int) and not body.get("overwrite") else None
        changed = await in_thread(lambda: library.rename_folder(uid, text_of(body, "title"), version=version))
        return reply(_folder_json(base, changed, request))

    async def folder_by_id(request: Request) -> Response:
        user_of(request)
        wanted = next((folder for folder in library.folders() if folder.id == request.path_params["id"]), None)
        if wanted is None:
            raise ApiError(404, "folder not found")
        return reply(_folder_json(base, wanted, request))

    return [
        Route("/api/folders", folders, methods=["GET", "POST"]),
        Route("/api/folders/id/{id:int}", folder_by_id),
        Route("/api/folders/{uid}", folder, methods=["GET", "PUT", "DELETE"]),
    ]


def _folder_json(base: str, folder: Folder, request: Request) -> dict[str, Any]:
    user = user_of(request)
    own = has_role(user, "Editor") and not folder.provisioned and bool(folder.uid)
    return {
        "id": folder.id,
        "uid": folder.uid or "general",
        "title": folder.title,
        "url": folder_url(base, folder),
        "hasAcl": False,
        "canSave": own,
        "canEdit": own,
        "canAdmin": own,
        "canDelete": own,
        "created": iso(folder.created_ms),
        "updated": iso(folder.updated_ms),
        "version": folder.version,
    }


def _folder(deps: GrafanaDeps, uid: str) -> Folder:
    if uid == "general":
        return GENERAL
    found = next((folder for folder in deps.library.folders() if folder.uid == uid), None)
    if found is None:
        raise ApiError(404, "folder not found")
    return found
