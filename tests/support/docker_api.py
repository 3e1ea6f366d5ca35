"""A small Docker API on a unix socket: containers that a test adds, and their logs as Docker frames them."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

NETWORK = {"Id": "net1", "Name": "crm_default", "Scope": "local", "Internal": False, "Ingress": False, "Labels": {}}


@dataclass
class FakeContainer:
    """stream 1: stdout, 2: stderr. lines: (stream, time as RFC 3339, text); `ends` closes followed logs."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    tty: bool = False
    lines: list[tuple[int, str, str]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    running: bool = True

    @property
    def identifier(self) -> str:
        return f"{self.name}-0123456789abcdef"

    def say(self, text: str, *, time: str, stream: int = 1) -> None:
        self.lines.append((stream, time, text))
        self.changed.set()

    def listed(self) -> dict[str, Any]:
        return {
            "Id": self.identifier,
            "Names": [f"/{self.name}"],
            "Image": "crm:1",
            "Labels": self.labels,
            "HostConfig": {"NetworkMode": "crm_default"},
            "NetworkSettings": {"Networks": {"crm_default": {"NetworkID": "net1", "IPAddress": "172.18.0.2"}}},
            "Ports": [{"PrivatePort": 3000, "PublicPort": 3000, "IP": "0.0.0.0", "Type": "tcp"}],
        }

    def frame(self, line: tuple[int, str, str]) -> bytes:
        stream, time, text = line
        data = f"{time} {text}".encode()
        return data if self.tty else bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


@dataclass
class DockerApi:
    """Start with `async with`. requests: the log requests' parameters."""

    socket: Path
    containers: list[FakeContainer] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)

    async def __aenter__(self) -> "DockerApi":
        application = web.Application()
        application.router.add_get("/networks", self._networks)
        application.router.add_get("/containers/json", self._list)
        application.router.add_get("/containers/{id}/json", self._inspect)
        application.router.add_get("/containers/{id}/logs", self._logs)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket)).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for container in self.containers:
            container.running = False
            container.changed.set()
        await self._runner.cleanup()
        self.socket.unlink(missing_ok=True)

    def _container(self, request: web.Request) -> FakeContainer:
        return next(c for c in self.containers if c.identifier == request.match_info["id"])

    async def _networks(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return web.json_response([NETWORK])

    async def _list(self, request: web.Request) -> web.Response:
        self.filters.append(request.query.get("filters", ""))
        return web.json_response([c.listed() for c in self.containers if c.running])

    async def _inspect(self, request: web.Request) -> web.Response:
        return web.json_response({"Config": {"Tty": self._container(request).tty}})

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        container = self._container(request)
        self.requests.append(dict(request.query))
        answer = web.StreamResponse()
        await answer.prepare(request)
        sent = 0
        while True:
            container.changed.clear()
            for line in container.lines[sent:]:
                await answer.write(container.frame(line))
            sent = len(container.lines)
            if not container.running:
                return answer
            await container.changed.wait()
