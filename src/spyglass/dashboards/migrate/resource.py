"""Dashboards as resources (`apiVersion`, `kind`, `metadata`, `spec`): v1 holds a classic dashboard, v2 elements and a layout.

v2 becomes classic: elements are placed on the grid in the order of the layout; rows become row panels, tabs become rows too (there
are no tabs in the classic form). Source: Grafana's documentation of the dashboard schema v2 (v2alpha1, v2beta1, v2).
"""

from typing import Any

from spyglass.dashboards.migrate.values import Json, number, obj, objects, text, whole

_SYNC = {"Off": 0, "Crosshair": 1, "Tooltip": 2}
_HIDE = {"dontHide": 0, "hideLabel": 1, "hideVariable": 2, "inControlsMenu": 3}
_REFRESH = {"never": 0, "onDashboardLoad": 1, "onTimeRangeChanged": 2}
_SORT = (
    *("disabled", "alphabeticalAsc", "alphabeticalDesc", "numericalAsc", "numericalDesc"),
    *("alphabeticalCaseInsensitiveAsc", "alphabeticalCaseInsensitiveDesc", "naturalAsc", "naturalDesc"),
)
_KINDS = {
    "QueryVariable": "query",
    "CustomVariable": "custom",
    "TextVariable": "textbox",
    "ConstantVariable": "constant",
    "DatasourceVariable": "datasource",
    "IntervalVariable": "interval",
    "AdhocVariable": "adhoc",
    "GroupByVariable": "groupby",
    "SwitchVariable": "switch",
}
COLUMNS = 24


def to_classic(resource: Json) -> Json:
    """The classic form of either version."""
    inner = resource.get("dashboard")
    if isinstance(inner, dict) and not isinstance(resource.get("spec"), dict):
        resource = inner
    spec = obj(resource.get("spec"))
    uid = text(obj(resource.get("metadata")).get("name"))
    if not isinstance(spec.get("elements"), dict):
        return {**spec, "uid": text(spec.get("uid")) or uid}
    model = _settings(spec)
    model["uid"] = uid
    model["panels"] = _Layout(obj(spec["elements"])).panels(obj(spec.get("layout")), 0)
    model["templating"] = {"list": [_variable(one) for one in objects(spec.get("variables"))]}
    model["annotations"] = {"list": [_annotation(one) for one in objects(spec.get("annotations"))]}
    return model


def _settings(spec: Json) -> Json:
    time = obj(spec.get("timeSettings"))
    model: Json = {
        "title": text(spec.get("title")),
        "description": text(spec.get("description")),
        "tags": spec.get("tags"),
        "editable": spec.get("editable") is not False,
        "graphTooltip": _SYNC.get(text(spec.get("cursorSync")), 0),
        "liveNow": bool(spec.get("liveNow")),
        "links": spec.get("links"),
        "time": {"from": time.get("from"), "to": time.get("to")},
        "refresh": text(time.get("autoRefresh")),
        "timezone": text(time.get("timezone")),
        "weekStart": text(time.get("weekStart")),
        "fiscalYearStartMonth": whole(time.get("fiscalYearStartMonth")),
        "timepicker": {"hidden": bool(time.get("hideTimepicker")), "nowDelay": text(time.get("nowDelay"))},
        "schemaVersion": 41,
    }
    if isinstance(time.get("autoRefreshIntervals"), list):
        model["timepicker"]["refresh_intervals"] = time["autoRefreshIntervals"]
    if isinstance(time.get("quickRanges"), list):
        model["timepicker"]["quick_ranges"] = time["quickRanges"]
    return model


