"""The gauge of Grafana 5.4 and 6.0: its options stood in `options-gauge`, then flat in `options`; today as stat_options has them."""

from spyglass.dashboards.migrate.parts import calculation, drop, field_config, mappings_of, modern_mappings
from spyglass.dashboards.migrate.values import Json, number, obj, objects, text


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") not in ("gauge", "bargauge", "stat"):
        return
    moved = panel.pop("options-gauge", None)
    if isinstance(moved, dict):
        panel["options"] = {**moved, **obj(panel.get("options"))}
    options = obj(panel.get("options"))
    values = obj(options.get("valueOptions"))
    flat = any(key in options for key in ("stat", "unit", "minValue", "maxValue", "prefix", "suffix"))
    if not values and not flat:
        return
    given = {**options, **values}
    defaults = field_config(panel)["defaults"]
    unit = text(given.get("unit"))
    if unit:
        defaults.setdefault("unit", unit)
    for old, new in (("minValue", "min"), ("maxValue", "max"), ("decimals", "decimals")):
        value = number(given.get(old))
        if value is not None:
            defaults.setdefault(new, value)
    limits = objects(given.get("thresholds"))
    if limits:
        defaults.setdefault("thresholds", {"mode": "absolute", "steps": sorted_steps(limits)})
    maps = objects(given.get("valueMappings")) or objects(given.get("mappings"))
    if maps:
        defaults.setdefault("mappings", modern_mappings(maps) or mappings_of(maps, None))
    options.setdefault("reduceOptions", {"values": False, "calcs": [calculation(given.get("stat"))], "fields": ""})
    drop(options, "valueOptions", "stat", "unit", "minValue", "maxValue", "prefix", "suffix", "decimals", "thresholds")
    drop(options, "valueMappings", "mappings", "baseColor")
    panel["options"] = options


def sorted_steps(limits: list[Json]) -> list[Json]:
    """Steps from the lowest on; the lowest has no limit. (They were kept highest first; -Infinity became null.)"""
    known = [(number(one.get("value")), text(one.get("color"), "green")) for one in limits]
    base = next((color for value, color in known if value is None), None)
    rest = sorted(((value, color) for value, color in known if value is not None), key=lambda pair: pair[0])
    if base is None:
        base = rest.pop(0)[1] if rest else "green"
    return [{"color": base, "value": None}, *({"color": color, "value": value} for value, color in rest)]
