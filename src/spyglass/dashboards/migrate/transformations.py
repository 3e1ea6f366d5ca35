"""Transformations under their present names and options."""

from collections.abc import Iterator

from spyglass.dashboards.migrate.values import Json, obj, objects, text

LABELS_WERE_MERGED_UNTIL = 31
"""A schema version. Source: the behaviour of Grafana's migration to 31."""
NAMES = {"seriesToColumns": "joinByField", "configFromQuery": "configFromData"}


def migrate(panel: Json, version: int) -> None:
    if panel.get("transformations") is None:
        panel.pop("transformations", None)
        return
    kept = [one for one in objects(panel.get("transformations")) if text(one.get("id"))]
    for one in kept:
        one["id"] = NAMES.get(one["id"], one["id"])
        one["options"] = obj(one.get("options"))
    panel["transformations"] = list(_with_merges(kept)) if version < LABELS_WERE_MERGED_UNTIL else kept


def _with_merges(transformations: list[Json]) -> Iterator[Json]:
    """Labels as fields gave one table then; what merged them is a step of its own now."""
    for at, one in enumerate(transformations):
        yield one
        after = transformations[at + 1]["id"] if at + 1 < len(transformations) else None
        if one["id"] == "labelsToFields" and after != "merge":
            yield {"id": "merge", "options": {}}