class _Layout:
    """Walks a layout and hands out classic panels with their places."""

    def __init__(self, elements: Json) -> None:
        self._elements = elements
        self._depth = 0

    def panels(self, layout: Json, top: int) -> list[Json]:
        """The panels of a layout whose first line is `top`."""
        spec, kind = obj(layout.get("spec")), text(layout.get("kind"))
        self._depth += 1
        try:
            if self._depth > 10:
                return []
            if kind == "RowsLayout":
                return self._titled(objects(spec.get("rows")), top)
            if kind == "TabsLayout":
                return self._titled(objects(spec.get("tabs")), top)
            if kind == "AutoGridLayout":
                return self._auto(spec, top)
            return self._grid(objects(spec.get("items")), top)
        finally:
            self._depth -= 1

    def _grid(self, items: list[Json], top: int) -> list[Json]:
        found = []
        for item in items:
            spec = obj(item.get("spec"))
            if item.get("kind") == "GridLayoutRow":
                found += self._old_row(spec, top)
                continue
            panel = self._panel(spec.get("element"))
            if panel is None:
                continue
            panel["gridPos"] = {
                "x": whole(spec.get("x")),
                "y": top + whole(spec.get("y")),
                "w": whole(spec.get("width"), 12),
                "h": whole(spec.get("height"), 8),
            }
            _repeat(panel, obj(spec.get("repeat")))
            found.append(panel)
        return found

    def _old_row(self, spec: Json, top: int) -> list[Json]:
        """v2alpha1: a row stood among the items."""
        y = top + whole(spec.get("y"))
        row = _row(spec, y)
        inside = self._grid(objects(spec.get("elements")), y + 1)
        if row["collapsed"]:
            row["panels"] = inside
            return [row]
        return [row, *inside]

    def _auto(self, spec: Json, top: int) -> list[Json]:
        columns = min(max(whole(spec.get("maxColumnCount"), 3), 1), COLUMNS)
        heights = {"short": 5, "standard": 9, "tall": 14}
        height = heights.get(text(spec.get("rowHeightMode")), 9)
        if spec.get("rowHeightMode") == "custom":
            height = max(round((number(spec.get("rowHeight")) or 320) / 38), 3)
        width = COLUMNS // columns
        found: list[Json] = []
        for item in objects(spec.get("items")):
            inner = obj(item.get("spec"))
            panel = self._panel(inner.get("element"))
            if panel is None:
                continue
            place = len(found)
            panel["gridPos"] = {
                "x": place % columns * width,
                "y": top + place // columns * height,
                "w": width,
                "h": height,
            }
            _repeat(panel, obj(inner.get("repeat")))
            found.append(panel)
        return found

    def _titled(self, parts: list[Json], top: int) -> list[Json]:
        """Rows or tabs, one below the other."""
        found: list[Json] = []
        y = top
        for part in parts:
            spec = obj(part.get("spec"))
            hidden = bool(spec.get("hideHeader"))
            inside_top = y if hidden else y + 1
            inside = self.panels(obj(spec.get("layout")), inside_top)
            row = None if hidden else _row(spec, y)
            if row is not None:
                found.append(row)
            if row is not None and row["collapsed"]:
                # A row inside a row has no classic form: its panels are put beside the others.
                row["panels"] = [panel for panel in inside if panel.get("type") != "row"]
                y += 1
                continue
            found += inside
            y = max([inside_top, *(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in inside)])
        return found

    def _panel(self, reference: object) -> Json | None:
        element = obj(self._elements.get(text(obj(reference).get("name"))))
        spec = obj(element.get("spec"))
        if element.get("kind") == "LibraryPanel":
            inner = obj(spec.get("libraryPanel"))
            return {
                "id": spec.get("id"),
                "type": "library-panel-ref",
                "title": text(spec.get("title")),
                "libraryPanel": inner,
            }
        return _panel(spec) if element.get("kind") == "Panel" else None


def _row(spec: Json, y: int) -> Json:
    row: Json = {
        "type": "row",
        "title": text(spec.get("title")),
        "collapsed": bool(spec.get("collapse", spec.get("collapsed"))),
        "panels": [],
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
    }
    repeat = obj(spec.get("repeat"))
    if text(repeat.get("value")):
        row["repeat"] = repeat["value"]
    return row


def _repeat(panel: Json, repeat: Json) -> None:
    if text(repeat.get("value")):
        panel["repeat"] = repeat["value"]
        panel["repeatDirection"] = text(repeat.get("direction")) or "h"
        if whole(repeat.get("maxPerRow")):
            panel["maxPerRow"] = whole(repeat["maxPerRow"])


