"""The `spyglass` command. Each subcommand is a module; only the one that is asked for is imported, so that starting is quick."""

import gc
import importlib
from collections.abc import Mapping, Sequence

import typer

from spyglass import __version__
from spyglass.cli.plain import fail
from spyglass.model.errors import ConfigError, SpyglassError

COMMANDS = {
    "up": "start the stack (or some of its parts) from a folder of configuration files",
    "down": "stop what `up --detach` started",
    "status": "each part: port, health, targets, series, lines, disk, memory",
    "logs": "what the running Spyglass logs",
    "demo": "the stack with an example back end and traffic",
    "smoke": "send 25 requests to a back end and check that metrics, logs and the dashboard show them",
    "query": "evaluate PromQL on a running server",
    "logql": "evaluate LogQL on a running server",
    "doctor": "explain what in a folder of configuration files does not do what it seems to",
    "check": "check configuration files: would they load?",
    "import": "take over what another server stored",
    "export": "samples as tables that other programs read",
    "test": "test dashboards: queries, variables, panels; metrics and labels against live or fixture data",
}
"""Name -> help. The module is spyglass.cli.commands.<name>, its function `command` (or a typer app `app`)."""

MODULES = {"import": "importing"}
"""Where a module cannot have the command's name."""

EXIT_CONFIG = 2


def build(name: str = "") -> typer.Typer:
    """The command-line application with this subcommand; without one, all are named and none is imported."""
    app = typer.Typer(
        name="spyglass",
        help="Spyglass: metrics, logs, dashboards and alerts in one process.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )

    @app.callback(invoke_without_command=True)
    def root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
        if version:
            typer.echo(f"spyglass {__version__}")
            raise typer.Exit

    if not name:
        for title, text in COMMANDS.items():
            app.command(title, help=_sentence(text))(_listed)
        return app
    module = importlib.import_module(f"spyglass.cli.commands.{MODULES.get(name, name)}")
    gc.enable()
    if hasattr(module, "app"):
        app.add_typer(module.app, name=name, help=COMMANDS[name])
    else:
        app.command(name, help=module.command.__doc__ or COMMANDS[name])(module.command)
    return app


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")


def _listed() -> None:
    """Stands in the list of commands; a command that is asked for is imported before."""


def main(arguments: Sequence[str], drop_ins: Mapping[str, str]) -> None:
    """Run the command that the arguments name. drop_ins: the other command lines, for the help."""
    first = next((argument for argument in arguments if not argument.startswith("-")), "")
    name = first if first in COMMANDS else ""
    app = build(name)
    if not name:
        app.info.epilog = "Drop-in command lines: " + "; ".join(f"{n} ({h})" for n, h in drop_ins.items())
    try:
        app(list(arguments), prog_name="spyglass")
    except ConfigError as err:
        fail(str(err), code=EXIT_CONFIG)
    except SpyglassError as err:
        fail(str(err), code=1)
