"""What fields lines have: for the field browsers of Explore and Logs Drilldown (`detected_fields`).

The newest lines of a log query are looked at; those without a parser in the query are tried as JSON, then as logfmt. A field's type is that
of its first value that has one. Source: the Loki HTTP API documentation, detected fields.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from spyglass.model.errors import InvalidParameter
from spyglass.model.labels import Labels
from spyglass.protocols.budget import Budget
from spyglass.protocols.log_store import LogEntry
from spyglass.protocols.queries import LabelCategories, LogQueries, StreamsResult
from spyglass.query.exec.logs.parsers import free_name
from spyglass.query.exec.logs.rows import SPECIAL
from spyglass.text.bytesize import parse_bytes
from spyglass.text.durations import parse_go_duration
from spyglass.text.gonumbers import parse_go_float
from spyglass.text.jsonlines import decode_object, flatten, sanitize_name
from spyglass.text.logfmt import parse_logfmt

FieldType = Literal["string", "int", "float", "boolean", "duration", "bytes"]

_READERS: tuple[tuple[FieldType, Callable[[str], float]], ...] = (
    ("float", parse_go_float),
    ("duration", parse_go_duration),
    ("bytes", parse_bytes),
)

MAX_VALUES = 1000
"""Distinct values remembered per field; beyond that cardinality stops counting."""


@dataclass(slots=True)
class DetectedField:
    """parsers: what found it ("json", "logfmt"); none: structured metadata, or the query's own stages."""

    label: str
    type: FieldType = "string"
    parsers: list[str] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    """Distinct values in order of first sight, with how often each came."""

    @property
    def cardinality(self) -> int:
        return len(self.values)

    def add(self, value: str, parser: str) -> None:
        if not self.values:
            self.type = type_of(value)
        if parser and parser not in self.parsers:
            self.parsers.append(parser)
        if value in self.values or len(self.values) < MAX_VALUES:
            self.values[value] = self.values.get(value, 0) + 1


def detected_fields(
    queries: LogQueries,
    query: str,
    *,
    start_ns: int,
    end_ns: int,
    line_limit: int,
    limit: int,
    tenant: str,
    budget: Budget,
) -> list[DetectedField]:
    """At most `limit` fields of the newest `line_limit` lines, by name.

    Raises: InvalidParameter for a metric query; what LogQueries.range raises.
    """
    result = queries.range(
        query,
        start_ns=start_ns,
        end_ns=end_ns,
        step_ns=10**9,
        limit=line_limit,
        direction="backward",
        tenant=tenant,
        budget=budget,
    )
    if not isinstance(result, StreamsResult):
        raise InvalidParameter("only log queries have fields, not metric queries")
    found: dict[str, DetectedField] = {}
    for (_, entries), category in zip(result.streams, result.categories, strict=True):
        for entry in entries:
            for name, value, parser in _fields(entry, category):
                if name in found or len(found) < limit:
                    found.setdefault(name, DetectedField(name)).add(value, parser)
    return [found[name] for name in sorted(found)]


def _fields(entry: LogEntry, category: LabelCategories) -> Iterator[tuple[str, str, str]]:
    """(name, value, parser) of one line."""
    known = [(name, value) for name, value in (*category.metadata, *category.parsed) if name not in SPECIAL]
    for name, value in known:
        yield name, value, ""
    if category.parsed:
        return
    taken = frozenset(name for name, _ in category.stream)
    metadata = dict(category.metadata)
    seen: set[str] = set()
    pairs, parser = parsed_fields(entry.line)
    for name, value in pairs:
        target = free_name(name, taken, metadata)
        if value and target not in seen:
            seen.add(target)
            yield target, value, parser


def parsed_fields(line: str) -> tuple[Labels, str]:
    """A line's own fields and the parser that found them: JSON where it is an object, else logfmt where it has pairs."""
    pairs, problem = decode_object(line)
    if not problem:
        return tuple(flatten(pairs)), "json"
    found, _ = parse_logfmt(line)
    return tuple((sanitize_name(key), value) for key, value in found if value), "logfmt"


def type_of(value: str) -> FieldType:
    """The narrowest type that a value reads as.

    >>> [type_of(text) for text in ("5", "1.5", "true", "3ms", "4KB", "x")]
    ['int', 'float', 'boolean', 'duration', 'bytes', 'string']
    """
    digits = value[1:] if value[:1] in ("-", "+") else value
    if digits.isdigit() and digits.isascii():
        return "int"
    if value in ("true", "false", "True", "False", "TRUE", "FALSE", "t", "f", "T", "F"):
        return "boolean"
    for kind, read in _READERS:
        try:
            read(value)
        except ValueError:
            continue
        return kind
    return "string"