def _panel(spec: Json) -> Json:
    viz, data = obj(spec.get("vizConfig")), obj(obj(spec.get("data")).get("spec"))
    inner = obj(viz.get("spec"))
    # Until v2beta1 the kind was the panel's type itself.
    kind = text(viz.get("group")) or (text(viz.get("kind")) if viz.get("kind") != "VizConfig" else "")
    panel: Json = {
        "id": spec.get("id"),
        "type": kind or "timeseries",
        "title": text(spec.get("title")),
        "description": text(spec.get("description")),
        "transparent": bool(spec.get("transparent")),
        "links": spec.get("links"),
        "fieldConfig": obj(inner.get("fieldConfig")),
        "options": obj(inner.get("options")),
        "targets": [_target(one) for one in objects(data.get("queries"))],
        "transformations": [_transformation(one) for one in objects(data.get("transformations"))],
    }
    version = text(viz.get("version")) or text(inner.get("pluginVersion"))
    if version:
        panel["pluginVersion"] = version
    for key, value in obj(data.get("queryOptions")).items():
        if value is not None:
            panel[key] = value
    references = [target["datasource"] for target in panel["targets"] if target.get("datasource")]
    if references:
        same = all(one == references[0] for one in references)
        panel["datasource"] = references[0] if same else {"type": "datasource", "uid": "-- Mixed --"}
    return panel


def _target(query: Json) -> Json:
    spec = obj(query.get("spec"))
    inner = obj(spec.get("query"))
    target: Json = {**obj(inner.get("spec")), "refId": text(spec.get("refId")), "hide": bool(spec.get("hidden"))}
    reference = _reference(inner, obj(spec.get("datasource")))
    if reference:
        target["datasource"] = reference
    return target


def _reference(query: Json, beside: Json) -> Json:
    """v2beta1: `group` is the type and datasource.name the uid; v2alpha1: `kind` is the type, `{type, uid}` stands beside."""
    kind = text(query.get("group")) or (text(query.get("kind")) if query.get("kind") != "DataQuery" else "")
    uid = text(obj(query.get("datasource")).get("name")) or text(beside.get("uid"))
    made = {"type": kind or text(beside.get("type")), "uid": uid}
    return {key: value for key, value in made.items() if value}


def _transformation(one: Json) -> Json:
    spec = obj(one.get("spec"))
    kind = text(spec.get("id")) or text(one.get("group")) or text(one.get("kind"))
    made: Json = {**spec, "id": kind, "options": obj(spec.get("options"))}
    return made


def _variable(one: Json) -> Json:
    spec, kind = obj(one.get("spec")), _KINDS.get(text(one.get("kind")), "query")
    made: Json = {**spec, "type": kind, "hide": _HIDE.get(text(spec.get("hide")), 0)}
    if isinstance(spec.get("refresh"), str):
        made["refresh"] = _REFRESH.get(spec["refresh"], 1)
    if isinstance(spec.get("sort"), str):
        made["sort"] = _SORT.index(spec["sort"]) if spec["sort"] in _SORT else 0
    if kind == "query":
        _variable_query(made, spec)
    elif kind == "datasource":
        made["query"] = text(spec.get("pluginId"))
    elif kind == "adhoc":
        made["datasource"] = _reference(one, obj(spec.get("datasource")))
        made["datasource"] |= {"uid": text(obj(one.get("datasource")).get("name"))} if one.get("datasource") else {}
        made["filters"] = spec.get("filters")
    elif kind == "switch":
        made["current"] = {"value": spec.get("current"), "text": spec.get("current")}
    elif kind == "textbox" or kind == "constant":
        made["query"] = text(spec.get("query"))
    made["skipUrlSync"] = bool(spec.get("skipUrlSync"))
    return made


def _variable_query(made: Json, spec: Json) -> None:
    query: Any = spec.get("query")
    if isinstance(query, dict) and ("spec" in query or "kind" in query):
        inner = obj(query.get("spec"))
        made["datasource"] = _reference(query, obj(spec.get("datasource")))
        legacy = inner.get("__legacyStringValue")
        made["query"] = legacy if isinstance(legacy, str) else inner
    else:
        made["datasource"] = obj(spec.get("datasource"))


def _annotation(one: Json) -> Json:
    spec = obj(one.get("spec"))
    query = obj(spec.get("query"))
    made = {key: value for key, value in spec.items() if key not in ("query", "legacyOptions")}
    made |= obj(spec.get("legacyOptions"))
    reference = _reference(query, obj(spec.get("datasource")))
    if reference:
        made["datasource"] = reference
    inner = obj(query.get("spec"))
    if inner:
        made["target"] = inner
        for key in ("expr", "titleFormat", "textFormat", "tagKeys", "step"):
            if key in inner:
                made.setdefault(key, inner[key])
    if spec.get("builtIn"):
        made["builtIn"], made["type"] = 1, "dashboard"
    return made
