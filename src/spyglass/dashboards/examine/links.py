"""Links of the dashboard, panels and values: only web addresses may be followed."""

import re
from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.scope import LINK_NAMES, references
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, obj, objects, text

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x20]+")
_IN_TEXT = re.compile(
    r"""(?:href|src)\s*=\s*["']?\s*((?:javascript|vbscript|data\s*:\s*text)[^"'\s>]*)|\]\(\s*(javascript:[^)]*)""", re.I
)
ALLOWED = frozenset({"http", "https", "mailto"})


def check(subject: Subject) -> Iterator[Finding]:
    for link in objects(subject.model.get("links")):
        yield from _link(subject, f"link {text(link.get('title'))!r}", link)
    for panel in subject.panels():
        for link in _panel_links(panel):
            yield from _link(subject, place_of(panel), link)
        found = _IN_TEXT.search(text(obj(panel.get("options")).get("content")))
        if found:
            yield Finding(
                "links", place_of(panel), f"its text links to {(found[1] or found[2])[:80]!r}, which is removed"
            )


def _panel_links(panel: Json) -> Iterator[Json]:
    yield from objects(panel.get("links"))
    config = obj(panel.get("fieldConfig"))
    yield from objects(obj(config.get("defaults")).get("links"))
    for override in objects(config.get("overrides")):
        for one in objects(override.get("properties")):
            if one.get("id") == "links":
                yield from objects(one.get("value"))


def _link(subject: Subject, place: str, link: Json) -> Iterator[Finding]:
    url = text(link.get("url"))
    scheme = _SCHEME.match(_CONTROL.sub("", url))
    if scheme and scheme[1].lower() not in ALLOWED:
        yield Finding("links", place, f"links to {url[:80]!r}: {scheme[1].lower()}: addresses are never followed")
    for reference in references(url):
        if not subject.knows(reference.name) and reference.name not in LINK_NAMES:
            yield Finding("links", place, f"links to {url[:80]!r}, and there is no variable ${reference.name}")
