"""spyglass logs: what the running Spyglass logs."""

import time
from collections import deque
from pathlib import Path

import typer

from spyglass.cli.commands.up import LOG_FILE
from spyglass.cli.places import data_of
from spyglass.cli.plain import fail


def command(
    folder: Path = typer.Argument(Path("config"), help="The folder that it was started with."),
    follow: bool = typer.Option(False, "--follow", "-f", help="Go on as new lines come; Ctrl-C ends it."),
    lines: int = typer.Option(50, "--lines", "-n", help="How many of the last lines."),
    data: Path | None = typer.Option(None, help="Where its data lives, if it was started with --data."),
) -> None:
    """Show the log of a Spyglass that runs in the background.

    Examples:  spyglass logs    spyglass logs -f
    """
    path = data_of(folder, data) / LOG_FILE
    try:
        source = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        fail(
            f"there is no {path}",
            hint="only `spyglass up --detach` writes one; in the foreground the log goes to stderr",
        )
    with source:
        for line in deque(source, maxlen=lines):
            print(line, end="")
        try:
            while follow:
                line = source.readline()
                if line:
                    print(line, end="", flush=True)
                else:
                    time.sleep(0.2)
        except KeyboardInterrupt:
            return
