"""oauth2: the client credentials grant. A token is kept until shortly before it expires.

Source: RFC 6749, 4.4; like Go's client it first sends the credentials in the Authorization header, then in the form.
"""

import time
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote_plus

import aiohttp
import orjson

from spyglass.config.http_client import OAuth2
from spyglass.scrape.tls import tls_context

EARLY_SECONDS = 10.0
"""A token is renewed so long before it expires."""

UNKNOWN_LIFE_SECONDS = 3600.0


class TokenRefused(ValueError):
    """The token endpoint gave no token; the text says why."""


class TokenSource:
    """One job's tokens. Its methods belong to the event loop's thread."""

    def __init__(self, config: OAuth2, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._token = ""
        self._expires = 0.0

    async def header(self) -> str:
        """The Authorization header. Raises: TokenRefused, aiohttp.ClientError, OSError."""
        if time.monotonic() >= self._expires:
            await self._renew()
        return f"Bearer {self._token}"

    async def _renew(self) -> None:
        config = self._config
        secret = config.client_secret.get_secret_value()
        if config.client_secret_file:
            secret = (self._folder / config.client_secret_file).read_text(encoding="utf-8").strip()
        form = {"grant_type": config.grant_type or "client_credentials", **config.endpoint_params}
        if config.scopes:
            form["scope"] = " ".join(config.scopes)
        credentials = b64encode(f"{quote_plus(config.client_id)}:{quote_plus(secret)}".encode()).decode()
        connector = aiohttp.TCPConnector(ssl=tls_context(config.tls_config, self._folder))
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as session:
            status, body = await self._ask(session, form, {"Authorization": f"Basic {credentials}"})
            if status in (400, 401):
                in_form = {**form, "client_id": config.client_id, "client_secret": secret}
                status, body = await self._ask(session, in_form, {})
        self._keep(status, body)

    async def _ask(
        self, session: aiohttp.ClientSession, form: dict[str, str], headers: dict[str, str]
    ) -> tuple[int, bytes]:
        proxy = self._config.proxy_url or None
        async with session.post(self._config.token_url, data=form, headers=headers, proxy=proxy) as response:
            return response.status, await response.content.read(1 << 20)

    def _keep(self, status: int, body: bytes) -> None:
        try:
            answer = orjson.loads(body)
            token = str(answer["access_token"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            shown = body[:200].decode("utf-8", "replace")
            raise TokenRefused(f"oauth2: cannot fetch token: status {status}, response: {shown}") from None
        life = answer.get("expires_in", UNKNOWN_LIFE_SECONDS)
        seconds = float(life) if isinstance(life, int | float) else UNKNOWN_LIFE_SECONDS
        self._token, self._expires = token, time.monotonic() + max(seconds - EARLY_SECONDS, 0.0)
