"""`graph` (flot) to `timeseries`, or to `barchart` and `histogram` where its x axis was of that mode.

Axes, units, thresholds, legend, tooltip, series overrides and alias colours move into fieldConfig and options; the grid of the
versions before 13 (`grid.threshold1`, `y_formats`, `leftYAxisLabel`) is understood too.
"""

from spyglass.dashboards.migrate.parts import calculation, drop, field_config, legend_of, named, override
from spyglass.dashboards.migrate.values import Json, number, obj, objects, set_new, text, whole

_OLD_KEYS = (
    *(
        "aliasColors",
        "bars",
        "dashes",
        "dashLength",
        "spaceLength",
        "fill",
        "fillGradient",
        "grid",
        "hiddenSeries",
        "legend",
    ),
    *(
        "lines",
        "linewidth",
        "nullPointMode",
        "percentage",
        "pointradius",
        "points",
        "renderer",
        "seriesOverrides",
        "stack",
    ),
    *(
        "steppedLine",
        "thresholds",
        "timeRegions",
        "tooltip",
        "xaxis",
        "yaxes",
        "yaxis",
        "x-axis",
        "y-axis",
        "y_formats",
    ),
    *(
        "leftYAxisLabel",
        "rightYAxisLabel",
        "decimals",
        "error",
        "isNew",
        "editable",
        "annotate",
        "resolution",
        "zerofill",
    ),
)


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") not in ("graph", "graphite"):
        return
    _old_grid(panel)
    mode = text(obj(panel.get("xaxis")).get("mode"))
    config = field_config(panel)
    defaults, custom = config["defaults"], config["defaults"]["custom"]
    axes = objects(panel.get("yaxes")) or [{}]
    _draw_style(panel, custom)
    _axis(axes[0], defaults, custom, panel)
    _thresholds(panel, defaults, custom)
    defaults.setdefault("color", {"mode": "palette-classic"})
    defaults.setdefault("mappings", [])
    links = objects(obj(panel.get("options")).get("dataLinks"))
    if links:
        defaults.setdefault("links", links)
    config["overrides"] += _overrides(panel, axes)
    if obj(panel.get("xaxis")).get("show") is False:
        config["overrides"].append(override("byType", "time", [("custom.axisPlacement", "hidden")]))
    panel["options"] = _options(panel)
    panel["type"] = "timeseries"
    if mode == "series":
        _bar_chart(panel)
    elif mode == "histogram":
        _histogram(panel)
    drop(panel, *_OLD_KEYS)


def _old_grid(panel: Json) -> None:
    """Versions 11 and 12: axes and thresholds in `grid`, units in `y_formats`."""
    grid = obj(panel.get("grid"))
    if "yaxes" not in panel:
        formats = panel.get("y_formats")
        formats = formats if isinstance(formats, list) else []
        shown = panel.get("y-axis") is not False
        panel["yaxes"] = [
            {
                "show": shown,
                "min": grid.get(f"{side}Min"),
                "max": grid.get(f"{side}Max"),
                "logBase": grid.get(f"{side}LogBase") or 1,
                "format": formats[index] if index < len(formats) else "short",
                "label": panel.get(f"{side}YAxisLabel"),
            }
            for index, side in enumerate(("left", "right"))
        ]
    if "xaxis" not in panel:
        panel["xaxis"] = {"show": panel.get("x-axis") is not False}
    if not objects(panel.get("thresholds")):
        panel["thresholds"] = _old_thresholds(grid)


def _old_thresholds(grid: Json) -> list[Json]:
    first, second = number(grid.get("threshold1")), number(grid.get("threshold2"))
    found: list[Json] = []
    for value, key in ((first, "threshold1Color"), (second, "threshold2Color")):
        if value is None:
            continue
        # A second limit below the first turns the direction round.
        op = "lt" if first is not None and second is not None and first > second else "gt"
        color = text(grid.get(key)) or "rgba(216, 200, 27, 0.27)"
        one: Json = {"value": value, "op": op, "colorMode": "custom"}
        if grid.get("thresholdLine"):
            one |= {"line": True, "lineColor": color, "fill": False}
        else:
            one |= {"fill": True, "fillColor": color, "line": False}
        found.append(one)
    return found


