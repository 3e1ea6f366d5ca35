"""Panel types, repeats, and what of a panel is left out."""

import re
from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import IGNORED, PANELS
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
    settings = IGNORED.get(text(panel.get("type")), {})
    overridden = _overridden(panel)
    for path, nothing in settings.items():
        name = path.rpartition(".")[2]
        values = [_at(panel, path), overridden.get(name)]
        if any(isinstance(one, str | bool | int | float) and one not in nothing for one in values):
            yield f"the setting {path.removeprefix('fieldConfig.defaults.')} is ignored"


def _overridden(panel: Json) -> Json:
    """custom settings of overrides, by name."""
    found: Json = {}
    for override in objects(obj(panel.get("fieldConfig")).get("overrides")):
        for one in objects(override.get("properties")):
            kind, _, name = text(one.get("id")).partition(".")
            if kind == "custom":
                found[name] = one.get("value")
    return found


def _at(value: object, path: str) -> object:
    for key in path.split("."):
        value = obj(value).get(key)
    return value
