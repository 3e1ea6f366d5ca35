"""What a command line imports: starting is quick because it needs little."""

import subprocess
import sys

import pytest

from spyglass.cli.entry import DROP_INS
from spyglass.cli.main import COMMANDS

SLOW = {"aiohttp": "0.13 s", "rich": "0.03 s", "typer": "0.03 s", "duckdb": "0.1 s"}
"""CPU time of the imports that a server can do without before it answers."""


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        ("spyglass.cli.dropin.prometheus, spyglass.app.metrics", set()),
        ("spyglass.cli.dropin.loki, spyglass.app.logs", {"duckdb"}),
        ("spyglass.cli.entry", set()),
        ("spyglass.cli.serving, spyglass.cli.dropin.prometheus", set()),
    ],
)
def test_a_server_starts_without_what_it_needs_later(modules: str, allowed: set[str]) -> None:
    """HTTP clients come with the first job, tables and colours with the commands for people."""
    code = f"import sys, {modules}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert SLOW.keys() & set(loaded) <= allowed


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_what_needs_no_command_imports_none(arguments: list[str]) -> None:
    """The help names all commands from one list."""
    code = (
        f"import sys; sys.argv = ['spyglass', *{arguments!r}]\nfrom spyglass.cli import entry\ntry: entry.main()\n"
        "except SystemExit: pass\nprint(*[name for name in sys.modules if name.startswith('spyglass')], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1].split()
    assert "spyglass.cli.main" in loaded
    assert [
        name for name in loaded if name.startswith(("spyglass.cli.commands.", "spyglass.app", "spyglass.query"))
    ] == []
    if arguments != ["--version"]:
        shown = done.stdout + done.stderr
        assert all(name in shown for name in ("up", "logql", "import", "test", "promtail"))


NO_HELP_NEEDS = {"numpy", "yaml", "uvicorn", "uvloop", "starlette", "aiohttp", "duckdb", "urllib.request", "asyncio"}
"""What doing something needs, and saying what can be done does not. (pydantic is not among them: typer brings it.)"""


@pytest.mark.parametrize("command", [*COMMANDS, *DROP_INS])
def test_the_help_of_a_command_needs_nothing_that_the_command_does(command: str) -> None:
    """Dialects, engines, servers and HTTP clients are imported by the command that runs."""
    code = (
        f"import sys; sys.argv = ['spyglass', {command!r}, '--help']\nfrom spyglass.cli import entry\ntry: entry.main()\n"
        "except SystemExit: pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert command in done.stdout
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "spyglass.cli.entry" in loaded
    assert NO_HELP_NEEDS & loaded == set()
    rooms = ("spyglass.config.", "spyglass.storage.", "spyglass.query.", "spyglass.dashboards.", "spyglass.api.")
    assert sorted(name for name in loaded if name.startswith(rooms)) == []


def test_a_server_answers_without_a_module_for_what_nobody_asked() -> None:
    """Websockets come with the first upgrade, plugins of the validating library are not looked for, and the collector rests."""
    code = (
        "import gc, sys; sys.argv = ['spyglass', 'prometheus', '--version']\nfrom spyglass.cli import entry\n"
        "try: entry.main()\nexcept SystemExit: pass\nimport spyglass.app.metrics\n"
        "from spyglass.config.prometheus import parse_prometheus\nfrom pathlib import Path\n"
        "parse_prometheus('scrape_configs: [{job_name: a}]', file='f', folder=Path())\n"
        "from pydantic.plugin import _loader\nassert not list(_loader.get_plugins())\n"
        "print(gc.isenabled(), *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    enabled, *loaded = done.stderr.splitlines()[-1].split()
    assert enabled == "False"
    assert {"websockets", "spyglass.app.metrics"} & set(loaded) == {"spyglass.app.metrics"}
