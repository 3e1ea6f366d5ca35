"""Variables in one form, whatever version wrote them.

A query variable has `query: {query, refId, ...}` and `definition`; options and current are `{text, value, selected}`; current.value is a
list exactly where several may be chosen; hide and refresh are numbers.
"""

import re
from collections.abc import Callable

from spyglass.dashboards.migrate.values import Json, obj, objects, text, whole

ALL_TEXT, ALL_VALUE = "All", "$__all"


def migrate(model: Json) -> None:
    templating = obj(model.get("templating"))
    found = [variable for variable in objects(templating.get("list")) if text(variable.get("name"))]
    for variable in found:
        _common(variable)
        of_type = _OF_TYPE.get(variable["type"])
        if of_type is not None:
            of_type(variable)
        _current(variable)
    model["templating"] = {**templating, "list": found}


def _common(variable: Json) -> None:
    variable["type"] = text(variable.get("type")) or "query"
    if variable["type"] == "filter":
        variable["type"] = "query"
    hidden = 2 if variable.pop("hideVariable", None) else 1 if variable.pop("hideLabel", None) else 0
    hide = variable.get("hide")
    variable["hide"] = hidden or (hide if hide in (0, 1, 2, 3) and not isinstance(hide, bool) else 0)
    for flag in ("multi", "includeAll", "skipUrlSync"):
        variable[flag] = bool(variable.get(flag))
    for gone in ("tags", "tagsQuery", "tagValuesQuery", "useTags", "allFormat", "multiFormat", "refresh_on_load"):
        variable.pop(gone, None)
    if variable.get("label") is None:
        variable["label"] = ""
    if variable.get("allValue") in ("", None):
        variable["allValue"] = None
    variable["options"] = [_option(one) for one in _raw_options(variable.get("options"))]


def _raw_options(value: object) -> list[object]:
    return [one for one in value if isinstance(one, dict | str | int | float)] if isinstance(value, list) else []


def _option(given: object) -> Json:
    """An option may be a bare value in the oldest files."""
    one = given if isinstance(given, dict) else {"value": given}
    value = one.get("value", one.get("text", ""))
    value = "" if value is None else value if isinstance(value, str) else str(value)
    shown = one.get("text")
    return {
        **one,
        "text": str(value if shown is None else shown),
        "value": value,
        "selected": bool(one.get("selected")),
    }


def _query(variable: Json) -> None:
    """refresh 1: when the dashboard loads, 2: when the time range changes. 0 (never) was dropped: stale options help nobody."""
    refresh = variable.get("refresh")
    variable["refresh"] = 2 if refresh == 2 and refresh is not True else 1
    variable["options"] = []
    if not isinstance(variable.get("regex"), str):
        variable["regex"] = ""
    variable["sort"] = whole(variable.get("sort"))
    query = variable.get("query")
    if isinstance(query, dict):
        written = text(query.get("query")) or text(query.get("expr")) or _loki_query(query)
        variable["query"] = {**query, "query": written, "refId": text(query.get("refId")) or "StandardVariableQuery"}
    else:
        written = text(query)
        variable["query"] = {"query": written, "refId": "StandardVariableQuery"}
    variable["definition"] = text(variable.get("definition")) or written


def _loki_query(query: Json) -> str:
    """Loki's variables are stored in parts: type 0 label names, type 1 the values of a label (of a selector)."""
    label, selector = text(query.get("label")), text(query.get("stream"))
    if label and query.get("type") in (1, None):
        return f"label_values({selector}, {label})" if selector else f"label_values({label})"
    return "label_names()" if query.get("type") == 0 else ""


def _custom(variable: Json) -> None:
    if not isinstance(variable.get("query"), str):
        variable["query"] = ",".join(one["value"] for one in variable["options"] if one["value"] != ALL_VALUE)
    chosen = {one["value"] for one in variable["options"] if one["selected"]}
    variable["options"] = [
        {**one, "selected": one["value"] in chosen} for one in custom_options(variable["query"])
    ] or variable["options"]
    if variable["includeAll"]:
        everything = {"text": ALL_TEXT, "value": ALL_VALUE, "selected": ALL_VALUE in chosen}
        variable["options"] = [everything, *(one for one in variable["options"] if one["value"] != ALL_VALUE)]


