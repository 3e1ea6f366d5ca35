"""Transformations under their present names and options."""

from spyglass.dashboards.migrate.values import Json, obj, objects, text

NAMES = {"seriesToColumns": "joinByField", "configFromQuery": "configFromData"}


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("transformations") is None:
        panel.pop("transformations", None)
        return
    kept = [one for one in objects(panel.get("transformations")) if text(one.get("id"))]
    for one in kept:
        one["id"] = NAMES.get(one["id"], one["id"])
        one["options"] = obj(one.get("options"))
    panel["transformations"] = kept
