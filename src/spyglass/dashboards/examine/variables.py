"""Variables: kinds, names, queries, patterns, and that none waits for itself."""

import re
from collections.abc import Iterator

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import LOKI, PROMETHEUS, VARIABLES
from spyglass.dashboards.examine.patterns import problem_of
from spyglass.dashboards.examine.queries import MAX_QUERY, TOO_DEEP
from spyglass.dashboards.examine.repeats import turning
from spyglass.dashboards.examine.scope import fill, references
from spyglass.dashboards.examine.subject import Subject
from spyglass.dashboards.examine.variable_query import check_variable_query, parse_variable_query
from spyglass.dashboards.migrate.values import Json, obj, objects, text
from spyglass.model.errors import ParseError

MAX_SHOWN = 300
"""Characters of a problem that quotes the query."""

_NAME = re.compile(r"\w+")
_DURATION = re.compile(r"(\d+(ms|[smhdwyM]))+|\$\w+|auto")


def check(subject: Subject) -> Iterator[Finding]:
    for given in objects(obj(subject.body.get("templating")).get("list")):
        if not text(given.get("name")):
            yield Finding("variables", "", f"a variable of type {text(given.get('type'))!r} has no name")
    variables = subject.variables()
    names = [text(variable.get("name")) for variable in variables]
    for index, variable in enumerate(variables):
        place = f"variable {names[index]!r}"
        if names[index] in names[:index]:
            yield Finding("variables", place, "is defined twice")
        yield from (Finding("variables", place, problem) for problem in _problems(subject, variable))
        if variable.get("type") not in VARIABLES:
            left = f"variables of type {variable.get('type')!r} are not offered"
            yield Finding("variables", place, left, unsupported=True)
    yield from _order(variables, names)


def _problems(subject: Subject, variable: Json) -> Iterator[str]:
    name, kind = text(variable.get("name")), text(variable.get("type"))
    if not _NAME.fullmatch(name):
        yield f"the name {name!r} should be letters, digits and underscores"
    regex = text(variable.get("regex"))
    if regex and problem_of(regex):
        yield problem_of(regex)
    for used in sorted(_mentioned(variable)):
        if not subject.knows(used) and used != "__searchFilter":
            yield f"refers to ${used}, and there is no such variable"
    if kind == "query":
        yield from _query(subject, variable)
    elif kind == "custom" and not variable.get("options"):
        yield "offers no values"
    elif kind == "interval":
        values = [text(one.get("value")) for one in objects(variable.get("options"))]
        yield from (f"{value!r} is no duration" for value in values if not _DURATION.fullmatch(value))
    elif kind == "datasource":
        wanted = text(variable.get("query"))
        if not wanted:
            yield "does not say which type of data source it chooses from"
        elif subject.sources is not None and wanted in (PROMETHEUS | LOKI) - {one.type for one in subject.sources}:
            yield f"there is no data source of type {wanted!r} to choose"


def _query(subject: Subject, variable: Json) -> Iterator[str]:
    language = subject.language_of(variable.get("datasource"))
    asked = text(obj(variable.get("query")).get("query"))
    if language == "other":
        return
    if not asked.strip():
        yield "asks nothing: its query is empty"
        return
    if len(asked) > MAX_QUERY:
        yield f"asks {len(asked)} characters; {MAX_QUERY} can be asked"
        return
    problem = ""
    for trust, guess in ((True, "x"), (False, "x"), (False, "1")):
        filled = fill(asked, subject.scope, guess=guess, trust=trust)
        try:
            check_variable_query(parse_variable_query(filled), language)
        except (ValueError, ParseError) as err:
            problem = problem or str(err)
        except RecursionError:
            problem = problem or TOO_DEEP
        else:
            return
    yield problem if len(problem) <= MAX_SHOWN else f"{problem[:MAX_SHOWN]}..."


def _mentioned(variable: Json) -> set[str]:
    query = variable.get("query")
    asked = text(obj(query).get("query")) if isinstance(query, dict) else text(query)
    if variable.get("type") in ("custom", "textbox", "constant"):
        return set()
    parts = (asked, text(obj(variable.get("datasource")).get("uid")))
    return {one.name for part in parts for one in references(part)}


def _order(variables: list[Json], names: list[str]) -> Iterator[Finding]:
    uses: dict[str, set[str]] = {}
    for name, variable in zip(names, variables, strict=True):
        uses.setdefault(name, set()).update(_mentioned(variable))
    circles = turning(uses)
    for name in circles:
        yield Finding("variables", f"variable {name!r}", "waits for itself: the variables that it uses use it")
    for index, name in enumerate(names):
        for later in sorted(uses[name] & set(names[index + 1 :])):
            if name not in circles:
                left = f"uses ${later}, which stands behind it: it is asked before ${later} has a value"
                yield Finding("variables", f"variable {name!r}", left, unsupported=True)
