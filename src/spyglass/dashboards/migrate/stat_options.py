"""`options.fieldOptions` of Grafana 6 (stat, gauge, bar gauge, pie chart): into fieldConfig and reduceOptions."""

from spyglass.dashboards.migrate.gauge import sorted_steps
from spyglass.dashboards.migrate.parts import calculation, drop, field_config, modern_mappings
from spyglass.dashboards.migrate.values import Json, number, obj, objects


def migrate(panel: Json, version: int) -> None:
    del version
    options = obj(panel.get("options"))
    old = options.get("fieldOptions")
    if not isinstance(old, dict):
        return
    config = field_config(panel)
    defaults = config["defaults"]
    # The first 6.x versions had thresholds and mappings beside `defaults`, and an `override` that nothing could write.
    given = {**{key: old[key] for key in ("thresholds", "mappings") if key in old}, **obj(old.get("defaults"))}
    for key, value in given.items():
        if key == "thresholds":
            defaults.setdefault("thresholds", _thresholds(value))
        elif key == "mappings":
            defaults.setdefault("mappings", modern_mappings(value))
        elif key == "title":
            defaults.setdefault("displayName", value)
        elif key != "nullValueMode" and value is not None:
            defaults.setdefault(key, value)
    config["overrides"] += objects(old.get("overrides"))
    calcs = old.get("calcs")
    reduce: Json = {
        "values": bool(old.get("values")),
        "calcs": [calculation(one) for one in calcs] if isinstance(calcs, list) and calcs else ["mean"],
        "fields": "",
    }
    limit = number(old.get("limit"))
    if limit is not None and reduce["values"]:
        reduce["limit"] = limit
    options.setdefault("reduceOptions", reduce)
    drop(options, "fieldOptions")
    panel["options"] = options


def _thresholds(value: object) -> Json:
    if isinstance(value, dict):
        return {"mode": value.get("mode", "absolute"), "steps": sorted_steps(objects(value.get("steps")))}
    return {"mode": "absolute", "steps": sorted_steps(objects(value))}
