"""Transformations: known ids, options that can be used."""

from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import TRANSFORMATIONS
from spyglass.dashboards.examine.patterns import problem_of
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.transformations import NAMES
from spyglass.dashboards.migrate.values import Json, obj, text


def check(subject: Subject) -> Iterator[Finding]:
    for panel in subject.written_panels():
        given = panel.get("transformations")
        if given is None:
            continue
        if not isinstance(given, list):
            yield Finding("transformations", place_of(panel), "transformations should be a list")
            continue
        for index, step in enumerate(given, 1):
            yield from _step(f"{place_of(panel)}, transformation {index}", step)


def _step(place: str, step: object) -> Iterator[Finding]:
    if not isinstance(step, dict):
        yield Finding("transformations", place, "should be an object")
        return
    name = NAMES.get(text(step.get("id")), text(step.get("id")))
    if not name:
        yield Finding("transformations", place, "has no id")
        return
    if name not in TRANSFORMATIONS:
        yield Finding("transformations", place, f"{name!r} is not applied", unsupported=True)
    options = step.get("options", {})
    if options is not None and not isinstance(options, dict):
        yield Finding("transformations", place, f"the options of {name!r} should be an object")
        return
    for pattern in _patterns(name, obj(options)):
        problem = problem_of(pattern)
        if problem:
            yield Finding("transformations", place, f"{name!r}: {problem}")


def _patterns(name: str, options: Json) -> list[str]:
    if name == "renameByRegex":
        return [text(options.get("regex"))]
    if name == "filterFieldsByName":
        return [text(obj(options.get(side)).get("pattern")) for side in ("include", "exclude")]
    return []
