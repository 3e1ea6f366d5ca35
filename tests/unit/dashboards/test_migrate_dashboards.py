"""What belongs to the whole dashboard: layout, variables, data sources, inputs, resources. And: nothing makes it fail."""

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spyglass.config.grafana import Datasource
from spyglass.dashboards.migrate import migrate
from spyglass.dashboards.migrate.dashboard import PANEL_MIGRATIONS

Json = dict[str, Any]

SOURCES = (
    Datasource(1, "PX", "Prometheus", "prometheus", "http://x", is_default=True),
    Datasource(2, "LX", "Loki", "loki", "http://y"),
)


def places(model: Json) -> list[tuple[str, int, int, int, int]]:
    return [(p.get("title", ""), *(p["gridPos"][k] for k in ("x", "y", "w", "h"))) for p in model["panels"]]


# -- layout -------------------------------------------------------------------------------------------------------------


def test_rows_become_a_grid() -> None:
    """Spans of twelve are widths of 24; heights in pixels are units; a full line wraps."""
    rows = [
        {
            "height": "250px",
            "panels": [{"title": "a", "type": "text", "span": 6}, {"title": "b", "type": "text", "span": 6}],
        },
        {
            "height": 100,
            "panels": [{"title": "c", "type": "text", "span": 8}, {"title": "d", "type": "text", "span": 8}],
        },
    ]
    model = migrate({"title": "t", "schemaVersion": 12, "rows": rows})
    assert places(model) == [("a", 0, 0, 12, 7), ("b", 12, 0, 12, 7), ("c", 0, 7, 16, 3), ("d", 0, 10, 16, 3)]
    assert "rows" not in model
    assert [panel["id"] for panel in model["panels"]] == [1, 2, 3, 4]


def test_titled_and_collapsed_rows_are_row_panels() -> None:
    """A collapsed row holds its panels; an open one is followed by them; a repeated one repeats."""
    rows = [
        {"title": "Open", "showTitle": True, "repeat": "node", "panels": [{"title": "a", "type": "text", "span": 12}]},
        {"title": "Shut", "collapse": True, "panels": [{"title": "b", "type": "text", "span": 12}]},
        {"title": "Last", "showTitle": True, "panels": [{"title": "c", "type": "text", "span": 12}]},
    ]
    model = migrate({"title": "t", "schemaVersion": 14, "rows": rows})
    assert places(model) == [
        ("Open", 0, 0, 24, 1),
        ("a", 0, 1, 24, 7),
        ("Shut", 0, 8, 24, 1),
        ("Last", 0, 9, 24, 1),
        ("c", 0, 10, 24, 7),
    ]
    assert model["panels"][0]["repeat"] == "node"
    assert [panel["title"] for panel in model["panels"][2]["panels"]] == ["b"]


def test_panels_without_a_place_or_an_id_get_one() -> None:
    """Below everything; ids are unique; saved copies of repeated panels go."""
    panels = [
        {"id": 1, "type": "text", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 4}},
        {"id": 1, "type": "text"},
        {"type": "text", "repeatPanelId": 1},
    ]
    model = migrate({"title": "t", "panels": panels})
    assert places(model) == [("", 0, 0, 24, 4), ("", 0, 4, 12, 8)]
    assert [panel["id"] for panel in model["panels"]] == [1, 2]


def test_repeated_panels_know_how_many_stand_side_by_side() -> None:
    """minSpan became maxPerRow."""
    rows = [{"panels": [{"type": "text", "span": 3, "repeat": "x", "minSpan": 3}]}]
    (panel,) = migrate({"title": "t", "rows": rows})["panels"]
    assert (panel["maxPerRow"], panel["repeatDirection"]) == (4, "h")


# -- the dashboard's own ------------------------------------------------------------------------------------------------


def test_refresh_tags_crosshair_time() -> None:
    """false is no refresh; tags may be text; the crosshair had a switch; a time range is always there."""
    model = migrate({"title": "t", "refresh": False, "tags": "a, b", "sharedCrosshair": True})
    assert (model["refresh"], model["tags"], model["graphTooltip"]) == ("", ["a", "b"], 1)
    assert model["time"] == {"from": "now-6h", "to": "now"}
    assert migrate({"title": "t", "refresh": "5s"})["refresh"] == "5s"


def test_the_original_is_not_touched() -> None:
    """Migration works on a copy."""
    original = {"title": "t", "rows": [{"panels": [{"type": "graph", "span": 4}]}], "refresh": True}
    before = copy.deepcopy(original)
    migrate(original)
    assert original == before


# -- data sources -------------------------------------------------------------------------------------------------------


