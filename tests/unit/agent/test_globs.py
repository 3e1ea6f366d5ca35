"""File name patterns as Promtail's."""

from pathlib import Path

import pytest

from spyglass.agent.globs import find_files, is_shallow, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/var/log/*.log", "/var/log/a.log", True),
        ("/var/log/*.log", "/var/log/deep/a.log", False),
        ("/var/log/**/*.log", "/var/log/a.log", True),
        ("/var/log/**/*.log", "/var/log/x/y/a.log", True),
        ("/var/log/**", "/var/log/x/y", True),
        ("/var/{log,tmp}/a.{log,txt}", "/var/tmp/a.txt", True),
        ("/var/{log,tmp}/a.{log,txt}", "/var/lib/a.txt", False),
        ("/a?[0-9].log", "/ab7.log", True),
        ("/a?[!0-9].log", "/ab7.log", False),
        ("/a.log", "/axlog", False),
        ("/\\*.log", "/*.log", True),
    ],
)
def test_matching(pattern: str, path: str, expected: bool) -> None:
    """A pattern holds for a whole path."""
    assert matches(pattern, path) is expected


def test_finding(tmp_path: Path) -> None:
    """Files only, hidden ones too, each once, sorted."""
    for name in ("b.log", ".hidden.log", "sub/a.log", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [Path(name).relative_to(tmp_path).as_posix() for name in find_files(f"{tmp_path}/**/*.{{log,txt,log}}")]
    assert found == [".hidden.log", "b.log", "c.txt", "sub/a.log"]
    assert is_shallow(f"{tmp_path}/*.log")
    assert not is_shallow(f"{tmp_path}/**/*.log")
