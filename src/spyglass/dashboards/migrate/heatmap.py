"""The first heatmap (`dataFormat`, `cards`, `yAxis` beside the options) to today's."""

from spyglass.dashboards.migrate.parts import drop, field_config
from spyglass.dashboards.migrate.values import Json, number, obj, text

_OLD_KEYS = (
    *("cards", "color", "dataFormat", "heatmap", "hideZeroBuckets", "highlightCards", "legend", "reverseYBuckets"),
    *("tooltip", "tooltipDecimals", "xAxis", "xBucketNumber", "xBucketSize", "yAxis", "yBucketBound", "yBucketNumber"),
    *("yBucketSize", "error"),
)


def migrate(panel: Json, version: int) -> None:
    del version
    if panel.get("type") != "heatmap" or not ("dataFormat" in panel or "cards" in panel or "yAxis" in panel):
        return
    config = field_config(panel)
    config["defaults"]["custom"].setdefault("hideFrom", {"legend": False, "tooltip": False, "viz": False})
    config["defaults"]["custom"].setdefault("scaleDistribution", {"type": "linear"})
    calculate = panel.get("dataFormat", "timeseries") == "timeseries"
    cards, legend, tooltip = obj(panel.get("cards")), obj(panel.get("legend")), obj(panel.get("tooltip"))
    options: Json = {
        "calculate": calculate,
        "color": _color(obj(panel.get("color"))),
        "cellGap": _or(number(cards.get("cardPadding")), 2),
        "cellRadius": _or(number(cards.get("cardRound")), 0),
        "filterValues": {"le": 1e-9} if panel.get("hideZeroBuckets") else {},
        "showValue": "never",
        "legend": {"show": legend.get("show") is True},
        "tooltip": {
            "mode": "none" if tooltip.get("show") is False else "single",
            "yHistogram": bool(tooltip.get("showHistogram")),
        },
        "yAxis": _axis(panel),
        "rowsFrame": {
            "layout": {"upper": "le", "lower": "ge", "middle": "unknown"}.get(text(panel.get("yBucketBound")), "auto")
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
    }
    if calculate:
        options["calculation"] = _calculation(panel)
    decimals = number(panel.get("tooltipDecimals"))
    if decimals is not None:
        options["cellValues"] = {"decimals": decimals}
    panel["options"] = {**obj(panel.get("options")), **options}
    drop(panel, *_OLD_KEYS)


def _color(old: Json) -> Json:
    made: Json = {
        "mode": "opacity" if old.get("mode") == "opacity" else "scheme",
        "fill": text(old.get("cardColor")) or "dark-orange",
        "scale": "linear" if old.get("colorScale") == "linear" else "exponential",
        "exponent": _or(number(old.get("exponent")), 0.5),
        "scheme": text(old.get("colorScheme")).removeprefix("interpolate") or "Oranges",
        "steps": 64,
        "reverse": False,
    }
    for bound in ("min", "max"):
        value = number(old.get(bound))
        if value is not None:
            made[bound] = value
    return made


def _axis(panel: Json) -> Json:
    old = obj(panel.get("yAxis"))
    axis: Json = {
        "axisPlacement": "hidden" if old.get("show") is False else "left",
        "reverse": bool(panel.get("reverseYBuckets")),
    }
    if text(old.get("format")):
        axis["unit"] = old["format"]
    for key in ("decimals", "min", "max"):
        value = number(old.get(key))
        if value is not None:
            axis[key] = value
    return axis


def _calculation(panel: Json) -> Json:
    """Buckets by size, else by number; a logarithmic axis made logarithmic buckets."""
    made: Json = {}
    for side in ("x", "y"):
        size, count = panel.get(f"{side}BucketSize"), number(panel.get(f"{side}BucketNumber"))
        if size not in (None, "", 0):
            made[f"{side}Buckets"] = {"mode": "size", "value": str(size)}
        elif count:
            made[f"{side}Buckets"] = {"mode": "count", "value": str(count)}
    axis = obj(panel.get("yAxis"))
    base = number(axis.get("logBase")) or 1
    if base > 1:
        buckets = made.setdefault("yBuckets", {"mode": "count", "value": text(axis.get("splitFactor"))})
        buckets["scale"] = {"type": "log", "log": base}
    return made


def _or(value: float | int | None, default: float) -> float | int:
    return default if value is None else value
