"""Getting a target's body in every way that HTTP knows: TLS, proxies, redirects, tokens. What needs none of them goes by `plain`."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from spyglass.config.prometheus import ScrapeConfig
from spyglass.scrape.body import BODY_BYTES_MAX, Fetched, FetchFailed
from spyglass.scrape.oauth2 import TokenSource
from spyglass.scrape.request import request_headers
from spyglass.scrape.target import Target
from spyglass.scrape.tls import tls_context

BUFFER_BYTES = 1 << 20
"""What a connection may hold before we read on: with less, a large body comes in many small pieces."""


class Fetcher:
    """One job's HTTP client. Owned by its pool, which closes it."""

    def __init__(self, job: ScrapeConfig, *, folder: Path, map_address: Callable[[str], str]) -> None:
        self._job, self._folder, self._map_address = job, folder, map_address
        self._session: aiohttp.ClientSession | None = None
        self._limit = job.body_size_limit or BODY_BYTES_MAX
        self._tokens = TokenSource(job.oauth2, folder) if job.oauth2 is not None else None

    async def fetch(self, target: Target) -> Fetched:
        """The body of one scrape. Raises: FetchFailed."""
        try:
            return await self._get(target)
        except TimeoutError:
            raise FetchFailed(f'Get "{target.url}": context deadline exceeded') from None
        except (aiohttp.ClientError, OSError, ValueError, ssl.SSLError) as err:
            raise FetchFailed(f'Get "{target.url}": {_reason(err)}') from None

    async def _get(self, target: Target) -> Fetched:
        session = self._opened()
        original = URL(target.url, encoded=True)
        url, host = self._mapped(original, target.address)
        headers = request_headers(self._job, target, self._folder)
        if self._tokens is not None:
            headers["Authorization"] = await self._tokens.header()
        options: dict[str, Any] = {"proxy": self._job.proxy_url or None}
        if host:
            headers["Host"] = host
            if url.scheme == "https":
                options["server_hostname"] = self._job.tls_config.server_name or original.host
        elif self._job.tls_config.server_name and url.scheme == "https":
            options["server_hostname"] = self._job.tls_config.server_name
        timeout = aiohttp.ClientTimeout(total=target.timeout_ms / 1000)
        async with session.get(
            url, headers=headers, timeout=timeout, allow_redirects=self._job.follow_redirects, **options
        ) as response:
            if response.status != 200:
                raise FetchFailed(f"server returned HTTP status {response.status} {response.reason or ''}".rstrip())
            return Fetched(await self._body(response), response.headers.get("Content-Type", ""))

    def _mapped(self, url: URL, address: str) -> tuple[URL, str]:
        """The URL to connect to, and the Host header to send where it differs."""
        mapped = self._map_address(address)
        if mapped == address:
            return url, ""
        return URL(f"{url.scheme}://{mapped}{url.raw_path_qs}", encoded=True), address

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        parts, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._limit:
                raise FetchFailed("body size limit exceeded")
            parts.append(chunk)
        return b"".join(parts)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=tls_context(self._job.tls_config, self._folder), limit=0)
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=self._job.proxy_from_environment,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=BUFFER_BYTES,
                skip_auto_headers=["Accept"],
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
            # aiohttp closes its transports on the next turn of the loop.
            await asyncio.sleep(0)


def _reason(err: BaseException) -> str:
    """Upstream's words for the commonest failures; else what the library says."""
    cause: BaseException | None = getattr(err, "os_error", None) or err
    if isinstance(cause, ConnectionRefusedError):
        return "connect: connection refused"
    if isinstance(err, aiohttp.ClientConnectorDNSError):
        return f"lookup {err.host}: no such host"
    if isinstance(err, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(err) or type(err).__name__
