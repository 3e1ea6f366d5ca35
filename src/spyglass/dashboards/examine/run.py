"""Examining a file or a text: every check, whatever happens in one of them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spyglass.dashboards.documents import MAX_BYTES, NotADashboard, body_of, parse_dashboard, title_of
from spyglass.dashboards.examine import (
    data,
    datasources,
    expressions,
    limits,
    links,
    panels,
    queries,
    repeats,
    transformations,
    units,
    variables,
)
from spyglass.dashboards.examine.evidence import LogEvidence, MetricEvidence
from spyglass.dashboards.examine.findings import Finding, Report
from spyglass.dashboards.examine.known import PANELS
from spyglass.dashboards.examine.resolve import apply_regex, resolve
from spyglass.dashboards.examine.scope import Entry, fill
from spyglass.dashboards.examine.subject import Check, Subject
from spyglass.dashboards.examine.variable_query import parse_variable_query
from spyglass.dashboards.migrate.dashboard import SCHEMA_VERSION, migrate
from spyglass.dashboards.migrate.values import Json, obj, text, whole
from spyglass.model.errors import QueryError
from spyglass.protocols.dashboards import KnownSource

log = logging.getLogger(__name__)

CHECKS: Mapping[str, Check] = {
    "limits": limits.check,
    "panels": panels.check,
    "repeats": repeats.check,
    "datasources": datasources.check,
    "variables": variables.check,
    "queries": queries.check,
    "expressions": expressions.check,
    "transformations": transformations.check,
    "units": units.check,
    "links": links.check,
}
"""What needs no data; `format` and `migration` come before them, `data` after."""
NAMES = ("format", "migration", *CHECKS, "data")

_ODD = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What odd JSON makes of code that did not expect it."""
NEWEST = SCHEMA_VERSION + 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """sources: the data sources there are, None where that is not known. metrics, logs: None without data."""

    sources: Sequence[KnownSource] | None = None
    metrics: MetricEvidence | None = None
    logs: LogEvidence | None = None


OFFLINE = Surroundings()


def examine_file(path: Path, surroundings: Surroundings = OFFLINE) -> Report:
    """Raises: NoEvidence where there should be data and nobody answers. Anything wrong with the file is in the report."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as err:
        return Report(str(path), findings=(Finding("format", "", f"cannot be read: {err.strerror or err}"),))
    if size > MAX_BYTES:
        return Report(str(path), findings=(Finding("format", "", f"is larger than {MAX_BYTES >> 20} MiB"),))
    return examine(content, str(path), surroundings)


def examine(content: str | bytes, file: str = "", surroundings: Surroundings = OFFLINE) -> Report:
    """Raises: as examine_file."""
    try:
        document = parse_dashboard(content)
    except NotADashboard as err:
        return Report(file, findings=(Finding("format", "", str(err)),))
    title = title_of(document)
    problems: list[str] = []
    try:
        model = migrate(document, surroundings.sources or (), problems=problems)
    except _ODD as err:
        log.debug("%s could not be migrated", file, exc_info=True)
        said = f"cannot be brought to today's schema: {type(err).__name__}: {err}"
        return Report(file, title, findings=(Finding("migration", "", said),))
    body = dict(body_of(document))
    subject = Subject(body, model, {}, surroundings.sources, surroundings.metrics, surroundings.logs)
    subject = replace(subject, scope=resolve(subject.variables(), _asking(subject)))
    drawn = [panel for panel in subject.panels() if panel.get("type") != "row"]
    native = sum(isinstance(panel.get("type"), str) and panel["type"] in PANELS for panel in drawn)
    found = [*_shape(body), *(Finding("migration", "", problem) for problem in problems)]
    for name, check in CHECKS.items():
        found += _guarded(name, check, subject)
    if subject.metrics is not None or subject.logs is not None:
        found += _guarded("data", data.check, subject)
    return Report(file, title, len(drawn), native, tuple(dict.fromkeys(found)))


def _shape(body: Json) -> Iterator[Finding]:
    """The outermost keys, where another kind of value would be passed over without a word."""
    for key, kind, words in (("panels", list, "a list"), ("rows", list, "a list"), ("templating", dict, "an object")):
        if body.get(key) is not None and not isinstance(body[key], kind):
            yield Finding("format", key, f"should be {words}")
    for index, panel in enumerate(body["panels"] if isinstance(body.get("panels"), list) else ()):
        if not isinstance(panel, dict):
            yield Finding("format", f"panels[{index}]", "should be an object")
    version = whole(body.get("schemaVersion"))
    if version > NEWEST:
        message = f"schemaVersion {version} is newer than {NEWEST}, the newest that is known"
        yield Finding("migration", "", message, unsupported=True)


def _guarded(name: str, check: Check, subject: Subject) -> list[Finding]:
    """A check that stumbles over odd JSON says so, and the others go on."""
    found: list[Finding] = []
    try:
        found.extend(check(subject))
    except _ODD as err:
        log.debug("check %s stumbled", name, exc_info=True)
        found.append(Finding(name, "", f"something in it is not what it should be: {type(err).__name__}: {err}"))
    return found


class _asking:
    """Values of query variables from the data at hand."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    def __call__(self, variable: Json, scope: dict[str, Entry]) -> tuple[str, ...]:
        language = self._subject.language_of(variable.get("datasource"))
        asked = fill(text(obj(variable.get("query")).get("query")), scope)
        try:
            query = parse_variable_query(asked)
        except ValueError:
            return ()
        metrics, logs = self._subject.metrics, self._subject.logs
        if language == "logql":
            values = logs.values(query.label, query.argument) if logs is not None and query.label else ()
        elif language == "other" or metrics is None:
            values = ()
        elif query.kind == "label_values":
            values = metrics.values(query.label, query.argument)
        elif query.kind == "label_names":
            values = tuple(sorted(metrics.labels()))
        elif query.kind == "metrics":
            values = apply_regex(f"/.*{query.argument}.*/", tuple(sorted(metrics.names())))
        else:
            try:
                values = metrics.results(query.argument)
            except QueryError:
                values = ()
        return apply_regex(text(variable.get("regex")), tuple(values))