def test_datasource_names_and_null_become_references() -> None:
    """A name, null and "default" are looked up; queries have their panel's; mixed panels' keep their own."""
    panels = [
        {"id": 1, "type": "timeseries", "datasource": "Loki", "targets": [{"expr": "a"}, {"expr": "b"}]},
        {"id": 2, "type": "timeseries", "datasource": None, "targets": [{"refId": "A", "expr": "a"}]},
        {
            "id": 3,
            "type": "timeseries",
            "datasource": "-- Mixed --",
            "targets": [{"datasource": "Loki"}, {"datasource": None}],
        },
        {"id": 4, "type": "timeseries", "datasource": "Gone", "targets": []},
    ]
    first, second, mixed, gone = migrate({"title": "t", "panels": panels}, SOURCES)["panels"]
    assert first["datasource"] == {"type": "loki", "uid": "LX"}
    assert [(t["refId"], t["datasource"]["uid"]) for t in first["targets"]] == [("A", "LX"), ("B", "LX")]
    assert second["datasource"] == {"type": "prometheus", "uid": "PX"}
    assert mixed["datasource"] == {"type": "datasource", "uid": "-- Mixed --"}
    assert [t["datasource"]["uid"] for t in mixed["targets"]] == ["LX", "PX"]
    assert gone["datasource"] == {"uid": "Gone"}


def test_datasource_variables_know_their_type() -> None:
    """`$datasource` is of the type that its variable chooses from."""
    model = migrate(
        {
            "title": "t",
            "templating": {"list": [{"type": "datasource", "name": "ds", "query": "prometheus"}]},
            "panels": [{"type": "graph", "datasource": "$ds", "targets": [{"expr": "up"}]}],
        }
    )
    assert model["panels"][0]["targets"][0]["datasource"] == {"uid": "$ds", "type": "prometheus"}


def test_inputs_are_filled_in() -> None:
    """`${DS_X}` is the default data source of the input's type, `${VAR_X}` the constant; both anywhere in the file."""
    model = migrate(
        {
            "title": "t",
            "__inputs": [
                {"name": "DS_LOKI", "type": "datasource", "pluginId": "loki"},
                {"name": "VAR_JOB", "type": "constant", "value": "backend"},
            ],
            "__requires": [],
            "panels": [
                {"type": "logs", "datasource": "${DS_LOKI}", "targets": [{"expr": '{job="${VAR_JOB}"}'}]},
                {"type": "logs", "datasource": {"type": "loki", "uid": "${DS_LOKI}"}},
            ],
        },
        SOURCES,
    )
    assert [panel["datasource"]["uid"] for panel in model["panels"]] == ["LX", "LX"]
    assert model["panels"][0]["targets"][0]["expr"] == '{job="backend"}'
    assert not {"__inputs", "__requires"} & set(model)


def test_inputs_give_way_to_a_variable_of_their_name() -> None:
    """Exported files have both: the variable is what the panels mean."""
    model = migrate(
        {
            "title": "t",
            "__inputs": [{"name": "DS_P", "type": "datasource", "pluginId": "prometheus"}],
            "templating": {"list": [{"type": "datasource", "name": "DS_P", "query": "prometheus"}]},
            "panels": [{"type": "graph", "datasource": "${DS_P}", "targets": [{"expr": "up"}]}],
        },
        SOURCES,
    )
    assert model["panels"][0]["datasource"] == {"uid": "${DS_P}", "type": "prometheus"}


def test_library_panels_that_came_along_are_put_in() -> None:
    """`__elements` holds their content; place and id are the panel's own."""
    element = {"name": "L", "uid": "u", "kind": 1, "model": {"type": "stat", "title": "Lib", "options": {}}}
    panel = {"id": 7, "gridPos": {"x": 1, "y": 2, "w": 3, "h": 4}, "libraryPanel": {"uid": "u", "name": "L"}}
    (made,) = migrate({"title": "t", "__elements": {"u": element}, "panels": [panel]})["panels"]
    assert (made["type"], made["title"], made["id"], made["gridPos"]["x"]) == ("stat", "Lib", 7, 1)


# -- variables ----------------------------------------------------------------------------------------------------------


def variable(given: Json) -> Json:
    (found,) = migrate({"title": "t", "templating": {"list": [{"name": "v", **given}]}}, SOURCES)["templating"]["list"]
    assert isinstance(found, dict)
    return found


def test_query_variables() -> None:
    """Text or object, the query is an object; refresh is a number that is never 0; hide too; current fits multi."""
    made = variable(
        {"type": "query", "query": "label_values(up, job)", "refresh": True, "hideVariable": True, "datasource": None}
    )
    assert made["query"] == {"query": "label_values(up, job)", "refId": "StandardVariableQuery"}
    assert (made["definition"], made["refresh"], made["hide"]) == ("label_values(up, job)", 1, 2)
    assert made["datasource"]["uid"] == "PX"
    everything = {"text": "All", "value": "$__all"}
    query = {"query": "x", "refId": "R"}
    many = variable({"type": "query", "query": query, "multi": True, "includeAll": True, "current": everything})
    assert many["query"]["refId"] == "R"
    assert many["current"] == {"text": ["All"], "value": ["$__all"], "selected": True}
    loki = variable({"type": "query", "query": {"type": 1, "label": "job", "stream": '{a="b"}'}})
    assert loki["definition"] == 'label_values({a="b"}, job)'


