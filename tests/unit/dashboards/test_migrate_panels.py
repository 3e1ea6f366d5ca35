"""Panels of every age become today's: one test per old construct."""

from typing import Any

import pytest

from spyglass.dashboards.migrate import migrate

Json = dict[str, Any]


def migrated(panel: Json, *, schema: int = 16) -> Json:
    """One panel through the whole migration."""
    model = migrate({"title": "t", "schemaVersion": schema, "panels": [{"id": 1, "gridPos": GRID, **panel}]})
    (one,) = model["panels"]
    assert isinstance(one, dict)
    return one


GRID = {"x": 0, "y": 0, "w": 12, "h": 8}


def defaults(panel: Json) -> Json:
    found = panel["fieldConfig"]["defaults"]
    assert isinstance(found, dict)
    return found


def overrides(panel: Json) -> dict[tuple[str, Any], dict[str, Any]]:
    """(matcher, its argument) to properties."""
    return {
        (one["matcher"]["id"], one["matcher"]["options"]): {p["id"]: p["value"] for p in one["properties"]}
        for one in panel["fieldConfig"]["overrides"]
    }


# -- graph --------------------------------------------------------------------------------------------------------------


def test_graph_lines_stack_and_nulls() -> None:
    """Width, fill, steps, stacking, connected nulls and points keep their look."""
    panel = migrated(
        {
            "type": "graph",
            "lines": True,
            "linewidth": 2,
            "fill": 4,
            "steppedLine": True,
            "stack": True,
            "percentage": True,
            "nullPointMode": "connected",
            "points": True,
            "pointradius": 3,
        }
    )
    assert panel["type"] == "timeseries"
    custom = defaults(panel)["custom"]
    assert custom["drawStyle"] == "line"
    assert (custom["lineWidth"], custom["fillOpacity"], custom["lineInterpolation"]) == (2, 40, "stepAfter")
    assert custom["stacking"] == {"mode": "percent", "group": "A"}
    assert custom["spanNulls"] is True
    assert (custom["showPoints"], custom["pointSize"]) == ("always", 8)
    assert not {"linewidth", "fill", "stack", "yaxes", "legend"} & set(panel)


def test_graph_bars() -> None:
    """Bars without lines are bars, filled."""
    custom = defaults(migrated({"type": "graph", "bars": True, "lines": False}))["custom"]
    assert (custom["drawStyle"], custom["fillOpacity"]) == ("bars", 100)


def test_graph_axes() -> None:
    """The left axis becomes the fields' default: unit, bounds, label, logarithm; the right one an override."""
    panel = migrated(
        {
            "type": "graph",
            "decimals": 1,
            "yaxes": [
                {"format": "bytes", "label": "Memory", "logBase": 2, "min": "0", "max": "1e3", "show": True},
                {"format": "percent", "label": "CPU", "logBase": 1, "min": 0, "max": 100, "show": True},
            ],
            "seriesOverrides": [{"alias": "/cpu.*/", "yaxis": 2}],
        }
    )
    field = defaults(panel)
    assert (field["unit"], field["min"], field["max"], field["decimals"]) == ("bytes", 0, 1000, 1)
    assert field["custom"]["axisLabel"] == "Memory"
    assert field["custom"]["scaleDistribution"] == {"type": "log", "log": 2}
    right = overrides(panel)[("byRegexp", "/cpu.*/")]
    assert (right["custom.axisPlacement"], right["unit"], right["min"], right["max"]) == ("right", "percent", 0, 100)
    assert right["custom.axisLabel"] == "CPU"


def test_graph_legend_and_tooltip() -> None:
    """Table at the right with its calculations and order; shared tooltip sorted."""
    legend = {"show": True, "values": True, "avg": True, "current": True, "alignAsTable": True, "rightSide": True}
    panel = migrated(
        {
            "type": "graph",
            "legend": {**legend, "sort": "avg", "sortDesc": True, "sideWidth": 200},
            "tooltip": {"shared": True, "sort": 2},
        }
    )
    assert panel["options"]["legend"] == {
        "showLegend": True,
        "displayMode": "table",
        "placement": "right",
        "calcs": ["mean", "lastNotNull"],
        "sortBy": "Mean",
        "sortDesc": True,
        "width": 200,
    }
    assert panel["options"]["tooltip"] == {"mode": "multi", "sort": "desc"}
    assert migrated({"type": "graph", "legend": {"show": False}})["options"]["legend"]["showLegend"] is False


