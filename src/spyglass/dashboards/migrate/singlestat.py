"""`singlestat` to `stat`, or to `gauge` where it showed one."""

from spyglass.dashboards.migrate.parts import calculation, drop, field_config, limits_of, mappings_of, steps_of
from spyglass.dashboards.migrate.values import Json, number, obj, text

_OLD_KEYS = (
    *("colorBackground", "colorValue", "colorPrefix", "colorPostfix", "colors", "decimals", "error", "format", "gauge"),
    *("mappingType", "mappingTypes", "nullPointMode", "nullText", "postfix", "postfixFontSize", "prefix", "isNew"),
    *(
        "prefixFontSize",
        "rangeMaps",
        "sparkline",
        "tableColumn",
        "thresholds",
        "valueFontSize",
        "valueMaps",
        "valueName",
    ),
    *("editable", "hideMaxDataPoints", "legend"),
)


def migrate(panel: Json, version: int) -> None:
    if panel.get("type") not in ("singlestat", "grafana-singlestat-panel"):
        return
    gauge = obj(panel.get("gauge"))
    config = field_config(panel)
    _field(panel, config["defaults"], gauge, version)
    panel["options"] = {"reduceOptions": _reduce(panel), "orientation": "horizontal"}
    if gauge.get("show"):
        panel["type"] = "gauge"
        panel["options"] |= {
            "showThresholdLabels": bool(gauge.get("thresholdLabels")),
            "showThresholdMarkers": gauge.get("thresholdMarkers") is not False,
        }
    else:
        panel["type"] = "stat"
        panel["options"] |= {
            "colorMode": "background"
            if panel.get("colorBackground")
            else "value"
            if panel.get("colorValue")
            else "none",
            "graphMode": "area" if obj(panel.get("sparkline")).get("show") else "none",
            "justifyMode": "auto",
            "textMode": "name" if panel.get("valueName") == "name" else "auto",
        }
    drop(panel, *_OLD_KEYS)


def _field(panel: Json, defaults: Json, gauge: Json, version: int) -> None:
    unit = text(panel.get("format"))
    before, after = text(panel.get("prefix")).strip(), text(panel.get("postfix")).strip()
    if unit in ("", "none") and (before or after):
        # There is one unit: where there was none, the text beside the number takes its place.
        unit = f"suffix: {after}" if after else f"prefix:{before} "
    defaults["unit"] = unit or "none"
    decimals = number(panel.get("decimals"))
    if decimals is not None:
        defaults["decimals"] = decimals
    limits = limits_of(panel.get("thresholds"))
    if 0 < version < 9 and len(limits) == 3:
        # Versions before 9 wrote a useless lower bound first.
        limits = limits[1:]
    colors = panel.get("colors")
    defaults["thresholds"] = {"mode": "absolute", "steps": steps_of(limits, colors if isinstance(colors, list) else [])}
    defaults["color"] = {"mode": "thresholds"}
    value_maps = panel.get("valueMaps") if panel.get("mappingType") != 2 else None
    range_maps = panel.get("rangeMaps") if panel.get("mappingType") == 2 else None
    defaults["mappings"] = mappings_of(value_maps, range_maps)
    if text(panel.get("nullText")):
        defaults["noValue"] = panel["nullText"]
    if gauge.get("show"):
        low, high = number(gauge.get("minValue")), number(gauge.get("maxValue"))
        defaults["min"], defaults["max"] = 0 if low is None else low, 100 if high is None else high


def _reduce(panel: Json) -> Json:
    column = text(panel.get("tableColumn"))
    fields = f"/^{_escaped(column)}$/" if column else ""
    return {"values": False, "calcs": [calculation(panel.get("valueName"), "mean")], "fields": fields}


def _escaped(name: str) -> str:
    """The name inside a regular expression of the browser."""
    return "".join("\\" + char if char in r"\^$.*+?()[]{}|/" else char for char in name)
