"""spyglass down: stop what `up --detach` started."""

import os
import signal
import time
from pathlib import Path

import typer

from spyglass.app.running import read_state, remove_state
from spyglass.cli.console import out
from spyglass.cli.places import data_of
from spyglass.cli.plain import fail

STOP_SECONDS = 30


def command(
    folder: Path = typer.Argument(Path("config"), help="The folder that it was started with."),
    data: Path | None = typer.Option(None, help="Where its data lives, if it was started with --data."),
) -> None:
    """Stop the Spyglass that runs on this folder's data, and wait until all is written.

    Example:  spyglass down config/
    """
    place = data_of(folder, data)
    state = read_state(place)
    pid = state.get("pid") if state else None
    if not isinstance(pid, int):
        fail(f"no Spyglass runs on {place}", hint="start one with `spyglass up --detach`")
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        remove_state(place)
        fail(f"the Spyglass that ran on {place} (pid {pid}) is gone already", hint="nothing is left to stop")
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if read_state(place) is None:
            out.print(f"stopped (pid {pid})")
            return
        time.sleep(0.05)
    fail(
        f"pid {pid} does not stop after {STOP_SECONDS} s",
        hint=f"kill -9 {pid} ends it; nothing that was acknowledged is lost",
    )
