"""Library panels in the place of the panels that point to them.

A dashboard holds only `libraryPanel: {uid, name}` with a place. What the library has wins over what came along in `__elements`
and over a copy that an old export left in the panel. A panel that is found nowhere becomes a `library-panel-ref`, which says so.
"""

from collections.abc import Callable, Mapping
from typing import Any

from spyglass.dashboards.migrate.values import Json, obj, panels_of, text

FindModel = Callable[[str], Mapping[str, Any] | None]
"""The model of a library panel by its uid; None: there is none."""

_PLACE = ("id", "gridPos", "libraryPanel", "repeat", "repeatDirection", "maxPerRow")


def inline(model: Json, find: FindModel) -> None:
    """Fill in, in place. A panel's own title gives way to the library's, where that has one."""
    for panel in list(panels_of(model)):
        uid = text(obj(panel.get("libraryPanel")).get("uid"))
        found = find(uid) if uid else None
        if not found:
            continue
        place: Json = {key: panel[key] for key in _PLACE if key in panel}
        title = found.get("title") or panel.get("title")
        panel.clear()
        panel.update({**found, **place})
        if title:
            panel["title"] = title


def uids_of(model: Json) -> frozenset[str]:
    """The library panels that a dashboard shows, those of collapsed rows included."""
    return frozenset(uid for panel in panels_of(model) if (uid := text(obj(panel.get("libraryPanel")).get("uid"))))
