"""Today's table before version 38: the way a cell is drawn was a word, now it is an object."""

from spyglass.dashboards.migrate.values import Json, obj, objects

_CELLS: dict[str, Json] = {
    "color-background": {"type": "color-background", "mode": "gradient"},
    "color-background-solid": {"type": "color-background", "mode": "basic"},
    "gradient-gauge": {"type": "gauge", "mode": "gradient"},
    "lcd-gauge": {"type": "gauge", "mode": "lcd"},
    "basic": {"type": "gauge", "mode": "basic"},
}


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") != "table":
        return
    config = obj(panel.get("fieldConfig"))
    custom = obj(obj(config.get("defaults")).get("custom"))
    if isinstance(custom.get("displayMode"), str):
        word = custom.pop("displayMode")
        custom.setdefault("cellOptions", cell_options(word))
    for override in objects(config.get("overrides")):
        for one in objects(override.get("properties")):
            if one.get("id") == "custom.displayMode" and isinstance(one.get("value"), str):
                one["id"], one["value"] = "custom.cellOptions", cell_options(one["value"])
    options = obj(panel.get("options"))
    footer = options.get("footer")
    if isinstance(footer, dict) and isinstance(footer.get("fields"), list) and not footer["fields"]:
        footer["fields"] = ""


def cell_options(word: str) -> Json:
    return dict(_CELLS.get(word, {"type": word}))
