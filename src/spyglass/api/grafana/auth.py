"""Who asks: the session cookie, basic authentication, or nobody (anonymous, where that is switched on).

A pure ASGI middleware, so that answers stream. It lets only the login, health, metrics and UI paths through without a user,
refuses writes that a browser sends from another site, and puts the user into `scope["state"]["user"]`.
"""

import asyncio
import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.replies import ApiError, error_of
from spyglass.api.grafana.throttle import Throttle
from spyglass.model.errors import SpyglassError
from spyglass.protocols.dashboards import Role, User

COOKIE = "grafana_session"
PUBLIC = frozenset({"/api/health", "/api/frontend/settings", "/login", "/logout"})
_RANK: dict[str, int] = {"Viewer": 0, "Editor": 1, "Admin": 2}


class Authentication:
    """The middleware; `guard` is shared with the login endpoint."""

    def __init__(self, app: ASGIApp, *, deps: GrafanaDeps, guard: "Guard") -> None:
        self._app, self._deps, self._guard = app, deps, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            user = await self._who(request)
            self._check(request, user)
        except (ApiError, SpyglassError) as err:
            if scope["type"] == "websocket":
                # Closed before it was accepted: the server answers 403.
                await send({"type": "websocket.close", "code": 1008, "reason": str(err)})
                return
            answer = err if isinstance(err, ApiError) else error_of(err)
            await answer.response()(scope, receive, send)
            return
        scope.setdefault("state", {})["user"] = user
        await self._app(scope, receive, send)

    async def _who(self, request: HTTPConnection) -> User | None:
        token = session_token(request.headers)
        if token:
            user = await asyncio.to_thread(self._deps.accounts.session_user, token)
            if user is not None:
                return user
        pair = basic_credentials(request.headers)
        if pair is not None and self._deps.settings.basic_auth and path_of(request).startswith("/api/"):
            return await self._guard.verify(request, *pair)
        if self._deps.settings.anonymous:
            return User(0, "", "Anonymous", role=_role(self._deps.settings.anonymous_role))
        return None

    def _check(self, request: HTTPConnection, user: User | None) -> None:
        path = path_of(request)
        # A websocket is opened by GET from any page, and the browser sends our cookie along.
        writes = request.scope.get("method", "WEBSOCKET") not in ("GET", "HEAD", "OPTIONS")
        if writes and session_token(request.headers):
            check_origin(request.headers)
        if user is None and path.startswith(("/api/", "/apis/")) and path not in PUBLIC:
            raise ApiError(401, "Unauthorized")


class Guard:
    """Checks passwords, slowly on purpose, and slower for those who guess."""

    def __init__(self, deps: GrafanaDeps) -> None:
        self._deps, self._throttle = deps, Throttle()
        # argon2 takes 19 MiB a check: two at once are enough for people.
        self._slots = asyncio.Semaphore(2)

    async def verify(self, request: HTTPConnection, login: str, password: str) -> User:
        """The user. Raises: ApiError 401 (the same for an unknown login and a wrong password), 429."""
        address = request.client.host if request.client else ""
        wait = self._throttle.wait_s(address, login, self._now_s())
        if wait > 0:
            seconds = int(wait) + 1
            raise ApiError(429, f"Too many failed logins; try again in {seconds} s", retryAfterSeconds=seconds)
        async with self._slots:
            user = await asyncio.to_thread(self._deps.accounts.verify, login[:200], password[:1024])
        if user is None:
            self._throttle.failed(address, login[:200], self._now_s())
            raise ApiError(401, "Invalid username or password", messageId="password-auth.failed")
        self._throttle.succeeded(address, login)
        return user

    def _now_s(self) -> float:
        return self._deps.clock.monotonic_ns() / 1e9


def user_of(request: HTTPConnection) -> User:
    """The asker. Raises: ApiError 401."""
    user = request.scope.get("state", {}).get("user")
    if not isinstance(user, User):
        raise ApiError(401, "Unauthorized")
    return user


def need(request: HTTPConnection, role: Role) -> User:
    """The asker, who must have at least this role. Raises: ApiError 401, 403."""
    user = user_of(request)
    if not has_role(user, role):
        raise ApiError(403, f"You need the role {role} for this; you are {user.role}")
    return user


def has_role(user: User, role: Role) -> bool:
    return user.is_admin or _RANK[user.role] >= _RANK[role]


def _role(name: str) -> Role:
    return "Admin" if name == "Admin" else "Editor" if name == "Editor" else "Viewer"


def session_token(headers: Headers) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel is not None else ""


def basic_credentials(headers: Headers) -> tuple[str, str] | None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        login, separator, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (login, password) if separator else None


def check_origin(headers: Headers) -> None:
    """A write with our cookie must come from our own pages: SameSite, once more, for browsers that lack it."""
    origin = headers.get("origin")
    if origin is None:
        return
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    if urlsplit(origin).netloc.lower() != host.lower():
        raise ApiError(403, "origin not allowed")


def path_of(request: HTTPConnection) -> str:
    """The path that routing sees. request.url is made with the Host header's help, which the asker chooses."""
    path: str = request.scope["path"]
    return path
