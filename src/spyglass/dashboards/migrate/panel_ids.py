"""Panel ids: every panel has one of its own. Repeated copies that were saved along with their origin go."""

from spyglass.dashboards.migrate.values import Json, objects, panels_of, whole


def migrate(model: Json) -> None:
    _drop_copies(model)
    used: set[int] = set()
    next_id = max((whole(panel.get("id")) for panel in panels_of(model)), default=0) + 1
    for panel in panels_of(model):
        number = panel.get("id")
        if isinstance(number, bool) or not isinstance(number, int) or number in used or number < 0:
            panel["id"] = next_id
            next_id += 1
        used.add(panel["id"])


def _drop_copies(owner: Json) -> None:
    """A repeated panel was saved with its copies, which are made anew at every load."""
    kept = []
    for panel in objects(owner.get("panels")):
        if panel.get("repeatPanelId") and not panel.get("repeat"):
            continue
        if panel.get("repeatedByRow"):
            continue
        if (
            panel.get("type") == "row"
            and panel.get("repeatIteration")
            and not panel.get("repeat")
            and panel.get("repeatPanelId")
        ):
            continue
        panel.pop("scopedVars", None)
        panel.pop("repeatIteration", None)
        _drop_copies(panel)
        kept.append(panel)
    if isinstance(owner.get("panels"), list):
        owner["panels"] = kept
