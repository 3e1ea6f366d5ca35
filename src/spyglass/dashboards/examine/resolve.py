"""Plausible values for a dashboard's variables: what it was saved with, what it offers, what live data say."""

import re
from collections.abc import Callable

from spyglass.dashboards.examine.scope import Entry
from spyglass.dashboards.migrate.values import Json, obj, objects, text
from spyglass.text.regex import RegexError, compile_regex

ALL = "$__all"
AUTO = "$__auto_interval_"

AskLive = Callable[[Json, dict[str, Entry]], tuple[str, ...]]
"""A query variable and the scope so far -> its values, () where there are none."""


def resolve(variables: list[Json], ask: AskLive | None = None) -> dict[str, Entry]:
    """Each variable's entry, those before it already known. ask: live data, which have the say over saved values."""
    scope: dict[str, Entry] = {}
    for variable in variables:
        name = text(variable.get("name"))
        if name and name not in scope:
            scope[name] = _entry(variable, scope, ask)
            for auto in (AUTO.removeprefix("$") + name,) if variable.get("type") == "interval" else ():
                scope[auto] = Entry("15s")
    return scope


def _entry(variable: Json, scope: dict[str, Entry], ask: AskLive | None) -> Entry:
    kind = text(variable.get("type"))
    live = ask(variable, scope) if ask is not None and kind == "query" else ()
    if kind == "interval":
        return Entry(next((value for value in _options(variable) if value and not value.startswith(AUTO)), "5m"))
    if kind in ("constant", "textbox"):
        return Entry(text(obj(variable.get("current")).get("value")) or text(variable.get("query")) or None)
    if kind in ("adhoc", "groupby"):
        return Entry(None)
    saved = _saved(variable)
    if ALL in saved or (variable.get("includeAll") and not saved):
        if text(variable.get("allValue")):
            return Entry(variable["allValue"], verbatim=True)
        saved = live or tuple(value for value in _options(variable) if value != ALL)
    chosen = tuple(value for value in saved if value in live) or live[:1] if live else saved or _first(variable)
    if not chosen:
        return Entry(None)
    several = bool(variable.get("multi") or variable.get("includeAll"))
    return Entry(chosen if several else chosen[0])


def _saved(variable: Json) -> tuple[str, ...]:
    value = obj(variable.get("current")).get("value")
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if isinstance(one, str | int | float) and one != "")


def _options(variable: Json) -> list[str]:
    return [text(one.get("value")) for one in objects(variable.get("options"))]


def _first(variable: Json) -> tuple[str, ...]:
    return tuple(value for value in _options(variable) if value and value != ALL)[:1]


def apply_regex(pattern: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """What a variable's regex leaves of the values: the group `value`, the first group, or the whole match.

    A pattern without slashes stands for the whole value.
    """
    inside = pattern[1 : pattern.rfind("/")] if pattern.startswith("/") and pattern.rfind("/") > 0 else f"^{pattern}$"
    if not pattern:
        return values
    try:
        # RE2, which takes linear time: values and patterns are other people's.
        compiled = compile_regex(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", inside))
    except RegexError:
        return values
    found: dict[str, None] = {}
    for value in values:
        match = compiled.search(value)
        if match:
            named = match.groupdict()
            found[named.get("value") or (match[1] if compiled.groups else match[0]) or ""] = None
    return tuple(one for one in found if one)
