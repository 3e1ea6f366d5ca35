"""HTTP to data sources that are not our own: one client session, made at first use, closed with the application."""

import base64
from typing import Any

import aiohttp
import orjson

from spyglass.config.grafana import Datasource
from spyglass.model.errors import ExecutionError, InvalidParameter, QueryTimeout, Unavailable

TIMEOUT_S = 120.0
MAX_ANSWER = 256 << 20
"""An answer larger than this is refused: it would be held in memory whole."""


class Outside:
    """The client. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, connect=10)
            # Cookies of one data source must not reach another; compressed bodies are passed on as they come.
            self._session = aiohttp.ClientSession(
                timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get_json(self, source: Datasource, path: str, parameters: dict[str, str]) -> Any:
        """The `data` of an answer in Prometheus' and Loki's envelope. Raises: QueryError leaves, Unavailable."""
        try:
            async with self.session.get(
                source.url + path,
                params=parameters,
                headers={**source_headers(source), "Accept-Encoding": "identity"},
                allow_redirects=False,
            ) as response:
                body = await _bounded(response)
        except TimeoutError:
            raise QueryTimeout(f"{source.name}: no answer within {TIMEOUT_S:g} s") from None
        except aiohttp.ClientError as err:
            raise Unavailable(f"{source.name}: {source.url} cannot be reached: {err}") from None
        return data_of(source, response.status, body)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_chunked(1 << 16):
        size += len(part)
        if size > MAX_ANSWER:
            raise ExecutionError(f"the answer is larger than {MAX_ANSWER >> 20} MiB; ask for less")
        parts.append(part)
    return b"".join(parts)


def data_of(source: Datasource, status: int, body: bytes) -> Any:
    """An answer in Prometheus' and Loki's envelope. Raises: InvalidParameter, ExecutionError for a failure or another form."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        answer = None
    if status < 300 and isinstance(answer, dict) and answer.get("status") == "success":
        return answer
    text = answer.get("error") or answer.get("message") if isinstance(answer, dict) else None
    text = text or body[:300].decode("utf-8", "replace").strip() or f"status {status}"
    if status == 400:
        raise InvalidParameter(str(text))
    raise ExecutionError(f"{source.name} answered with status {status}: {text}")


def source_headers(source: Datasource) -> dict[str, str]:
    """Authentication and extra headers that a data source's requests carry."""
    headers = source.headers()
    if source.basic_auth and source.basic_auth_user:
        pair = f"{source.basic_auth_user}:{source.secure.get('basicAuthPassword', '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers
