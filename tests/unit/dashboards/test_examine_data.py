"""Examining with data: metrics and labels exist, queries evaluate, variables take the data's values."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from spyglass.dashboards.examine.evidence import NoEvidence
from spyglass.dashboards.examine.fixture import FixtureLogs, FixtureMetrics, load_fixture
from spyglass.dashboards.examine.run import Surroundings, examine
from spyglass.dashboards.examine.server import LokiServer, PrometheusServer

METRICS = b"""# TYPE http_requests_total counter
http_requests_total{job="api",endpoint="/x",status="200"} 5
http_requests_total{job="web",endpoint="/y",status="500"} 1
up{job="api",instance="h:1"} 1
"""
LOGS = json.dumps(
    {"streams": [{"stream": {"app": "api", "level": "error"}, "values": [["1700000000000000000", "boom"]]}]}
).encode()

PROM, LOKI = {"type": "prometheus", "uid": "P"}, {"type": "loki", "uid": "L"}


def metrics() -> FixtureMetrics:
    found = FixtureMetrics()
    found.load(METRICS)
    return found


def logs() -> FixtureLogs:
    found = FixtureLogs()
    found.load(LOGS)
    return found


def errors(expr: str, source: dict[str, str] = PROM, variables: tuple[dict[str, Any], ...] = ()) -> list[str]:
    panel = {"id": 1, "type": "timeseries", "datasource": source, "targets": [{"refId": "A", "expr": expr}]}
    document = {"title": "t", "panels": [panel], "templating": {"list": variables}}
    report = examine(json.dumps(document), "f", Surroundings(None, metrics(), logs()))
    return [str(one) for one in report.errors]


def query_variable(query: str, **parts: Any) -> dict[str, Any]:
    return {"name": "v", "type": "query", "query": query, "datasource": PROM, **parts}


@pytest.mark.parametrize(
    "expr",
    [
        'sum by (endpoint) (rate(http_requests_total{job="api"}[5m]))',
        "missing_metric or up",
        "absent(missing_metric)",
        'label_replace(up, "host", "$1", "instance", "(.*):.*")',
        'sum by (host) (label_replace(up, "host", "$1", "instance", "(.*):.*"))',
        'up{other=~".*"}',
        "up unless missing_metric",
        'count_values by (job) ("value", up)',
        "vector(1)",
        "sum without (nothing) (up)",
    ],
)
def test_what_the_data_have_is_right(expr: str) -> None:
    """One side of an `or` is enough; absent() asks for what is not there; labels may be made by the query."""
    assert errors(expr) == []


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("rate(http_request_total[5m])", "there is no metric 'http_request_total'"),
        ("missing_a or missing_b", "there is no metric 'missing_a'"),
        ('up{host="x"}', "no series of up has the label 'host'"),
        ('{host="x"}', "no series has the label 'host'"),
        ("sum by (code) (http_requests_total)", "no series of http_requests_total has the label 'code'"),
        ('{__name__="nope"}', "there is no metric 'nope'"),
    ],
)
def test_what_the_data_lack_is_said(expr: str, expected: str) -> None:
    """Metrics, labels of matchers and of `by`."""
    assert errors(expr) == [f"panel 1, query A: {expected}"]


def test_what_cannot_be_evaluated_is_said() -> None:
    """With the engine's own words."""
    (found,) = errors("up * on () group_left () http_requests_total")
    assert "found duplicate series for the match group" in found


def test_logs() -> None:
    """Labels of selectors exist, pipelines may make their own."""
    assert errors('sum by (level) (count_over_time({app="api"} | json [5m]))', LOKI) == []
    assert errors('{host="x"} |= "a"', LOKI) == ["panel 1, query A: no stream has the label 'host'"]


