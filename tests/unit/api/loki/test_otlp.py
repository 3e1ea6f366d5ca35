"""POST /otlp/v1/logs: statuses, levels, errors as OTLP clients read them."""

import gzip

import pytest
from pydantic import ValidationError
from tests.loki_kit import NOW, LokiKit, loki

from spyglass.config.loki_limits import LimitsConfig
from spyglass.formats import wire

OTLP = "/otlp/v1/logs"


def body_of(line: str, *, attribute: str = "service.name") -> dict[str, object]:
    record = {"timeUnixNano": str(NOW), "severityNumber": 13, "body": {"stringValue": line}}
    resource = {"attributes": [{"key": attribute, "value": {"stringValue": "shop"}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}


def labels_of_lines(kit: LokiKit) -> dict[str, str]:
    (stream,) = kit.get("/loki/api/v1/query_range", query='{service_name=~".+"}', start=NOW - 1, end=NOW + 1)["data"][
        "result"
    ]
    found: dict[str, str] = stream["stream"]
    return found


def test_the_severity_is_the_level_and_the_service_a_label() -> None:
    """204; queries see both."""
    with loki(generation=3) as kit:
        answer = kit.client.post(OTLP, json=body_of("x"))
        assert (answer.status_code, answer.text) == (204, "")
        assert labels_of_lines(kit) == {"service_name": "shop", "severity_number": "13", "detected_level": "warn"}


def test_resources_without_indexed_attributes_belong_to_an_unknown_service() -> None:
    """As Loki 3; Loki 2 had no such name and refuses the stream."""
    with loki(generation=3) as kit:
        assert kit.client.post(OTLP, json=body_of("x", attribute="os.type")).status_code == 204
        assert labels_of_lines(kit)["service_name"] == "unknown_service"
    with loki(generation=2) as kit:
        answer = kit.client.post(OTLP, json=body_of("x", attribute="os.type"))
        assert (answer.status_code, b"at least one label pair" in answer.content) == (400, True)


@pytest.mark.parametrize(
    ("content", "headers", "text"),
    [
        (b"\xff", {"Content-Type": "application/x-protobuf"}, "proto: "),
        (b"{", {"Content-Type": "application/json"}, "the body is not JSON"),
        (b"{}", {"Content-Type": "text/plain"}, "content type: text/plain is not supported"),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, "not valid gzip"),
    ],
)
def test_errors_are_protobuf_statuses(content: bytes, headers: dict[str, str], text: str) -> None:
    """google.rpc.Status with the code and the reason."""
    with loki() as kit:
        answer = kit.client.post(OTLP, content=content, headers=headers)
        assert answer.status_code == 400
        fields = {number: value for number, _, value in wire.fields(answer.content)}
        assert (fields[1], text in wire.text(fields[2])) == (400, True)


def test_nothing_to_store_is_no_error() -> None:
    """An empty export, also compressed."""
    with loki() as kit:
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        assert kit.client.post(OTLP, content=gzip.compress(b""), headers=headers).status_code == 204


def test_attributes_go_where_the_tenant_sends_them() -> None:
    """otlp_config: the first entry that names an attribute decides; Loki's own labels go first unless they are left out."""
    config = {
        "resource_attributes": {
            "attributes_config": [
                {"action": "index_label", "attributes": ["team"]},
                {"action": "drop", "regex": "os\\..+|service.name"},
            ]
        },
        "scope_attributes": [{"action": "drop", "attributes": ["noise"]}],
        "log_attributes": [
            {"action": "index_label", "regex": "user\\.id"},
            {"action": "drop", "attributes": ["secret"]},
        ],
        "severity_text_as_label": True,
    }

    def attributes(*names: str) -> list[dict[str, object]]:
        return [{"key": name, "value": {"stringValue": f"of {name}"}} for name in names]

    record = {
        "timeUnixNano": str(NOW),
        "severityText": "WARN",
        "body": {"stringValue": "x"},
        "attributes": attributes("user.id", "secret", "path"),
    }
    scope = {"attributes": attributes("noise", "kept")}
    resource = {"attributes": attributes("service.name", "team", "os.type", "host")}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": [record]}]}]}
    overrides = {"a": LimitsConfig.model_validate({"otlp_config": config})}
    window = {"query": '{team=~".+"}', "start": NOW - 1, "end": NOW + 1}
    with loki(overrides=overrides) as kit:
        headers = {"X-Scope-OrgID": "a", "X-Loki-Response-Encoding-Flags": "categorize-labels"}
        assert kit.client.post(OTLP, json=body, headers=headers).status_code == 204
        (stream,) = kit.get("/loki/api/v1/query_range", headers, **window)["data"]["result"]
    assert stream["stream"] == {
        "service_name": "of service.name",
        "team": "of team",
        "user_id": "of user.id",
        "severity_text": "WARN",
    }
    assert stream["values"][0][2]["structuredMetadata"] == {
        "host": "of host",
        "kept": "of kept",
        "path": "of path",
        "severity_text_extracted": "WARN",
    }


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"log_attributes": [{"action": "keep", "attributes": ["a"]}]}, "Input should be 'index_label'"),
        ({"log_attributes": [{"action": "drop"}]}, "attributes or regex must be set"),
        ({"log_attributes": [{"attributes": ["a"], "regex": "b"}]}, "only one of attributes or regex must be set"),
        ({"log_attributes": [{"regex": "("}]}, "missing closing"),
        (
            {"scope_attributes": [{"action": "index_label", "attributes": ["a"]}]},
            "only supported for resource_attributes",
        ),
    ],
)
def test_an_otlp_config_that_is_wrong(config: dict[str, object], problem: str) -> None:
    """Refused with upstream's texts."""
    with pytest.raises(ValidationError, match=problem):
        LimitsConfig.model_validate({"otlp_config": config})
