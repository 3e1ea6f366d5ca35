"""spyglass demo: the stack with the example back end and traffic, in one terminal."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from spyglass.app.sockets import owner_of
from spyglass.cli.client import fetch
from spyglass.cli.console import out
from spyglass.cli.plain import fail

PORTS = {
    3000: "the example back end",
    9090: "Prometheus' API",
    3100: "Loki's API",
    9080: "the agent",
    3005: "the web UI",
}
WAIT_SECONDS = 90
STOP_SECONDS = 20
DASHBOARD = "/d/clientforge-backend/clientforge-backend-overview"
RATE = "rate(http_requests_total[5m])"
LOGS = '{job="backend"}'


def command(
    root: Path = typer.Option(Path("."), help="A checkout of Spyglass (it holds config/ and examples/)."),
    rate: float = typer.Option(8.0, help="Mean requests a second."),
    once: bool = typer.Option(False, "--once", help="Stop as soon as the dashboard has data (for tests)."),
) -> None:
    """Start everything with the decision record's configuration, and keep it running until Ctrl-C.

    Example:  spyglass demo --rate 20
    """
    root = root.absolute()
    _check(root)
    family = Family(root)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _start(family, root, rate)
        if not once:
            family.wait()
    except KeyboardInterrupt:
        pass
    finally:
        out.print("\nstopping", style="dim")
        family.stop()


class Family:
    """The demo's processes. Each has a log file in var/demo; all stop together."""

    def __init__(self, root: Path) -> None:
        self._root, self._logs = root, root / "var" / "demo"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, name: str, arguments: list[str], *, folder: Path) -> None:
        """Start `python -m ARGUMENTS` in a folder. Its own session: Ctrl-C reaches us alone, and we stop it in order."""
        with self.log(name).open("wb") as sink:
            child = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
                env=os.environ | {"NO_COLOR": "1"},
            )
        self._children.append((name, child))

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def check(self) -> None:
        """End the command when a child has ended."""
        for name, child in self._children:
            if child.poll() is not None:
                tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-8:])
                fail(f"{name} ended with exit code {child.returncode}:\n{tail}", hint=f"its log: {self.log(name)}")

    def wait(self) -> None:
        while True:
            time.sleep(1)
            self.check()

    def stop(self) -> None:
        """Traffic first, Spyglass last, so that the end of the others is still seen. A second Ctrl-C does not leave orphans."""
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, signal.SIG_IGN)
        for _, child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self._children.clear()


def _check(root: Path) -> None:
    if not (root / "examples" / "clientforge").is_dir() or not (root / "config").is_dir():
        fail(
            f"{root} is no checkout of Spyglass", hint="run it in one, or use `spyglass up FOLDER` on files of your own"
        )
    missing = [name for name in ("fastapi", "spyglass_sdk") if importlib.util.find_spec(name) is None]
    if missing:
        fail(f"the example back end needs {', '.join(missing)}", hint="`make demo` installs everything")
    for port, what in PORTS.items():
        if owner := owner_of(port):
            fail(
                f"port {port} ({what}) is in use by {owner}",
                hint="stop it first; the demo uses the decision record's ports",
            )


def _start(family: Family, root: Path, rate: float) -> None:
    began = time.monotonic()
    example = root / "examples" / "clientforge"
    family.start(
        "spyglass",
        ["spyglass", "up", str(root / "config"), "--data", str(root / "var" / "demo"), "--demo-login"],
        folder=root,
    )
    family.start("backend", ["clientforge", "--port", "3000", "--logs", str(root / "logs")], folder=example)
    steps: list[tuple[str, Callable[[], bool]]] = [
        ("the example back end answers", lambda: _answers("http://127.0.0.1:3000/api/v1/health")),
        ("Spyglass answers on its ports", _ports_answer),
    ]
    for title, check in steps:
        _wait(family, title, check)
    family.start(
        "traffic", ["clientforge.traffic", "--url", "http://127.0.0.1:3000", "--rate", str(rate)], folder=example
    )
    _wait(family, "the first dashboard has data", _dashboard_has_data)
    out.print(f"ready after {time.monotonic() - began:.1f} s\n", style="green")
    out.print(f"  dashboard   http://localhost:3005{DASHBOARD}")
    out.print("  login       admin / admin (this demo only, on loopback only)")
    out.print(
        "  Prometheus  http://localhost:9090      Loki  http://localhost:3100      agent  http://localhost:9080/targets"
    )
    out.print("  back end    http://localhost:3000/metrics")
    out.print(f"  logs of the parts: {root / 'var' / 'demo'}/*.log\n", markup=False)
    out.print("Ctrl-C stops all of it.", style="dim")


def _wait(family: Family, title: str, check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    out.print(f"  waiting until {title} ... ", end="")
    while not check():
        family.check()
        if time.monotonic() > deadline:
            fail(f"not within {WAIT_SECONDS} s", hint=f"look into {family.log('spyglass')}")
        time.sleep(0.1)
    out.print("yes", style="green")


def _answers(url: str) -> bool:
    try:
        return fetch(url, timeout=2).status == 200
    except OSError:
        return False


def _ports_answer() -> bool:
    doors = ("9090/-/ready", "3100/ready", "9080/ready", "3005/api/health")
    return all(_answers(f"http://127.0.0.1:{door}") for door in doors)


def _dashboard_has_data() -> bool:
    """The two panels that every visit shows: the request rate, and lines of the back end."""
    now = time.time()
    window = {"start": f"{now - 1800:.0f}", "end": f"{now:.0f}", "step": "15"}
    return _found("http://127.0.0.1:9090/api/v1/query_range", RATE, window) and _found(
        "http://127.0.0.1:3100/loki/api/v1/query_range", LOGS, {"limit": "1"}
    )


def _found(url: str, query: str, window: dict[str, str]) -> bool:
    try:
        answer = fetch(url, query={"query": query, **window}, timeout=5)
        data: Any = answer.json()
        return bool(answer.status == 200 and data["data"]["result"])
    except (OSError, ValueError, KeyError):
        return False
