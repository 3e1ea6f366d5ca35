"""The first table panel (`styles`, `columns`, `transform`) to today's."""

from spyglass.dashboards.migrate.parts import calculation, drop, field_config, limits_of, mappings_of, named, steps_of
from spyglass.dashboards.migrate.values import Json, number, obj, objects, text, whole

_OLD_KEYS = (
    "columns",
    "fontSize",
    "pageSize",
    "scroll",
    "showHeader",
    "sort",
    "styles",
    "transform",
    "editable",
    "error",
)
_TITLES = {"mean": "Mean", "lastNotNull": "Last *", "max": "Max", "min": "Min", "sum": "Total", "count": "Count"}


def migrate(panel: Json, version: int) -> None:
    kind = panel.get("type")
    old = "styles" in panel or "transform" in panel or "columns" in panel
    if version >= 24 and "fieldConfig" in panel:
        # From version 24 on "table" is today's; these keys are only left over from before.
        old = False
    if kind != "table-old" and not (kind == "table" and old):
        return
    config = field_config(panel)
    renamed = _transform(panel)
    for style in objects(panel.get("styles")):
        _style(style, config, renamed, version)
    options: Json = {"showHeader": panel.get("showHeader") is not False, "cellHeight": "sm"}
    footer: Json = {"show": False, "reducer": ["sum"], "fields": ""}
    if whole(panel.get("pageSize")) > 0:
        footer["enablePagination"] = True
    options["footer"] = footer
    sort = _sort(panel)
    if sort:
        options["sortBy"] = [sort]
    panel["options"] = {**options, **obj(panel.get("options"))}
    panel["type"] = "table"
    drop(panel, *_OLD_KEYS)


def _transform(panel: Json) -> dict[str, str]:
    """What turned series into rows is a transformation today. Returns old column names and what they are called now."""
    wanted = text(panel.get("transform"))
    columns = [one for one in objects(panel.get("columns")) if text(one.get("value"))]
    made: list[Json] = []
    renamed: dict[str, str] = {}
    if wanted == "timeseries_aggregations":
        calcs = [calculation(one["value"]) for one in columns] or ["mean"]
        made.append({"id": "reduce", "options": {"reducers": calcs, "mode": "seriesToRows", "includeTimeField": False}})
        renamed = {text(one.get("text")): _TITLES.get(calculation(one["value"]), "") for one in columns}
        renamed = {old: new for old, new in renamed.items() if old and new} | {"Metric": "Field"}
    elif wanted == "timeseries_to_rows":
        made.append({"id": "seriesToRows", "options": {}})
    elif wanted == "timeseries_to_columns":
        made.append({"id": "joinByField", "options": {"byField": "Time", "mode": "outer"}})
    elif wanted in ("table", "") and len(objects(panel.get("targets"))) > 1:
        made.append({"id": "merge", "options": {"reducers": []}})
    if made:
        panel["transformations"] = [*objects(panel.get("transformations")), *made]
    return renamed


def _style(style: Json, config: Json, renamed: dict[str, str], version: int) -> None:
    pattern = text(style.get("pattern"))
    properties = _properties(style, version)
    if pattern in ("/.*/", ".*", "") and not text(style.get("alias")):
        for name, value in properties:
            owner = config["defaults"]
            if name.startswith("custom."):
                owner, name = owner["custom"], name.removeprefix("custom.")
            owner.setdefault(name, value)
        return
    if text(style.get("alias")):
        properties.insert(0, ("displayName", style["alias"]))
    if properties:
        config["overrides"].append(named(renamed.get(pattern, pattern), properties))


def _properties(style: Json, version: int) -> list[tuple[str, object]]:
    kind = text(style.get("type"))
    found: list[tuple[str, object]] = []
    if kind == "hidden":
        return [("custom.hidden", True)]
    if kind == "date":
        found.append(("unit", f"time: {text(style.get('dateFormat')) or 'YYYY-MM-DD HH:mm:ss'}"))
    elif kind in ("number", ""):
        if text(style.get("unit")):
            found.append(("unit", style["unit"]))
        decimals = number(style.get("decimals"))
        if decimals is not None:
            found.append(("decimals", decimals))
    if text(style.get("align")) not in ("", "auto"):
        found.append(("custom.align", style["align"]))
    found += _colors(style, version)
    maps = mappings_of(
        style.get("valueMaps") if style.get("mappingType") != 2 else None,
        style.get("rangeMaps") if style.get("mappingType") == 2 else None,
    )
    if maps:
        found.append(("mappings", maps))
    if style.get("link") and text(style.get("linkUrl")):
        link = {
            "title": text(style.get("linkTooltip")),
            "url": style["linkUrl"],
            "targetBlank": bool(style.get("linkTargetBlank")),
        }
        found.append(("links", [link]))
    if style.get("preserveFormat"):
        found.append(("custom.wrapText", True))
    return found


def _colors(style: Json, version: int) -> list[tuple[str, object]]:
    mode = text(style.get("colorMode"))
    if not mode:
        return []
    limits = limits_of(style.get("thresholds"))
    if 0 < version < 10 and len(limits) == 3:
        limits = limits[1:]
    colors = style.get("colors")
    steps = steps_of(limits, colors if isinstance(colors, list) else [])
    cell: Json = {"type": "color-text"}
    if mode in ("cell", "row"):
        cell = {"type": "color-background", "mode": "basic"}
        if mode == "row":
            cell["applyToRow"] = True
    return [
        ("thresholds", {"mode": "absolute", "steps": steps}),
        ("color", {"mode": "thresholds"}),
        ("custom.cellOptions", cell),
    ]


def _sort(panel: Json) -> Json | None:
    """It was kept as a column's number, which only means something where the columns are listed."""
    sort, columns = obj(panel.get("sort")), objects(panel.get("columns"))
    column = number(sort.get("col"))
    if column is None or not columns:
        return None
    # Column 0 of aggregations is the series' name.
    place = int(column) - (1 if panel.get("transform") == "timeseries_aggregations" else 0)
    if not 0 <= place < len(columns):
        return None
    name = _TITLES.get(calculation(columns[place].get("value")), text(columns[place].get("text")))
    alias = next(
        (text(s.get("alias")) for s in objects(panel.get("styles")) if s.get("pattern") == columns[place].get("text")),
        "",
    )
    return {"displayName": alias or name, "desc": bool(sort.get("desc"))}
