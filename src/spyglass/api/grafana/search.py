"""`/api/search` and the tags."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import reply
from spyglass.api.grafana.shapes import dashboard_url, folder_url, in_thread
from spyglass.protocols.dashboards import DashboardInfo, Folder


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library

    async def search(request: Request) -> Response:
        user = user_of(request)
        starred = await in_thread(lambda: deps.accounts.stars(user.id)) if user.id else frozenset[str]()
        hits = _hits(deps, Search(request), starred)
        return reply(hits)

    async def tags(request: Request) -> Response:
        user_of(request)
        counts: dict[str, int] = {}
        for info in library.all():
            for tag in info.tags:
                counts[tag] = counts.get(tag, 0) + 1
        return reply([{"term": tag, "count": counts[tag]} for tag in sorted(counts)])

    return [Route("/api/search", search), Route("/api/dashboards/tags", tags)]


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
        "url": dashboard_url(base, info),
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
            "folderUrl": folder_url(base, info.folder),
        }
    return hit


def _folder_hit(base: str, folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "uid": folder.uid,
        "title": folder.title,
        "uri": f"db/{folder.slug}",
        "url": folder_url(base, folder),
        "slug": folder.slug,
        "type": "dash-folder",
        "tags": [],
        "isStarred": False,
        "sortMeta": 0,
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else default


def _listed(values: Sequence[str]) -> frozenset[str]:
    """Parameters may be repeated or hold several values with commas."""
    return frozenset(part for value in values for part in value.split(",") if part)
