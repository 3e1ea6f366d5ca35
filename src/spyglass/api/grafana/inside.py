"""GET requests to our own doors from within the process: the same JSON as over HTTP, without a socket."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

from spyglass.api.grafana.outside import data_of, source_headers
from spyglass.config.grafana import Datasource


async def get_json(app: ASGIApp, source: Datasource, path: str, parameters: Mapping[str, str]) -> Any:
    """The answer in Prometheus' and Loki's envelope. Raises: QueryError leaves, ExecutionError."""
    headers = {**source_headers(source), "Host": "localhost", "Accept-Encoding": "identity"}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(parameters).encode(),
        "root_path": "",
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": None,
        "state": {},
    }
    status, parts = 500, []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return data_of(source, status, b"".join(parts))
