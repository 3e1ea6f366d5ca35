"""Dashboards and provisioning files of public repositories: every one loads, every panel becomes one of today's."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance

from spyglass.config.grafana import load_provisioning_file
from spyglass.dashboards.documents import parse_dashboard
from spyglass.dashboards.migrate import migrate

pytestmark = needs_conformance

DASHBOARDS = sorted((CONFORMANCE / "dashboards").glob("*.json"))
PROVISIONING = sorted((CONFORMANCE / "configs" / "grafana-provisioning").glob("*"))

TODAY = frozenset(
    {
        "timeseries",
        "stat",
        "gauge",
        "bargauge",
        "table",
        "logs",
        "text",
        "row",
        "piechart",
        "heatmap",
        "histogram",
        "barchart",
    }
)


def every_panel(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from every_panel(panel.get("panels", []))


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_panel_becomes_one_of_todays(path: Path) -> None:
    """Known type, a place, queries with names and data sources; none falls back; twice is the same as once."""
    original = parse_dashboard(path.read_bytes())
    model = migrate(original)
    panels = list(every_panel(model["panels"]))
    assert panels
    for panel in panels:
        assert panel["type"] in TODAY
        assert set(panel["gridPos"]) >= {"x", "y", "w", "h"}
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        for target in panel.get("targets", []):
            assert target["refId"]
            assert isinstance(target["datasource"], dict)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert isinstance(model["refresh"], str)
    assert migrate(model) == model


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_query_is_lost(path: Path) -> None:
    """Every expression of the file is in the model."""
    text = path.read_text()
    original = json.loads(text)
    rows = [panel for row in original.get("rows") or [] for panel in row.get("panels", [])]
    before = [t.get("expr") for p in every_panel((original.get("panels") or []) + rows) for t in p.get("targets") or []]
    after = [t.get("expr") for p in every_panel(migrate(original)["panels"]) for t in p.get("targets") or []]
    assert sorted(map(str, after)) == sorted(map(str, before))


def test_variables_have_one_form() -> None:
    """Over all files: query variables have objects and definitions, current fits multi."""
    for path in DASHBOARDS:
        for variable in migrate(parse_dashboard(path.read_bytes()))["templating"]["list"]:
            if variable["type"] == "query":
                assert variable["query"]["query"] == variable["definition"] or variable["definition"]
                assert variable["refresh"] in (1, 2)
            if variable["current"]:
                assert isinstance(variable["current"]["value"], list) == variable["multi"]


@pytest.mark.parametrize("path", PROVISIONING, ids=lambda path: path.name)
def test_provisioning_files_load(path: Path) -> None:
    """Each gives data sources or providers, without a warning."""
    found = load_provisioning_file(path)
    assert found.datasources or found.providers
    assert not found.warnings
