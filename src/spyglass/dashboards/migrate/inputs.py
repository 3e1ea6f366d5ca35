"""`__inputs` and `__elements` of dashboards that were exported for sharing.

`${DS_NAME}` stands for a data source that the importer chooses, `${VAR_NAME}` for a constant. Here the choice is made: the default data
source of the input's type, else the first one of it; where there is none only the type is written down. Library panels that
came along in `__elements` take the place of the panels that point to them.
"""

import re
from collections.abc import Sequence
from typing import Any

from spyglass.dashboards.migrate.values import Json, obj, objects, panels_of, text
from spyglass.protocols.dashboards import KnownSource

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_-]+)\}")


def resolve(model: Json, sources: Sequence[KnownSource]) -> None:
    """Fill in the inputs, in place, and drop them."""
    found = objects(model.pop("__inputs", None))
    model.pop("__requires", None)
    elements = obj(model.pop("__elements", None))
    # A variable of the same name is what the panels mean: exported files often have both.
    variables = {text(variable.get("name")) for variable in objects(obj(model.get("templating")).get("list"))}
    found = [one for one in found if text(one.get("name")) and one.get("name") not in variables]
    choices = {one["name"]: _datasource(one, sources) for one in found if one.get("type") == "datasource"}
    constants = {one["name"]: str(one.get("value", "")) for one in found if one.get("type") == "constant"}
    if choices or constants:
        for key, value in list(model.items()):
            model[key] = _filled(value, choices, constants)
    if elements:
        _inline(model, elements)


def _datasource(wanted: Json, sources: Sequence[KnownSource]) -> Json:
    kind = text(wanted.get("pluginId"))
    of_kind = [source for source in sources if source.type == kind]
    chosen = next((source for source in of_kind if source.is_default), of_kind[0] if of_kind else None)
    return {"type": kind, "uid": chosen.uid if chosen else ""}


def _filled(value: Any, choices: dict[str, Json], constants: dict[str, str]) -> Any:
    if isinstance(value, dict):
        uid = value.get("uid")
        match = _REFERENCE.fullmatch(uid) if isinstance(uid, str) else None
        if match and match.group(1) in choices:
            return {**value, **choices[match.group(1)]}
        return {key: _filled(inner, choices, constants) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, choices, constants) for inner in value]
    if isinstance(value, str) and "${" in value:
        whole = _REFERENCE.fullmatch(value)
        if whole and whole.group(1) in choices:
            return dict(choices[whole.group(1)])
        return _REFERENCE.sub(lambda match: constants.get(match.group(1), match.group(0)), value)
    return value


def _inline(model: Json, elements: Json) -> None:
    for panel in list(panels_of(model)):
        element = obj(elements.get(text(obj(panel.get("libraryPanel")).get("uid"))))
        inner = obj(element.get("model"))
        if inner:
            place: Json = {key: panel[key] for key in ("id", "gridPos", "libraryPanel", "title") if key in panel}
            panel.clear()
            panel.update({**inner, **place})
