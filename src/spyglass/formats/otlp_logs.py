"""OpenTelemetry's log export body (OTLP over HTTP) as Loki streams; protobuf or JSON. No I/O, no protobuf run time.

    ExportLogsServiceRequest { repeated ResourceLogs = 1 }
    ResourceLogs   { Resource = 1 { repeated KeyValue attributes = 1 }; repeated ScopeLogs = 2 }
    ScopeLogs      { Scope = 1 { name = 1; version = 2; attributes = 3; dropped = 4 }; repeated LogRecord = 2 }
    LogRecord      { fixed64 time = 1; severity = 2; severity_text = 3; AnyValue body = 5; attributes = 6; dropped = 7;
                     fixed32 flags = 8; bytes trace_id = 9; bytes span_id = 10; fixed64 observed_time = 11 }
    KeyValue       { key = 1; AnyValue value = 2 }
    AnyValue       { string = 1 | bool = 2 | int64 = 3 | double = 4 | array = 5 | map = 6 | bytes = 7 }

By default resource attributes of INDEX_LABELS become labels, everything else structured metadata of each line; `Routes` may say otherwise.
Source: opentelemetry-proto, logs/v1; Loki's documentation of OTLP ingestion.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from spyglass.formats import wire
from spyglass.model.errors import MalformedBody
from spyglass.model.labels import Labels, labels_of
from spyglass.model.log_entry import LogEntry

INDEX_LABELS = frozenset(
    [
        "service.name",
        "service.namespace",
        "service.instance.id",
        "deployment.environment",
        "deployment.environment.name",
        "cloud.region",
        "cloud.availability_zone",
        "k8s.cluster.name",
        "k8s.namespace.name",
        "k8s.pod.name",
        "k8s.container.name",
        "container.name",
        "k8s.replicaset.name",
        "k8s.deployment.name",
        "k8s.statefulset.name",
        "k8s.daemonset.name",
        "k8s.cronjob.name",
        "k8s.job.name",
    ]
)
"""Loki's default resource attributes that are indexed."""

MAX_DEPTH = 64
"""How deep attribute values may nest; deeper ones are refused before they can exhaust the stack."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_INT64 = range(-(1 << 63), 1 << 63)

Attributes = Mapping[str, Any]
"""Values: str, bool, int, float, bytes, list, dict, or None."""


@dataclass(frozen=True, slots=True)
class Record:
    """One log record. Times in ns, 0: not given. trace_id, span_id: hexadecimal."""

    time_ns: int = 0
    observed_ns: int = 0
    severity: int = 0
    severity_text: str = ""
    body: Any = None
    attributes: Attributes = field(default_factory=dict)
    dropped: int = 0
    flags: int = 0
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    name: str = ""
    version: str = ""
    attributes: Attributes = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """The records of one scope of one resource."""

    resource: Attributes
    scope: Scope
    records: Sequence[Record]


# --- to streams --------------------------------------------------------------------------------------------------------


Action = Literal["index_label", "structured_metadata", "drop"]
Route = Callable[[str], Action]
"""From an attribute's name to what becomes of it."""


def _metadata(attribute: str) -> Action:  # noqa: ARG001
    return "structured_metadata"


def default_resource(attribute: str) -> Action:
    """Loki's own choice."""
    return "index_label" if attribute in INDEX_LABELS else "structured_metadata"


@dataclass(frozen=True, slots=True)
class Routes:
    """What becomes of attributes, by where they stand. severity_as_label: severity_text is a label, too."""

    resource: Route = default_resource
    scope: Route = _metadata
    record: Route = _metadata
    severity_as_label: bool = False


DEFAULT_ROUTES = Routes()


def streams_of(
    groups: Sequence[Group], *, now_ns: int, fallback: Labels = (), routes: Routes = DEFAULT_ROUTES
) -> list[tuple[Labels, list[LogEntry]]]:
    """Streams in the order of their first record. fallback: the labels of what has none to index."""
    streams: dict[Labels, list[LogEntry]] = {}
    for group in groups:
        labels = dict(_flat(_routed(group.resource, routes.resource, "index_label")))
        others = _routed(group.resource, routes.resource, "structured_metadata")
        shared = [*_flat(others), *_scope_pairs(group.scope, routes.scope)]
        common = labels_of(labels) or fallback
        for record in group.records:
            own = dict(_flat(_routed(record.attributes, routes.record, "index_label")))
            if routes.severity_as_label and record.severity_text:
                own["severity_text"] = record.severity_text
            entries = streams.setdefault(labels_of({**labels, **own}) if own else common, [])
            entries.append(_entry(record, shared, now_ns, routes.record))
    return list(streams.items())


def _routed(attributes: Attributes, route: Route, wanted: Action) -> Attributes:
    return {name: value for name, value in attributes.items() if route(name) == wanted}


