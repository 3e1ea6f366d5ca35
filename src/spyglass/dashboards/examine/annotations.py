"""Annotations of the dashboard: those that ask something."""

from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.subject import Subject
from spyglass.dashboards.migrate.values import obj, objects, text


def check(subject: Subject) -> Iterator[Finding]:
    """The built-in one (what people wrote on the dashboard) is none of them; one that is switched off does not count."""
    for annotation in objects(obj(subject.model.get("annotations")).get("list")):
        if annotation.get("enable") is False or annotation.get("builtIn"):
            continue
        if subject.kind_of(annotation.get("datasource")) in ("grafana", "datasource"):
            continue
        place = f"annotation {text(annotation.get('name'))!r}"
        yield Finding("annotations", place, "annotations are not drawn", unsupported=True)
