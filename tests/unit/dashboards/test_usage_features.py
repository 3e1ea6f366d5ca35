"""Every feature that public dashboards use is taken: no error, and what is not done as it is meant is said by name.

The lists (tests/fixtures/dashboards/features.json) are of 712 public dashboards of 47 repositories: what occurs, not how often. A page
test of the web UI shows the same features.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from spyglass.dashboards.examine.run import examine

Json = dict[str, Any]

PROM = {"type": "prometheus", "uid": "P"}
FIXTURES = Path(__file__).parents[2] / "fixtures"
GRID = {"x": 0, "y": 0, "w": 12, "h": 8}

FEATURES: Json = json.loads((FIXTURES / "dashboards" / "features.json").read_text(encoding="utf-8"))
CUSTOM: Json = FEATURES["custom"]
PROPERTIES: Json = FEATURES["properties"] | {f"custom.{key}": value for key, value in CUSTOM.items()}


def panel(kind: str = "timeseries", **parts: Any) -> Json:
    targets = [{"refId": "A", "expr": "up", "datasource": PROM}]
    return {"id": 1, "type": kind, "title": "p", "gridPos": GRID, "datasource": PROM, "targets": targets, **parts}


def looked_at(*panels: Json, schema: int = 41, **parts: Any) -> tuple[list[str], list[str]]:
    """Errors and what is not supported."""
    variable = {"name": "v", "type": "custom", "query": "a,b"}
    document = {
        "title": "t",
        "schemaVersion": schema,
        "panels": list(panels),
        "templating": {"list": [variable]},
        **parts,
    }
    report = examine(json.dumps(document), "f")
    return [str(one) for one in report.errors], [str(one) for one in report.unsupported]


def with_defaults(**defaults: Any) -> Json:
    return panel(fieldConfig={"defaults": defaults, "overrides": []})


@pytest.mark.parametrize("kind", FEATURES["panels"])
def test_panels(kind: str) -> None:
    """Drawn as what they are, after migration."""
    assert looked_at(panel(kind)) == ([], [])


@pytest.mark.parametrize("kind", FEATURES["other_panels"])
def test_panels_of_plugins(kind: str) -> None:
    """Shown as a table with their name."""
    errors, unsupported = looked_at(panel(kind))
    assert errors == []
    assert len(unsupported) == 1
    assert kind in unsupported[0]


@pytest.mark.parametrize("schema", FEATURES["schemas"])
def test_schema_versions(schema: int) -> None:
    """In rows before 16, on a grid since."""
    if schema < 16:
        row = {
            "title": "r",
            "height": "250px",
            "collapse": False,
            "panels": [panel("graph", span=6) | {"gridPos": None}],
        }
        assert looked_at(schema=schema, rows=[row]) == ([], [])
    else:
        assert looked_at(panel("graph" if schema < 30 else "timeseries"), schema=schema) == ([], [])


@pytest.mark.parametrize("kind", FEATURES["transformations"])
def test_transformations(kind: str) -> None:
    assert looked_at(panel("table", transformations=[{"id": kind, "options": FEATURES["transformations"][kind]}])) == (
        [],
        [],
    )


@pytest.mark.parametrize("unit", FEATURES["units"])
def test_units(unit: str) -> None:
    """Known, or a suffix: never an error."""
    assert looked_at(with_defaults(unit=unit))[0] == []


@pytest.mark.parametrize("calc", FEATURES["calculations"])
def test_calculations(calc: str) -> None:
    """In legends and in single values, old names too."""
    legend = {"legend": {"displayMode": "table", "placement": "right", "calcs": [calc]}}
    single = panel("stat", options={"reduceOptions": {"calcs": [calc], "fields": "", "values": False}})
    assert looked_at(panel(options=legend), single | {"id": 2}) == ([], [])


@pytest.mark.parametrize("key", CUSTOM)
def test_custom_settings(key: str) -> None:
    assert looked_at(with_defaults(custom={key: CUSTOM[key]}))[0] == []


@pytest.mark.parametrize("key", PROPERTIES)
def test_properties_of_overrides(key: str) -> None:
    override = {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": key, "value": PROPERTIES[key]}]}
    assert looked_at(panel(fieldConfig={"defaults": {}, "overrides": [override]}))[0] == []


@pytest.mark.parametrize("key", FEATURES["matchers"])
def test_matchers_of_overrides(key: str) -> None:
    override = {
        "matcher": {"id": key, "options": FEATURES["matchers"][key]},
        "properties": [{"id": "unit", "value": "s"}],
    }
    assert looked_at(panel(fieldConfig={"defaults": {}, "overrides": [override]})) == ([], [])


@pytest.mark.parametrize("mode", FEATURES["colors"])
def test_colours(mode: str) -> None:
    assert looked_at(with_defaults(color={"mode": mode, "fixedColor": "blue"})) == ([], [])


@pytest.mark.parametrize("mapping", FEATURES["mappings"], ids=lambda m: str(m["type"]))
def test_mappings(mapping: Json) -> None:
    """Those of before Grafana 8 too."""
    assert looked_at(with_defaults(mappings=[mapping])) == ([], [])


@pytest.mark.parametrize("mode", ["absolute", "percentage", None, ""])
def test_thresholds(mode: str | None) -> None:
    steps = [{"value": None, "color": "green"}, {"value": 80, "color": "red"}]
    assert looked_at(with_defaults(thresholds={"mode": mode, "steps": steps}))[0] == []


@pytest.mark.parametrize("variable", FEATURES["variables"], ids=lambda v: f"{v['type']}-{str(v.get('query'))[:14]}")
def test_variables(variable: Json) -> None:
    both = [{"name": "v", "type": "custom", "query": "a"}, {"name": "w", "datasource": PROM, **variable}]
    assert looked_at(panel(), templating={"list": both}) == ([], [])


@pytest.mark.parametrize("parts", FEATURES["parts"], ids=lambda p: next(iter(p)))
def test_parts_of_panels(parts: Json) -> None:
    assert looked_at(panel(**parts))[0] == []


@pytest.mark.parametrize(
    "parts",
    [
        {"refresh": False},
        {"refresh": None},
        {"refresh": ""},
        {"refresh": "30s"},
        {"time": {"from": "now-1h", "to": "now"}},
        {"time": {"from": "now-24h", "to": "now-1m"}},
        {
            "links": [
                {
                    "type": "dashboards",
                    "tags": ["x"],
                    "asDropdown": True,
                    "keepTime": True,
                    "includeVars": True,
                    "title": "x",
                }
            ]
        },
        {"links": [{"type": "link", "url": "https://example.com", "title": "x", "icon": "external link"}]},
        {
            "annotations": {
                "list": [
                    {"builtIn": 1, "datasource": "-- Grafana --", "enable": True, "name": "A", "type": "dashboard"}
                ]
            }
        },
        {
            "annotations": {
                "list": [
                    {"datasource": PROM, "enable": True, "expr": "changes(up[5m]) > 0", "name": "A", "step": "60s"}
                ]
            }
        },
        {
            "graphTooltip": 1,
            "timezone": "utc",
            "weekStart": "monday",
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "style": "dark",
        },
        {
            "__inputs": [{"name": "DS_X", "type": "datasource", "pluginId": "prometheus"}],
            "__requires": [],
            "gnetId": 1860,
        },
    ],
    ids=lambda p: next(iter(p)),
)
def test_parts_of_dashboards(parts: Json) -> None:
    assert looked_at(panel(), **parts)[0] == []