def test_graph_colours_and_overrides() -> None:
    """Alias colours by name; dashes, fill below, negative, hidden in the legend, outside the stack."""
    panel = migrated(
        {
            "type": "graph",
            "stack": True,
            "aliasColors": {"Idle": "#123456"},
            "seriesOverrides": [
                {"alias": "max", "fillBelowTo": "min", "lines": False},
                {"alias": "min", "dashes": True, "dashLength": 4, "color": "#abc", "linewidth": 3, "stack": False},
                {"alias": "/sent/", "transform": "negative-Y", "legend": False},
            ],
        }
    )
    found = overrides(panel)
    assert found[("byName", "Idle")] == {"color": {"mode": "fixed", "fixedColor": "#123456"}}
    assert found[("byName", "max")]["custom.fillBelowTo"] == "min"
    assert found[("byName", "max")]["custom.lineWidth"] == 0
    below = found[("byName", "min")]
    assert below["custom.lineStyle"] == {"fill": "dash", "dash": [4, 10]}
    assert below["custom.stacking"] == {"mode": "none", "group": "A"}
    assert below["color"] == {"mode": "fixed", "fixedColor": "#abc"}
    assert found[("byRegexp", "/sent/")]["custom.transform"] == "negative-Y"
    assert found[("byRegexp", "/sent/")]["custom.hideFrom"]["legend"] is True


@pytest.mark.parametrize(
    ("limits", "steps", "mode"),
    [
        (
            [{"value": 80, "op": "gt", "colorMode": "critical", "fill": True, "line": True}],
            [("transparent", None), ("red", 80)],
            "line+area",
        ),
        (
            [{"value": 5, "op": "lt", "colorMode": "warning", "fill": True}],
            [("orange", None), ("transparent", 5)],
            "area",
        ),
        (
            [
                {"value": 9, "op": "gt", "colorMode": "critical", "line": True},
                {"value": 7, "op": "gt", "colorMode": "custom", "lineColor": "#fff", "line": True},
            ],
            [("transparent", None), ("#fff", 7), ("red", 9)],
            "line",
        ),
    ],
)
def test_graph_thresholds(limits: list[Json], steps: list[tuple[str, Any]], mode: str) -> None:
    """Limits become steps in order; what lies on the good side is not coloured."""
    field = defaults(migrated({"type": "graph", "thresholds": limits}))
    assert [(step["color"], step["value"]) for step in field["thresholds"]["steps"]] == steps
    assert field["custom"]["thresholdsStyle"]["mode"] == mode


def test_graph_of_version_11() -> None:
    """Axes and thresholds in `grid`, units in `y_formats`."""
    panel = migrated(
        {
            "type": "graph",
            "y_formats": ["ms", "short"],
            "leftYAxisLabel": "Latency",
            "grid": {
                "leftMin": 0,
                "leftMax": 10,
                "leftLogBase": 10,
                "threshold1": 5,
                "threshold1Color": "#f00",
                "threshold2": None,
            },
            "x-axis": True,
            "y-axis": True,
        },
        schema=11,
    )
    field = defaults(panel)
    assert (field["unit"], field["min"], field["max"], field["custom"]["axisLabel"]) == ("ms", 0, 10, "Latency")
    assert field["custom"]["scaleDistribution"] == {"type": "log", "log": 10}
    assert [step["color"] for step in field["thresholds"]["steps"]] == ["transparent", "#f00"]


def test_graph_by_series_and_histogram() -> None:
    """The x axis's other modes are panels of their own today."""
    bars = migrated({"type": "graph", "xaxis": {"mode": "series", "values": ["avg"]}})
    assert bars["type"] == "barchart"
    assert bars["transformations"][0]["options"]["reducers"] == ["mean"]
    assert migrated({"type": "graph", "xaxis": {"mode": "histogram", "buckets": 20}})["options"]["bucketCount"] == 20


def test_graph_without_a_time_axis() -> None:
    """A hidden x axis stays hidden."""
    found = overrides(migrated({"type": "graph", "xaxis": {"show": False}}))
    assert found[("byType", "time")] == {"custom.axisPlacement": "hidden"}


# -- singlestat, gauge --------------------------------------------------------------------------------------------------

