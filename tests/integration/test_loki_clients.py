"""Loki's clients as users have them, against a real server: what they send is what queries give."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import logging_loki  # type: ignore[import-untyped]
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from tests.conformance_data import ROOT
from tests.support.stack import Stack, get, post, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

CLIENTS = ROOT / "tests" / "clients"
NODE = ROOT / ".venv" / "bin" / "node"
CATEGORIZE = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}


def loki_with(folder: Path, text: str) -> Stack:
    """The logs part alone, with a Loki file of its own."""
    stack = Stack(folder, targets="logs")
    (stack.folder / "loki.yml").write_text(text)
    config = json.loads((stack.folder / "spyglass.yml").read_text())
    config["files"]["loki"] = str(stack.folder / "loki.yml")
    (stack.folder / "spyglass.yml").write_text(json.dumps(config))
    return stack


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With the defaults of Loki 3."""
    with loki_with(tmp_path_factory.mktemp("clients"), "auth_enabled: false\n") as stack:
        yield stack.start()
        assert stack.stop() == 0


def streams(stack: Stack, selector: str) -> list[tuple[dict[str, str], str, dict[str, str]]]:
    """(labels, line, structured metadata) of the last hour, by line."""
    window = {"query": selector, "start": str(time.time_ns() - 3600 * 10**9), "limit": "1000"}
    status, body = get(stack.url("loki", "/loki/api/v1/query_range"), window, CATEGORIZE)
    assert status == 200, body
    rows = [
        (stream["stream"], line, extra.get("structuredMetadata", {}))
        for stream in json.loads(body)["data"]["result"]
        for _, line, extra in stream["values"]
    ]
    return sorted(rows, key=lambda row: row[1])


def some(stack: Stack, selector: str, count: int) -> list[tuple[dict[str, str], str, dict[str, str]]]:
    """The same once there are so many."""

    def found() -> list[tuple[dict[str, str], str, dict[str, str]]]:
        rows = streams(stack, selector)
        return rows if len(rows) >= count else []

    rows: list[tuple[dict[str, str], str, dict[str, str]]] = wait_for(found, f"{count} lines of {selector}")
    assert len(rows) == count
    return rows


def node(script: str, *arguments: str) -> None:
    assert (CLIENTS / "node_modules").is_dir(), "their packages are missing: make integration installs them"
    command = [str(NODE) if NODE.exists() else shutil.which("node") or "node", script, *arguments]
    done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("mode", ["json", "protobuf"])
def test_winston_loki(stack: Stack, mode: str) -> None:
    """Lines, levels as labels, a line's own labels; JSON with metadata, and protobuf with snappy."""
    node("winston.mjs", stack.url("loki"), mode)
    rows = some(stack, f'{{app="winston-{mode}"}}', 3)
    lines = {json.loads(line)["message"]: (labels, metadata) for labels, line, metadata in rows}
    assert {name: labels["level"] for name, (labels, _) in lines.items()} == {
        "started": "info",
        "slow": "warn",
        "broken ü": "error",
    }
    assert lines["slow"][0]["route"] == "orders"
    assert lines["broken ü"][1]["detected_level"] == "error"


def test_pino_loki(stack: Stack) -> None:
    """From its worker thread: properties as labels, structured metadata beside the line."""
    node("pino.mjs", stack.url("loki"))
    rows = some(stack, '{app="pino"}', 3)
    lines = {json.loads(line)["msg"]: (labels, metadata) for labels, line, metadata in rows}
    assert lines["slow"][0]["route"] == "orders"
    assert lines["broken ü"][1] == {"detected_level": "error", "trace_id": "abc"}


