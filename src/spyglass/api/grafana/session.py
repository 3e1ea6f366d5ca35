"""Login, logout, and what people may know and change about themselves."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from spyglass.api.grafana.auth import COOKIE, Guard, session_token, user_of
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, read_body, read_json, reply
from spyglass.protocols.dashboards import User

COOKIE_LIFE_S = 30 * 86_400


def routes(deps: GrafanaDeps, guard: Guard) -> list[Route]:
    async def login(request: Request) -> Response:
        name, password = await _credentials(request)
        user = await guard.verify(request, name, password)
        address = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "")
        token = await asyncio.to_thread(deps.accounts.open_session, user.id, address=address, agent=agent)
        response = reply({"message": "Logged in", "redirectUrl": "/"})
        _set_cookie(deps, response, token)
        return response

    async def logout(request: Request) -> Response:
        token = session_token(request.headers)
        if token:
            await asyncio.to_thread(deps.accounts.close_session, token)
        if request.method == "POST":
            response: Response = reply({"message": "Logged out"})
        else:
            response = RedirectResponse(f"{deps.settings.sub_path}/login", 302)
        response.delete_cookie(COOKIE, path=deps.settings.sub_path or "/", httponly=True, samesite="lax")
        return response

    async def ping(request: Request) -> Response:
        user_of(request)
        return reply({"message": "Logged in"})

    async def current(request: Request) -> Response:
        return reply(user_json(user_of(request)))

    async def organisation(request: Request) -> Response:
        user_of(request)
        return reply(ORGANISATION)

    async def organisations(request: Request) -> Response:
        user = user_of(request)
        return reply([{"orgId": 1, "name": "Main Org.", "role": user.role}])

    async def password(request: Request) -> Response:
        user = _somebody(request)
        body = await read_json(request)
        old, new = str(body.get("oldPassword") or ""), str(body.get("newPassword") or "")
        if len(new) < 4:
            raise ApiError(400, "New password is too short")
        await guard.verify(request, user.login, old)
        await asyncio.to_thread(deps.accounts.change_password, user.id, old, new)
        response = reply({"message": "User password changed"})
        token = await asyncio.to_thread(deps.accounts.open_session, user.id)
        _set_cookie(deps, response, token)
        return response

    async def preferences(request: Request) -> Response:
        user = user_of(request)
        stored = dict(await asyncio.to_thread(deps.accounts.preferences, user.id))
        if request.method == "GET":
            return reply({"theme": "", "timezone": "", "weekStart": "", "homeDashboardUID": "", **stored})
        changes = await read_json(request)
        user = _somebody(request)
        merged = changes if request.method == "PUT" else {**stored, **changes}
        await asyncio.to_thread(deps.accounts.set_preferences, user.id, merged)
        return reply({"message": "Preferences updated"})

    async def star(request: Request) -> Response:
        user, uid = _somebody(request), request.path_params["uid"]
        if await asyncio.to_thread(deps.library.get, uid) is None:
            raise ApiError(404, "Dashboard not found")
        starred = request.method == "POST"
        await asyncio.to_thread(lambda: deps.accounts.set_star(user.id, uid, starred=starred))
        return reply({"message": "Dashboard starred!" if starred else "Dashboard unstarred"})

    async def stars(request: Request) -> Response:
        user = user_of(request)
        return reply(sorted(await asyncio.to_thread(deps.accounts.stars, user.id)))

    def _set_cookie(deps: GrafanaDeps, response: Response, token: str) -> None:
        response.set_cookie(
            COOKIE,
            token,
            max_age=COOKIE_LIFE_S,
            path=deps.settings.sub_path or "/",
            httponly=True,
            secure=deps.settings.cookie_secure or deps.settings.root_url.startswith("https:"),
            samesite="strict" if deps.settings.cookie_samesite.lower() == "strict" else "lax",
        )

    return [
        Route("/login", login, methods=["POST"]),
        Route("/logout", logout, methods=["GET", "POST"]),
        Route("/api/login/ping", ping),
        Route("/api/user", current),
        Route("/api/user/orgs", organisations),
        Route("/api/user/password", password, methods=["PUT"]),
        Route("/api/user/preferences", preferences, methods=["GET", "PUT", "PATCH"]),
        Route("/api/user/stars", stars),
        Route("/api/user/stars/dashboard/uid/{uid}", star, methods=["POST", "DELETE"]),
        Route("/api/org", organisation),
        Route("/api/org/preferences", preferences, methods=["GET"]),
    ]


ORGANISATION: dict[str, Any] = {
    "id": 1,
    "name": "Main Org.",
    "address": {"address1": "", "address2": "", "city": "", "zipCode": "", "state": "", "country": ""},
}


def user_json(user: User) -> dict[str, Any]:
    """`/api/user`, and the user in the settings."""
    return {
        "id": user.id,
        "uid": f"u{user.id}",
        "email": user.email,
        "name": user.name,
        "login": user.login,
        "theme": "",
        "orgId": 1,
        "orgName": "Main Org.",
        "orgRole": user.role,
        "isGrafanaAdmin": user.is_admin,
        "isDisabled": False,
        "isExternal": False,
        "isAnonymous": user.id == 0,
        "authLabels": [],
        "avatarUrl": "",
    }


def _somebody(request: Request) -> User:
    """The asker, who must have an account: nothing is kept for anonymous visitors."""
    user = user_of(request)
    if user.id == 0:
        raise ApiError(401, "Log in first: nothing is kept for anonymous visitors")
    return user


async def _credentials(request: Request) -> tuple[str, str]:
    """`{"user": ..., "password": ...}` or the same as a form."""
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        form = parse_qs((await read_body(request)).decode("utf-8", "replace"))
        name, password = form.get("user", [""])[0], form.get("password", [""])[0]
    else:
        body = await read_json(request)
        name, password = body.get("user", ""), body.get("password", "")
    if not (isinstance(name, str) and isinstance(password, str)) or not name or not password:
        raise ApiError(400, "bad login data: user and password are needed")
    return name, password
