"""Health, and what a client must know before it can draw: data sources, versions, whether this is the demo."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spyglass.api.grafana.datasources import datasource_settings, default_name
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import reply
from spyglass.api.grafana.session import user_json
from spyglass.protocols.dashboards import User


def routes(deps: GrafanaDeps) -> list[Route]:
    async def health(_: Request) -> Response:
        return reply({"database": "ok", "version": deps.version, "commit": ""})

    async def settings(request: Request) -> Response:
        user = request.scope.get("state", {}).get("user")
        return reply(settings_json(deps, user if isinstance(user, User) else None))

    return [Route("/api/health", health), Route("/api/frontend/settings", settings)]


def settings_json(deps: GrafanaDeps, user: User | None) -> dict[str, Any]:
    """For everybody what the login page needs; for those who are logged in the rest."""
    known: dict[str, Any] = {
        "appTitle": "Spyglass",
        "demo": deps.demo,
        "disableLoginForm": deps.settings.disable_login_form,
        "anonymousEnabled": deps.settings.anonymous,
        "defaultTheme": deps.settings.default_theme,
        "appSubUrl": deps.settings.sub_path,
        "buildInfo": {"version": deps.version, "edition": "Open Source", "env": "production"},
    }
    if user is None:
        return known
    sources = deps.datasources()
    return {
        **known,
        "appUrl": deps.settings.root_url,
        "minRefreshInterval": deps.settings.min_refresh_interval,
        "defaultDatasource": default_name(sources),
        "datasources": {source.name: datasource_settings(source) for source in sources},
        "user": user_json(user),
        "unusedGrafanaSettings": list(deps.settings.ignored),
        "provisioningProblems": [{"path": path, "reason": reason} for path, reason in deps.library.problems()],
    }
