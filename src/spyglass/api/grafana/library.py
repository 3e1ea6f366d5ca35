"""Search, folders and dashboards."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from spyglass.api.grafana.auth import has_role, need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.protocols.dashboards import GENERAL, DashboardInfo, Folder, User

T = TypeVar("T")
_INPUT = re.compile(r"\$\{([A-Za-z0-9_-]+)\}")
_NO_DASHBOARD = "Dashboard not found"


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library
    base = deps.settings.sub_path

    async def search(request: Request) -> Response:
        user = user_of(request)
        starred = await _off(lambda: deps.accounts.stars(user.id)) if user.id else frozenset[str]()
        hits = _hits(deps, Search(request), starred)
        return reply(hits)

    async def folders(request: Request) -> Response:
        if request.method == "POST":
            need(request, "Editor")
            body = await read_json(request)
            made = await _off(lambda: library.save_folder(_text(body, "title"), uid=_text(body, "uid")))
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
            gone = await _off(lambda: library.delete_folder(uid))
            return reply({"message": "Folder deleted", "title": gone.title, "id": gone.id})
        body = await read_json(request)
        version = None if body.get("overwrite") or body.get("version") is None else int(body["version"])
        changed = await _off(lambda: library.rename_folder(uid, _text(body, "title"), version=version))
        return reply(_folder_json(base, changed, request))

    async def folder_by_id(request: Request) -> Response:
        user_of(request)
        wanted = next((folder for folder in library.folders() if folder.id == request.path_params["id"]), None)
        if wanted is None:
            raise ApiError(404, "folder not found")
        return reply(_folder_json(base, wanted, request))

    async def dashboard(request: Request) -> Response:
        user = user_of(request)
        uid = request.path_params["uid"]
        if request.method == "DELETE":
            need(request, "Editor")
            gone = await _off(lambda: library.delete(uid))
            return reply({"message": f"Dashboard {gone.title} deleted", "title": gone.title, "id": gone.id, "uid": uid})
        found = await _off(lambda: library.get(uid, deps.datasources()))
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
        info = await _off(
            lambda: library.save(
                model,
                folder_uid=folder_uid if isinstance(folder_uid, str) else None,
                folder_id=folder_id if isinstance(folder_id, int) else 0,
                overwrite=bool(body.get("overwrite")),
                message=_text(body, "message"),
                by=user.login or "Anonymous",
            )
        )
        return reply(
            {
                "id": info.id,
                "uid": info.uid,
                "url": _url(base, info),
                "status": "success",
                "version": info.version,
                "slug": info.slug,
                "folderUid": info.folder.uid,
            }
        )

    async def home(request: Request) -> Response:
        user = user_of(request)
        preferred = (await _off(lambda: deps.accounts.preferences(user.id))) if user.id else {}
        uid = preferred.get("homeDashboardUID")
        if isinstance(uid, str) and uid and await _off(lambda: library.get(uid)) is not None:
            return reply({"redirectUri": _url(base, next(i for i in library.all() if i.uid == uid))})
        return reply({"meta": {"isHome": True, "canSave": False, "canEdit": False}, "dashboard": _home()})

    async def tags(request: Request) -> Response:
        user_of(request)
        counts: dict[str, int] = {}
        for info in library.all():
            for tag in info.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return reply([{"term": tag, "count": counts[tag]} for tag in sorted(counts)])

    async def migrated(request: Request) -> Response:
        """Ours: any dashboard JSON in today's schema, for the import page and checks. Stores nothing."""
        user_of(request)
        body = await read_json(request)
        inner = body.get("dashboard")
        return reply(
            {
                "dashboard": await _off(
                    lambda: library.migrate(inner if isinstance(inner, dict) else body, deps.datasources())
                )
            }
        )

    async def imported(request: Request) -> Response:
        """POST /api/dashboards/import: a shared dashboard with the choices for its inputs."""
        user = need(request, "Editor")
        body = await read_json(request)
        model = body.get("dashboard")
        if not isinstance(model, dict):
            raise ApiError(400, "bad request data: dashboard is missing")
        folder_uid = body.get("folderUid")
        filled = _with_inputs(model, body.get("inputs"))
        info = await _off(
            lambda: library.save(
                filled,
                folder_uid=folder_uid if isinstance(folder_uid, str) else None,
                overwrite=bool(body.get("overwrite")),
                message="imported",
                by=user.login,
            )
        )
        answer = {
            "uid": info.uid,
            "title": info.title,
            "imported": True,
            "importedUrl": _url(base, info),
            "slug": info.slug,
        }
        return reply(
            {**answer, "dashboardId": info.id, "folderUid": info.folder.uid, "pluginId": "", "revision": info.version}
        )

    async def by_slug(request: Request) -> Response:
        """Old addresses `/dashboard/db/<slug>`."""
        slug = request.path_params["slug"]
        info = next((info for info in library.all() if info.slug == slug), None)
        return RedirectResponse(_url(base, info) if info else f"{base}/dashboards", 302)

    async def versions(request: Request) -> Response:
        user_of(request)
        uid = request.path_params["uid"]
        saved = await _off(lambda: library.versions(uid))
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
        saved = await _off(lambda: library.versions(uid))
        entry = next((entry for entry in saved if entry.version == number), None)
        if entry is None:
            raise ApiError(404, "Dashboard version not found")
        return reply({"uid": uid, "version": number, "created": iso(entry.created_ms), "data": entry.original})

    async def restore(request: Request) -> Response:
        user = need(request, "Editor")
        uid, wanted = request.path_params["uid"], (await read_json(request)).get("version")
        saved = await _off(lambda: library.versions(uid))
        entry = next((entry for entry in saved if entry.version == wanted), None)
        if entry is None:
            raise ApiError(404, "Dashboard version not found")
        current = next((info for info in library.all() if info.uid == uid), None)
        folder_uid = current.folder.uid if current else None
        message = f"Restored from version {wanted}"
        model = _with_uid(entry.original, uid)
        info = await _off(
            lambda: library.save(model, folder_uid=folder_uid, overwrite=True, message=message, by=user.login)
        )
        return reply({"id": info.id, "uid": uid, "version": info.version, "status": "success", "url": _url(base, info)})

    return [
        Route("/api/search", search),
        Route("/api/folders", folders, methods=["GET", "POST"]),
        Route("/api/folders/id/{id:int}", folder_by_id),
        Route("/api/folders/{uid}", folder, methods=["GET", "PUT", "DELETE"]),
        Route("/api/dashboards/home", home),
        Route("/api/dashboards/tags", tags),
        Route("/api/dashboards/db", save, methods=["POST"]),
        Route("/api/dashboards/migrate", migrated, methods=["POST"]),
        Route("/api/dashboards/import", imported, methods=["POST"]),
        Route("/api/dashboards/uid/{uid}", dashboard, methods=["GET", "DELETE"]),
        Route("/api/dashboards/uid/{uid}/versions", versions),
        Route("/api/dashboards/uid/{uid}/versions/{version:int}", version),
        Route("/api/dashboards/uid/{uid}/restore", restore, methods=["POST"]),
        Route("/dashboard/db/{slug}", by_slug),
    ]


