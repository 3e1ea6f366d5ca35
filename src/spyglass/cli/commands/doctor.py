"""spyglass doctor: what the files in a folder do not do although they seem to."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spyglass.cli.console import out, print_json

if TYPE_CHECKING:
    from spyglass.config.doctor.finding import Finding

COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}
"""By severity."""


def command(
    folder: Path = typer.Argument(Path("config"), help="Folder of the configuration files, or a spyglass.yml."),
    json: bool = typer.Option(False, "--json", help="Print the findings as JSON."),
) -> None:
    """Explain, with file and line, what in the configuration does not do what it seems to.

    Examples:  spyglass doctor config/    spyglass doctor --json config/ | jq '.[].message'

    Exit code 0, also with findings; 1 when a file would not load.
    """
    from spyglass.config.doctor.examine import examine
    from spyglass.config.doctor.finding import Severity
    from spyglass.config.spyglass import load_installation

    findings = examine(load_installation(folder))
    if json:
        print_json([_plain(finding) for finding in findings])
    else:
        for finding in findings:
            _show(finding)
        warnings = sum(finding.severity is not Severity.NOTE for finding in findings)
        out.print(f"{len(findings)} findings, {warnings} of them warnings or errors", style="dim")
    raise typer.Exit(1 if any(finding.severity is Severity.ERROR for finding in findings) else 0)


def _show(finding: "Finding") -> None:
    out.print(_relative(finding.place), style="bold", end=": ", markup=False)
    out.print(finding.severity.value, style=COLOURS[finding.severity.value], end=": ")
    out.print(f"{finding.key + ': ' if finding.key else ''}{finding.message}", markup=False)
    if finding.remedy:
        out.print(f"    -> {finding.remedy}", style="dim", markup=False)


def _relative(place: str) -> str:
    here = f"{Path.cwd()}/"
    return place.removeprefix(here)


def _plain(finding: "Finding") -> dict[str, object]:
    return {
        "severity": finding.severity.value,
        "file": finding.file,
        "line": finding.line,
        "key": finding.key,
        "message": finding.message,
        "remedy": finding.remedy,
    }
