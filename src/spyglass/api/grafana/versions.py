"""The history of saved dashboards."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.api.grafana.shapes import dashboard_url, in_thread, iso


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library
    base = deps.settings.sub_path

    async def versions(request: Request) -> Response:
        user_of(request)
        uid = request.path_params["uid"]
        saved = await in_thread(lambda: library.versions(uid))
        listed = [
            {
                "id": entry.version,
                "version": entry.version,
                "uid": uid,
                "created": iso(entry.created_ms),
                "createdBy": entry.created_by,
                "message": entry.message,
            }
            for entry in saved
        ]
        return reply({"versions": listed})

    async def version(request: Request) -> Response:
        user_of(request)
        uid, number = request.path_params["uid"], request.path_params["version"]
        saved = await in_thread(lambda: library.versions(uid))
        entry = next((entry for entry in saved if entry.version == number), None)
        if entry is None:
            raise ApiError(404, "Dashboard version not found")
        return reply({"uid": uid, "version": number, "created": iso(entry.created_ms), "data": entry.original})

    async def restore(request: Request) -> Response:
        user = need(request, "Editor")
        uid, wanted = request.path_params["uid"], (await read_json(request)).get("version")
        saved = await in_thread(lambda: library.versions(uid))
        entry = next((entry for entry in saved if entry.version == wanted), None)
        if entry is None:
            raise ApiError(404, "Dashboard version not found")
        current = next((info for info in library.all() if info.uid == uid), None)
        folder_uid = current.folder.uid if current else None
        message = f"Restored from version {wanted}"
        model = _with_uid(entry.original, uid)
        info = await in_thread(
            lambda: library.save(model, folder_uid=folder_uid, overwrite=True, message=message, by=user.login)
        )
        return reply(
            {"id": info.id, "uid": uid, "version": info.version, "status": "success", "url": dashboard_url(base, info)}
        )

    return [
        Route("/api/dashboards/uid/{uid}/versions", versions),
        Route("/api/dashboards/uid/{uid}/versions/{version:int}", version),
        Route("/api/dashboards/uid/{uid}/restore", restore, methods=["POST"]),
    ]


def _with_uid(model: Mapping[str, Any], uid: str) -> dict[str, Any]:
    return {**model, "uid": uid} if "spec" not in model else dict(model)