def test_python_logging_loki(stack: Stack) -> None:
    """A handler of the standard library's logging, with tags as labels."""
    handler = logging_loki.LokiHandler(url=stack.url("loki", "/loki/api/v1/push"), tags={"app": "python"}, version="1")
    logger = logging.getLogger("tests.loki_client")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.error("broken ü", extra={"tags": {"route": "orders"}})
        logger.warning("two\nlines")
    finally:
        logger.removeHandler(handler)
        handler.emitter.close()
    rows = some(stack, '{app="python"}', 2)
    assert [(labels["severity"], line) for labels, line, _ in rows] == [
        ("error", "broken ü"),
        ("warning", "two\nlines"),
    ]
    assert rows[0][0]["route"] == "orders"
    assert rows[0][2]["detected_level"] == "error"


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip, Compression.Deflate])
def test_the_opentelemetry_sdk(stack: Stack, compression: Compression) -> None:
    """Its resource is the stream, attributes and the trace are structured metadata, severity is the level."""
    service = f"otel-{compression.value}"
    indexed = {"service.name": service, "service.instance.id": "1", "k8s.pod.name": "pod-1"}
    resource = Resource.create({**indexed, "os.type": "linux"})
    provider = LoggerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=stack.url("loki", "/otlp/v1/logs"), compression=compression)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    attributes: dict[str, Any] = {"http.status_code": 500, "retry": True, "tags": ["a", "b"]}
    provider.get_logger("tests.otel", "1.2").emit(
        LogRecord(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.ERROR,
            severity_text="ERROR",
            body="it broke",
            attributes=attributes,
        )
    )
    assert provider.force_flush()
    provider.shutdown()
    ((labels, line, metadata),) = some(stack, f'{{service_name="{service}"}}', 1)
    assert (labels, line) == ({name.replace(".", "_"): value for name, value in indexed.items()}, "it broke")
    wanted = {
        "detected_level": "error",
        "http_status_code": "500",
        "os_type": "linux",
        "retry": "true",
        "scope_name": "tests.otel",
        "scope_version": "1.2",
        "severity_number": "17",
        "severity_text": "ERROR",
        "tags": '["a","b"]',
    }
    assert {name: metadata.get(name) for name in wanted} == wanted


def push(stack: Stack, app: str, lines: list[str], *, tenant: str = "fake") -> None:
    now = time.time_ns()
    values = [[str(now + n), line] for n, line in enumerate(lines)]
    body = json.dumps({"streams": [{"stream": {"app": app}, "values": values}]}).encode()
    command = [
        "curl",
        "-sf",
        "-H",
        "Content-Type: application/json",
        "-H",
        f"X-Scope-OrgID: {tenant}",
        "--data-binary",
        "@-",
    ]
    subprocess.run([*command, stack.url("loki", "/loki/api/v1/push")], input=body, check=True, timeout=30)


def lines_of(frame: str | bytes) -> list[str]:
    return [line for stream in json.loads(frame)["streams"] or () for _, line in stream["values"]]


def test_a_tail_shows_the_past_once_and_then_what_comes(stack: Stack) -> None:
    """A websocket client: past lines, then new ones through the query's pipeline, each once, in order."""
    push(stack, "tail", ["old ERROR", "old fine"])
    url = stack.url("loki", "/loki/api/v1/tail").replace("http", "ws")
    with connect(f'{url}?query={{app="tail"}}|="ERROR"&limit=10') as socket:
        assert lines_of(socket.recv(timeout=10)) == ["old ERROR"]
        push(stack, "tail", ["ERROR 1", "fine", "ERROR 2"])
        frame = socket.recv(timeout=10)
        assert lines_of(frame) == ["ERROR 1", "ERROR 2"]
        assert json.loads(frame)["dropped_entries"] is None


def test_an_old_tail_has_the_old_form(stack: Stack) -> None:
    """Labels as text, entries with RFC 3339 times."""
    push(stack, "old-tail", ["x"])
    url = stack.url("loki", "/api/prom/tail").replace("http", "ws")
    with connect(f'{url}?query={{app="old-tail"}}') as socket:
        (stream,) = json.loads(socket.recv(timeout=10))["streams"]
    assert stream["labels"].startswith('{app="old-tail"')
    assert [entry["line"] for entry in stream["entries"]] == ["x"]


def test_a_tail_that_cannot_be_is_closed_with_the_reason(stack: Stack) -> None:
    """A bad query, a delay that is too long."""
    url = stack.url("loki", "/loki/api/v1/tail").replace("http", "ws")
    for query, reason in (('rate({a="b"}[1m])', "only log queries"), ('{a="b"}&delay_for=9', "delay_for can't be")):
        with connect(f"{url}?query={query}") as socket, pytest.raises(ConnectionClosed) as caught:
            socket.recv(timeout=10)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.reason.startswith(reason)


def test_with_auth_enabled_tenants_are_apart(tmp_path: Path) -> None:
    """Pushes, queries and tails without a tenant are 401; a tail shows its own tenant's lines only."""
    with loki_with(tmp_path, "auth_enabled: true\n") as stack:
        stack.start()
        assert get(stack.url("loki", "/loki/api/v1/labels"))[0] == 401
        url = stack.url("loki", "/loki/api/v1/tail").replace("http", "ws") + '?query={app="x"}'
        with pytest.raises(InvalidStatus) as refused, connect(url):
            pass
        assert (refused.value.response.status_code, refused.value.response.body) == (401, b"no org id\n")
        with connect(url, additional_headers={"X-Scope-OrgID": "one"}) as socket:
            push(stack, "x", ["of two"], tenant="two")
            push(stack, "x", ["of one"], tenant="one")
            assert lines_of(socket.recv(timeout=10)) == ["of one"]


