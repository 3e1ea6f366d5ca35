"""ASGI instrumentation: request metrics and an access log line, around the whole application.

A plain ASGI wrapper, not a response wrapper: streaming responses stream, websockets and lifespan pass untouched, background
tasks run after the last byte as before, exceptions go on to whoever handles them. Unknown paths share one label value.
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from time import perf_counter
from typing import Any

from spyglass_sdk.jsonlog import JsonLog, quote
from spyglass_sdk.metrics import DEFAULT_BUCKETS, Histogram, Registry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UNMATCHED = "<unmatched>"
OTHER_TENANT = "<other>"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class Instrumentation:
    """The ASGI middleware. Use `instrument` to put it around an application.

    tenant_header: label requests with the header's value (lower-case name); None: no tenant label. max_tenants: how many
    different values get a label of their own. skip: paths that are neither counted nor logged (the scrape itself).
    """

    def __init__(
        self,
        app: App,
        registry: Registry,
        *,
        log: JsonLog | None = None,
        tenant_header: str | None = None,
        tenant_label: bool = False,
        max_tenants: int = 200,
        buckets: tuple[float, ...] = DEFAULT_BUCKETS,
        skip: tuple[str, ...] = ("/metrics",),
    ) -> None:
        self.app, self._log, self._skip = app, log, frozenset(skip)
        self._tenant_header = tenant_header.encode("latin-1") if tenant_header else None
        self._tenant_label, self._max_tenants = tenant_label and tenant_header is not None, max_tenants
        names = ("method", "endpoint", "status", *(("tenant",) if self._tenant_label else ()))
        self._requests = registry.counter("http_requests_total", "HTTP requests answered.", names)
        self._errors = registry.counter(
            "http_request_errors_total", "HTTP requests that failed (status 500 or more).", names
        )
        self._duration: Histogram = registry.histogram(
            "http_request_duration_seconds",
            "Time until the last byte of the answer, in seconds.",
            names,
            buckets=buckets,
        )
        self._tenants: set[str] = set()
        self._declared: set[tuple[str, ...]] = set()
        self._request_prefix = os.urandom(4).hex()
        self._request_count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._skip:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        status = 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        failure: BaseException | None = None
        try:
            await self.app(scope, receive, observed)
        except BaseException as err:
            failure = err
            raise
        finally:
            self._account(scope, status, perf_counter() - started, failure)

    def _account(self, scope: Scope, status: int, seconds: float, failure: BaseException | None) -> None:
        method = scope["method"]
        if method not in METHODS:
            method = "OTHER"
        endpoint = route_template(scope)
        tenant = self._tenant(scope)
        values: tuple[str, ...] = (method, endpoint, str(status))
        if self._tenant_label:
            values = (*values, self._bounded(tenant))
        self._declare(method, endpoint, values)
        self._requests.inc(*values)
        self._duration.observe(seconds, *values)
        failed = status >= 500 or failure is not None
        if failed:
            self._errors.inc(*values)
        if self._log is not None:
            self._write_log(scope, method, tenant, status, seconds, failed, failure)

    def _declare(self, method: str, endpoint: str, values: tuple[str, ...]) -> None:
        """An endpoint's errors start at 0, with its first request: a counter that first shows at 1 has no rate, and the
        alert on a rare error would never fire.
        """
        key = (method, endpoint, *values[3:])
        if key not in self._declared:
            self._declared.add(key)
            self._errors.inc(method, endpoint, "500", *values[3:], by=0)

    def _write_log(
        self,
        scope: Scope,
        method: str,
        tenant: str,
        status: int,
        seconds: float,
        failed: bool,
        failure: BaseException | None,
    ) -> None:
        assert self._log is not None, "only called with a log"
        self._request_count += 1
        path = scope["path"]
        level = "error" if failed else "warn" if status >= 400 else "info"
        # The word ERROR in upper case is what the dashboard's log panel looks for.
        message = f"{'ERROR ' if failed else ''}{method} {path} {status}"
        error = f',"error":{quote(f"{type(failure).__name__}: {failure}")}' if failure is not None else ""
        self._log.line(
            level,
            f'"message":{quote(message)},"tenantId":{quote(tenant)},"method":"{method}","path":{quote(path)},'
            f'"statusCode":{status},"duration":{seconds * 1000:.3f},'
            f'"requestId":"{self._request_prefix}-{self._request_count:08x}"{error}',
        )

    def _tenant(self, scope: Scope) -> str:
        wanted = self._tenant_header
        if wanted is None:
            return ""
        for name, value in scope["headers"]:
            if name == wanted:
                text: str = value.decode("latin-1")
                return text
        return ""

    def _bounded(self, tenant: str) -> str:
        if tenant in self._tenants:
            return tenant
        if len(self._tenants) >= self._max_tenants:
            return OTHER_TENANT
        self._tenants.add(tenant)
        return tenant


def route_template(scope: Scope) -> str:
    """The template of the route that answered, such as `/contacts/{id}`; UNMATCHED where none did.

    FastAPI leaves the route in the scope; Starlette leaves the endpoint, which is looked for in the application's routes.
    """
    route = scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if path is not None:
        # A route of a mounted application knows nothing of its mount: root_path does, behind the proxy's own prefix.
        root, own = scope.get("root_path", ""), scope.get("app_root_path", "")
        if route is not None and not hasattr(route, "endpoint"):
            # A mount of a plain application: its own path is in root_path already.
            root = root.removesuffix(route.path)
        return f"{root.removeprefix(own)}{path}" or "/"
    endpoint, app = scope.get("endpoint"), scope.get("app")
    if endpoint is None or app is None:
        return UNMATCHED
    return _find_template(getattr(app, "routes", ()), endpoint, "") or UNMATCHED


def _find_template(routes: Iterable[Any], endpoint: object, prefix: str) -> str | None:
    for route in routes:
        if endpoint is getattr(route, "endpoint", None) or endpoint is getattr(route, "app", None):
            return f"{prefix}{getattr(route, 'path_format', route.path)}"
        found = _find_template(getattr(route, "routes", None) or (), endpoint, f"{prefix}{getattr(route, 'path', '')}")
        if found is not None:
            return found
    return None


def instrument(
    app: Any,
    registry: Registry,
    *,
    log: JsonLog | None = None,
    tenant_header: str | None = None,
    tenant_label: bool = False,
    max_tenants: int = 200,
    buckets: tuple[float, ...] = DEFAULT_BUCKETS,
    skip: tuple[str, ...] = ("/metrics",),
) -> None:
    """Put the middleware around a FastAPI or Starlette application (anything with `add_middleware`). See Instrumentation."""
    app.add_middleware(
        Instrumentation,
        registry=registry,
        log=log,
        tenant_header=tenant_header,
        tenant_label=tenant_label,
        max_tenants=max_tenants,
        buckets=buckets,
        skip=skip,
    )


def metrics_endpoint(registry: Registry) -> Any:
    """An ASGI application that answers with the registry's metrics: `app.add_route("/metrics", metrics_endpoint(registry))`."""
    return _MetricsEndpoint(registry)


class _MetricsEndpoint:
    """An object, since routers call plain functions with a request and objects as ASGI applications."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        body = self._registry.expose().encode()
        headers = [(b"content-type", Registry.CONTENT_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope.get("method") == "HEAD" else body})
