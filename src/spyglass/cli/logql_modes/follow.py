"""Following a query: a websocket to /loki/api/v1/tail, opened again where it breaks."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import orjson
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from spyglass.cli.console import err
from spyglass.cli.logql_modes.connection import Connection
from spyglass.cli.logql_modes.printing import Entry, Look, print_entries
from spyglass.cli.plain import fail

QUERY_AT_FAULT = 1011
"""The close code that comes with the reason why a query cannot be tailed."""

MAX_PAUSE_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""How long a server has to say goodbye, too: who presses Ctrl-C wants to be gone."""


def follow(server: Connection, query: str, *, start_ns: int, limit: int, delay: int, look: Look) -> None:
    """Print what comes until interrupted. Ends the command where the server refuses the query."""
    newest, pause = start_ns, 0.5
    try:
        while True:
            try:
                for entries in _frames(server, query, newest, limit, delay):
                    print_entries(entries, look, flush=True)
                    newest, pause = max(newest, max((e[0] for e in entries), default=0) + 1), 0.5
                reason = "the server closed the tail"
            except InvalidStatus as refused:
                body = refused.response.body or b""
                fail(body.decode("utf-8", "replace").strip() or str(refused))
            except (ConnectionClosed, OSError) as broken:
                if isinstance(broken, ConnectionClosed) and broken.rcvd and broken.rcvd.code == QUERY_AT_FAULT:
                    fail(broken.rcvd.reason)
                reason = str(broken)
            if not server.quiet:
                err.print(f"{reason}; opening it again", style="yellow", markup=False)
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)
    except KeyboardInterrupt:
        return


def _frames(server: Connection, query: str, start_ns: int, limit: int, delay: int) -> Iterator[list[Entry]]:
    parameters = urlencode({"query": query, "start": start_ns, "limit": limit, "delay_for": delay})
    address = server.url.rstrip("/").replace("http", "ws", 1) + f"/loki/api/v1/tail?{parameters}"
    with connect(
        address, additional_headers=dict(server.headers), max_size=None, ssl=server.tls, close_timeout=CLOSE_SECONDS
    ) as socket:
        for frame in socket:
            data: dict[str, Any] = orjson.loads(frame)
            dropped = sum(one.get("count", 1) for one in data.get("dropped_entries") or ())
            if dropped:
                err.print(f"{dropped} entries were dropped: they came faster than they were read", style="yellow")
            entries = [
                (int(at), line, stream["stream"])
                for stream in data.get("streams") or ()
                for at, line, *_ in stream["values"]
            ]
            yield sorted(entries, key=lambda entry: entry[0])
