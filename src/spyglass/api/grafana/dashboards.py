"""Dashboards: read, save, remove, the home page."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from spyglass.api.grafana.auth import has_role, need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.api.grafana.shapes import dashboard_url, folder_url, in_thread, iso, text_of
from spyglass.protocols.dashboards import DashboardInfo, User

_NO_DASHBOARD = "Dashboard not found"


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library
    base = deps.settings.sub_path

    async def dashboard(request: Request) -> Response:
        user = user_of(request)
        uid = request.path_params["uid"]
        if request.method == "DELETE":
            need(request, "Editor")
            gone = await in_thread(lambda: library.delete(uid))
            return reply({"message": f"Dashboard {gone.title} deleted", "title": gone.title, "id": gone.id, "uid": uid})
        found = await in_thread(lambda: library.get(uid, deps.datasources()))
        if found is None:
            raise ApiError(404, _NO_DASHBOARD)
        original = request.query_params.get("original") in ("1", "true")
        body = found.original if original else found.model
        return reply({"meta": _meta(base, found.info, user), "dashboard": body})

    async def save(request: Request) -> Response:
        user = need(request, "Editor")
        body = await read_json(request)
        model = body.get("dashboard")
        if not isinstance(model, dict):
            raise ApiError(400, "bad request data: dashboard is missing")
        folder_uid = body.get("folderUid")
        folder_id = body.get("folderId")
        info = await in_thread(
            lambda: library.save(
                model,
                folder_uid=folder_uid if isinstance(folder_uid, str) else None,
                folder_id=folder_id if isinstance(folder_id, int) else 0,
                overwrite=bool(body.get("overwrite")),
                message=text_of(body, "message"),
                by=user.login or "Anonymous",
            )
        )
        return reply(
            {
                "id": info.id,
                "uid": info.uid,
                "url": dashboard_url(base, info),
                "status": "success",
                "version": info.version,
                "slug": info.slug,
                "folderUid": info.folder.uid,
            }
        )

    async def home(request: Request) -> Response:
        user = user_of(request)
        preferred = (await in_thread(lambda: deps.accounts.preferences(user.id))) if user.id else {}
        uid = preferred.get("homeDashboardUID")
        if isinstance(uid, str) and uid and await in_thread(lambda: library.get(uid)) is not None:
            return reply({"redirectUri": dashboard_url(base, next(i for i in library.all() if i.uid == uid))})
        return reply({"meta": {"isHome": True, "canSave": False, "canEdit": False}, "dashboard": _home()})

    async def by_slug(request: Request) -> Response:
        """Old addresses `/dashboard/db/<slug>`."""
        slug = request.path_params["slug"]
        info = next((info for info in library.all() if info.slug == slug), None)
        return RedirectResponse(dashboard_url(base, info) if info else f"{base}/dashboards", 302)

    return [
        Route("/api/dashboards/home", home),
        Route("/api/dashboards/db", save, methods=["POST"]),
        Route("/api/dashboards/uid/{uid}", dashboard, methods=["GET", "DELETE"]),
        Route("/dashboard/db/{slug}", by_slug),
    ]


def _meta(base: str, info: DashboardInfo, user: User) -> dict[str, Any]:
    editor = has_role(user, "Editor")
    return {
        "type": "db",
        "canSave": editor and info.may_save,
        "canEdit": editor,
        "canAdmin": has_role(user, "Admin"),
        "canStar": user.id != 0,
        "canDelete": editor and not info.provisioned,
        "slug": info.slug,
        "url": dashboard_url(base, info),
        "expires": "0001-01-01T00:00:00Z",
        "created": iso(info.created_ms),
        "updated": iso(info.updated_ms),
        "createdBy": info.created_by or "Anonymous",
        "updatedBy": info.updated_by or "Anonymous",
        "version": info.version,
        "hasAcl": False,
        "isFolder": False,
        "folderId": info.folder.id,
        "folderUid": info.folder.uid,
        "folderTitle": info.folder.title,
        "folderUrl": folder_url(base, info.folder) if info.folder.uid else "",
        "provisioned": info.provisioned,
        "provisionedExternalId": info.file,
        "problem": info.problem,
    }


def _home() -> dict[str, Any]:
    """The home page as a dashboard: a list of all dashboards."""
    panel = {
        "id": 1,
        "type": "dashlist",
        "title": "Dashboards",
        "gridPos": {"x": 0, "y": 0, "w": 24, "h": 20},
        "options": {
            "showSearch": True,
            "showStarred": True,
            "showHeadings": True,
            "maxItems": 100,
            "query": "",
            "tags": [],
        },
    }
    return {"title": "Home", "panels": [panel], "schemaVersion": 39, "time": {"from": "now-6h", "to": "now"}}
