"""What belongs to the whole dashboard: time, refresh, tags, the shared crosshair."""

from spyglass.dashboards.migrate.values import Json, number, obj, objects, text, whole

REFRESH_INTERVALS = ["5s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "2h", "1d"]


def migrate(model: Json) -> None:
    """In place; what is right already stays."""
    _time(model)
    refresh = model.get("refresh")
    # false was "off" until version 40; true has no interval to mean.
    model["refresh"] = refresh if isinstance(refresh, str) else ""
    tags = model.get("tags")
    if isinstance(tags, str):
        model["tags"] = [tag.strip() for tag in tags.split(",") if tag.strip()]
    elif isinstance(tags, list):
        model["tags"] = [str(tag) for tag in tags if isinstance(tag, str | int | float)]
    else:
        model["tags"] = []
    shared = model.pop("sharedCrosshair", None)
    if number(model.get("graphTooltip")) is None:
        model["graphTooltip"] = 1 if shared else 0
    model["graphTooltip"] = min(max(whole(model["graphTooltip"]), 0), 2)
    if not isinstance(model.get("editable"), bool):
        model["editable"] = True
    for gone in ("hideControls", "style", "originalTitle", "nav", "pulldowns", "services"):
        model.pop(gone, None)
    if not isinstance(model.get("title"), str):
        model["title"] = "No title"


def _time(model: Json) -> None:
    time = obj(model.get("time"))
    # Before version 7 the time range stood under services.filter.time, the picker in nav.
    old = obj(obj(obj(model.get("services")).get("filter")).get("time"))
    time = time or old
    model["time"] = {"from": _moment(time.get("from"), "now-6h"), "to": _moment(time.get("to"), "now")}
    picker = obj(model.get("timepicker")) or next(iter(objects(model.get("nav"))), {})
    if not isinstance(picker.get("refresh_intervals"), list):
        picker = {**picker, "refresh_intervals": REFRESH_INTERVALS}
    model["timepicker"] = picker
    if model.get("timezone") is None:
        model["timezone"] = ""
    model["timezone"] = text(model["timezone"])


def _moment(value: object, default: str) -> str:
    if isinstance(value, str) and value:
        return value
    return str(int(value)) if isinstance(value, int | float) and not isinstance(value, bool) else default
