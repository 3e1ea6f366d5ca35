"""Repeated panels and rows, and panels that take each other's results: what turns in a circle or multiplies itself."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import DASHBOARD
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import Json, obj, objects, text, whole

T = TypeVar("T")


def check(subject: Subject) -> Iterator[Finding]:
    names = {text(one.get("name")) for one in subject.variables()}
    around = ""
    for panel in sorted(subject.model.get("panels") or [], key=_height):
        if not isinstance(panel, dict):
            continue
        if panel.get("type") == "row":
            around = text(panel.get("repeat"))
        yield from _unknown(panel, names)
        inner = objects(panel.get("panels")) if panel.get("type") == "row" else [panel]
        for one in inner:
            if one is not panel:
                yield from _unknown(one, names)
            if around and text(one.get("repeat")) == around:
                message = f"repeats over ${around}, and so does its row: every value would be shown in every copy"
                yield Finding("repeats", place_of(one), message)
    yield from _circles(subject)


def _height(panel: object) -> int:
    return whole(obj(obj(panel).get("gridPos")).get("y"))


def _unknown(panel: Json, names: set[str]) -> Iterator[Finding]:
    repeat = text(panel.get("repeat"))
    if repeat and repeat not in names:
        yield Finding("repeats", place_of(panel), f"repeats over ${repeat}, and there is no such variable")


def _circles(subject: Subject) -> Iterator[Finding]:
    """Panels by id: one may be a copy of another (repeatPanelId, which Grafana saved until 8), or show another's result."""
    written = {whole(panel.get("id"), -1): panel for panel in subject.written_panels()}
    copies = {
        number: {whole(panel["repeatPanelId"], -1)} for number, panel in written.items() if panel.get("repeatPanelId")
    }
    for number in turning(copies):
        yield Finding("repeats", place_of(written[number]), "is a copy of itself (repeatPanelId): it is left out")
    for number, (origin,) in copies.items():
        if origin not in written and not written[number].get("repeat"):
            message = f"is a copy of panel {origin}, which is not there (repeatPanelId): it is left out"
            yield Finding("repeats", place_of(written[number]), message)
    panels = {whole(panel.get("id"), -1): panel for panel in subject.panels()}
    for number in turning({number: _shown_by(panel) for number, panel in panels.items()}):
        yield Finding("repeats", place_of(panels[number]), "shows its own result")


def _shown_by(panel: Json) -> set[int]:
    found = set()
    for target in objects(panel.get("targets")):
        if DASHBOARD in (obj(target.get("datasource")).get("uid"), obj(panel.get("datasource")).get("uid")):
            found.add(whole(target.get("panelId"), -1))
    return found


def turning(edges: Mapping[T, set[T]]) -> list[T]:
    """The nodes from which the edges lead back to themselves, in order. Not recursive.

    What nothing leads to, or leads nowhere, is taken away until only circles and the ways between them are left.
    """
    left = {node: {to for to in aims if to in edges} for node, aims in edges.items()}
    while True:
        ends = {node for node, aims in left.items() if not aims}
        if not ends:
            break
        left = {node: aims - ends for node, aims in left.items() if node not in ends}
    return [node for node in edges if node in left and _returns(node, left)]


def _returns(start: T, edges: Mapping[T, set[T]]) -> bool:
    seen: set[T] = set()
    waiting = list(edges[start])
    while waiting:
        node = waiting.pop()
        if node == start:
            return True
        if node not in seen:
            seen.add(node)
            waiting.extend(edges.get(node, ()))
    return False
