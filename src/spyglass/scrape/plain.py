"""Getting a target's body over HTTP without TLS or proxy, which is how most targets are scraped.

Everything else is handed to `fetch.Fetcher`, whose HTTP library is loaded when the first target needs it: that takes a tenth of a second
and 10 MB, and per scrape of 10,000 series as much CPU as decoding it.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from aiohappyeyeballs import start_connection

from spyglass.config.prometheus import ScrapeConfig
from spyglass.scrape.body import BODY_BYTES_MAX, BodySource, Fetched, FetchFailed
from spyglass.scrape.connection import Connection, NeverAnswered, Response
from spyglass.scrape.request import request_headers
from spyglass.scrape.target import Target

IDLE_SECONDS_MAX = 300.0
"""A connection that lay unused for so long is not used again: what is between it and the target may have forgotten it."""

EYEBALLS_SECONDS = 0.25
"""So long the first of a host's addresses is tried alone."""

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_BAD_IN_HEADERS = frozenset("\r\n\0")

Place = tuple[str, int]


class PlainFetcher:
    """One job's HTTP client. Owned by its pool, which closes it. Its methods belong to the event loop's thread."""

    def __init__(self, job: ScrapeConfig, *, folder: Path, map_address: Callable[[str], str]) -> None:
        self._job, self._folder, self._map_address = job, folder, map_address
        self._limit = job.body_size_limit or BODY_BYTES_MAX
        proxied = bool(job.proxy_url) or (job.proxy_from_environment and bool(getproxies()))
        self._for_others_only = proxied or job.oauth2 is not None
        self._redirected: set[str] = set()
        self._others: BodySource | None = None
        self._idle: dict[Place, list[tuple[float, Connection]]] = {}

    async def fetch(self, target: Target) -> Fetched:
        """The body of one scrape. Raises: FetchFailed."""
        url = urlsplit(target.url)
        if self._for_others_only or target.url in self._redirected or not _is_plain(url, target.url):
            return await self._by_others(target)
        try:
            async with asyncio.timeout(target.timeout_ms / 1000):
                response = await self._get(target, url)
        except TimeoutError:
            raise FetchFailed(f'Get "{target.url}": context deadline exceeded') from None
        except (OSError, ValueError) as err:
            raise FetchFailed(f'Get "{target.url}": {_reason(err, url)}') from None
        except NeverAnswered:
            raise FetchFailed(f'Get "{target.url}": EOF') from None
        if response.status in _REDIRECTS and self._job.follow_redirects and "location" in response.headers:
            self._redirected.add(target.url)
            return await self._by_others(target)
        if response.status != 200:
            raise FetchFailed(f"server returned HTTP status {response.status} {response.reason}".rstrip())
        return Fetched(response.body, response.headers.get("content-type", ""))

    async def _by_others(self, target: Target) -> Fetched:
        if self._others is None:
            # Two targets may come here at once: the first client that is made is used.
            others = await asyncio.to_thread(self._load_others)
            self._others = self._others or others
        return await self._others.fetch(target)

    def _load_others(self) -> BodySource:
        from spyglass.scrape.fetch import Fetcher  # noqa: PLC0415 - see above

        return Fetcher(self._job, folder=self._folder, map_address=self._map_address)

    async def _get(self, target: Target, url: SplitResult) -> Response:
        mapped = urlsplit(f"//{self._map_address(target.address)}")
        place = (mapped.hostname or "", mapped.port or 80)
        request = self._request(target, url)
        connection = self._idle_one(place)
        if connection is not None:
            try:
                return await self._ask(place, connection, request)
            except NeverAnswered:
                # The target had closed it meanwhile.
                pass
        return await self._ask(place, await _connected(place), request)

    async def _ask(self, place: Place, connection: Connection, request: bytes) -> Response:
        response = await connection.get(request, limit_bytes=self._limit)
        if connection.is_open:
            self._idle.setdefault(place, []).append((time.monotonic(), connection))
        return response

    def _idle_one(self, place: Place) -> Connection | None:
        """The connection used last, of those that are still good."""
        idle, since = self._idle.get(place, []), time.monotonic() - IDLE_SECONDS_MAX
        while idle:
            used, connection = idle.pop()
            if used >= since and connection.is_open:
                return connection
            connection.close()
        return None

    def _request(self, target: Target, url: SplitResult) -> bytes:
        host = url.netloc.removesuffix(":80")
        headers = {"Host": host, **request_headers(self._job, target, self._folder)}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if any(_BAD_IN_HEADERS.intersection(line) for line in lines):
            raise ValueError("a header holds a line break")
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()

    async def close(self) -> None:
        for idle in self._idle.values():
            for _, connection in idle:
                connection.close()
        self._idle.clear()
        if self._others is not None:
            await self._others.close()


def _is_plain(url: SplitResult, text: str) -> bool:
    return url.scheme == "http" and "@" not in url.netloc and text.isascii() and text.isprintable() and " " not in text


async def _connected(place: Place) -> Connection:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(*place, type=socket.SOCK_STREAM)
    sock = await start_connection(found, happy_eyeballs_delay=EYEBALLS_SECONDS if len(found) > 1 else None, loop=loop)
    try:
        _, connection = await loop.create_connection(Connection, sock=sock)
    except BaseException:
        sock.close()
        raise
    return connection


def _reason(err: OSError | ValueError, url: SplitResult) -> str:
    """Upstream's words for the commonest failures; else what the system says."""
    if isinstance(err, socket.gaierror):
        return f"lookup {url.hostname}: no such host"
    if isinstance(err, ConnectionRefusedError):
        return "connect: connection refused"
    if isinstance(err, ConnectionResetError):
        return "read: connection reset by peer"
    if isinstance(err, OSError) and err.errno and not err.filename:
        return f"connect: {os.strerror(err.errno).lower()}"
    return str(err)