def custom_options(query: str) -> list[Json]:
    r"""`a, b : value, c\,d` as options.

    >>> [(o["text"], o["value"]) for o in custom_options(r"a, One : 1, c\,d")]
    [('a', 'a'), ('One', '1'), ('c,d', 'c,d')]
    """
    parts = [part.strip().replace("\\,", ",") for part in re.split(r"(?<!\\),", query)]
    options = []
    for part in parts:
        if not part:
            continue
        name, separator, value = part.partition(" : ")
        options.append({"text": name.strip(), "value": value.strip() if separator else part, "selected": False})
    return options


def _interval(variable: Json) -> None:
    if not isinstance(variable.get("query"), str):
        variable["query"] = ",".join(
            one["value"] for one in variable["options"] if not one["value"].startswith("$__auto")
        )
    variable["auto"] = bool(variable.get("auto"))
    variable["auto_count"] = max(whole(variable.get("auto_count"), 30), 1)
    variable["auto_min"] = text(variable.get("auto_min")) or "10s"
    variable["refresh"] = 2
    values = [value.strip().strip("\"'") for value in variable["query"].split(",") if value.strip()]
    variable["options"] = [{"text": value, "value": value, "selected": False} for value in values]
    if variable["auto"]:
        auto = {"text": "auto", "value": f"$__auto_interval_{variable['name']}", "selected": False}
        variable["options"].insert(0, auto)
    variable["multi"] = variable["includeAll"] = False


def _constant(variable: Json) -> None:
    """A constant that people could see and change is a text box by today's words."""
    variable["query"] = _scalar(variable.get("query"))
    if variable["hide"] == 0:
        variable["type"] = "textbox"
    else:
        variable["hide"] = 2
    _fixed(variable)


def _textbox(variable: Json) -> None:
    variable["query"] = _scalar(variable.get("query"))
    _fixed(variable)


def _fixed(variable: Json) -> None:
    current = obj(variable.get("current"))
    value = current.get("value") if variable["type"] == "textbox" else None
    shown = value if isinstance(value, str) and value else variable["query"]
    variable["current"] = {"text": shown, "value": shown, "selected": True}
    variable["options"] = [dict(variable["current"])]


def _scalar(value: object) -> str:
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def _datasource(variable: Json) -> None:
    """Its query is the type of data source."""
    query = variable.get("query")
    variable["query"] = text(query) or text(obj(query).get("query"))
    variable["options"] = []
    variable["refresh"] = 1
    if not isinstance(variable.get("regex"), str):
        variable["regex"] = ""


def _adhoc(variable: Json) -> None:
    variable["filters"] = [
        {
            **one,
            "key": text(one.get("key")),
            "operator": text(one.get("operator")) or "=",
            "value": text(one.get("value")),
        }
        for one in objects(variable.get("filters"))
    ]


_OF_TYPE: dict[str, Callable[[Json], None]] = {
    "query": _query,
    "custom": _custom,
    "interval": _interval,
    "constant": _constant,
    "textbox": _textbox,
    "datasource": _datasource,
    "adhoc": _adhoc,
}


def _current(variable: Json) -> None:
    """text and value of the same shape: lists where several may be chosen, else single."""
    if variable["type"] in ("adhoc", "groupby", "switch"):
        return
    current = obj(variable.get("current"))
    values, texts = _list(current.get("value")), _list(current.get("text"))
    if values and ALL_VALUE in values and not variable["includeAll"]:
        values, texts = [], []
    if not values and variable["type"] in ("custom", "interval") and variable["options"]:
        first = variable["options"][0]
        values, texts = [first["value"]], [first["text"]]
    if not values:
        variable["current"] = {}
        return
    if len(texts) != len(values):
        texts = [ALL_TEXT if value == ALL_VALUE else value for value in values]
    if variable["multi"]:
        variable["current"] = {"text": texts, "value": values, "selected": True}
    else:
        variable["current"] = {"text": texts[0], "value": values[0], "selected": True}
    for one in variable["options"]:
        one["selected"] = one["value"] in values


def _list(value: object) -> list[str]:
    found = value if isinstance(value, list) else [value]
    return [
        one if isinstance(one, str) else str(one) for one in found if isinstance(one, str | int | float) and one != ""
    ]
