"""References to data sources: of a type that can be asked, and one that exists where it is known which do."""

from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import DASHBOARD, EXPRESSION, LOKI, OWN_SOURCES, PROMETHEUS
from spyglass.dashboards.examine.scope import REFERENCE
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, obj, objects, text


def check(subject: Subject) -> Iterator[Finding]:
    said: set[tuple[str, str]] = set()
    for place, reference in _all(subject):
        for finding in _reference(subject, place, obj(reference)):
            if (finding.place, finding.message) not in said:
                said.add((finding.place, finding.message))
                yield finding


def _all(subject: Subject) -> Iterator[tuple[str, object]]:
    for panel in subject.panels():
        targets = objects(panel.get("targets"))
        if targets:
            yield from ((place_of(panel), target.get("datasource")) for target in targets)
        elif panel.get("type") != "row" and panel.get("datasource"):
            yield place_of(panel), panel["datasource"]
    for variable in subject.variables():
        if variable.get("type") in ("query", "adhoc"):
            yield f"variable {variable.get('name')!r}", variable.get("datasource")
    for annotation in objects(obj(subject.model.get("annotations")).get("list")):
        if annotation.get("enable") is not False:
            yield f"annotation {text(annotation.get('name'))!r}", annotation.get("datasource")


def _reference(subject: Subject, place: str, reference: Json) -> Iterator[Finding]:
    uid, kind = text(reference.get("uid")), subject.kind_of(reference)
    if uid == DASHBOARD or kind == EXPRESSION:
        return
    if kind and kind not in PROMETHEUS | LOKI | OWN_SOURCES:
        yield Finding("datasources", place, f"data sources of type {kind!r} cannot be queried", unsupported=True)
    elif uid and kind not in OWN_SOURCES:
        yield from _which(subject, place, uid, kind)


def _which(subject: Subject, place: str, uid: str, kind: str) -> Iterator[Finding]:
    match = REFERENCE.fullmatch(uid)
    if match:
        name = match[1] or match[2] or match[4]
        if name not in subject.scope:
            yield Finding("datasources", place, f"its data source is ${{{name}}}, and there is no such variable")
    elif subject.sources is not None and uid != "default":
        known = next((one for one in subject.sources if uid in (one.uid, one.name)), None)
        if known is None:
            names = ", ".join(sorted(one.uid for one in subject.sources)) or "none"
            yield Finding("datasources", place, f"there is no data source {uid!r} (there are: {names})")
        elif kind and known.type != kind:
            yield Finding("datasources", place, f"the data source {uid!r} is of type {known.type!r}, not {kind!r}")
