"""Dashboards from elsewhere: brought to today's schema, or imported with choices for their inputs."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_json, reply
from spyglass.api.grafana.shapes import dashboard_url, in_thread
from spyglass.protocols.library_elements import PANEL, VARIABLE, ElementRefused

log = logging.getLogger(__name__)

_INPUT = re.compile(r"\$\{([A-Za-z0-9_-]+)\}")


def routes(deps: GrafanaDeps) -> list[Route]:
    library = deps.library
    base = deps.settings.sub_path

    async def migrated(request: Request) -> Response:
        """Ours: any dashboard JSON in today's schema, for the import page and checks. Stores nothing."""
        user_of(request)
        body = await read_json(request)
        inner = body.get("dashboard")
        return reply(
            {
                "dashboard": await in_thread(
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
        await in_thread(lambda: _keep_elements(deps, filled, folder_uid, user.login))
        info = await in_thread(
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
            "importedUrl": dashboard_url(base, info),
            "slug": info.slug,
        }
        return reply(
            {**answer, "dashboardId": info.id, "folderUid": info.folder.uid, "pluginId": "", "revision": info.version}
        )

    return [
        Route("/api/dashboards/migrate", migrated, methods=["POST"]),
        Route("/api/dashboards/import", imported, methods=["POST"]),
    ]


def _keep_elements(deps: GrafanaDeps, model: dict[str, Any], folder_uid: object, by: str) -> None:
    """Move the library panels that came along into the library, as Grafana does; those that are there already win.

    One that the library refuses (its name is taken) stays in the dashboard.
    """
    elements = model.get("__elements")
    if not isinstance(elements, dict):
        return
    left = {}
    for uid, element in elements.items():
        inner = element.get("model") if isinstance(element, dict) else None
        if not isinstance(inner, dict) or deps.elements.get(str(uid)) is not None:
            continue
        try:
            deps.elements.create(
                str(element.get("name") or uid),
                inner,
                kind=element["kind"] if element.get("kind") in (PANEL, VARIABLE) else PANEL,
                folder_uid=folder_uid if isinstance(folder_uid, str) and folder_uid != "general" else "",
                uid=str(uid),
                by=by,
            )
        except ElementRefused as err:
            log.info("library element %s stays in its dashboard: %s", uid, err.message)
            left[uid] = element
    model.pop("__elements")
    if left:
        model["__elements"] = left


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
