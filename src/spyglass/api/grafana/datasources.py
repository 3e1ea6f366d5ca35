"""The data sources as Grafana's API shows them. They come from files; secrets never leave."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.auth import need, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.engines import Engines
from spyglass.api.grafana.replies import ApiError, reply
from spyglass.config.grafana import Datasource
from spyglass.model.errors import SpyglassError

_NOT_FOUND = "Data source not found"
_FROM_FILES = "Data sources come from provisioning files here; change the file and reload"


def routes(deps: GrafanaDeps, engines: Engines) -> list[Route]:
    async def everything(request: Request) -> Response:
        user_of(request)
        if request.method == "POST":
            need(request, "Admin")
            raise ApiError(403, _FROM_FILES)
        return reply([datasource_json(source) for source in deps.datasources()])

    async def one(request: Request) -> Response:
        user_of(request)
        source = found(deps, **request.path_params)
        if request.method in ("PUT", "DELETE"):
            need(request, "Admin")
            raise ApiError(403, _FROM_FILES)
        return reply(datasource_json(source))

    async def id_by_name(request: Request) -> Response:
        user_of(request)
        return reply({"id": found(deps, **request.path_params).id})

    async def health(request: Request) -> Response:
        user_of(request)
        source = found(deps, **request.path_params)
        try:
            message = await engines.check(source)
        except (TimeoutError, SpyglassError, OSError) as err:
            return reply({"status": "ERROR", "message": str(err) or "timed out"}, status=400)
        return reply({"status": "OK", "message": message})

    methods = ["GET", "PUT", "DELETE"]
    return [
        Route("/api/datasources", everything, methods=["GET", "POST"]),
        Route("/api/datasources/name/{name}", one, methods=methods),
        Route("/api/datasources/id/{name}", id_by_name),
        Route("/api/datasources/uid/{uid}/health", health),
        Route("/api/datasources/uid/{uid}", one, methods=methods),
        Route("/api/datasources/{id:int}/health", health),
        Route("/api/datasources/{id:int}", one, methods=methods),
    ]


def found(deps: GrafanaDeps, *, uid: str = "", name: str = "", id: int = 0, **_: object) -> Datasource:
    """The data source of a path. Raises: ApiError 404."""
    for source in deps.datasources():
        if (uid and source.uid == uid) or (name and source.name == name) or (id and source.id == id):
            return source
    raise ApiError(404, _NOT_FOUND)


def resolve(sources: Sequence[Datasource], reference: object) -> Datasource | None:
    """The data source that a panel means: `{uid, type}`, a uid or name, or nothing at all (the default)."""
    uid = reference.get("uid") if isinstance(reference, dict) else reference
    kind = reference.get("type") if isinstance(reference, dict) else None
    if uid in (None, "", "default", "-- Default --"):
        of_kind = [source for source in sources if kind in (None, "", source.type)]
        return next((source for source in of_kind if source.is_default), of_kind[0] if of_kind else None)
    return next((source for source in sources if uid in (source.uid, source.name)), None)


def default_name(sources: Sequence[Datasource]) -> str:
    default = resolve(sources, None)
    return default.name if default else ""


def datasource_json(source: Datasource) -> dict[str, Any]:
    return {
        "id": source.id,
        "uid": source.uid,
        "orgId": 1,
        "name": source.name,
        "type": source.type,
        "typeName": source.type.capitalize(),
        "typeLogoUrl": "",
        "access": source.access,
        "url": source.url,
        "user": source.user,
        "database": source.database,
        "basicAuth": source.basic_auth,
        "basicAuthUser": source.basic_auth_user,
        "withCredentials": source.with_credentials,
        "isDefault": source.is_default,
        "jsonData": dict(source.json_data),
        "secureJsonFields": dict.fromkeys(source.secure, True),
        "version": source.version,
        "readOnly": not source.editable,
    }


def datasource_settings(source: Datasource) -> dict[str, Any]:
    """What a client needs to query it, as in the frontend settings."""
    return {
        "id": source.id,
        "uid": source.uid,
        "name": source.name,
        "type": source.type,
        "access": source.access,
        "url": f"/api/datasources/proxy/uid/{source.uid}",
        "isDefault": source.is_default,
        "jsonData": dict(source.json_data),
        "readOnly": not source.editable,
    }
