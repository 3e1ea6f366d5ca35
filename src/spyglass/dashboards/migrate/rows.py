"""The layout before Grafana 5: rows of panels with a `span` of twelve parts, now panels on a grid of 24 columns.

A row panel is made for each row where at least one row shows its title, is collapsed, or repeats; else the rows are only
lines. A grid unit is 30 pixels high with gaps of 8, so a row of "250px" is seven units.
"""

import math
from typing import Any

from spyglass.dashboards.migrate.values import Json, number, obj, objects, text, whole

COLUMNS = 24
_UNIT_PX, _GAP_PX, _DEFAULT_PX, _LEAST = 30, 8, 250, 3


def migrate(model: Json) -> None:
    """`rows` to `panels` with gridPos; dashboards without rows stay as they are, but for panels without a place."""
    found = objects(model.pop("rows", None))
    if not isinstance(model.get("panels"), list):
        model["panels"] = []
    if found:
        model["panels"] = [
            *model["panels"],
            *_placed(found, start=_bottom(model["panels"]), next_id=_highest(model, found) + 1),
        ]
    _place_strays(model)


def _placed(rows: list[Json], *, start: int, next_id: int) -> list[Json]:
    titled = any(row.get("showTitle") or row.get("collapse") or row.get("repeat") for row in rows)
    panels: list[Json] = []
    y, header = start, None
    for row in rows:
        height = _units(row.get("height"))
        if titled:
            header = _row_panel(row, next_id, y)
            next_id += 1
            panels.append(header)
            y += 1
        area = _RowArea(height)
        inside = []
        for panel in objects(row.get("panels")):
            place = area.place(panel, height)
            panel["gridPos"] = {"x": place[0], "y": y + place[1], "w": place[2], "h": place[3]}
            panel.pop("span", None)
            _repeat(panel)
            inside.append(panel)
        if header is not None and row.get("collapse"):
            header["panels"] = inside
        else:
            panels += inside
            y += area.height if inside else 0
    return panels


class _RowArea:
    """Panels from left to right, a new line where one does not fit; a low panel leaves room for one below it."""

    def __init__(self, height: int) -> None:
        self._line_top, self._x, self._line_height = 0, 0, height
        self.height = 0

    def place(self, panel: Json, row_height: int) -> tuple[int, int, int, int]:
        """x, y (from the row's top), w, h."""
        span = number(panel.get("span"))
        width = min(max(math.floor((4 if span is None else span) * 2), 1), COLUMNS)
        height = _units(panel.get("height"), row_height)
        if self._x + width > COLUMNS:
            self._line_top += self._line_height
            self._x, self._line_height = 0, height
        x, y = self._x, self._line_top
        self._x += width
        self._line_height = max(self._line_height, height) if self._x > width else height
        self.height = max(self.height, y + self._line_height)
        return x, y, width, height


def _units(height: object, default: int | None = None) -> int:
    """Grid units of `250px`, `250` or `"250"`."""
    raw: Any = height.strip().removesuffix("px") if isinstance(height, str) else height
    pixels = number(raw)
    if pixels is None or pixels <= 0:
        if default is not None:
            return default
        pixels = _DEFAULT_PX
    return max(math.ceil(min(pixels, 10_000) / (_UNIT_PX + _GAP_PX)), _LEAST)


def _row_panel(row: Json, number_: int, y: int) -> Json:
    panel: Json = {
        "id": number_,
        "type": "row",
        "title": text(row.get("title")),
        "collapsed": bool(row.get("collapse")),
        "panels": [],
        "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
    }
    if row.get("repeat"):
        panel["repeat"] = row["repeat"]
    return panel


def _repeat(panel: Json) -> None:
    """minSpan of a repeated panel: how narrow it may get, now how many stand beside each other."""
    least = whole(panel.pop("minSpan", None))
    if panel.get("repeat"):
        panel.setdefault("repeatDirection", "h")
        if least > 0:
            panel.setdefault("maxPerRow", max(12 // least, 1))


def _place_strays(model: Json) -> None:
    """A panel without a usable place goes below everything, at a readable size."""
    y = _bottom(model["panels"])
    for panel in objects(model["panels"]):
        place = obj(panel.get("gridPos"))
        if all(number(place.get(key)) is not None for key in ("x", "y", "w", "h")):
            panel["gridPos"] = {**place, **{key: max(whole(place[key]), 0) for key in ("x", "y")}}
            panel["gridPos"] |= {key: max(whole(place[key]), 1) for key in ("w", "h")}
            if "minSpan" in panel:
                # Versions 16 and below wrote it on the 24-column grid already.
                least = whole(panel.pop("minSpan"))
                if least > 0 and panel.get("repeat"):
                    panel.setdefault("maxPerRow", max(COLUMNS // least, 1))
            continue
        is_row = panel.get("type") == "row"
        panel["gridPos"] = {"x": 0, "y": y, "w": COLUMNS if is_row else 12, "h": 1 if is_row else 8}
        y += panel["gridPos"]["h"]


def _bottom(panels: object) -> int:
    places = [obj(panel.get("gridPos")) for panel in objects(panels)]
    return max((whole(place.get("y")) + whole(place.get("h")) for place in places), default=0)


def _highest(model: Json, rows: list[Json]) -> int:
    panels = objects(model["panels"]) + [panel for row in rows for panel in objects(row.get("panels"))]
    return max((whole(panel.get("id")) for panel in panels), default=0)
