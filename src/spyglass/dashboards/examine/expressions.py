"""Expressions over a panel's queries: each can be read, refers to queries that are there, and never to itself."""

from collections.abc import Iterator, Mapping

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import EXPRESSION
from spyglass.dashboards.examine.scope import Entry, fill, references
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, objects, text
from spyglass.model.errors import QueryError
from spyglass.query.expressions.commands import decode


def check(subject: Subject) -> Iterator[Finding]:
    for panel in subject.panels():
        targets = {text(target.get("refId")): target for target in objects(panel.get("targets"))}
        refs: dict[str, tuple[str, ...]] = {}
        for ref_id, target in targets.items():
            if subject.kind_of(target.get("datasource")) != EXPRESSION:
                continue
            place = f"{place_of(panel)}, query {ref_id}"
            if target.get("type") == "sql":
                yield Finding("expressions", place, "SQL expressions are not evaluated", unsupported=True)
                continue
            try:
                refs[ref_id] = decode(_filled(subject, target, targets)).refs
            except QueryError as err:
                yield Finding("expressions", place, err.message)
                continue
            for missing in (ref for ref in refs[ref_id] if ref not in targets):
                yield Finding("expressions", place, f"there is no query {missing!r}")
        for ref_id in refs:
            if _reaches(ref_id, ref_id, refs):
                yield Finding("expressions", f"{place_of(panel)}, query {ref_id}", "it refers to itself")


def _filled(subject: Subject, target: Json, targets: Mapping[str, Json]) -> Json:
    """With the dashboard's variables. `$A` is the query where there is one of that name, and where there is no such variable."""

    def filled(written: str) -> str:
        names = {one.name for one in references(written)}
        queries = {name for name in names if name in targets or not subject.knows(name)}
        kept = {name: Entry(f"${{{name}}}", verbatim=True) for name in queries}
        return fill(written, {**subject.scope, **kept}, guess="1m")

    texts = {key: value for key, value in target.items() if isinstance(value, str) and key != "refId"}
    return {**target, **{key: filled(value) for key, value in texts.items()}}


def _reaches(start: str, wanted: str, refs: Mapping[str, tuple[str, ...]]) -> bool:
    seen: set[str] = set()
    waiting = list(refs.get(start, ()))
    while waiting:
        ref = waiting.pop()
        if ref == wanted:
            return True
        if ref not in seen:
            seen.add(ref)
            waiting.extend(refs.get(ref, ()))
    return False
