"""One uvicorn server per door, all on one event loop, stopped together."""

import asyncio
import socket
from typing import Any, cast

import uvicorn

STOP_SECONDS = 5


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the composition root owns signals."""

    def install_signal_handlers(self) -> None:
        return None

    def capture_signals(self) -> Any:
        return _Nothing()


class _Nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _websocket(**handshake: Any) -> asyncio.Protocol:
    """The protocol that takes a connection over. Imported by the first that asks for it: most servers never see one."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415 - see above
        WebSocketsSansIOProtocol,
    )

    return WebSocketsSansIOProtocol(**handshake)


class Door:
    """An ASGI application on a bound socket."""

    def __init__(self, app: Any, bound: socket.socket, *, name: str) -> None:
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=STOP_SECONDS,
            # Called as the class would be, and nothing else.
            ws=cast(type[asyncio.Protocol], _websocket),
        )
        self.name, self._socket = name, bound
        self._server = _Server(config)
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    async def start(self) -> None:
        """Returns when the door answers."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]), name=f"door-{self.name}")
        while not self._server.started:
            await asyncio.sleep(0.005)
            if self._task.done():
                self._task.result()

    async def stop(self) -> None:
        """Finish running requests, at most STOP_SECONDS."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._socket.close()