class Search:
    """The parameters of /api/search."""

    def __init__(self, request: Request) -> None:
        query = request.query_params
        self.words = query.get("query", "").lower().split()
        self.tags = [tag for tag in query.getlist("tag") if tag]
        self.type = query.get("type", "")
        self.uids = _listed(query.getlist("dashboardUIDs") + query.getlist("dashboardUID"))
        self.ids = _listed(query.getlist("dashboardIds"))
        self.folder_uids = _listed(query.getlist("folderUIDs") + query.getlist("folderUid"))
        self.folder_ids = _listed(query.getlist("folderIds"))
        self.starred = query.get("starred", "").lower() in ("true", "1")
        self.descending = query.get("sort", "") in ("alpha-desc", "name_sort_desc")
        self.limit = min(_number(query.get("limit"), 1000), 5000)
        self.page = max(_number(query.get("page"), 1), 1)

    def wants(self, info: DashboardInfo, starred: frozenset[str]) -> bool:
        """Whether a dashboard is asked for."""
        folder_uid = info.folder.uid or "general"
        return (
            all(word in info.title.lower() for word in self.words)
            and all(tag in info.tags for tag in self.tags)
            and (not self.uids or info.uid in self.uids)
            and (not self.ids or str(info.id) in self.ids)
            and (not self.folder_uids or folder_uid in self.folder_uids)
            and (not self.folder_ids or str(info.folder.id) in self.folder_ids)
            and (not self.starred or info.uid in starred)
        )

    def wants_folder(self, folder: Folder) -> bool:
        narrowed = self.tags or self.uids or self.ids or self.folder_uids or self.folder_ids or self.starred
        return not narrowed and all(word in folder.title.lower() for word in self.words)