SINGLESTAT: Json = {
    "type": "singlestat",
    "format": "percent",
    "decimals": 1,
    "thresholds": "50,80",
    "colors": ["#0f0", "#ff0", "#f00"],
    "colorValue": True,
    "valueName": "current",
    "valueMaps": [{"op": "=", "value": "null", "text": "N/A"}, {"op": "=", "value": "1", "text": "UP"}],
    "mappingType": 1,
    "nullText": "none",
    "sparkline": {"show": True},
    "gauge": {"show": False, "minValue": 0, "maxValue": 100},
}


def test_singlestat_is_a_stat() -> None:
    """Unit, limits, colours, mappings, calculation, sparkline."""
    panel = migrated(SINGLESTAT)
    field = defaults(panel)
    assert panel["type"] == "stat"
    assert (field["unit"], field["decimals"], field["noValue"]) == ("percent", 1, "none")
    assert [(step["color"], step["value"]) for step in field["thresholds"]["steps"]] == [
        ("#0f0", None),
        ("#ff0", 50),
        ("#f00", 80),
    ]
    assert field["mappings"] == [
        {"type": "value", "options": {"1": {"text": "UP", "index": 0}}},
        {"type": "special", "options": {"match": "null", "result": {"text": "N/A"}}},
    ]
    options = panel["options"]
    assert options["reduceOptions"] == {"values": False, "calcs": ["lastNotNull"], "fields": ""}
    assert (options["colorMode"], options["graphMode"], options["textMode"]) == ("value", "area", "auto")
    assert "valueMaps" not in panel


def test_singlestat_with_a_gauge() -> None:
    """Where it showed a gauge it is one, with its bounds."""
    panel = migrated({**SINGLESTAT, "gauge": {"show": True, "minValue": 0, "maxValue": 10, "thresholdMarkers": True}})
    assert (panel["type"], defaults(panel)["min"], defaults(panel)["max"]) == ("gauge", 0, 10)
    assert panel["options"]["showThresholdMarkers"] is True


def test_singlestat_ranges_name_and_prefix() -> None:
    """Range maps, the series' name as the value, text beside the number, the column of a table."""
    panel = migrated(
        {
            **SINGLESTAT,
            "format": "none",
            "postfix": " req",
            "mappingType": 2,
            "rangeMaps": [{"from": "0", "to": "9", "text": "low"}],
            "valueName": "name",
            "tableColumn": "a.b",
            "colorBackground": True,
        }
    )
    assert defaults(panel)["unit"] == "suffix: req"
    assert defaults(panel)["mappings"] == [
        {"type": "range", "options": {"from": 0, "to": 9, "result": {"text": "low"}}}
    ]
    assert panel["options"]["textMode"] == "name"
    assert panel["options"]["colorMode"] == "background"
    assert panel["options"]["reduceOptions"]["fields"] == r"/^a\.b$/"


def test_singlestat_before_version_9_had_three_limits() -> None:
    """The first one meant nothing."""
    panel = migrated({**SINGLESTAT, "thresholds": "0,50,80"}, schema=8)
    assert [step["value"] for step in defaults(panel)["thresholds"]["steps"]] == [None, 50, 80]


def test_gauge_of_grafana_5() -> None:
    """Flat options with valueOptions, thresholds highest first."""
    panel = migrated(
        {
            "type": "gauge",
            "options-gauge": {
                "valueOptions": {"unit": "percent", "stat": "avg", "decimals": 2},
                "minValue": 0,
                "maxValue": 50,
                "thresholds": [
                    {"color": "red", "value": 80, "index": 1},
                    {"color": "green", "value": None, "index": 0},
                ],
            },
        }
    )
    field = defaults(panel)
    assert (field["unit"], field["decimals"], field["min"], field["max"]) == ("percent", 2, 0, 50)
    assert [step["color"] for step in field["thresholds"]["steps"]] == ["green", "red"]
    assert panel["options"]["reduceOptions"]["calcs"] == ["mean"]


