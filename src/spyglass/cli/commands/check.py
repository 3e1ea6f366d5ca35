"""spyglass check config: would these files load?"""

from pathlib import Path

import typer

from spyglass.cli.console import err, out
from spyglass.cli.kind import Kind
from spyglass.model.errors import ConfigError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def root() -> None:
    """Check configuration files."""


@app.command("config")
def config(
    files: list[Path] = typer.Argument(..., help="Configuration files."),
    kind: Kind | None = typer.Option(None, "--kind", help="Whose files they are; guessed from their keys without it."),
) -> None:
    """Say whether each file would load: exit code 0 when all would (warnings on stderr), 1 when one would not.

    Examples:  spyglass check config prometheus.yml    spyglass check config --kind loki loki/*.yaml
    """
    failed = [path for path in files if not _check(path, kind)]
    raise typer.Exit(1 if failed else 0)


def _check(path: Path, kind: Kind | None) -> bool:
    from spyglass.cli.file_kinds import LOADERS, guess

    try:
        found = kind or guess(path)
        warnings = LOADERS[found](path)
    except ConfigError as error:
        err.print(str(error), style="red", markup=False)
        return False
    for text in warnings:
        err.print(f"warning: {text}", style="yellow", markup=False)
    out.print(f"{path}: is a valid {found.value} configuration file", markup=False)
    return True
