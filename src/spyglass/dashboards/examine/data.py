"""With data at hand: metrics and labels exist, and every query evaluates."""

from collections.abc import Iterator

from spyglass.dashboards.examine.evidence import LogEvidence, MetricEvidence
from spyglass.dashboards.examine.findings import Finding
from spyglass.dashboards.examine.names import Needs, alternatives
from spyglass.dashboards.examine.queries import MAX_QUERY, TOO_DEEP, fillings, queries_of
from spyglass.dashboards.examine.scope import fill
from spyglass.dashboards.examine.subject import Subject
from spyglass.dashboards.examine.variable_query import parse_variable_query
from spyglass.dashboards.migrate.values import Json, obj, text
from spyglass.model.errors import ParseError
from spyglass.query.logql import ast as logql_ast
from spyglass.query.logql import parser as logql
from spyglass.query.logql.walk import walk, windows_of
from spyglass.query.promql import parser as promql


def check(subject: Subject) -> Iterator[Finding]:
    for variable in subject.variables():
        if variable.get("type") == "query":
            place = f"variable {variable.get('name')!r}"
            yield from (Finding("data", place, problem) for problem in _variable(subject, variable))
    for query in queries_of(subject):
        if query.hidden or len(query.text) > MAX_QUERY:
            continue
        for problem in _query(subject, query.text, query.language):
            yield Finding("data", query.place, problem)


def _variable(subject: Subject, variable: Json) -> Iterator[str]:
    language = subject.language_of(variable.get("datasource"))
    asked = text(obj(variable.get("query")).get("query"))
    try:
        query = parse_variable_query(fill(asked, subject.scope))
    except ValueError:
        return
    if language == "logql":
        if subject.logs is not None and query.label and query.label not in subject.logs.labels():
            yield f"no stream has the label {query.label!r}"
    elif language == "promql" or not language:
        if subject.metrics is None:
            return
        if query.kind == "query_result":
            yield from _promql(subject.metrics, query.argument)
        elif query.kind == "label_values" and query.label != "__name__":
            yield from _labelled(subject.metrics, query.argument, query.label)


def _labelled(metrics: MetricEvidence, selector: str, label: str) -> Iterator[str]:
    if not selector:
        if label not in metrics.labels():
            yield f"no series has the label {label!r}"
        return
    try:
        needs = alternatives(promql.parse(selector))
    except (ParseError, RecursionError):
        return
    problems = _best(metrics, needs)
    yield from problems
    names = needs[0].metrics if needs else ()
    if not problems and names and label not in metrics.labels(names[0]):
        yield f"no series of {names[0]} has the label {label!r}"


def _query(subject: Subject, written: str, language: str) -> Iterator[str]:
    for filled in fillings(subject, written):
        try:
            if language == "logql":
                found = logql.parse(filled)
            else:
                promql.parse(filled)
        except (ParseError, RecursionError):
            continue
        if language == "logql":
            if subject.logs is not None:
                yield from _logql(subject.logs, filled, found)
        elif subject.metrics is not None:
            yield from _promql(subject.metrics, filled)
        return


def _promql(metrics: MetricEvidence, query: str) -> Iterator[str]:
    try:
        yield from _best(metrics, alternatives(promql.parse(query)))
    except ParseError as err:
        yield err.message
        return
    except RecursionError:
        yield TOO_DEEP
        return
    problem = metrics.error_of(query)
    if problem:
        yield problem


def _best(metrics: MetricEvidence, ways: list[Needs]) -> list[str]:
    """The problems of the way that has the fewest: one that works is enough."""
    best: list[str] | None = None
    for needs in ways:
        problems = list(dict.fromkeys(_unmet(metrics, needs)))
        if not problems:
            return []
        if best is None or len(problems) < len(best):
            best = problems
    return best or []


def _unmet(metrics: MetricEvidence, needs: Needs) -> Iterator[str]:
    known = metrics.names()
    for name in needs.metrics:
        if name not in known:
            yield f"there is no metric {name!r}"
    for name, label in needs.selected:
        if (not name or name in known) and label not in metrics.labels(name):
            yield f"no series of {name} has the label {label!r}" if name else f"no series has the label {label!r}"
    for names, label in needs.grouped:
        present = [name for name in names if name in known]
        if label in needs.made or len(present) < len(names) or label == "__name__":
            continue
        if not any(label in metrics.labels(name) for name in present or [""]):
            yield f"no series of {', '.join(dict.fromkeys(present)) or 'any metric'} has the label {label!r}"


def _logql(logs: LogEvidence, query: str, expr: logql_ast.Expr) -> Iterator[str]:
    known = logs.labels()
    selectors = [window.log for window in windows_of(expr)]
    selectors += [node for node in walk(expr) if isinstance(node, logql_ast.LogExpr)]
    for label in dict.fromkeys(one.name for log in selectors for one in log.matchers if not one.matches_empty()):
        if label not in known:
            yield f"no stream has the label {label!r}"
    problem = logs.error_of(query)
    if problem:
        yield problem
