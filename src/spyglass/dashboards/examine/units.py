"""Units: any text is one (an unknown one is written behind the value), but a misspelt one is surely not meant."""

from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.examine.unit_ids import UNITS
from spyglass.dashboards.migrate.values import Json, obj, objects

PATTERNS = frozenset({"prefix", "suffix", "time", "si", "count", "currency", "bool"})
_LOWER = {one.lower(): one for one in sorted(UNITS)}


def check(subject: Subject) -> Iterator[Finding]:
    for panel in subject.panels():
        for unit in _units(panel):
            problem = problem_of(unit)
            if problem:
                yield Finding("units", place_of(panel), problem)


def _units(panel: Json) -> Iterator[object]:
    config = obj(panel.get("fieldConfig"))
    yield obj(config.get("defaults")).get("unit")
    for override in objects(config.get("overrides")):
        yield from (one.get("value") for one in objects(override.get("properties")) if one.get("id") == "unit")


def problem_of(unit: object) -> str:
    """What is wrong with a unit, "" where nothing is.

    >>> problem_of("percentUnit"), problem_of("requests"), problem_of("suffix: req")
    ("there is no unit 'percentUnit'; 'percentunit' is meant?", '', '')
    """
    if unit in (None, ""):
        return ""
    if not isinstance(unit, str):
        return f"a unit should be a text, found {str(unit)[:40]}"
    kind, colon, rest = unit.partition(":")
    if colon and kind in PATTERNS and not rest:
        return f"the unit {unit!r} says nothing after the colon"
    if unit not in UNITS and unit.lower() in _LOWER:
        return f"there is no unit {unit!r}; {_LOWER[unit.lower()]!r} is meant?"
    return ""
