"""LogQL through HTTP: the recorded cases pushed to, and asked of, the running Loki API."""

import gzip
import hashlib
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conformance_data import CONFORMANCE, needs_conformance
from tests.support.stack import Stack, get, post

from spyglass.formats.loki_push import encode_protobuf, render_label_string
from spyglass.model.labels import labels_of
from spyglass.model.log_entry import LogEntry

pytestmark = needs_conformance

LIMITS = """
auth_enabled: false
limits_config:
  discover_service_name: []
  discover_log_levels: false
  allow_structured_metadata: true
  reject_old_samples: false
  ingestion_rate_mb: 100
  ingestion_burst_size_mb: 100
  max_query_series: 5000
"""


def read(name: str) -> list[dict[str, Any]]:
    path = CONFORMANCE / "logql" / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


CASES = read("cases.jsonl")


@pytest.fixture(scope="module")
def t0() -> int:
    """The full hour one to two hours ago, in ns."""
    return (time.time_ns() // 10**9 // 3600 - 1) * 3600 * 10**9


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, t0: int) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("logql")
    stack = Stack(folder, targets="logs")
    (folder / "loki.yml").write_text(LIMITS)
    config = json.loads((folder / "spyglass.yml").read_text())
    config["files"]["loki"] = str(folder / "loki.yml")
    (folder / "spyglass.yml").write_text(json.dumps(config))
    stack.start()
    for stream in read("streams.jsonl"):
        push(stack, stream, t0)
    yield stack
    assert stack.stop() == 0


def push(stack: Stack, stream: dict[str, Any], t0: int) -> None:
    """One push in the form that the case names."""
    url = stack.url("loki", "/loki/api/v1/push")
    if stream["push"] == "proto":
        entries = [LogEntry(t0 + e[0], e[1], labels_of(e[2]) if len(e) > 2 else ()) for e in stream["entries"]]
        body = encode_protobuf([(render_label_string(sorted(stream["labels"].items())), entries)])
        headers = {"Content-Type": "application/x-protobuf"}
    else:
        values = [[str(t0 + e[0]), *e[1:]] for e in stream["entries"]]
        body = json.dumps({"streams": [{"stream": stream["labels"], "values": values}]}).encode()
        headers = {"Content-Type": "application/json"}
        if stream["push"] == "gzip":
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    status, answer = post(url, body, headers)
    assert status == 204, answer


@pytest.mark.parametrize("case", CASES, ids=[f"{n}-{c['class']}" for n, c in enumerate(CASES)])
def test_the_answer_is_the_recorded_one(case: dict[str, Any], stack: Stack, t0: int) -> None:
    """Status, result type, label sets, times and values as the real Loki gave them."""
    status, body = ask(stack, case, t0)
    want = case["want"]
    if "error" in want or "status" in want:
        assert status == want.get("status", 400), body
        return
    assert status == 200, body
    data = json.loads(body)["data"]
    assert data["resultType"] == want["type"]
    assert_same(normal(data, t0), normal_want(want))


def ask(stack: Stack, case: dict[str, Any], t0: int) -> tuple[int, str]:
    options = dict(case["options"])
    headers = (
        {"X-Loki-Response-Encoding-Flags": "categorize-labels"} if options.pop("flags", "") == "categorize" else {}
    )
    options.pop("order", None)
    if case["kind"] == "instant":
        query = {"time": at(options.pop("time", 600), t0), **{k: str(v) for k, v in options.items()}}
        return get(stack.url("loki", "/loki/api/v1/query"), {"query": case["query"], **query}, headers)
    log = case["kind"] == "log"
    start, end = options.pop("start", 0), options.pop("end", 3600 if log else 600)
    query = {"start": at(start, t0), "end": at(end, t0)}
    limit, direction = str(options.pop("limit", 2000)), options.pop("direction", "forward")
    if log:
        query |= {} if options.pop("nolimit", "") else {"limit": limit}
        query |= {} if options.pop("nodirection", "") else {"direction": direction}
    query |= {} if log or options.pop("nostep", "") else {"step": str(options.pop("step", 60))}
    query |= {key: str(value) for key, value in options.items()}
    return get(stack.url("loki", "/loki/api/v1/query_range"), {"query": case["query"], **query}, headers)


def at(seconds: Any, t0: int) -> str:
    return str(t0 + round(float(seconds) * 10**9))


def normal(data: dict[str, Any], t0: int) -> Any:
    """Our answer in the form that the cases are recorded in."""
    kind, result = data["resultType"], data["result"]
    if kind == "scalar":
        return {"{}": [["now", result[1]]]}
    if kind == "streams":
        merged: dict[str, list[Any]] = {}
        for stream in result:
            labels = {k: "*" if k == "__error_details__" else v for k, v in stream["stream"].items()}
            rows = [[int(v[0]) - t0, shortened(v[1]), *v[2:]] for v in stream["values"]]
            merged.setdefault(json.dumps(labels, sort_keys=True), []).extend(rows)
        return {labels: sorted(rows, key=json.dumps) for labels, rows in merged.items()}
    seconds = t0 // 10**9
    field = "value" if kind == "vector" else "values"
    series = {}
    for one in result:
        labels = {k: "*" if k == "__error_details__" else v for k, v in one["metric"].items()}
        points = [one[field]] if kind == "vector" else one[field]
        series[json.dumps(labels, sort_keys=True)] = [[p[0] - seconds, p[1]] for p in points]
    return series


def normal_want(want: dict[str, Any]) -> Any:
    kind, result = want["type"], want["result"]
    if kind == "streams":
        return {json.dumps(labels, sort_keys=True): sorted(rows, key=json.dumps) for labels, rows in result}
    if kind in ("vector", "scalar"):
        return {json.dumps(labels, sort_keys=True): [point] for labels, point in result}
    return {json.dumps(labels, sort_keys=True): points for labels, points in result}


def shortened(line: str) -> str:
    data = line.encode()
    return f"sha:{hashlib.sha256(data).hexdigest()[:16]}:{len(data)}" if len(line) > 2000 else line


def assert_same(actual: Any, expected: Any) -> None:
    """Equal; sample values to 1e-9."""
    if isinstance(expected, dict):
        assert set(actual) == set(expected)
        for key in expected:
            assert_same(actual[key], expected[key])
    elif isinstance(expected, list) and expected and isinstance(expected[0], list):
        assert len(actual) == len(expected)
        for left, right in zip(actual, expected, strict=True):
            assert_same(left, right)
    elif isinstance(expected, list) and len(expected) == 2 and is_number(expected[1]) and is_number(actual[1]):
        assert actual[0] == expected[0] or actual[0] == pytest.approx(expected[0])
        assert close(float(actual[1]), float(expected[1])), (actual, expected)
    else:
        assert actual == expected


def is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def close(left: float, right: float) -> bool:
    return (
        (math.isnan(left) and math.isnan(right))
        or left == right
        or math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    )


def test_there_are_cases() -> None:
    """The data is there when the folder is."""
    assert len(CASES) > 100
    assert Path(CONFORMANCE).is_dir()