def _entry(record: Record, shared: Sequence[tuple[str, str]], now_ns: int, route: Route) -> LogEntry:
    time_ns = record.time_ns or record.observed_ns or now_ns
    metadata: dict[str, str] = {}
    own = _flat(_routed(record.attributes, route, "structured_metadata"))
    for name, value in (*own, *_record_pairs(record), *shared):
        metadata.setdefault(name, value)
    return LogEntry(time_ns, text_of(record.body), labels_of(metadata))


def _record_pairs(record: Record) -> Iterator[tuple[str, str]]:
    if record.time_ns and record.observed_ns:
        yield "observed_timestamp", str(record.observed_ns)
    numbers = (("severity_number", record.severity), ("dropped_attributes_count", record.dropped))
    for name, number in (*numbers, ("flags", record.flags)):
        if number:
            yield name, str(number)
    texts = (("severity_text", record.severity_text), ("trace_id", record.trace_id), ("span_id", record.span_id))
    for name, text in texts:
        if text.strip("0" if name != "severity_text" else ""):
            yield name, text


def _scope_pairs(scope: Scope, route: Route) -> Iterator[tuple[str, str]]:
    yield from _flat(_routed(scope.attributes, route, "structured_metadata"))
    if scope.name:
        yield "scope_name", scope.name
    if scope.version:
        yield "scope_version", scope.version
    if scope.dropped:
        yield "scope_dropped_attributes_count", str(scope.dropped)


