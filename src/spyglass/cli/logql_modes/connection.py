"""How a Loki server is reached: its address, who asks, and what is trusted; logcli's flags and variables."""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spyglass.cli.client import Answer, ask
from spyglass.cli.console import err
from spyglass.cli.plain import fail

if TYPE_CHECKING:
    import ssl

RETRY = frozenset([429, 500, 502, 503, 504])
"""Statuses after which asking again may help."""
FIRST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tls:
    """Files as PEM, "" for none."""

    ca_cert: str = ""
    cert: str = ""
    key: str = ""
    skip_verify: bool = False

    def context(self) -> "ssl.SSLContext | None":
        """None: the system's own trust, and no certificate. Ends the command where a file cannot be used."""
        if self == Tls():
            return None
        import ssl

        try:
            context = ssl.create_default_context(cafile=self.ca_cert or None)
            if self.cert:
                context.load_cert_chain(self.cert, self.key or None)
        except OSError as error:
            fail(f"the certificate cannot be used: {error.strerror or error}")
        if self.skip_verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


@dataclass(frozen=True, slots=True)
class Connection:
    """retries: how often a request is sent again that the server could not answer. quiet: say nothing beside the answer."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: "ssl.SSLContext | None" = None
    retries: int = 0
    quiet: bool = False

    def get(self, path: str, form: Mapping[str, str]) -> dict[str, Any]:
        """The JSON of a 200, warnings said. Ends the command for everything else."""
        answer = self._answer(path, form)
        if answer.status != 200:
            fail(answer.text().strip())
        data: dict[str, Any] = answer.json()
        for text in () if self.quiet else data.get("warnings", ()):
            err.print(f"warning: {text}", style="yellow", markup=False)
        return data

    def _answer(self, path: str, form: Mapping[str, str]) -> Answer:
        pause = FIRST_PAUSE_SECONDS
        for left in range(self.retries, -1, -1):
            answer = ask(self.url, path, query=form, headers=self.headers, context=self.tls)
            if answer.status not in RETRY or not left:
                break
            time.sleep(pause)
            pause *= 2
        return answer


def headers_of(
    *, tenant: str = "", username: str = "", password: str = "", token: str = "", token_file: str = "", tags: str = ""
) -> dict[str, str]:
    """What a request carries. Ends the command where that contradicts itself."""
    if token and token_file:
        fail("--bearer-token and --bearer-token-file name two tokens", hint="leave one of them out")
    if token_file:
        try:
            token = Path(token_file).read_text(encoding="utf-8").strip()
        except OSError as error:
            fail(f"{token_file}: {error.strerror}")
    if username and token:
        fail("--username and --bearer-token are two ways of saying who asks", hint="leave one of them out")
    found = {"X-Scope-OrgID": tenant, "X-Query-Tags": tags}
    if username:
        found["Authorization"] = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    elif token:
        found["Authorization"] = f"Bearer {token}"
    return {name: value for name, value in found.items() if value}
