"""spyglass test dashboards: are these dashboards right, and would they show something here?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from spyglass.cli.console import err, out, print_json, print_table
from spyglass.cli.plain import fail

if TYPE_CHECKING:
    from spyglass.config.grafana import Datasource
    from spyglass.dashboards.examine.findings import Report

app = typer.Typer(no_args_is_help=True)

EXIT_USAGE = 2


@app.callback()
def root() -> None:
    """Test dashboards."""


@app.command("dashboards")
def dashboards(
    paths: list[Path] = typer.Argument(..., metavar="DIR|FILE...", help="Dashboard files, or folders of them."),
    offline: bool = typer.Option(False, "--offline", help="Without data: form, queries' syntax, variables, panels."),
    url_prometheus: str = typer.Option("http://127.0.0.1:9090", help="Metrics to ask; empty: none."),
    url_loki: str = typer.Option("http://127.0.0.1:3100", help="Logs to ask; empty: none."),
    fixture: Path | None = typer.Option(
        None, "--fixture", help="Ask these files instead: *.prom, *.txt, *.metrics, *.om; *.json (a Loki push)."
    ),
    datasources: Path | None = typer.Option(
        None, "--datasources", help="A provisioning file or folder: references to other data sources are errors."
    ),
    tenant: str = typer.Option("", help="X-Scope-OrgID."),
    junit: Path | None = typer.Option(None, "--junit", help="Write a JUnit XML file too."),
    json: bool = typer.Option(False, "--json", help="Print a list of {file, title, panels, errors, unsupported}."),
) -> None:
    """Examine every dashboard: exit code 0 when none has an error, 1 when one has, 2 when nothing could be examined.

    Without --offline every query is evaluated too, and a metric, label or variable that does not exist is an error.

    Examples:  spyglass test dashboards --offline grafana/dashboards/
               spyglass test dashboards --fixture tests/metrics/ --junit report.xml dashboards/
    """
    from spyglass.dashboards.examine.evidence import NoEvidence
    from spyglass.dashboards.examine.fixture import load_fixture
    from spyglass.dashboards.examine.junit import render_junit
    from spyglass.dashboards.examine.run import Surroundings, examine_file
    from spyglass.dashboards.examine.server import LokiServer, PrometheusServer

    files = _files(paths)
    if offline and fixture is not None:
        fail("--offline and --fixture exclude one another", code=EXIT_USAGE)
    try:
        sources = _sources(datasources) if datasources else None
        if offline:
            surroundings = Surroundings(sources)
        elif fixture is not None:
            surroundings = Surroundings(sources, *load_fixture(fixture))
        else:
            surroundings = Surroundings(
                sources,
                PrometheusServer(url_prometheus, tenant=tenant) if url_prometheus else None,
                LokiServer(url_loki, tenant=tenant) if url_loki else None,
            )
        reports = [examine_file(path, surroundings) for path in files]
    except NoEvidence as error:
        fail(str(error), hint="start it with `spyglass up`, name another address, or use --offline", code=EXIT_USAGE)
    if junit is not None:
        _write(junit, render_junit(reports))
    if json:
        print_json([report.as_json() for report in reports])
    else:
        _show(reports)
    raise typer.Exit(1 if any(report.errors for report in reports) else 0)


def _files(paths: Sequence[Path]) -> list[Path]:
    """Files as named, and of folders every .json below. Ends the command where there is nothing to examine."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = [one for one in sorted(path.rglob("*.json")) if not one.name.startswith(".") and one.is_file()]
            if not inside:
                fail(f"{path}: no .json file below this folder", code=EXIT_USAGE)
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        else:
            fail(f"{path}: there is no such file or folder", code=EXIT_USAGE)
    return list(found)


def _sources(path: Path) -> "Sequence[Datasource]":
    """Raises: ConfigError."""
    from spyglass.config.grafana import load_provisioning, load_provisioning_file

    return (load_provisioning(path) if path.is_dir() else load_provisioning_file(path)).datasources


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{path}: cannot be written: {error.strerror or error}", code=EXIT_USAGE)


def _show(reports: "Sequence[Report]") -> None:
    """A line a dashboard, then what is wrong; what is left out goes to stderr."""
    rows = [
        [
            report.file,
            report.title or "-",
            str(report.panels),
            str(len(report.errors)),
            str(len(report.unsupported)),
        ]
        for report in reports
    ]
    print_table("", ["file", "dashboard", "panels", "errors", "unsupported"], rows)
    for report in reports:
        for finding in report.errors:
            out.print(f"{report.file}: {finding}", style="red", markup=False)
        for finding in report.unsupported:
            err.print(f"{report.file}: not supported: {finding}", style="yellow", markup=False)
