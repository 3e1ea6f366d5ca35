"""What a command line imports: starting is quick because it needs little."""

import subprocess
import sys

import pytest

SLOW = {"aiohttp": "0.13 s", "rich": "0.03 s", "typer": "0.03 s", "duckdb": "0.1 s"}
"""CPU time of the imports that a server can do without before it answers."""


@pytest.mark.parametrize(
    ("modules", "allowed"),
    [
        ("spyglass.cli.dropin.prometheus, spyglass.app.metrics", set()),
        ("spyglass.cli.dropin.loki, spyglass.app.logs", {"duckdb"}),
        ("spyglass.cli.entry", set()),
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