def _flat(attributes: Attributes, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in attributes.items():
        name = label_name(f"{prefix}_{key}" if prefix else key)
        if isinstance(value, dict):
            yield from _flat(value, name)
        elif name:
            yield name, text_of(value)


def label_name(attribute: str) -> str:
    """An attribute's name as a label.

    >>> [label_name(text) for text in ("service.name", "1st", "_x", "")]
    ['service_name', 'key_1st', 'key_x', '']
    """
    name = _NOT_IN_NAMES.sub("_", attribute)
    if name[:1].isdigit():
        return f"key_{name}"
    return f"key{name}" if name.startswith("_") and not name.startswith("__") else name


def text_of(value: Any) -> str:
    """A value as text: composed ones as JSON, bytes in base 64.

    >>> [text_of(value) for value in (None, True, 3, 2.0, 1.5, "x", {"a": [1]})]
    ['', 'true', '3', '2', '1.5', 'x', '{"a":[1]}']
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, int):
        return str(value)
    return orjson.dumps(value, default=text_of, option=orjson.OPT_SORT_KEYS).decode()


# --- protobuf ----------------------------------------------------------------------------------------------------------


def decode_protobuf(body: bytes) -> list[Group]:
    """An ExportLogsServiceRequest. Raises MalformedBody."""
    groups: list[Group] = []
    for number, _, value in wire.fields(body):
        if number == 1:
            groups.extend(_resource_logs(wire.message(value)))
    return groups


def _resource_logs(data: bytes) -> Iterator[Group]:
    resource: Attributes = {}
    scopes: list[bytes] = []
    for number, _, value in wire.fields(data):
        if number == 1:
            resource = _attributes(wire.message(value), 1)
        elif number == 2:
            scopes.append(wire.message(value))
    for one in scopes:
        scope, records = Scope(), []
        for number, _, value in wire.fields(one):
            if number == 1:
                scope = _scope(wire.message(value))
            elif number == 2:
                records.append(_record(wire.message(value)))
        yield Group(resource, scope, records)


def _scope(data: bytes) -> Scope:
    name = version = ""
    dropped = 0
    for number, _, value in wire.fields(data):
        if number == 1:
            name = wire.text(value)
        elif number == 2:
            version = wire.text(value)
        elif number == 4:
            dropped = wire.whole(value)
    return Scope(name, version, _attributes(data, 3), dropped)


def _record(data: bytes) -> Record:
    facts: dict[int, Any] = {}
    for number, _, value in wire.fields(data):
        if number in (1, 2, 7, 8, 11):
            facts[number] = wire.whole(value)
        elif number == 3:
            facts[3] = wire.text(value)
        elif number == 5:
            facts[5] = _any_value(wire.message(value), 0)
        elif number in (9, 10):
            facts[number] = wire.message(value).hex()
    times = facts.get(1, 0), facts.get(11, 0)
    if max(times) >= 1 << 63:
        raise MalformedBody("proto: a timestamp is out of range")
    severity, text, body = facts.get(2, 0), facts.get(3, ""), facts.get(5)
    ids = facts.get(9, ""), facts.get(10, "")
    return Record(*times, severity, text, body, _attributes(data, 6), facts.get(7, 0), facts.get(8, 0), *ids)


def _attributes(data: bytes, field_number: int, depth: int = 0) -> dict[str, Any]:
    """The KeyValues that a message holds under a number."""
    found: dict[str, Any] = {}
    for number, _, value in wire.fields(data):
        if number == field_number:
            key, held = "", None
            for part, _, piece in wire.fields(wire.message(value)):
                if part == 1:
                    key = wire.text(piece)
                elif part == 2:
                    held = _any_value(wire.message(piece), depth)
            found.setdefault(key, held)
    return found


def _any_value(data: bytes, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise MalformedBody(f"proto: values nest deeper than {MAX_DEPTH} levels")
    held: Any = None
    for number, _, value in wire.fields(data):
        if number == 1:
            held = wire.text(value)
        elif number == 2:
            held = bool(wire.whole(value))
        elif number == 3:
            held = wire.signed(value)
        elif number == 4:
            held = wire.double(value)
        elif number == 5:
            parts = wire.fields(wire.message(value))
            held = [_any_value(wire.message(piece), depth + 1) for part, _, piece in parts if part == 1]
        elif number == 6:
            held = _attributes(wire.message(value), 1, depth + 1)
        elif number == 7:
            held = wire.message(value)
    return held


# --- JSON --------------------------------------------------------------------------------------------------------------


def decode_json(body: bytes) -> list[Group]:
    """The same from JSON. Raises MalformedBody naming what is at fault."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise MalformedBody(f"the body is not JSON: {err}") from None
    groups: list[Group] = []
    for resource_logs in _objects(_object(data, "the body"), "resourceLogs"):
        resource = _json_attributes(_object(resource_logs.get("resource") or {}, "resource"))
        for scope_logs in _objects(resource_logs, "scopeLogs"):
            scope = _object(scope_logs.get("scope") or {}, "scope")
            records = [_json_record(record) for record in _objects(scope_logs, "logRecords")]
            groups.append(Group(resource, _json_scope(scope), records))
    return groups


def _json_scope(scope: Mapping[str, Any]) -> Scope:
    name, version = _string(scope, "name"), _string(scope, "version")
    return Scope(name, version, _json_attributes(scope), _number(scope, "droppedAttributesCount"))


def _json_record(record: Mapping[str, Any]) -> Record:
    times = _number(record, "timeUnixNano"), _number(record, "observedTimeUnixNano")
    if min(times) < 0 or max(times) >= 1 << 63:
        raise MalformedBody("timeUnixNano is out of range")
    body = record.get("body")
    return Record(
        *times,
        _number(record, "severityNumber"),
        _string(record, "severityText"),
        None if body is None else _json_value(_object(body, "body"), 0),
        _json_attributes(record),
        _number(record, "droppedAttributesCount"),
        _number(record, "flags"),
        _string(record, "traceId").lower(),
        _string(record, "spanId").lower(),
    )


def _json_attributes(holder: Mapping[str, Any], name: str = "attributes", depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in _objects(holder, name):
        value = pair.get("value")
        held = None if value is None else _json_value(_object(value, "an attribute's value"), depth)
        found.setdefault(_string(pair, "key"), held)
    return found


def _json_value(value: Mapping[str, Any], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise MalformedBody(f"values nest deeper than {MAX_DEPTH} levels")
    if "stringValue" in value:
        return _string(value, "stringValue")
    if "boolValue" in value:
        return bool(value["boolValue"])
    if "intValue" in value:
        number = _number(value, "intValue")
        if number not in _INT64:
            raise MalformedBody("intValue is out of range")
        return number
    if "doubleValue" in value:
        return _float(value["doubleValue"])
    if "arrayValue" in value:
        array = _object(value["arrayValue"], "arrayValue")
        return [_json_value(one, depth + 1) for one in _objects(array, "values")]
    if "kvlistValue" in value:
        return _json_attributes(_object(value["kvlistValue"], "kvlistValue"), "values", depth + 1)
    if "bytesValue" in value:
        try:
            return base64.b64decode(_string(value, "bytesValue"), validate=True)
        except (binascii.Error, ValueError):
            raise MalformedBody("bytesValue is not base 64") from None
    return None


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedBody(f"{name} should be an object")
    return value


def _objects(holder: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    values = holder.get(name)
    if values is None:
        return []
    if not isinstance(values, list):
        raise MalformedBody(f"{name} should be a list")
    return [_object(value, f"each of {name}") for value in values]


def _string(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedBody(f"{name} should be a string")
    return value


def _number(holder: Mapping[str, Any], name: str) -> int:
    """64-bit numbers come as text, as protobuf's JSON has them, or as numbers."""
    value = holder.get(name) or 0
    if isinstance(value, str) and value.lstrip("-").isdigit() and value.isascii() and len(value) <= 20:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedBody(f"{name} should be a whole number")
    return value


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise MalformedBody("doubleValue should be a number") from None
