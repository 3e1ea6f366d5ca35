"""Lists of dashboards, alerts and annotations, whose options once stood on the panel itself; and old names of panels."""

from spyglass.dashboards.migrate.values import Json, number, obj

_NAMES = {
    "dashlist-old": "dashlist",
    "news-old": "news",
    "piechart-old": "piechart",
    "table2": "table",
    "gauge2": "gauge",
    "graph2": "timeseries",
    "graph3": "timeseries",
    "singlestat2": "stat",
    "natel-discrete-panel": "state-timeline",
}
_DASHLIST = {
    "starred": "showStarred",
    "recent": "showRecentlyViewed",
    "search": "showSearch",
    "headings": "showHeadings",
    "limit": "maxItems",
    "query": "query",
    "folderId": "folderId",
    "tags": "tags",
}
_ALERTLIST = {"show": "showOptions", "limit": "maxItems", "sortOrder": "sortOrder", "dashboardTags": "dashboardTags"}


def migrate(panel: Json, version: int) -> None:
    del version
    kind = panel.get("type")
    if isinstance(kind, str) and kind in _NAMES:
        kind = panel["type"] = _NAMES[kind]
    if not kind and isinstance(panel.get("libraryPanel"), dict):
        # Its content is in a library that is not here: it says its name.
        panel["type"] = "library-panel-ref"
        return
    if kind is None or not isinstance(kind, str) or not kind:
        panel["type"] = "row" if "panels" in panel and "targets" not in panel else "timeseries"
        return
    if kind == "dashlist":
        _move(panel, _DASHLIST)
        mode = panel.pop("mode", None)
        if mode in ("starred", "search", "recently viewed"):
            names = {"starred": "showStarred", "search": "showSearch", "recently viewed": "showRecentlyViewed"}
            obj(panel["options"])[names[mode]] = True
    elif kind == "alertlist":
        _move(panel, _ALERTLIST)
    elif kind == "row":
        panel.setdefault("collapsed", False)
        panel["collapsed"] = bool(panel["collapsed"])
        if not isinstance(panel.get("panels"), list):
            panel["panels"] = []


def _move(panel: Json, names: dict[str, str]) -> None:
    options = panel["options"] = obj(panel.get("options"))
    for old, new in names.items():
        if old in panel:
            value = panel.pop(old)
            options.setdefault(new, number(value) if new == "maxItems" else value)
