"""A panel's queries: each has a refId of its own; the forms of old Prometheus targets."""

from collections.abc import Iterator
from itertools import count

from spyglass.dashboards.migrate.values import Json, objects, text


def migrate(panel: Json) -> None:
    found = panel.get("targets")
    if not isinstance(found, list):
        if panel.get("type") != "row" and found is not None:
            panel["targets"] = []
        return
    panel["targets"] = objects(found)
    used = {text(target.get("refId")) for target in panel["targets"]}
    taken: set[str] = set()
    fresh = _names()
    for target in panel["targets"]:
        name = text(target.get("refId"))
        if not name or name in taken:
            name = next(letter for letter in fresh if letter not in used)
            target["refId"] = name
            used.add(name)
        taken.add(name)
        if (
            not isinstance(target.get("expr"), str)
            and isinstance(target.get("expression"), str)
            and _is_prometheus(target)
        ):
            target["expr"] = target["expression"]


def _is_prometheus(target: Json) -> bool:
    source = target.get("datasource")
    return isinstance(source, dict) and source.get("type") in ("prometheus", "loki")


def _names() -> Iterator[str]:
    """A, B, ..., Z, AA, AB, ..., ZZ, Q0, Q1, ..."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    yield from letters
    yield from (f"{a}{b}" for a in letters for b in letters)
    yield from (f"Q{number}" for number in count())