def _hits(deps: GrafanaDeps, wanted: Search, starred: frozenset[str]) -> list[dict[str, Any]]:
    base, hits = deps.settings.sub_path, []
    if wanted.type in ("", "dash-folder"):
        hits += [_folder_hit(base, folder) for folder in deps.library.folders() if wanted.wants_folder(folder)]
    if wanted.type in ("", "dash-db"):
        found = sorted(deps.library.all(), key=lambda info: (info.title.lower(), info.uid))
        hits += [_hit(base, info, info.uid in starred) for info in found if wanted.wants(info, starred)]
    if wanted.descending:
        hits.reverse()
    start = (wanted.page - 1) * wanted.limit
    return hits[start : start + wanted.limit]


def _hit(base: str, info: DashboardInfo, starred: bool) -> dict[str, Any]:
    hit: dict[str, Any] = {
        "id": info.id,
        "uid": info.uid,
        "title": info.title,
        "uri": f"db/{info.slug}",
        "url": _url(base, info),
        "slug": info.slug,
        "type": "dash-db",
        "tags": list(info.tags),
        "isStarred": starred,
        "sortMeta": 0,
    }
    if info.folder.uid:
        hit |= {
            "folderId": info.folder.id,
            "folderUid": info.folder.uid,
            "folderTitle": info.folder.title,
            "folderUrl": _folder_url(base, info.folder),
        }
    return hit


def _folder_hit(base: str, folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "uid": folder.uid,
        "title": folder.title,
        "uri": f"db/{folder.slug}",
        "url": _folder_url(base, folder),
        "slug": folder.slug,
        "type": "dash-folder",
        "tags": [],
        "isStarred": False,
        "sortMeta": 0,
    }


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
        "url": _url(base, info),
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
        "folderUrl": _folder_url(base, info.folder) if info.folder.uid else "",
        "provisioned": info.provisioned,
        "provisionedExternalId": info.file,
        "problem": info.problem,
    }


def _folder_json(base: str, folder: Folder, request: Request) -> dict[str, Any]:
    user = user_of(request)
    own = has_role(user, "Editor") and not folder.provisioned and bool(folder.uid)
    return {
        "id": folder.id,
        "uid": folder.uid or "general",
        "title": folder.title,
        "url": _folder_url(base, folder),
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


def _url(base: str, info: DashboardInfo) -> str:
    return f"{base}/d/{quote(info.uid, safe='')}/{info.slug}"


def _folder_url(base: str, folder: Folder) -> str:
    return f"{base}/dashboards/f/{quote(folder.uid, safe='')}/{folder.slug}" if folder.uid else f"{base}/dashboards"


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


def iso(time_ms: int) -> str:
    """RFC 3339 in UTC; Go's zero time for 0."""
    if time_ms <= 0:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_uid(model: Mapping[str, Any], uid: str) -> dict[str, Any]:
    return {**model, "uid": uid} if "spec" not in model else dict(model)


def _with_inputs(model: Mapping[str, Any], inputs: object) -> dict[str, Any]:
    """The dashboard with `${NAME}` replaced by what the importer chose; what was not chosen stays for the migration."""
    chosen = {
        str(one["name"]): str(one["value"])
        for one in (inputs if isinstance(inputs, list) else [])
        if isinstance(one, dict) and one.get("name") and one.get("value") is not None
    }

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        if isinstance(value, str) and "${" in value:
            return _INPUT.sub(lambda match: chosen.get(match.group(1), match.group(0)), value)
        return value

    left = [one for one in model.get("__inputs") or [] if isinstance(one, dict) and str(one.get("name")) not in chosen]
    rest = {key: filled(value) for key, value in model.items() if key != "__inputs"}
    return {**rest, "__inputs": left} if left else rest


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


def _listed(values: Sequence[str]) -> frozenset[str]:
    """Parameters may be repeated or hold several values with commas."""
    return frozenset(part for value in values for part in value.split(",") if part)


async def _off(call: Callable[[], T]) -> T:
    """Run a library call in a thread: it may touch the disk or migrate a large dashboard."""
    return await asyncio.to_thread(call)