def _draw_style(panel: Json, custom: Json) -> None:
    bars, lines, points = bool(panel.get("bars")), panel.get("lines") is not False, bool(panel.get("points"))
    if bars:
        # Lines and bars at once cannot be drawn any more; bars were what stood out.
        style = "bars"
    elif lines:
        style = "line"
    else:
        style = "points" if points else "line"
    custom.setdefault("drawStyle", style)
    custom.setdefault("lineInterpolation", "stepAfter" if panel.get("steppedLine") else "linear")
    width = number(panel.get("linewidth"))
    custom.setdefault("lineWidth", 0 if style == "line" and not lines else 1 if width is None else width)
    fill, gradient = number(panel.get("fill")), number(panel.get("fillGradient"))
    if style == "bars":
        custom.setdefault("fillOpacity", 100 if fill is None or fill == 0 else min(fill * 10, 100))
    else:
        custom.setdefault("fillOpacity", min((1 if fill is None else fill) * 10, 100))
    if gradient:
        custom["gradientMode"], custom["fillOpacity"] = "opacity", min(gradient * 10, 100)
    custom.setdefault("gradientMode", "none")
    custom.setdefault("showPoints", "always" if points else "never")
    radius = number(panel.get("pointradius"))
    custom.setdefault("pointSize", 5 if radius is None else max(2 + round(radius * 2), 1))
    custom.setdefault("spanNulls", panel.get("nullPointMode") == "connected")
    stacking = "none"
    if panel.get("stack"):
        stacking = "percent" if panel.get("percentage") else "normal"
    custom.setdefault("stacking", {"mode": stacking, "group": "A"})
    if panel.get("dashes"):
        custom.setdefault("lineStyle", _dashes(panel))


def _dashes(owner: Json) -> Json:
    return {"fill": "dash", "dash": [number(owner.get("dashLength")) or 10, number(owner.get("spaceLength")) or 10]}


def _axis(axis: Json, defaults: Json, custom: Json, panel: Json) -> None:
    """The left axis becomes the default of all fields."""
    unit = text(axis.get("format"))
    if unit and (unit not in ("short", "none") or not defaults.get("unit")):
        # The axis said it; only Grafana 7 knew a unit of the field too, which mattered where the axis had none to speak of.
        defaults["unit"] = unit
    set_new(defaults, "min", number(axis.get("min")))
    set_new(defaults, "max", number(axis.get("max")))
    decimals = number(panel.get("decimals"))
    set_new(defaults, "decimals", number(axis.get("decimals")) if decimals is None else decimals)
    custom.setdefault("axisPlacement", "hidden" if axis.get("show") is False else "auto")
    set_new(custom, "axisLabel", text(axis.get("label")) or None)
    custom.setdefault("scaleDistribution", _scale(axis))
    # An axis bound may be "~10": soft, it gives way to the data.
    for bound, key in (("min", "axisSoftMin"), ("max", "axisSoftMax")):
        raw = axis.get(bound)
        if isinstance(raw, str) and raw.startswith("~"):
            set_new(custom, key, number(raw[1:]))


def _scale(axis: Json) -> Json:
    base = number(axis.get("logBase")) or 1
    return {"type": "log", "log": base} if base > 1 else {"type": "linear"}


def _thresholds(panel: Json, defaults: Json, custom: Json) -> None:
    """`[{op: gt, value: 80, fill, line, colorMode}]` as steps; above the last "lt" limit and below the first "gt" one is nothing."""
    limits = [(number(one.get("value")), one) for one in objects(panel.get("thresholds"))]
    known = sorted(((value, one) for value, one in limits if value is not None), key=lambda pair: pair[0])
    if not known:
        custom.setdefault("thresholdsStyle", {"mode": "off"})
        defaults.setdefault("thresholds", {"mode": "absolute", "steps": [{"color": "green", "value": None}]})
        return
    steps: list[Json] = [{"color": "transparent", "value": None}]
    for value, one in known:
        color = _threshold_color(one)
        if one.get("op") == "lt":
            steps[-1] = {**steps[-1], "color": color}
            steps.append({"color": "transparent", "value": value})
        elif steps[-1]["value"] == value:
            steps[-1] = {"color": color, "value": value}
        else:
            steps.append({"color": color, "value": value})
    filled, lined = any(one.get("fill") for _, one in known), any(one.get("line") for _, one in known)
    mode = "line+area" if filled and lined else "area" if filled else "line" if lined else "off"
    custom["thresholdsStyle"] = {"mode": mode}
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}


def _threshold_color(one: Json) -> str:
    fixed = {"critical": "red", "warning": "orange", "ok": "green"}
    color = fixed.get(text(one.get("colorMode")))
    return color or text(one.get("fillColor")) or text(one.get("lineColor")) or "red"


def _overrides(panel: Json, axes: list[Json]) -> list[Json]:
    found = []
    for alias, color in obj(panel.get("aliasColors")).items():
        if isinstance(color, str):
            found.append(named(alias, [("color", {"mode": "fixed", "fixedColor": color})]))
    for one in objects(panel.get("seriesOverrides")):
        alias = text(one.get("alias"))
        properties = _series_properties(one, panel, axes[1] if len(axes) > 1 else {})
        if alias and properties:
            found.append(named(alias, properties))
    return found


