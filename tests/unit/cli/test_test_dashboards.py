"""spyglass test dashboards: exit codes and the three forms of its answer."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from spyglass.cli.main import build

RIGHT = {"title": "right", "panels": [{"id": 1, "type": "stat", "title": "p", "targets": [{"expr": "up"}]}]}
WRONG = {"title": "wrong", "panels": [{"id": 1, "type": "flux", "title": "p", "targets": [{"expr": "up("}]}]}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(build("test"), ["test", "dashboards", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "right.json").write_text(json.dumps(RIGHT))
    (tmp_path / "inner" / "wrong.json").write_text(json.dumps(WRONG))
    return tmp_path


def test_right_ones_end_with_0(folder: Path) -> None:
    """One line a dashboard, in a pipe without decoration."""
    result = run("--offline", folder / "right.json")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "file\tdashboard\tpanels\terrors\tunsupported",
        f"{folder / 'right.json'}\tright\t1\t0\t0",
    ]


def test_wrong_ones_end_with_1(folder: Path) -> None:
    """The errors follow the table; folders are searched."""
    result = run("--offline", folder)
    assert result.exit_code == 1
    assert f"{folder / 'inner/wrong.json'}: panel 1 'p', query A: 1:4: parse error" in result.stdout


def test_json_and_junit(folder: Path) -> None:
    """A list of reports; a suite a file and a failed case for the check that found something."""
    result = run("--offline", "--json", "--junit", folder / "out.xml", folder)
    assert result.exit_code == 1
    wrong, right = json.loads(result.stdout)
    assert right == {"file": str(folder / "right.json"), "title": "right", "panels": 1, "errors": [], "unsupported": []}
    assert wrong["unsupported"] == ["panel 1 'p': panels of type 'flux' are shown as a table of their data"]
    root = ET.parse(folder / "out.xml").getroot()
    assert root.get("failures") == "1"
    (failed,) = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert failed.get("name") == "queries"


def test_fixtures(folder: Path) -> None:
    """With data an unknown metric is an error."""
    fixture = folder / "fixture"
    fixture.mkdir()
    (fixture / "m.prom").write_text("down 1\n")
    assert "there is no metric 'up'" in run("--fixture", fixture, folder / "right.json").stdout
    (fixture / "m.prom").write_text("up 1\n")
    assert run("--fixture", fixture, folder / "right.json").exit_code == 0


def test_data_sources(folder: Path) -> None:
    """A provisioning file says which there are."""
    panel = {**RIGHT["panels"][0], "datasource": {"type": "prometheus", "uid": "other"}}  # type: ignore[dict-item]
    (folder / "right.json").write_text(json.dumps({"title": "t", "panels": [panel]}))
    (folder / "ds.yml").write_text(
        "apiVersion: 1\ndatasources: [{name: P, uid: p, type: prometheus, url: 'http://x'}]\n"
    )
    result = run("--offline", "--datasources", folder / "ds.yml", folder / "right.json")
    assert "there is no data source 'other' (there are: p)" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--offline", "nowhere"],
        ["--offline", "empty"],
        ["--offline", "--fixture", "empty", "right.json"],
        ["--fixture", "empty", "right.json"],
        ["--offline", "--junit", "nowhere/x.xml", "right.json"],
        ["--url-prometheus", "http://127.0.0.1:1", "right.json"],
        [],
        ["--nope"],
    ],
    ids=str,
)
def test_what_cannot_be_done_ends_with_2(folder: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No such file, nothing in it, nobody who answers, options that exclude one another."""
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder)
    assert run(*arguments).exit_code == 2
