"""How spyglass logql reaches a server: who asks, what is trusted, asking again; and how labels are shown."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from spyglass.cli.logql_modes import connection
from spyglass.cli.logql_modes.connection import Connection, Tls, headers_of
from spyglass.cli.logql_modes.printing import Look, Output, Timezone, print_entries

LABELS = {"app": "web", "env": "prod", "pod": "web-1"}


class Server:
    """Answers with the statuses of `script`, then with 200; `seen` has the headers of the requests."""

    def __init__(self) -> None:
        self.script: list[int] = []
        self.seen: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(dict(self.headers))
                status = outer.script.pop(0) if outer.script else 200
                body = json.dumps({"data": [], "warnings": ["beware"]}).encode() if status == 200 else b"no\n"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.http.serve_forever)
    thread.start()
    yield found
    found.http.shutdown()
    thread.join()
    found.http.server_close()


def test_who_asks(server: Server, tmp_path: Path) -> None:
    """Tenant, login or token, and tags, under the headers that Loki and what stands before it read."""
    (tmp_path / "token").write_text("secret\n")
    for headers in (
        headers_of(tenant="a", username="me", password="pw", tags="source=cli"),
        headers_of(token_file=str(tmp_path / "token")),
        headers_of(),
    ):
        Connection(server.url, headers).get("/x", {})
    first, second, third = server.seen
    assert (first["X-Scope-Orgid"], first["X-Query-Tags"], first["Authorization"]) == (
        "a",
        "source=cli",
        "Basic bWU6cHc=",
    )
    assert second["Authorization"] == "Bearer secret"
    assert not {"X-Scope-Orgid", "Authorization"} & set(third)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"token": "a", "token_file": "b"}, "name two tokens"),
        ({"username": "a", "token": "b"}, "two ways of saying who asks"),
        ({"token_file": "/none"}, "/none: No such file"),
    ],
)
def test_contradictions_end_the_command(
    given: dict[str, str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to leave out."""
    with pytest.raises(SystemExit):
        headers_of(**given)
    assert problem in capsys.readouterr().err


def test_certificates_that_cannot_be_used_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """And without any the system's own trust is used."""
    assert Tls().context() is None
    context = Tls(skip_verify=True).context()
    assert context is not None
    assert not context.check_hostname
    with pytest.raises(SystemExit):
        Tls(ca_cert="/none").context()
    assert "the certificate cannot be used" in capsys.readouterr().err


def test_a_server_that_cannot_answer_is_asked_again(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As often as --retries says; what is refused is not."""
    monkeypatch.setattr(connection, "FIRST_PAUSE_SECONDS", 0.0)
    server.script = [503, 429]
    assert Connection(server.url, retries=2).get("/x", {})["data"] == []
    assert "warning: beware" in capsys.readouterr().err
    for script, asked in (([503, 503], 2), ([400], 1)):
        server.script, server.seen = list(script), []
        with pytest.raises(SystemExit):
            Connection(server.url, retries=1).get("/x", {})
        assert len(server.seen) == asked
    capsys.readouterr()
    Connection(server.url, quiet=True).get("/x", {})
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(), '{app="web", env="prod", pod="web-1"}'),
        (Look(labels=False), ""),
        (Look(include=("app",)), '{app="web"}'),
        (Look(exclude=("pod", "env")), '{app="web"}'),
        (Look(include=("app", "pod"), exclude=("pod",)), '{app="web"}'),
        (Look(include=("nosuch",)), ""),
        (Look(include=("app",), labels_length=14), '{app="web"}   '),
        (Look(labels_length=6), '{app="'),
    ],
)
def test_which_labels_are_shown(look: Look, expected: str) -> None:
    """Chosen, left out, or as wide as is asked for."""
    assert look.labels_text(LABELS) == expected


def test_entries_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Times in the zone asked for; labels are chosen in the default form only."""
    entry = (1_700_000_000_120_000_000, "line", LABELS)
    print_entries([entry], Look(timezone=Timezone.UTC, include=("app",)))
    print_entries([entry], Look(timezone=Timezone.UTC, labels=False))
    print_entries([entry], Look(Output.JSONL, labels=False))
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == '2023-11-14T22:13:20.120Z {app="web"} line'
    assert second == "2023-11-14T22:13:20.120Z line"
    assert json.loads(third) == {"timestamp": entry[0], "labels": LABELS, "line": "line"}