def test_field_options_of_grafana_6() -> None:
    """fieldOptions of stat, gauge and bar gauge become fieldConfig and reduceOptions; old mappings today's."""
    panel = migrated(
        {
            "type": "bargauge",
            "options": {
                "displayMode": "lcd",
                "fieldOptions": {
                    "calcs": ["max"],
                    "defaults": {
                        "unit": "short",
                        "title": "T",
                        "thresholds": [{"color": "green", "value": None}, {"color": "red", "value": 3}],
                        "mappings": [
                            {"id": 0, "type": 1, "value": "1", "text": "one"},
                            {"id": 1, "type": 2, "from": "2", "to": "3", "text": "few"},
                        ],
                    },
                    "values": False,
                },
            },
        }
    )
    field = defaults(panel)
    assert (field["unit"], field["displayName"]) == ("short", "T")
    assert field["thresholds"]["steps"][1] == {"color": "red", "value": 3}
    assert field["mappings"][0] == {"type": "value", "options": {"1": {"text": "one", "index": 0}}}
    assert field["mappings"][1]["options"]["from"] == 2
    assert panel["options"]["reduceOptions"] == {"values": False, "calcs": ["max"], "fields": ""}
    assert panel["options"]["displayMode"] == "lcd"
    assert "fieldOptions" not in panel["options"]


# -- tables -------------------------------------------------------------------------------------------------------------


def test_old_table_styles() -> None:
    """Aliases, dates, hidden columns, units, colours, links and maps become overrides; `/.*/` the default."""
    panel = migrated(
        {
            "type": "table",
            "transform": "table",
            "columns": [],
            "pageSize": 20,
            "showHeader": True,
            "styles": [
                {"pattern": "Time", "type": "date", "dateFormat": "HH:mm"},
                {"pattern": "Value #A", "type": "hidden"},
                {
                    "pattern": "/Value.*/",
                    "type": "number",
                    "alias": "Load",
                    "unit": "percent",
                    "decimals": 0,
                    "colorMode": "cell",
                    "colors": ["#0f0", "#ff0", "#f00"],
                    "thresholds": ["50", "80"],
                    "link": True,
                    "linkUrl": "/d/x?var=$__cell_2&v=$__cell",
                    "linkTooltip": "go",
                },
                {"pattern": "/.*/", "type": "number", "unit": "short"},
            ],
            "targets": [{"refId": "A", "expr": "a"}, {"refId": "B", "expr": "b"}],
        }
    )
    found = overrides(panel)
    assert panel["type"] == "table"
    assert found[("byName", "Time")] == {"unit": "time: HH:mm"}
    assert found[("byName", "Value #A")] == {"custom.hidden": True}
    load = found[("byRegexp", "/Value.*/")]
    assert (load["displayName"], load["unit"], load["decimals"]) == ("Load", "percent", 0)
    assert load["custom.cellOptions"] == {"type": "color-background", "mode": "basic"}
    assert [step["value"] for step in load["thresholds"]["steps"]] == [None, 50, 80]
    assert load["links"][0]["url"] == "/d/x?var=${__data.fields[2]}&v=${__value.raw}"
    assert defaults(panel)["unit"] == "short"
    assert [one["id"] for one in panel["transformations"]] == ["merge"]
    assert panel["options"]["footer"]["enablePagination"] is True


def test_old_table_of_aggregations() -> None:
    """Series as rows with calculations as columns: a reduce, sorted by the column that was meant."""
    panel = migrated(
        {
            "type": "table",
            "transform": "timeseries_aggregations",
            "columns": [{"text": "Avg", "value": "avg"}, {"text": "Current", "value": "current"}],
            "sort": {"col": 2, "desc": True},
            "styles": [{"pattern": "Avg", "alias": "Mean load", "type": "number", "unit": "s"}],
        }
    )
    assert panel["transformations"][0]["options"]["reducers"] == ["mean", "lastNotNull"]
    assert overrides(panel)[("byName", "Mean")] == {"displayName": "Mean load", "unit": "s"}
    assert panel["options"]["sortBy"] == [{"displayName": "Last *", "desc": True}]


def test_cell_display_modes() -> None:
    """Words until version 38, objects today."""
    panel = migrated(
        {
            "type": "table",
            "fieldConfig": {
                "defaults": {"custom": {"displayMode": "lcd-gauge"}},
                "overrides": [
                    {
                        "matcher": {"id": "byName", "options": "x"},
                        "properties": [{"id": "custom.displayMode", "value": "color-background-solid"}],
                    }
                ],
            },
        },
        schema=37,
    )
    assert defaults(panel)["custom"]["cellOptions"] == {"type": "gauge", "mode": "lcd"}
    assert overrides(panel)[("byName", "x")] == {"custom.cellOptions": {"type": "color-background", "mode": "basic"}}


# -- other panels -------------------------------------------------------------------------------------------------------


