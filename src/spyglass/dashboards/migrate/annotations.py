"""The dashboard's annotation queries; the built-in one is always there."""

from spyglass.dashboards.migrate.values import Json, obj, objects

BUILT_IN = {
    "builtIn": 1,
    "datasource": {"type": "grafana", "uid": "-- Grafana --"},
    "enable": True,
    "hide": True,
    "iconColor": "rgba(0, 211, 255, 1)",
    "name": "Annotations & Alerts",
    "type": "dashboard",
}


def migrate(model: Json) -> None:
    found = objects(obj(model.get("annotations")).get("list"))
    # Until version 6 they stood in the pulldowns.
    for one in found:
        one.setdefault("enable", True)
        for old, new in (("titleFormat", "titleFormat"), ("tagKeys", "tagKeys")):
            if isinstance(one.get(old), list):
                one[new] = ",".join(str(key) for key in one[old])
    if not any(one.get("builtIn") for one in found):
        found.insert(0, {**BUILT_IN, "datasource": dict(obj(BUILT_IN["datasource"]))})
    model["annotations"] = {**obj(model.get("annotations")), "list": found}
