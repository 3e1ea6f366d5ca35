"""Numbers and sizes: huge, infinite or impossible ones, and more panels than a browser takes."""

import math
from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, number, obj, text

MAX_PANELS = 1_000
"""The largest public dashboards have 300. Move it when the page draws more without a pause."""
MAX_GRID = 10_000
MAX_POINTS = 100_000
MAX_DECIMALS = 20
MAX_TITLE = 1_000


def check(subject: Subject) -> Iterator[Finding]:
    for path in _not_finite(subject.body):
        yield Finding("limits", path, "is no number that JSON knows: it is infinite or NaN")
    count = max(sum(1 for _ in subject.panels()), sum(1 for _ in subject.written_panels()))
    if count > MAX_PANELS:
        yield Finding("limits", "", f"has {count} panels; more than {MAX_PANELS} make a page that nobody can use")
    if len(text(subject.body.get("title"))) > MAX_TITLE:
        yield Finding("limits", "title", f"is longer than {MAX_TITLE} characters")
    for panel in subject.written_panels():
        yield from (Finding("limits", place_of(panel), problem) for problem in _panel_problems(panel))


def _not_finite(body: Json) -> Iterator[str]:
    """Paths of the first few numbers that are not finite."""
    waiting: list[tuple[str, object]] = [("", body)]
    shown = 0
    while waiting and shown < 10:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend((f"{path}.{key}" if path else str(key), inner) for key, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((f"{path}[{index}]", inner) for index, inner in enumerate(value))
        elif isinstance(value, float) and not math.isfinite(value):
            shown += 1
            yield path


def _panel_problems(panel: Json) -> Iterator[str]:
    grid = obj(panel.get("gridPos"))
    for side in ("x", "y", "w", "h"):
        size = number(grid.get(side))
        if size is not None and not 0 <= size <= MAX_GRID:
            yield f"gridPos.{side} is {size:g}; it should be between 0 and {MAX_GRID}"
    points = number(panel.get("maxDataPoints"))
    if points is not None and points > MAX_POINTS:
        yield f"maxDataPoints is {points:g}; more than {MAX_POINTS} cannot be drawn"
    if len(text(panel.get("title"))) > MAX_TITLE:
        yield f"the title is longer than {MAX_TITLE} characters"
    defaults = obj(obj(panel.get("fieldConfig")).get("defaults"))
    decimals = number(defaults.get("decimals"))
    if decimals is not None and not 0 <= decimals <= MAX_DECIMALS:
        yield f"decimals is {decimals:g}; it should be between 0 and {MAX_DECIMALS}"
    low, high = number(defaults.get("min")), number(defaults.get("max"))
    if low is not None and high is not None and low >= high:
        yield f"min {low:g} is not below max {high:g}"
