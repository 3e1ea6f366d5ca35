"""Links of dashboards, panels and values."""

import re
import unicodedata

from spyglass.dashboards.migrate.values import Json, obj, objects, text

_OLD_NAMES = (
    (re.compile(r"\$\{__series_name\}|\$__series_name\b"), "${__series.name}"),
    (re.compile(r"\$\{__value_time\}|\$__value_time\b"), "${__value.time}"),
    (re.compile(r"\$\{__field_name\}|\$__field_name\b"), "${__field.name}"),
    (re.compile(r"\$\{__series\.labels\."), "${__field.labels."),
    (re.compile(r"\$__cell_(\d+)\b|\$\{__cell_(\d+)(?::raw)?\}"), r"${__data.fields[\1\2]}"),
    (re.compile(r"\$\{__cell(?::raw)?\}|\$__cell\b"), "${__value.raw}"),
)


def migrate_panel(panel: Json, version: int) -> None:
    del version
    if panel.get("links") is None:
        panel.pop("links", None)
    else:
        panel["links"] = [_panel_link(link) for link in objects(panel.get("links"))]
    config = obj(panel.get("fieldConfig"))
    groups = [obj(config.get("defaults")).get("links")]
    for override in objects(config.get("overrides")):
        groups += [one.get("value") for one in objects(override.get("properties")) if one.get("id") == "links"]
    for group in groups:
        for link in objects(group):
            link["url"] = renamed(text(link.get("url")))
            link.setdefault("title", "")


def renamed(url: str) -> str:
    """A URL with the names of its built-in variables as they are today."""
    for pattern, name in _OLD_NAMES:
        url = pattern.sub(name, url)
    return url


def _panel_link(link: Json) -> Json:
    """Before version 19 a link named a dashboard, by title or address, and carried switches for what to take along."""
    if isinstance(link.get("url"), str) and not any(
        key in link for key in ("dashboard", "dashUri", "keepTime", "includeVars", "params")
    ):
        return {**link, "url": renamed(link["url"]), "title": text(link.get("title"))}
    url = text(link.get("url"))
    if text(link.get("dashUri")):
        url = f"dashboard/{link['dashUri']}"
    elif text(link.get("dashboard")):
        url = f"dashboard/db/{_slug(link['dashboard'])}"
    elif not url:
        url = "/"
    extra = []
    if link.get("keepTime"):
        extra.append("${__url_time_range}")
    if link.get("includeVars"):
        extra.append("${__all_variables}")
    if text(link.get("params")):
        extra.append(link["params"])
    if extra:
        url += ("&" if "?" in url else "?") + "&".join(extra)
    return {"url": renamed(url), "title": text(link.get("title")), "targetBlank": bool(link.get("targetBlank"))}


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def migrate_dashboard(model: Json) -> None:
    model["links"] = [_dashboard_link(link) for link in objects(model.get("links"))]


def _dashboard_link(link: Json) -> Json:
    kind = (
        link.get("type") if link.get("type") in ("link", "dashboards") else "link" if link.get("url") else "dashboards"
    )
    tags = link.get("tags")
    return {
        **link,
        "type": kind,
        "title": text(link.get("title")),
        "url": text(link.get("url")),
        "tags": [str(tag) for tag in tags]
        if isinstance(tags, list)
        else [tags]
        if isinstance(tags, str) and tags
        else [],
    }
