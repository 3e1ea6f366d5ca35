"""The application on the UI's port: Grafana's HTTP API and the web UI's files. `create_grafana_app` is the only door."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from spyglass.api.grafana import (
    annotations,
    dashboards,
    datasources,
    ds_query,
    folders,
    imports,
    library_elements,
    proxy,
    search,
    session,
    settings,
    versions,
)
from spyglass.api.grafana.auth import Authentication, Guard
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.engines import Engines
from spyglass.api.grafana.outside import Outside
from spyglass.api.grafana.replies import ApiError, error_of, reply
from spyglass.api.grafana.static import StaticFiles
from spyglass.model.errors import SpyglassError


def create_grafana_app(deps: GrafanaDeps) -> Starlette:
    """The ASGI application; everything in `deps` belongs to the caller.

    `await app.state.close()` closes the HTTP client to other data sources; the lifespan does it too, where a server runs that.
    """
    guard, outside = Guard(deps), Outside()
    engines = Engines(deps, outside)

    async def metrics(_: Request) -> Response:
        if deps.metrics is None:
            raise ApiError(404, "Not found")
        text = await asyncio.to_thread(deps.metrics)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def unknown(_: Request) -> Response:
        raise ApiError(404, "Not found")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await outside.close()

    api = [
        *session.routes(deps, guard),
        *settings.routes(deps),
        *search.routes(deps),
        *folders.routes(deps),
        *dashboards.routes(deps),
        *versions.routes(deps),
        *imports.routes(deps),
        *library_elements.routes(deps),
        *proxy.routes(deps, engines),
        *datasources.routes(deps, engines),
        *ds_query.routes(deps, engines),
        *annotations.routes(deps),
        Route("/metrics", metrics),
        Route("/api/{path:path}", unknown, methods=proxy.METHODS),
        Route("/apis/{path:path}", unknown, methods=proxy.METHODS),
    ]
    ui = StaticFiles(deps.ui_dir, allow_embedding=deps.settings.allow_embedding)
    app = Starlette(
        routes=[*api, Mount("/", app=ui)],
        middleware=[
            Middleware(SubPath, prefix=deps.settings.sub_path),
            Middleware(Authentication, deps=deps, guard=guard),
        ],
        exception_handlers={ApiError: _api_error, SpyglassError: _spyglass_error, 500: _internal},
        lifespan=lifespan,
    )
    app.state.close = outside.close
    return app


class SubPath:
    """serve_from_sub_path: the prefix is taken off the path, so that everything below knows only its own."""

    def __init__(self, app: ASGIApp, *, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self._prefix and (path == self._prefix or path.startswith(self._prefix + "/")):
            scope = {**scope, "path": path[len(self._prefix) :] or "/"}
        await self._app(scope, receive, send)


async def _api_error(_: Request, err: Exception) -> Response:
    assert isinstance(err, ApiError), "registered for it"
    return err.response()


async def _spyglass_error(_: Request, err: Exception) -> Response:
    assert isinstance(err, SpyglassError), "registered for it"
    return error_of(err).response()


async def _internal(_: Request, err: Exception) -> Response:
    del err
    return reply({"message": "Internal server error; the log says more"}, status=500)