def test_logql_is_what_logcli_is(stack: Stack) -> None:
    """Query, raw and JSON output, unlimited export, labels, series, stats, volume, standard input."""
    push(stack, "cli", [f'{{"n":{n}}}' for n in range(12)])
    url = ("--url", stack.url("loki"))

    def run(*arguments: str, text: str = "") -> str:
        command = [sys.executable, "-m", "spyglass", "logql", *arguments]
        environment = os.environ | {"NO_COLOR": "1"}
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run('{app="cli"}', *url, "--limit", "2", "-o", "raw").splitlines() == ['{"n":11}', '{"n":10}']
    every = run('{app="cli"}', *url, "--limit", "0", "--forward", "-o", "jsonl").splitlines()
    assert [json.loads(json.loads(line)["line"])["n"] for line in every] == list(range(12))
    assert "app" in run("--labels", *url)
    assert "cli" in run("--values", "app", *url)
    assert 'app="cli"' in run('{app="cli"}', "--series", *url)
    window = "--start=now-1h"
    assert run('{app="cli"}', "--stats", *url, window).splitlines()[1].split("\t")[2] == "12"
    assert run('{app="cli"}', "--volume", *url, window).splitlines()[1].startswith('{app="cli"}')
    assert "n\tint\t12\tjson" in run('{app="cli"}', "--fields", *url, window)
    assert run('{app="cli"}', "--volume-range", "--step", "2h", "--since", "1h", *url).count('{app="cli"}') == 1
    assert run('{app="cli"}', "--volume", "--aggregate-by-labels", *url, window).splitlines()[1].startswith('{app=""}')
    assert run('{app="cli"}', "--series", "--analyze-labels", *url).splitlines()[1:] == [
        "app\t1\t1",
        "service_name\t1\t1",
    ]
    assert run('{app="cli"}|="x"|json', "--fmt", *url) == '{app="cli"} |= "x" | json\n'
    assert run('{app="cli"}', *url, "--limit", "1", "--no-labels", "-z", "UTC").endswith('Z {"n":11}\n')
    pages = run('{app="cli"}', *url, "--limit", "0", "--batch", "5", "--forward", "--since", "1h", "-q", "-o", "raw")
    assert [json.loads(line)["n"] for line in pages.splitlines()] == list(range(12))


def test_logql_follows_a_query(stack: Stack) -> None:
    """--tail prints the past and then what comes; a query that cannot be tailed ends it with the reason."""
    push(stack, "follow", ["before"])
    command = [sys.executable, "-m", "spyglass", "logql", "--url", stack.url("loki"), "--tail", "-o", "raw"]
    process = subprocess.Popen([*command, '{app="follow"}'], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "before\n"
        push(stack, "follow", ["after"])
        assert process.stdout.readline() == "after\n"
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    bad = subprocess.run([*command, 'rate({app="x"}[1m])'], capture_output=True, text=True, timeout=30, check=False)
    assert (bad.returncode, "only log queries can be tailed" in bad.stderr) == (1, True)


def test_logql_exports_more_than_a_page_holds(stack: Stack) -> None:
    """All lines, each once, both ways; more lines at one time than a page holds are an error, not an end."""
    base = time.time_ns() - 600 * 10**9
    for app, spread in (("export", 7), ("crowd", 10**6)):
        values = [[str(base + n // spread), f"{n:05}"] for n in range(12_000)]
        body = json.dumps({"streams": [{"stream": {"app": app}, "values": values}]}).encode()
        assert post(stack.url("loki", "/loki/api/v1/push"), body, {"Content-Type": "application/json"})[0] == 204

    def export(app: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "spyglass", "logql", "--url", stack.url("loki"), "--limit", "0", "-o", "raw"]
        whole = [*command, *arguments, f'{{app="{app}"}}']
        return subprocess.run(whole, capture_output=True, text=True, timeout=60, check=False)

    wanted = [f"{n:05}" for n in range(12_000)]
    assert sorted(export("export").stdout.splitlines()) == wanted
    assert sorted(export("export", "--forward").stdout.splitlines()) == wanted
    crowded = export("crowd")
    assert (crowded.returncode, "more than 5000 entries have the time" in crowded.stderr) == (1, True)
