"""spyglass up: start the stack."""

import os
import subprocess
import sys
import time
from pathlib import Path

import typer

from spyglass.app.running import read_state
from spyglass.app.settings import ALL_TARGETS, Settings, Target
from spyglass.cli.console import out
from spyglass.cli.plain import fail
from spyglass.cli.serving import DOORS, serve

LOG_FILE = "spyglass.log"
START_SECONDS = 60


def command(
    folder: Path = typer.Argument(Path("config"), help="Folder of the configuration files, or a spyglass.yml."),
    target: str = typer.Option("all", help="Parts to start, comma-separated: metrics, logs, agent, ui."),
    detach: bool = typer.Option(False, "--detach", "-d", help="Run in the background; stop it with `spyglass down`."),
    data: Path | None = typer.Option(None, help="Where data lives; overrides spyglass.yml."),
    listen: str = typer.Option("", help="Address to listen on; overrides spyglass.yml (loopback)."),
    demo: bool = typer.Option(False, "--demo-login", hidden=True),
) -> None:
    """Start the stack from a folder of configuration files, all parts or some.

    Examples:  spyglass up    spyglass up config/ --detach    spyglass up --target=metrics,ui

    Exit codes: 2 for a configuration that does not load, 1 when a port or the data is in use.
    """
    # Only now: what is asked for its help needs no dialect.
    from spyglass.app.installation import settings_of
    from spyglass.config.spyglass import load_installation

    settings = settings_of(
        load_installation(folder), targets=parse_targets(target), data=data, listen=listen, demo=demo
    )
    if detach:
        arguments = ["up", str(folder), f"--target={target}", *(["--data", str(data)] if data else [])]
        arguments += [*(["--listen", listen] if listen else []), *(["--demo-login"] if demo else [])]
        start_detached(settings, arguments)
        return
    serve(settings)


def parse_targets(text: str) -> frozenset[Target]:
    """`metrics,logs` as targets. Raises typer.BadParameter."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if "all" in names or not names:
        return ALL_TARGETS
    unknown = [name for name in names if name not in set(Target)]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no part: use all, {', '.join(Target)}", param_hint="--target")
    return frozenset(Target(name) for name in names)


def start_detached(settings: Settings, arguments: list[str]) -> None:
    """Start `spyglass ARGUMENTS` in a session of its own and wait until its doors answer."""
    running = read_state(settings.data)
    if running and _alive(running.get("pid")):
        fail(f"Spyglass runs already on {settings.data} (pid {running['pid']})", hint="stop it with `spyglass down`")
    settings.data.mkdir(parents=True, exist_ok=True)
    log = settings.data / LOG_FILE
    with log.open("ab") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "spyglass", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        state = read_state(settings.data)
        if state and state.get("pid") == child.pid:
            out.print(f"started (pid {child.pid}); log: {log}", markup=False)
            addresses = state.get("addresses")
            for name, address in addresses.items() if isinstance(addresses, dict) else ():
                out.print(f"{DOORS[Target(name)]:26} http://{address}", markup=False)
            return
        if child.poll() is not None:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
            fail(f"it ended at once (exit code {child.returncode}):\n{tail}", code=child.returncode or 1)
        time.sleep(0.05)
    fail(f"it does not answer after {START_SECONDS} s", hint=f"look into {log}")


def _alive(pid: object) -> bool:
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()
