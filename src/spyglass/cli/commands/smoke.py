"""spyglass smoke: the decision record's smoke test."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import typer

from spyglass.cli.client import fetch
from spyglass.cli.console import out
from spyglass.cli.plain import fail

REQUESTS = 25
TENANT = "smoketest"
PATH = "/api/v1/health"


@dataclass(frozen=True, slots=True)
class Where:
    """The doors that the test asks."""

    backend: str
    prometheus: str
    loki: str
    ui: str
    login: tuple[str, str]
    job: str


def command(
    backend: str = typer.Option("http://127.0.0.1:3000", help="The back end that gets the requests."),
    prometheus: str = typer.Option("http://127.0.0.1:9090", help="The Prometheus API."),
    loki: str = typer.Option("http://127.0.0.1:3100", help="The Loki API."),
    ui: str = typer.Option("http://127.0.0.1:3005", help="The web UI."),
    user: str = typer.Option("admin:admin", help="user:password for the web UI.", envvar="SPYGLASS_LOGIN"),
    job: str = typer.Option("backend", help="The back end's job label, in metrics and logs."),
    dashboard: str = typer.Option("clientforge-backend", help="uid of the dashboard that must be there."),
    timeout: float = typer.Option(60.0, help="Seconds to wait for each check."),
) -> None:
    """Send 25 requests as tenant `smoketest` and check that metrics, logs and the dashboard show them.

    Examples:  spyglass smoke    spyglass smoke --backend http://127.0.0.1:3001
    """
    name, _, password = user.partition(":")
    where = Where(backend, prometheus, loki, ui, (name, password), job)
    before = _total(where)
    # Entries of this run are found by their time: log times have milliseconds.
    started = time.time_ns() // 1_000_000 * 1_000_000
    # A counter that is first seen at 25 has no rate: one request goes ahead, and the others follow when it was scraped.
    _send(where, 1)
    _wait("the first request was scraped", lambda: _grown(where, before, 1), timeout)
    _send(where, REQUESTS - 1)
    out.print(f"sent {REQUESTS} requests to {backend}{PATH} as tenant {TENANT}", markup=False)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("target is up", lambda: _target(where)),
        (f"http_requests_total grew by {REQUESTS} or more", lambda: _grown(where, before, REQUESTS)),
        ("rate(http_requests_total[1m]) shows them", lambda: _rate(where)),
        (
            f'exactly {REQUESTS} log entries match {{job="{job}"}} | json | path="{PATH}"',
            lambda: _logged(where, started),
        ),
        (f"dashboard {dashboard} is there", lambda: _dashboard(where, dashboard)),
    ]
    failed = [title for title, check in checks if not _wait(title, check, timeout)]
    if failed:
        fail(f"{len(failed)} of {len(checks)} checks failed", hint="`spyglass status` shows the parts and the targets")
    out.print(f"{len(checks)} checks passed", style="green")


def _send(where: Where, requests: int) -> None:
    """The record's loop."""
    for _ in range(requests):
        try:
            answer = fetch(f"{where.backend}{PATH}", headers={"x-tenant-id": TENANT}, timeout=10)
        except OSError as err:
            fail(
                f"the back end does not answer at {where.backend}: {getattr(err, 'reason', err)}", hint="start it first"
            )
        if answer.status != 200:
            fail(f"{where.backend}{PATH} answered {answer.status}")


def _wait(title: str, check: Callable[[], str], timeout: float) -> bool:
    """Try until the check has nothing to complain about."""
    deadline, complaint = time.monotonic() + timeout, ""
    while True:
        try:
            complaint = check()
        except (OSError, ValueError, KeyError) as err:
            complaint = str(err)
        if not complaint:
            out.print("[green]ok[/]    ", end="")
            out.print(title, markup=False)
            return True
        if time.monotonic() > deadline:
            out.print("[red]failed[/]", end=" ")
            out.print(f"{title}: {complaint}", markup=False)
            return False
        time.sleep(0.5)


def _query(where: Where, expression: str) -> float:
    data = fetch(f"{where.prometheus}/api/v1/query", form={"query": expression}).json()
    if data["status"] != "success":
        raise ValueError(data["error"])
    result = data["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def _selector(where: Where) -> str:
    return f'{{job="{where.job}",endpoint="{PATH}"}}'


def _total(where: Where) -> float:
    try:
        return _query(where, f"sum(http_requests_total{_selector(where)})")
    except (OSError, ValueError):
        return 0.0


def _target(where: Where) -> str:
    up = _query(where, f'min(up{{job="{where.job}"}})')
    return "" if up == 1 else f'up{{job="{where.job}"}} is {up:g}'


def _grown(where: Where, before: float, by: int) -> str:
    now = _total(where)
    return "" if now >= before + by else f"it went from {before:g} to {now:g}"


def _rate(where: Where) -> str:
    rate = _query(where, f"sum(rate(http_requests_total{_selector(where)}[1m]))")
    return "" if rate > 0 else "the rate is 0"


def _logged(where: Where, started: int) -> str:
    # An error is in two files; a healthy request is in combined.log alone.
    query = f'{{job="{where.job}"}} | json | path="{PATH}" | tenantId="{TENANT}"'
    window = {"query": query, "start": str(started), "end": str(time.time_ns() + 10**9), "limit": "1000"}
    data = fetch(f"{where.loki}/loki/api/v1/query_range", query=window)
    if data.status != 200:
        return data.text().strip()
    found = sum(len(stream["values"]) for stream in data.json()["data"]["result"])
    return "" if found == REQUESTS else f"{found} entries"


def _dashboard(where: Where, uid: str) -> str:
    answer = fetch(f"{where.ui}/api/dashboards/uid/{uid}", login=where.login)
    if answer.status == 401:
        return "the login was refused; give it with --user NAME:PASSWORD"
    return "" if answer.status == 200 else f"{answer.status} {answer.text()[:100]}"
