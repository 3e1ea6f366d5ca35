"""Regular expressions that the page evaluates: JavaScript's, as far as another engine can tell whether they are right."""

import re

from spyglass.dashboards.migrate.values import regex_parts

_NAMED = re.compile(r"\(\?<(?=[A-Za-z_])")
_ONLY_THERE = re.compile(r"\[\^?\]|\\u\{|\\[pPcdkK]\{|\(\?<[=!]|\\k<")
"""JavaScript's own: those are believed."""
MAX_PATTERN = 10_000


def problem_of(pattern: str) -> str:
    """What is wrong with `/inside/flags` or a bare pattern; "" where nothing is, or where only JavaScript can tell."""
    inside = regex_parts(pattern)
    inside = pattern if inside is None else inside
    if len(inside) > MAX_PATTERN:
        return f"a regular expression of {len(inside)} characters"
    if _ONLY_THERE.search(inside) or "$" in _without_ends(inside):
        return ""
    try:
        re.compile(_NAMED.sub("(?P<", inside))
    except (re.error, RecursionError, OverflowError) as err:
        return f"{pattern!r} is no regular expression: {err}"
    return ""


def _without_ends(pattern: str) -> str:
    """Without the dollars that mean the end: any other may be a variable."""
    return re.sub(r"\$(?=$|[)|])", "", pattern)