def test_custom_interval_textbox_constant() -> None:
    """Options come from the query; what was chosen stays chosen; a visible constant is a text box."""
    custom = variable({"type": "custom", "query": "a, Two : 2", "current": {"text": "Two", "value": "2"}})
    assert [(o["text"], o["value"], o["selected"]) for o in custom["options"]] == [
        ("a", "a", False),
        ("Two", "2", True),
    ]
    interval = variable({"type": "interval", "query": "1m,10m", "auto": True})
    assert [o["value"] for o in interval["options"]] == ["$__auto_interval_v", "1m", "10m"]
    assert variable({"type": "constant", "query": "x", "hide": 2})["type"] == "constant"
    assert variable({"type": "constant", "query": "x", "hide": 0})["type"] == "textbox"
    box = variable({"type": "textbox", "query": "x", "current": {"text": "y", "value": "y"}})
    assert box["current"]["value"] == "y"


def test_single_value_of_a_list() -> None:
    """A list that was saved while several could be chosen shrinks to its first."""
    made = variable(
        {"type": "query", "query": "q", "multi": False, "current": {"text": ["a", "b"], "value": ["a", "b"]}}
    )
    assert made["current"] == {"text": "a", "value": "a", "selected": True}


def test_built_in_annotation_is_always_there() -> None:
    """And references are filled in."""
    model = migrate(
        {"title": "t", "annotations": {"list": [{"name": "x", "datasource": "Loki", "expr": '{a="b"}'}]}}, SOURCES
    )
    first, second = model["annotations"]["list"]
    assert first["builtIn"] == 1
    assert (second["datasource"]["uid"], second["enable"]) == ("LX", True)


# -- resources ----------------------------------------------------------------------------------------------------------


def v2_panel(number: int, title: str) -> Json:
    query = {
        "kind": "DataQuery",
        "group": "prometheus",
        "version": "v0",
        "datasource": {"name": "PX"},
        "spec": {"expr": "up", "legendFormat": "{{job}}"},
    }
    return {
        "kind": "Panel",
        "spec": {
            "id": number,
            "title": title,
            "data": {
                "kind": "QueryGroup",
                "spec": {
                    "queries": [{"kind": "PanelQuery", "spec": {"refId": "A", "hidden": False, "query": query}}],
                    "transformations": [{"kind": "Transformation", "group": "organize", "spec": {"options": {"a": 1}}}],
                    "queryOptions": {"maxDataPoints": 10},
                },
            },
            "vizConfig": {
                "kind": "VizConfig",
                "group": "timeseries",
                "version": "13.0.0",
                "spec": {"fieldConfig": {"defaults": {"unit": "s"}, "overrides": []}, "options": {}},
            },
        },
    }


V2: Json = {
    "apiVersion": "dashboard.grafana.app/v2beta1",
    "kind": "Dashboard",
    "metadata": {"name": "uid-2"},
    "spec": {
        "title": "Two",
        "tags": ["x"],
        "cursorSync": "Crosshair",
        "timeSettings": {"from": "now-1h", "to": "now", "autoRefresh": "30s", "timezone": "utc"},
        "elements": {"a": v2_panel(1, "A"), "b": v2_panel(2, "B")},
        "layout": {
            "kind": "RowsLayout",
            "spec": {
                "rows": [
                    {
                        "kind": "RowsLayoutRow",
                        "spec": {
                            "title": "First",
                            "collapse": False,
                            "layout": {
                                "kind": "GridLayout",
                                "spec": {
                                    "items": [
                                        {
                                            "kind": "GridLayoutItem",
                                            "spec": {
                                                "x": 0,
                                                "y": 0,
                                                "width": 12,
                                                "height": 6,
                                                "element": {"kind": "ElementReference", "name": "a"},
                                                "repeat": {"mode": "variable", "value": "job", "direction": "v"},
                                            },
                                        }
                                    ]
                                },
                            },
                        },
                    },
                    {
                        "kind": "RowsLayoutRow",
                        "spec": {
                            "title": "Second",
                            "collapse": True,
                            "layout": {
                                "kind": "AutoGridLayout",
                                "spec": {
                                    "maxColumnCount": 2,
                                    "items": [{"kind": "AutoGridLayoutItem", "spec": {"element": {"name": "b"}}}],
                                },
                            },
                        },
                    },
                ]
            },
        },
        "variables": [
            {
                "kind": "QueryVariable",
                "spec": {
                    "name": "job",
                    "hide": "hideLabel",
                    "refresh": "onTimeRangeChanged",
                    "sort": "alphabeticalAsc",
                    "query": {
                        "kind": "DataQuery",
                        "group": "prometheus",
                        "datasource": {"name": "PX"},
                        "spec": {"query": "label_values(job)"},
                    },
                },
            },
            {"kind": "DatasourceVariable", "spec": {"name": "ds", "pluginId": "prometheus"}},
        ],
        "annotations": [],
    },
}