def test_variables() -> None:
    """Queries with labels that exist; the metric of label_values must exist too."""
    assert errors('up{job="$v"}', variables=(query_variable("label_values(up, job)"),)) == []
    assert errors("up", variables=(query_variable("label_values(up, host)"),)) == [
        "variable 'v': no series of up has the label 'host'"
    ]
    assert errors("up", variables=(query_variable("label_values(nope, host)"),)) == [
        "variable 'v': there is no metric 'nope'"
    ]
    assert errors("up", variables=(query_variable("query_result(nope)"),)) == [
        "variable 'v': there is no metric 'nope'"
    ]
    loki = query_variable("label_values(host)", datasource=LOKI)
    assert errors("up", variables=(loki,)) == ["variable 'v': no stream has the label 'host'"]


def test_values_come_from_the_data() -> None:
    """A saved value that is gone does not count; a regex takes its part of the values."""
    names = query_variable("metrics(http)", regex="/(.*)_total/", current={"value": "gone", "text": "gone"})
    assert errors("rate(${v}_total[5m])", variables=(names,)) == []
    results = query_variable("query_result(topk(1, up))", regex='/job="([^"]+)"/')
    assert errors('up{job="$v"}', variables=(results,)) == []


def test_fixtures_come_from_a_folder(tmp_path: Path) -> None:
    """By extension; what holds none, or cannot be read, is named."""
    with pytest.raises(NoEvidence, match="holds no fixture"):
        load_fixture(tmp_path)
    (tmp_path / "a.prom").write_bytes(METRICS)
    (tmp_path / "note.md").write_text("x")
    found, none = load_fixture(tmp_path)
    assert found is not None
    assert found.names() == {"http_requests_total", "up"}
    assert none is None
    (tmp_path / "l.json").write_bytes(LOGS)
    assert load_fixture(tmp_path)[1] is not None
    (tmp_path / "b.prom").write_text("a b c d")
    with pytest.raises(NoEvidence, match=r"b\.prom"):
        load_fixture(tmp_path)
    with pytest.raises(NoEvidence, match="there is no such"):
        load_fixture(tmp_path / "no")


class _Handler(BaseHTTPRequestHandler):
    """Prometheus' and Loki's answers, from the fixtures."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, parse_qs(parts.query))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(self.path, parse_qs(body))

    def _answer(self, path: str, query: dict[str, list[str]]) -> None:
        prom, loki, status = metrics(), logs(), 200
        data: dict[str, Any] = {}
        match = query.get("match[]", [""])[0]
        if path == "/api/v1/labels":
            names = prom.labels(match.partition('"')[2].partition('"')[0])
            data = {"status": "success", "data": sorted(names)}
        elif path.startswith("/api/v1/label/"):
            data = {"data": list(prom.values(path.split("/")[4], match))}
        elif path == "/loki/api/v1/labels":
            data = {"data": sorted(loki.labels())}
        elif path in ("/api/v1/query", "/loki/api/v1/query_range"):
            error = (prom if path.startswith("/api") else loki).error_of(query["query"][0])
            row = {"metric": {"__name__": "up", "job": "api"}, "value": [1.5, "1"]}
            status, data = (
                (422, {"error": error}) if error else (200, {"data": {"resultType": "vector", "result": [row]}})
            )
        else:
            status = 404
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_servers_are_asked_as_fixtures_are(address: str) -> None:
    """Names, labels, values, results and errors through HTTP."""
    prom = PrometheusServer(address)
    assert prom.names() == {"http_requests_total", "up"}
    assert prom.labels("up") == {"__name__", "job", "instance"}
    assert prom.values("job", "up") == ["api"]
    assert prom.results("up") == ['up{job="api"} 1 1500']
    assert prom.error_of("up") == ""
    assert "duplicate series" in prom.error_of("up * on () group_left () http_requests_total")
    assert LokiServer(address).labels() == {"app", "level"}
    assert LokiServer(address).error_of('{app="api"}') == ""


def test_nobody_answers(address: str) -> None:
    """No evidence is no finding: it is said as such."""
    with pytest.raises(NoEvidence, match="answers 404"):
        PrometheusServer(address + "/elsewhere").names()
    with pytest.raises(NoEvidence, match="nothing answers at"):
        LokiServer("http://127.0.0.1:1").labels()
    with pytest.raises(NoEvidence, match="is no address"):
        PrometheusServer("127.0.0.1:9090")
