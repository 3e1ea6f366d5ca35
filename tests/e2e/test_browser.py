"""A real browser against the real server: the page tests of ui/tests, on a running stack with the example back end and traffic."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cramjam
import pytest
from tests.conformance_data import ROOT
from tests.support.stack import Stack, free_ports, get, post, wait_for

from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.labels import labels_of

EXAMPLE = ROOT / "examples" / "clientforge"
NODE = Path(sys.executable).with_name("node")

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="chromium is not installed (make peers)"),
    pytest.mark.skipif(not (ROOT / "ui/dist/index.html").exists(), reason="the web UI is not built (make ui)"),
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything that the demo runs, on free ports, with data in all three panels."""
    (port,) = free_ports(1)
    with Stack(tmp_path_factory.mktemp("e2e"), backend_port=port) as stack:
        url = f"http://127.0.0.1:{port}"
        arguments = [
            ["clientforge", "--port", str(port), "--logs", str(stack.logs)],
            ["clientforge.traffic", "--url", url, "--rate", "25"],
        ]
        children = [subprocess.Popen([sys.executable, "-m", *arguments[0]], cwd=EXAMPLE, stderr=subprocess.DEVNULL)]
        try:
            wait_for(lambda: get(f"{url}/api/v1/health")[0] == 200, "the back end answers", seconds=120)
            children.append(subprocess.Popen([sys.executable, "-m", *arguments[1]], cwd=EXAMPLE))
            stack.start()
            push_history(stack)
            wait_for(lambda: stack.query("rate(http_requests_total[5m]) > 0"), "a rate", seconds=180)
            wait_for(lambda: stack.lines('{job="backend"} |= "ERROR"'), "an error", seconds=180)
            yield stack
        finally:
            for child in reversed(children):
                child.terminate()
                child.wait()
        assert stack.stop() == 0


def push_history(stack: Stack) -> None:
    """Half an hour of one endpoint's metrics by remote write, so that graphs have lines from the start."""
    now = time.time_ns() // 1_000_000
    times = range(now - 1_800_000, now, 10_000)
    base = {
        "job": "backend",
        "instance": "backend:3000",
        "method": "GET",
        "endpoint": "/api/v1/history",
        "status": "200",
    }
    series = [(labels_of({**base, "__name__": "http_requests_total"}), [(at, 3.0 * n) for n, at in enumerate(times)])]
    for bound, share in (("0.1", 1.0), ("1", 2.5), ("+Inf", 3.0)):
        labels = labels_of({**base, "__name__": "http_request_duration_seconds_bucket", "le": bound})
        series.append((labels, [(at, share * n) for n, at in enumerate(times)]))
    body = bytes(cramjam.snappy.compress_raw(encode_v1(series)))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    status, text = post(stack.url("prometheus", "/api/v1/write"), body, headers)
    assert status == 204, text


def test_the_page_tests_pass_against_the_real_server(stack: Stack, tmp_path: Path) -> None:
    """Log in, open the dashboard, see three panels with data, zoom, run queries in Explore; and what else needs no fixture."""
    environment = os.environ | {
        "SPYGLASS_URL": stack.url("ui"),
        "SPYGLASS_SHOTS": str(tmp_path),
    }
    command = [str(NODE), "tests/run.mjs"]
    answer = subprocess.run(
        command, cwd=ROOT / "ui", env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    print(answer.stdout)
    assert answer.returncode == 0, f"{answer.stdout}\n{answer.stderr}\nscreenshots: {sorted(tmp_path.iterdir())}"
    assert "ok    a person logs in, sees the dashboard, zooms, and asks a question in Explore" in answer.stdout


def test_memory_stays_small_with_a_browser_open(stack: Stack) -> None:
    """UI and all, after pages were shown."""
    assert stack.resident_mb() < 200