def _series_properties(one: Json, panel: Json, right: Json) -> list[tuple[str, object]]:
    """One series override, in the order in which its keys are looked for."""
    found: list[tuple[str, object]] = []
    if one.get("bars"):
        found += [("custom.drawStyle", "bars"), ("custom.fillOpacity", 100)]
    elif one.get("lines") is True:
        found.append(("custom.drawStyle", "line"))
    elif one.get("lines") is False:
        found.append(("custom.lineWidth", 0))
        if one.get("points"):
            found.append(("custom.drawStyle", "points"))
    plain = [
        ("linewidth", "custom.lineWidth", 1),
        ("fill", "custom.fillOpacity", 10),
        ("pointradius", "custom.pointSize", 2),
    ]
    for old, new, factor in plain:
        value = number(one.get(old))
        if value is not None:
            found.append((new, min(value * factor, 100)))
    if number(one.get("fillGradient")):
        found += [("custom.gradientMode", "opacity"), ("custom.fillOpacity", min(whole(one["fillGradient"]) * 10, 100))]
    if isinstance(one.get("points"), bool):
        found.append(("custom.showPoints", "always" if one["points"] else "never"))
    if isinstance(one.get("steppedLine"), bool):
        found.append(("custom.lineInterpolation", "stepAfter" if one["steppedLine"] else "linear"))
    if isinstance(one.get("nullPointMode"), str):
        found.append(("custom.spanNulls", one["nullPointMode"] == "connected"))
    if one.get("dashes"):
        found.append(("custom.lineStyle", _dashes(one)))
    if "stack" in one:
        found.append(("custom.stacking", _series_stack(one["stack"], panel)))
    if text(one.get("fillBelowTo")):
        found.append(("custom.fillBelowTo", one["fillBelowTo"]))
        if one.get("lines") is False:
            found.append(("custom.lineWidth", 0))
    if one.get("transform") in ("negative-Y", "constant"):
        found.append(("custom.transform", one["transform"]))
    if isinstance(one.get("color"), str):
        found.append(("color", {"mode": "fixed", "fixedColor": one["color"]}))
    if one.get("legend") is False or one.get("hideTooltip") is True:
        hide = {"legend": one.get("legend") is False, "tooltip": one.get("hideTooltip") is True, "viz": False}
        found.append(("custom.hideFrom", hide))
    if whole(one.get("yaxis"), 1) == 2:
        found += _right_axis(right)
    return found


def _series_stack(value: object, panel: Json) -> Json:
    """false: beside the stack; true or a letter: in that stack."""
    if value is False or value is None:
        return {"mode": "none", "group": "A"}
    mode = "percent" if panel.get("percentage") else "normal"
    return {"mode": mode, "group": value if isinstance(value, str) and value else "A"}


def _right_axis(axis: Json) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = [("custom.axisPlacement", "hidden" if axis.get("show") is False else "right")]
    if text(axis.get("format")):
        found.append(("unit", axis["format"]))
    for key in ("min", "max", "decimals"):
        value = number(axis.get(key))
        if value is not None:
            found.append((key, value))
    if text(axis.get("label")):
        found.append(("custom.axisLabel", axis["label"]))
    if (number(axis.get("logBase")) or 1) > 1:
        found.append(("custom.scaleDistribution", _scale(axis)))
    return found


def _options(panel: Json) -> Json:
    tooltip = obj(panel.get("tooltip"))
    sort = {1: "asc", 2: "desc"}.get(whole(tooltip.get("sort")), "none")
    options = {
        key: value for key, value in obj(panel.get("options")).items() if key not in ("dataLinks", "alertThreshold")
    }
    options.setdefault("legend", legend_of(panel.get("legend")))
    options.setdefault("tooltip", {"mode": "single" if tooltip.get("shared") is False else "multi", "sort": sort})
    return options


def _bar_chart(panel: Json) -> None:
    """x axis "series": one bar per series, of the calculation that was chosen."""
    values = obj(panel.get("xaxis")).get("values")
    name = calculation(values[0] if isinstance(values, list) and values else "total")
    panel["type"] = "barchart"
    panel["options"] |= {"orientation": "vertical", "showValue": "never", "xTickLabelRotation": 0, "stacking": "none"}
    panel["transformations"] = [
        *objects(panel.get("transformations")),
        {"id": "reduce", "options": {"reducers": [name], "mode": "seriesToRows", "includeTimeField": False}},
    ]
    panel["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 80, "lineWidth": 1, "axisPlacement": "auto"}


def _histogram(panel: Json) -> None:
    axis = obj(panel.get("xaxis"))
    panel["type"] = "histogram"
    buckets = number(axis.get("buckets"))
    if buckets:
        panel["options"]["bucketCount"] = buckets
    panel["options"]["combine"] = False
    panel["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 80, "lineWidth": 1}
