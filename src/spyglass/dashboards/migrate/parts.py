"""What several panel migrations share: field config, thresholds, mappings, legends, calculations, colours."""

from collections.abc import Sequence

from spyglass.dashboards.migrate.values import Json, number, obj, objects, regex_parts, text, whole

CALCULATIONS = {
    "avg": "mean",
    "current": "lastNotNull",
    "total": "sum",
    "name": "lastNotNull",
    "first": "firstNotNull",
    "last": "lastNotNull",
    "last_time": "lastNotNull",
    "min": "min",
    "max": "max",
    "count": "count",
    "range": "range",
    "diff": "diff",
    "delta": "delta",
    "mean": "mean",
    "sum": "sum",
}
"""Old names of a series' calculations, and today's."""


def calculation(name: object, default: str = "lastNotNull") -> str:
    """Today's id of a calculation; one that is today's already stays."""
    word = text(name)
    return CALCULATIONS.get(word, word or default)


def field_config(panel: Json) -> Json:
    """The panel's fieldConfig with its parts there and of the right kind."""
    config = panel["fieldConfig"] = obj(panel.get("fieldConfig"))
    defaults = config["defaults"] = obj(config.get("defaults"))
    defaults["custom"] = obj(defaults.get("custom"))
    config["overrides"] = objects(config.get("overrides"))
    return config


def override(matcher: str, options: object, properties: Sequence[tuple[str, object]]) -> Json:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": name, "value": value} for name, value in properties],
    }


def named(alias: str, properties: Sequence[tuple[str, object]]) -> Json:
    """An override for a series by name, or by `/regex/`."""
    pattern = regex_parts(alias)
    return override("byName", alias, properties) if pattern is None else override("byRegexp", alias, properties)


def steps_of(values: Sequence[float | int | None], colors: Sequence[object]) -> list[Json]:
    """Steps of "limits between colours": colours[0] below the first limit, colours[i] from the i-th on."""
    limits = [value for value in values if value is not None]
    palette = [color for color in colors if isinstance(color, str)] or ["green", "orange", "red"]
    steps: list[Json] = [{"color": palette[0], "value": None}]
    for index, value in enumerate(limits, start=1):
        steps.append({"color": palette[min(index, len(palette) - 1)], "value": value})
    return steps


def limits_of(value: object) -> list[float | int | None]:
    """`"50,80"` or `[50, "80"]` as numbers."""
    parts: list[object] = (
        list(value.split(",")) if isinstance(value, str) else list(value) if isinstance(value, list) else []
    )
    return [found for found in (number(part) for part in parts) if found is not None]


def mappings_of(value_maps: object, range_maps: object) -> list[Json]:
    """singlestat's and the old table's value and range maps as today's mappings."""
    found: list[Json] = []
    values: Json = {}
    for one in objects(value_maps):
        value, shown = one.get("value"), one.get("text")
        if shown in (None, "") or value is None:
            continue
        if value == "null":
            found.append({"type": "special", "options": {"match": "null", "result": {"text": str(shown)}}})
        else:
            values[str(value)] = {"text": str(shown), "index": len(values)}
    if values:
        found.insert(0, {"type": "value", "options": values})
    for one in objects(range_maps):
        mapping = _range(one)
        if mapping is not None:
            found.append(mapping)
    return found


def _range(one: Json) -> Json | None:
    shown = one.get("text")
    if shown in (None, ""):
        return None
    result: Json = {"text": str(shown)}
    if isinstance(one.get("color"), str):
        result["color"] = one["color"]
    if one.get("from") == "null" and one.get("to") == "null":
        return {"type": "special", "options": {"match": "null", "result": result}}
    return {
        "type": "range",
        "options": {"from": number(one.get("from")), "to": number(one.get("to")), "result": result},
    }


def modern_mappings(given: object) -> list[Json]:
    """Mappings of versions 7.0 to 7.5 (`type: 1` value, `type: 2` range, with the text beside) in today's form."""
    found: list[Json] = []
    values: Json = {}
    for one in objects(given):
        if isinstance(one.get("type"), str):
            found.append(one)
            continue
        kind = whole(one.get("type"), 1)
        if kind == 2 or ("from" in one and "value" not in one):
            mapping = _range(one)
            if mapping is not None:
                found.append(mapping)
            continue
        value, shown = one.get("value"), one.get("text")
        if value is None or shown is None:
            continue
        result: Json = {"text": str(shown), "index": len(found) + len(values)}
        if isinstance(one.get("color"), str):
            result["color"] = one["color"]
        if value == "null":
            found.append({"type": "special", "options": {"match": "null", "result": result}})
        else:
            values[str(value)] = result
    return [{"type": "value", "options": values}, *found] if values else found


def legend_of(legend: object, *, default_values: bool = False) -> Json:
    """The flot legend (`avg: true, rightSide: true, alignAsTable: true`) as today's options."""
    old = obj(legend)
    names = [("avg", "mean"), ("current", "lastNotNull"), ("max", "max"), ("min", "min"), ("total", "sum")]
    shown = bool(old.get("values", default_values))
    calcs = [new for name, new in names if old.get(name)] if shown else []
    made: Json = {
        "showLegend": old.get("show") is not False,
        "displayMode": "table" if old.get("alignAsTable") else "list",
        "placement": "right" if old.get("rightSide") else "bottom",
        "calcs": calcs,
    }
    sort = text(old.get("sort"))
    titles = {"avg": "Mean", "current": "Last *", "max": "Max", "min": "Min", "total": "Total"}
    if sort in titles and shown:
        made["sortBy"], made["sortDesc"] = titles[sort], bool(old.get("sortDesc"))
    width = number(old.get("sideWidth"))
    if width and made["placement"] == "right":
        made["width"] = width
    return made


def drop(panel: Json, *names: str) -> None:
    for name in names:
        panel.pop(name, None)