def test_v2_resource_becomes_classic() -> None:
    """Elements on the grid in the order of the layout, queries, options, variables, time."""
    model = migrate(V2, SOURCES)
    assert (model["title"], model["uid"], model["refresh"], model["graphTooltip"]) == ("Two", "uid-2", "30s", 1)
    assert places(model) == [("First", 0, 0, 24, 1), ("A", 0, 1, 12, 6), ("Second", 0, 7, 24, 1)]
    panel = model["panels"][1]
    assert (panel["type"], panel["fieldConfig"]["defaults"]["unit"]) == ("timeseries", "s")
    assert (panel["repeat"], panel["repeatDirection"], panel["maxDataPoints"]) == ("job", "v", 10)
    target = panel["targets"][0]
    assert (target["expr"], target["datasource"]) == ("up", {"type": "prometheus", "uid": "PX"})
    assert panel["transformations"][0] == {"id": "organize", "options": {"a": 1}}
    assert [inner["title"] for inner in model["panels"][2]["panels"]] == ["B"]
    job, ds = model["templating"]["list"]
    assert (job["type"], job["hide"], job["refresh"], job["sort"]) == ("query", 1, 2, 1)
    assert job["query"]["query"] == "label_values(job)"
    assert (ds["type"], ds["query"]) == ("datasource", "prometheus")


def test_v1_resource_and_api_wrapper() -> None:
    """A v1 spec is a classic dashboard; the API's export wraps it in `dashboard`."""
    v1 = {
        "apiVersion": "dashboard.grafana.app/v1beta1",
        "kind": "Dashboard",
        "metadata": {"name": "u"},
        "spec": {"title": "One"},
    }
    assert (migrate(v1)["title"], migrate(v1)["uid"]) == ("One", "u")
    assert migrate({"meta": {}, "dashboard": {"title": "W", "panels": []}})["title"] == "W"


# -- nothing makes it fail ----------------------------------------------------------------------------------------------

_KEYS = st.sampled_from(
    """type id title gridPos panels rows targets options fieldConfig defaults overrides custom thresholds steps value color
    yaxes xaxis legend aliasColors seriesOverrides alias styles pattern columns transform sort templating list name query current
    options multi datasource uid annotations links url mappings valueMaps rangeMaps fieldOptions calcs span height collapse repeat
    __inputs spec elements layout kind metadata apiVersion dashboard refresh time tags matcher properties x y w h mode content
    gauge sparkline format decimals colors fill grid transformations tooltip color cards yAxis dataFormat schemaVersion
    minSpan repeatPanelId libraryPanel __elements displayMode stacking""".split()  # noqa: SIM905
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(),
    st.sampled_from(
        ["", "graph", "singlestat", "table", "heatmap", "text", "row", "gauge", "grafana-piechart-panel", "/a/", "$x"]
    ),
    st.text(max_size=5),
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=8), max_leaves=40
)


@given(st.dictionaries(_KEYS, _JSON, max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_json_a_model_comes_out(data: Json) -> None:
    """Any object whatever gives a dashboard with a title, panels with types, ids and places; and twice is once."""
    model = migrate(data, SOURCES)
    assert isinstance(model["title"], str)
    for panel in model["panels"]:
        assert isinstance(panel["type"], str)
        assert set(panel["gridPos"]) >= {"x", "y", "w", "h"}
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])


_PANEL_TYPES = [
    "graph",
    "singlestat",
    "table",
    "table-old",
    "heatmap",
    "text",
    "gauge",
    "grafana-piechart-panel",
    "stat",
    "row",
]


@given(st.sampled_from(_PANEL_TYPES), st.dictionaries(_KEYS, _JSON, max_size=10))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_the_panel_it_is_migrated(kind: str, panel: Json) -> None:
    """A panel of a known old type with anything in it becomes one of today's, without falling back."""
    for step in PANEL_MIGRATIONS:
        step(copy.deepcopy({**panel, "type": kind}), 16)
    (made,) = migrate({"title": "t", "panels": [{**panel, "type": kind, "id": 1, "repeatPanelId": None}]}, SOURCES)[
        "panels"
    ]
    assert made["type"] not in ("graph", "singlestat", "table-old", "grafana-piechart-panel")
