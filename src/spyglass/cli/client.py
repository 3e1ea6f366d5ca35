"""A small HTTP client for the commands that ask a running server. Standard library: these commands start in a blink."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spyglass.cli.plain import fail

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; body as bytes."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)

    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


Query = Mapping[str, str] | Sequence[tuple[str, str]]


def fetch(
    url: str,
    *,
    query: Query | None = None,
    form: Query | None = None,
    headers: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
    context: "ssl.SSLContext | None" = None,
    timeout: float = 30.0,
) -> Answer:
    """One request; error statuses are answers too. Raises OSError where nobody answers."""
    # With TLS and mail headers behind it: not for a command that is asked for its help.
    import urllib.error
    import urllib.parse
    import urllib.request

    full = f"{url}?{urllib.parse.urlencode(query)}" if query else url
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(full, data=data, headers=dict(headers or {}))
    if login:
        token = base64.b64encode(":".join(login).encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout, context=context) as reply:
            return Answer(reply.status, reply.read(), dict(reply.headers))
    except urllib.error.HTTPError as reply:
        with reply:
            return Answer(reply.code, reply.read(), dict(reply.headers))


def ask(url: str, path: str, **arguments: Any) -> Answer:
    """As fetch, but a server that is not there ends the command with what to do next."""
    try:
        return fetch(url.rstrip("/") + path, **arguments)
    except OSError as err:
        reason = getattr(err, "reason", err)
        fail(
            f"nothing answers at {url}: {reason}",
            hint="start it with `spyglass up`, or name another address with --url",
        )
