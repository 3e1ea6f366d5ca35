"""References to data sources: a name, null, or nothing at all becomes `{type, uid}`."""

from collections.abc import Sequence

from spyglass.dashboards.migrate.values import Json, obj, objects, panels_of, text
from spyglass.protocols.dashboards import KnownSource

MIXED = "-- Mixed --"
_SPECIAL = {
    MIXED: {"type": "datasource", "uid": MIXED},
    "-- Dashboard --": {"type": "datasource", "uid": "-- Dashboard --"},
    "-- Grafana --": {"type": "grafana", "uid": "-- Grafana --"},
    "grafana": {"type": "grafana", "uid": "-- Grafana --"},
    "__expr__": {"type": "__expr__", "uid": "__expr__"},
}


def migrate(model: Json, sources: Sequence[KnownSource]) -> None:
    """Panels, their queries, variables and annotations, in place. A query without one has its panel's."""
    kinds = _variable_types(model)
    for panel in panels_of(model):
        if panel.get("type") == "row":
            continue
        if "datasource" in panel or panel.get("targets"):
            panel["datasource"] = reference(panel.get("datasource"), sources, kinds)
        own = obj(panel.get("datasource"))
        mixed = own.get("uid") == MIXED
        for target in objects(panel.get("targets")):
            if target.get("datasource") in (None, "") and own and not mixed:
                target["datasource"] = dict(own)
            else:
                target["datasource"] = reference(target.get("datasource"), sources, kinds)
    for variable in objects(obj(model.get("templating")).get("list")):
        if variable.get("type") in ("query", "adhoc", "groupby"):
            variable["datasource"] = reference(variable.get("datasource"), sources, kinds)
    for annotation in objects(obj(model.get("annotations")).get("list")):
        annotation["datasource"] = reference(annotation.get("datasource"), sources, kinds)


def reference(value: object, sources: Sequence[KnownSource], kinds: dict[str, str]) -> Json:
    """`{type, uid}` of whatever stands there. The default is `{uid: "default"}` where no data source is known."""
    if isinstance(value, dict):
        if value.get("uid") in (None, "") and not value.get("type"):
            value = value.get("name")
        else:
            return _completed(value, sources, kinds)
    if not isinstance(value, str) or value in ("", "default", "-- Default --"):
        default = next((source for source in sources if source.is_default), sources[0] if sources else None)
        return {"type": default.type, "uid": default.uid} if default else {"uid": "default"}
    if value in _SPECIAL:
        return dict(_SPECIAL[value])
    return _completed({"uid": value}, sources, kinds)


def _completed(given: Json, sources: Sequence[KnownSource], kinds: dict[str, str]) -> Json:
    uid = text(given.get("uid"))
    if uid in _SPECIAL:
        return {**given, **_SPECIAL[uid]}
    known = next((source for source in sources if uid and uid in (source.uid, source.name)), None)
    if known is not None:
        return {**given, "type": known.type, "uid": known.uid}
    variable = uid.removeprefix("$").removeprefix("{").removesuffix("}").partition(":")[0]
    if uid.startswith(("$", "[[")) and not given.get("type"):
        kind = kinds.get(variable.removeprefix("[[").removesuffix("]]"))
        return {**given, "type": kind} if kind else given
    return given


def _variable_types(model: Json) -> dict[str, str]:
    """The type of data source that each datasource variable chooses from."""
    variables = objects(obj(model.get("templating")).get("list"))
    return {text(v.get("name")): text(v.get("query")) for v in variables if v.get("type") == "datasource"}
