"""Queries of panels and annotations: every one in its language, every name in it known."""

from collections.abc import Iterator
from dataclasses import dataclass

from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.known import FORMATS
from spyglass.dashboards.examine.scope import fill, references
from spyglass.dashboards.examine.subject import Subject, place_of
from spyglass.dashboards.migrate.values import obj, objects, text
from spyglass.model.errors import ParseError
from spyglass.query.logql import parser as logql
from spyglass.query.promql import parser as promql

GUESSES = ("x", "1", "5m", "sum")
MAX_QUERY = 100_000
"""Characters; upstream's servers refuse longer ones."""
TOO_DEEP = "its operators stand too deep inside one another"


@dataclass(frozen=True, slots=True)
class Query:
    """A query as written. language as Subject.language_of."""

    place: str
    text: str
    language: str
    hidden: bool = False


def queries_of(subject: Subject) -> Iterator[Query]:
    """Every query with a text in PromQL or LogQL; of data sources that cannot be asked none."""
    for panel in subject.panels():
        for target in objects(panel.get("targets")):
            language = subject.language_of(target.get("datasource"))
            written = text(target.get("expr"))
            if language != "other" and written.strip():
                place = f"{place_of(panel)}, query {text(target.get('refId'))}"
                yield Query(place, written, language, target.get("hide") is True)
    for annotation in objects(obj(subject.model.get("annotations")).get("list")):
        language = subject.language_of(annotation.get("datasource"))
        written = text(annotation.get("expr")) or text(obj(annotation.get("target")).get("expr"))
        if language != "other" and written.strip():
            place = f"annotation {text(annotation.get('name'))!r}"
            yield Query(place, written, language, annotation.get("enable") is False)


def check(subject: Subject) -> Iterator[Finding]:
    for query in queries_of(subject):
        if len(query.text) > MAX_QUERY:
            yield Finding("queries", query.place, f"is {len(query.text)} characters long; {MAX_QUERY} can be asked")
            continue
        yield from _names(subject, query)
        problem = syntax_problem(subject, query)
        if problem:
            yield Finding("queries", query.place, problem)


def _names(subject: Subject, query: Query) -> Iterator[Finding]:
    said: set[str] = set()
    for reference in references(query.text):
        if reference.name in said:
            continue
        said.add(reference.name)
        if not subject.knows(reference.name):
            yield Finding("queries", query.place, f"there is no variable ${reference.name}")
        if reference.format and reference.format.partition(":")[0] not in FORMATS:
            message = f"the format {reference.format!r} of ${reference.name} is not known: it is written as a glob"
            yield Finding("queries", query.place, message, unsupported=True)


def syntax_problem(subject: Subject, query: Query) -> str:
    """Why the query cannot be read, "" where it can: with the values it was saved with, or else with any that would do."""
    problem = ""
    for filled in fillings(subject, query.text):
        found = _problem(filled, query.language)
        if not found:
            return ""
        problem = problem or f"{found} in {_shortened(filled)}"
    return problem


def fillings(subject: Subject, written: str) -> Iterator[str]:
    """The query filled in, the likeliest first; doubles are left out."""
    seen = set()
    for trust in (True, False):
        for guess in GUESSES:
            filled = fill(written, subject.scope, guess=guess, trust=trust)
            if filled not in seen:
                seen.add(filled)
                yield filled


def _problem(query: str, language: str) -> str:
    """Of an unknown language: PromQL's complaint, unless it is LogQL."""
    try:
        if language == "logql":
            logql.parse(query)
        else:
            promql.parse(query)
    except ParseError as err:
        if not language and not _problem(query, "logql"):
            return ""
        return err.message
    except RecursionError:
        return TOO_DEEP
    return ""


def _shortened(query: str) -> str:
    line = " ".join(query.split())
    return repr(line if len(line) <= 160 else line[:157] + "...")
