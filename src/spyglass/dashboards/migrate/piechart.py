"""The pie chart plugin `grafana-piechart-panel`, and the pie chart of 7.x, to today's."""

from spyglass.dashboards.migrate.parts import calculation, drop, field_config, named
from spyglass.dashboards.migrate.values import Json, number, obj, text

_OLD_KEYS = (
    *(
        "aliasColors",
        "breakPoint",
        "combine",
        "decimals",
        "fontSize",
        "format",
        "legend",
        "legendType",
        "nullPointMode",
    ),
    *("pieType", "strokeWidth", "valueName", "nullText", "hideMaxDataPoints"),
)


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") == "piechart":
        _labels(panel)
        return
    if panel.get("type") != "grafana-piechart-panel":
        return
    config = field_config(panel)
    defaults = config["defaults"]
    defaults.setdefault("unit", text(panel.get("format")) or "short")
    decimals = number(panel.get("decimals"))
    if decimals is not None:
        defaults.setdefault("decimals", decimals)
    defaults.setdefault("color", {"mode": "palette-classic"})
    defaults.setdefault("mappings", [])
    for alias, color in obj(panel.get("aliasColors")).items():
        if isinstance(color, str):
            config["overrides"].append(named(alias, [("color", {"mode": "fixed", "fixedColor": color})]))
    legend, where = obj(panel.get("legend")), text(panel.get("legendType"))
    values = [name for name, shown in (("value", legend.get("values")), ("percent", legend.get("percentage"))) if shown]
    panel["options"] = {
        "pieType": "donut" if panel.get("pieType") == "donut" else "pie",
        "reduceOptions": {"values": False, "calcs": [calculation(panel.get("valueName"))], "fields": ""},
        "displayLabels": ["name"] if where == "On graph" else [],
        "legend": {
            "showLegend": legend.get("show") is not False and where != "On graph",
            "displayMode": "table" if values else "list",
            "placement": "right" if where == "Right side" else "bottom",
            "calcs": [],
            "values": values,
        },
        "tooltip": {"mode": "single", "sort": "none"},
    }
    panel["type"] = "piechart"
    drop(panel, *_OLD_KEYS)


def _labels(panel: Json) -> None:
    options = obj(panel.get("options"))
    labels = options.pop("labelOptions", None)
    if isinstance(labels, dict) and "displayLabels" not in options:
        names = (("name", "showName"), ("value", "showValue"), ("percent", "showPercent"))
        options["displayLabels"] = [name for name, key in names if labels.get(key)]