def test_pie_chart_plugin() -> None:
    """The plugin's pie is the built-in one."""
    panel = migrated(
        {
            "type": "grafana-piechart-panel",
            "pieType": "donut",
            "format": "bytes",
            "valueName": "total",
            "legendType": "Right side",
            "legend": {"show": True, "values": True, "percentage": True},
            "aliasColors": {"a": "#111"},
        }
    )
    assert panel["type"] == "piechart"
    options = panel["options"]
    assert (options["pieType"], options["reduceOptions"]["calcs"]) == ("donut", ["sum"])
    assert options["legend"]["placement"] == "right"
    assert options["legend"]["values"] == ["value", "percent"]
    assert defaults(panel)["unit"] == "bytes"
    assert ("byName", "a") in overrides(panel)


def test_old_heatmap() -> None:
    """Buckets from the data or calculated, colours, axis, empty cells."""
    panel = migrated(
        {
            "type": "heatmap",
            "dataFormat": "tsbuckets",
            "color": {"mode": "spectrum", "colorScheme": "interpolateOranges", "exponent": 0.5, "max": 9},
            "cards": {"cardPadding": 1, "cardRound": 2},
            "yAxis": {"format": "s", "decimals": 1, "show": True},
            "yBucketBound": "upper",
            "hideZeroBuckets": True,
            "tooltip": {"show": True, "showHistogram": True},
        }
    )
    options = panel["options"]
    assert options["calculate"] is False
    assert options["color"]["scheme"] == "Oranges"
    assert options["color"]["max"] == 9
    assert (options["cellGap"], options["cellRadius"]) == (1, 2)
    assert options["yAxis"]["unit"] == "s"
    assert options["rowsFrame"] == {"layout": "le"}
    assert options["filterValues"] == {"le": 1e-9}
    sized = migrated({"type": "heatmap", "dataFormat": "timeseries", "xBucketSize": "1m", "yAxis": {"logBase": 2}})
    assert sized["options"]["calculation"] == {
        "xBuckets": {"mode": "size", "value": "1m"},
        "yBuckets": {"mode": "count", "value": "", "scale": {"type": "log", "log": 2}},
    }


@pytest.mark.parametrize(("mode", "expected"), [("markdown", "markdown"), ("html", "html"), ("text", "markdown")])
def test_text_modes(mode: str, expected: str) -> None:
    """mode and content stood on the panel."""
    panel = migrated({"type": "text", "mode": mode, "content": "# Hi"})
    assert panel["options"] == {"content": "# Hi", "mode": expected}
    assert "content" not in panel


def test_hidden_legend_and_old_names() -> None:
    """displayMode hidden is showLegend false; seriesToColumns is joinByField."""
    panel = migrated(
        {
            "type": "timeseries",
            "options": {"legend": {"displayMode": "hidden", "placement": "bottom"}},
            "transformations": [{"id": "seriesToColumns", "options": {}}],
        },
        schema=33,
    )
    assert panel["options"]["legend"] == {"displayMode": "list", "placement": "bottom", "showLegend": False}
    assert panel["transformations"][0]["id"] == "joinByField"


def test_panel_links_of_version_18() -> None:
    """A link by a dashboard's title, taking time and variables along."""
    link = {
        "type": "dashboard",
        "dashboard": "My Board",
        "title": "go",
        "keepTime": True,
        "includeVars": True,
        "params": "a=1",
    }
    (made,) = migrated({"type": "text", "links": [link]})["links"]
    assert made["url"] == "dashboard/db/my-board?${__url_time_range}&${__all_variables}&a=1"


@pytest.mark.parametrize(
    ("given", "schema", "expected"),
    [
        (["labelsToFields"], 30, ["labelsToFields", "merge"]),
        (["labelsToFields", "merge", "organize"], 30, ["labelsToFields", "merge", "organize"]),
        (["labelsToFields"], 31, ["labelsToFields"]),
    ],
)
def test_labels_as_fields_were_merged_before_version_31(given: list[str], schema: int, expected: list[str]) -> None:
    """What was one step then is two now."""
    panel = migrated({"type": "table", "transformations": [{"id": one} for one in given]}, schema=schema)
    assert [one["id"] for one in panel["transformations"]] == expected


def test_unknown_panels_pass_through() -> None:
    """A plugin's panel keeps its type and all of its own."""
    panel = migrated({"type": "vendor-map-panel", "special": {"a": [1]}, "options": {"x": 1}})
    assert (panel["type"], panel["special"], panel["options"]) == ("vendor-map-panel", {"a": [1]}, {"x": 1})
