"""The data source proxy: a client's request handed on to the data source, answers streamed back.

Our own doors are called in this process; others over HTTP. What identifies the client here (cookies, authorization) never
leaves; what the data source sets (cookies, connection headers) never reaches the client. Only the data source's URL decides
where a request goes: the path cannot leave it.
"""

from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote, unquote

import aiohttp
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from yarl import URL

from spyglass.api.grafana.auth import has_role, user_of
from spyglass.api.grafana.datasources import found
from spyglass.api.grafana.deps import GrafanaDeps
from spyglass.api.grafana.engines import Engines
from spyglass.api.grafana.outside import Outside, source_headers
from spyglass.api.grafana.replies import ApiError
from spyglass.config.grafana import Datasource

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

_TO_SOURCE = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-type",
        "content-encoding",
        "if-none-match",
        "if-modified-since",
        "user-agent",
    }
    | {"x-loki-response-encoding-flags", "x-query-tags", "x-dashboard-uid", "x-panel-id", "x-grafana-org-id"}
)
"""Request headers handed on; everything else stays here."""
_NOT_TO_CLIENT = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
    | {
        "set-cookie",
        "www-authenticate",
        "server",
        "date",
        "access-control-allow-origin",
        "access-control-allow-credentials",
    }
)
_PATH_SAFE = "/:@!$&'()*+,;=~"
_READ_PATHS = ("api/v1/", "loki/api/v1/", "api/prom/", "federate", "ready", "-/healthy", "-/ready")


def routes(deps: GrafanaDeps, engines: Engines) -> list[BaseRoute]:
    async def proxy(request: Request) -> Response:
        source = found(deps, **{key: value for key, value in request.path_params.items() if key != "path"})
        path = request.path_params.get("path", "")
        if "/resources/" in request.scope["path"] and source.type == "loki" and not path.startswith("loki/"):
            # Grafana's Loki resources (`labels`, `label/job/values`) are named from the API's root on.
            path = f"loki/api/v1/{path}"
        check(request, path)
        app = engines.local_app(source)
        return (
            InProcess(app, source, path) if app is not None else await outside(engines.outside, request, source, path)
        )

    patterns = [
        "/api/datasources/proxy/uid/{uid}/{path:path}",
        "/api/datasources/proxy/uid/{uid}",
        "/api/datasources/proxy/{id:int}/{path:path}",
        "/api/datasources/proxy/{id:int}",
        "/api/datasources/uid/{uid}/resources/{path:path}",
    ]
    tail = Tail(deps, engines)
    return [
        *(Route(pattern, proxy, methods=METHODS) for pattern in patterns),
        WebSocketRoute("/api/datasources/proxy/uid/{uid}/{path:path}", tail),
        WebSocketRoute("/api/datasources/proxy/{id:int}/{path:path}", tail),
    ]


class Tail:
    """Live tailing: a websocket handed to our own Loki door. Other servers' tails are not proxied."""

    def __init__(self, deps: GrafanaDeps, engines: Engines) -> None:
        self._deps, self._engines = deps, engines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        params = dict(scope["path_params"])
        path = params.pop("path")
        try:
            source = found(self._deps, **params)
        except ApiError as err:
            await send({"type": "websocket.close", "code": 1008, "reason": err.message})
            return
        app = self._engines.local_app(source)
        if app is None or not path.startswith(_READ_PATHS):
            await send({"type": "websocket.close", "code": 1008, "reason": "only our own data sources can be tailed"})
            return
        inner = _inner_scope(scope, source, path)
        await app({**inner, "scheme": "ws", "subprotocols": scope.get("subprotocols", [])}, receive, send)


def check(request: Request, path: str) -> None:
    """Whether the asker may send this. Raises: ApiError 400, 401, 403.

    Everybody who is logged in may read; what changes the data source (deletes, pushes, administration) is for administrators.
    """
    user = user_of(request)
    if any(part in (".", "..") for part in unquote(path).replace("\\", "/").split("/")):
        raise ApiError(400, "the path must not hold . or .. parts")
    reads = request.method in ("GET", "HEAD") or (request.method == "POST" and _is_query(path))
    if not (reads and path.startswith(_READ_PATHS)) and not has_role(user, "Admin"):
        raise ApiError(403, "Only administrators may send this to a data source")


def _is_query(path: str) -> bool:
    """Reads that clients send as POST because of their length."""
    tail = path.rstrip("/").rpartition("/")[2]
    known = {"query", "query_range", "query_exemplars", "series", "labels", "format_query", "parse_query", "metadata"}
    return tail in known | {
        "stats",
        "volume",
        "volume_range",
        "patterns",
        "detected_fields",
        "detected_labels",
        "values",
    }


class InProcess(Response):
    """Hands a request to one of our own ASGI applications, without a socket."""

    def __init__(self, app: ASGIApp, source: Datasource, path: str) -> None:
        self._app, self._source, self._path = app, source, path
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {**_inner_scope(scope, self._source, self._path), "method": scope["method"], "scheme": "http"}

        async def cleaned(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _kept(message.get("headers", ()))}
            await send(message)

        await self._app(inner, receive, cleaned)


def _inner_scope(scope: Scope, source: Datasource, path: str) -> Scope:
    """The request as our own door sees it: only what may be handed on."""
    headers = [(name, value) for name, value in scope["headers"] if name.decode("latin-1").lower() in _TO_SOURCE]
    own = source_headers(source)
    headers += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in own.items()]
    headers += [(name, value) for name, value in scope["headers"] if name == b"content-length"]
    headers.append((b"host", b"localhost"))
    return {
        **{key: scope.get(key) for key in ("type", "asgi", "http_version", "query_string", "client", "server")},
        "path": "/" + path,
        "raw_path": ("/" + path).encode(),
        "root_path": "",
        "headers": headers,
        "state": {},
    }


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.decode("latin-1").lower() not in _NOT_TO_CLIENT]


async def outside(client: Outside, request: Request, source: Datasource, path: str) -> Response:
    """Over HTTP. Raises: ApiError 502, 504."""
    if not source.url.startswith(("http://", "https://")):
        raise ApiError(502, f"data source {source.name!r} has no URL that can be called")
    query = request.scope["query_string"].decode("latin-1")
    url = f"{source.url}/{quote(path, safe=_PATH_SAFE)}" + (f"?{query}" if query else "")
    headers = {name: value for name, value in request.headers.items() if name.lower() in _TO_SOURCE}
    length = request.headers.get("content-length")
    has_body = length not in (None, "0") or "transfer-encoding" in request.headers
    try:
        response = await client.session.request(
            request.method,
            # Encoded as it came: the data source sees the very query that the client wrote.
            URL(url, encoded=True),
            headers={**headers, **source_headers(source)},
            data=request.stream() if has_body else None,
            allow_redirects=False,
        )
    except TimeoutError:
        raise ApiError(504, f"{source.name} did not answer in time") from None
    except (aiohttp.ClientError, ValueError) as err:
        raise ApiError(502, f"{source.name} at {source.url} cannot be reached: {err}") from None
    answer = StreamingResponse(_body(response), response.status)
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    answer.raw_headers = _kept(pairs)
    return answer


async def _body(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for part in response.content.iter_chunked(1 << 16):
            yield part
    finally:
        response.close()
