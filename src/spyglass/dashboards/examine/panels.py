"""Panel types, repeats, and what of a panel is left out."""

import re
from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import IGNORED_CUSTOM, PANELS
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, obj, objects, text

_ACTIVE = re.compile(r"<\s*(script|iframe|object|embed|form)\b|\son\w+\s*=", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    for panel in subject.written_panels():
        yield from (Finding("panels", place_of(panel), problem) for problem in _errors(panel))
    for panel in subject.panels():
        yield from (Finding("panels", place_of(panel), left, unsupported=True) for left in _left_out(panel))


def _errors(panel: Json) -> Iterator[str]:
    kind = panel.get("type")
    if (isinstance(kind, str) and kind) or "panels" in panel:
        return
    if obj(panel.get("libraryPanel")):
        yield "is a library panel, and the file does not hold it (__elements)"
    else:
        yield "has no type"


def _left_out(panel: Json) -> Iterator[str]:
    kind = text(panel.get("type"))
    if kind and kind not in PANELS:
        yield f"panels of type {kind!r} are shown as a table of their data"
    if obj(panel.get("alert")):
        yield "its alert is from before unified alerting and is not evaluated"
    content = text(obj(panel.get("options")).get("content"))
    active = _ACTIVE.search(content) if kind == "text" else None
    if active:
        yield f"{active[0].strip()!r} in its text is removed"
    yield from _ignored_settings(panel)


def _ignored_settings(panel: Json) -> Iterator[str]:
    config = obj(panel.get("fieldConfig"))
    given = list(obj(obj(config.get("defaults")).get("custom")).items())
    for override in objects(config.get("overrides")):
        for one in objects(override.get("properties")):
            given.append((text(one.get("id")).removeprefix("custom."), one.get("value")))
    seen: set[str] = set()
    for name, value in given:
        nothing = IGNORED_CUSTOM.get(name)
        if nothing is not None and name not in seen and not (isinstance(value, str | bool | None) and value in nothing):
            seen.add(name)
            yield f"the setting {name} is ignored"
