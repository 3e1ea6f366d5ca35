"""Running a server in the foreground: what `up` and the drop-in command lines share. Imports little: starting is quick."""

import gc
import logging
import sys
from typing import TYPE_CHECKING

from spyglass.app.settings import Settings, Target
from spyglass.app.sockets import PortInUse
from spyglass.cli.plain import BOLD, YELLOW, fail, note, styled
from spyglass.model.errors import ConfigError, StoreLocked

if TYPE_CHECKING:
    from spyglass.app.server import Server

DOORS = {
    Target.UI: "web UI and Grafana's API",
    Target.METRICS: "Prometheus' API",
    Target.LOGS: "Loki's API",
    Target.AGENT: "the agent's page",
}


def serve(settings: Settings, *, quiet: bool = False, config_exit: int = 2) -> None:
    """Run in the foreground until a signal. Errors at the start end the process with what to do next."""
    # Until the server runs, and says so itself: what is built stays.
    gc.disable()
    import uvloop

    from spyglass.app.server import Server

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("spyglass").setLevel(settings.log_level.upper().replace("WARN", "WARNING"))
    try:
        server = Server(settings)
    except ConfigError as error:
        fail(str(error), hint="nothing was started; `spyglass check config FILE` checks it again", code=config_exit)
    except PortInUse as error:
        fail(str(error), hint=error.hint)
    except StoreLocked as error:
        fail(
            str(error), hint="`spyglass down` stops a Spyglass that runs in the background; `spyglass status` shows it"
        )
    for text in server.warnings:
        note(f"warning: {text}", YELLOW)
    uvloop.run(server.run(started=lambda: None if quiet else announce(server)))


def announce(server: "Server") -> None:
    """The addresses; and the password, if it was made just now."""
    for target, text in DOORS.items():
        if target in server.addresses:
            print(f"{text:26} http://{server.addresses[target]}", flush=True)
    if server.new_password:
        print(styled("login admin, password (shown only now):", BOLD, sys.stdout), server.new_password, flush=True)
