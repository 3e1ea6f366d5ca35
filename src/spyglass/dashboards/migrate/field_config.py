"""fieldConfig and options of the React panels between 7.0 and today, whichever the panel."""

from spyglass.dashboards.migrate.gauge import sorted_steps
from spyglass.dashboards.migrate.parts import modern_mappings
from spyglass.dashboards.migrate.values import Json, obj, objects, text

_NO_FIELDS = frozenset({"row", "text", "dashlist", "news", "alertlist", "annolist", "welcome", "gettingstarted"})


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") in _NO_FIELDS:
        if panel.get("type") != "row":
            panel["options"] = obj(panel.get("options"))
        return
    config = obj(panel.get("fieldConfig"))
    defaults = obj(config.get("defaults"))
    _defaults(defaults)
    overrides = objects(config.get("overrides"))
    for override in overrides:
        _override(override)
    panel["fieldConfig"] = {**config, "defaults": defaults, "overrides": overrides}
    panel["options"] = obj(panel.get("options"))
    _legend(panel["options"])
    _tooltip(panel)


def _defaults(defaults: Json) -> None:
    if "mappings" in defaults:
        defaults["mappings"] = modern_mappings(defaults["mappings"])
    limits = defaults.get("thresholds")
    if isinstance(limits, list):
        defaults["thresholds"] = {"mode": "absolute", "steps": sorted_steps(objects(limits))}
    elif isinstance(limits, dict):
        _first_step(limits)
    if "title" in defaults and "displayName" not in defaults:
        defaults["displayName"] = defaults.pop("title")
    if defaults.get("custom") is not None and not isinstance(defaults["custom"], dict):
        defaults["custom"] = {}
    stacking = obj(defaults.get("custom")).get("stacking")
    if isinstance(stacking, str):
        defaults["custom"]["stacking"] = {"mode": stacking, "group": "A"}


def _first_step(limits: Json) -> None:
    """The lowest step has no limit; -Infinity is written as null, or as 0 by hand."""
    steps = objects(limits.get("steps"))
    if steps and "value" not in steps[0]:
        steps[0]["value"] = None
    limits["steps"] = steps
    limits.setdefault("mode", "absolute")


def _override(override: Json) -> None:
    override["matcher"] = obj(override.get("matcher"))
    properties = objects(override.get("properties"))
    for one in properties:
        name = text(one.get("id"))
        if name == "mappings":
            one["value"] = modern_mappings(one.get("value"))
        elif name == "title":
            one["id"] = "displayName"
        elif name == "thresholds" and isinstance(one.get("value"), dict):
            _first_step(one["value"])
    override["properties"] = properties


def _legend(options: Json) -> None:
    """displayMode "hidden" is showLegend false since version 37."""
    legend = options.get("legend")
    if not isinstance(legend, dict):
        return
    if legend.get("displayMode") == "hidden":
        legend["displayMode"], legend["showLegend"] = "list", False
    elif "showLegend" not in legend and "displayMode" in legend:
        legend["showLegend"] = True


def _tooltip(panel: Json) -> None:
    """Version 30: tooltipOptions; and on the XY chart, which has no `multi`."""
    options = panel["options"]
    old = options.pop("tooltipOptions", None)
    if isinstance(old, dict) and "tooltip" not in options:
        options["tooltip"] = old
    tooltip = obj(options.get("tooltip"))
    if panel.get("type") == "xychart" and tooltip.get("mode") == "multi":
        tooltip["mode"] = "single"
