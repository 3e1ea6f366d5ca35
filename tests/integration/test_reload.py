"""Reloading: a good file is taken, a bad one leaves the old configuration running; both doors and the signal."""

import json
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.conformance_data import ROOT
from tests.support.stack import Stack, free_ports, get, post, wait_for


def jobs(stack: Stack) -> set[str]:
    targets = json.loads(get(stack.url("prometheus", "/api/v1/targets"))[1])["data"]["activeTargets"]
    return {target["labels"]["job"] for target in targets}


def write_jobs(path: Path, *names: str) -> None:
    (port,) = free_ports(1)
    configs = [{"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for name in names]
    path.write_text(json.dumps({"scrape_configs": configs}))


def test_reload_by_http_and_by_signal(tmp_path: Path) -> None:
    """Jobs come and go; a broken file is refused with its line and nothing changes."""
    with Stack(tmp_path, targets="metrics") as stack:
        file = tmp_path / "prometheus.yml"
        write_jobs(file, "one")
        config = json.loads((tmp_path / "spyglass.yml").read_text())
        config["files"]["prometheus"] = str(file)
        (tmp_path / "spyglass.yml").write_text(json.dumps(config))
        stack.start()
        wait_for(lambda: jobs(stack) == {"one"}, "the first job")
        write_jobs(file, "one", "two")
        assert post(stack.url("prometheus", "/-/reload"), b"", {})[0] == 200
        wait_for(lambda: jobs(stack) == {"one", "two"}, "the second job")
        file.write_text("scrape_configs:\n- job_name: three\n  oops: 1\n")
        status, body = post(stack.url("prometheus", "/-/reload"), b"", {})
        assert status == 500
        assert "prometheus.yml:3: scrape_configs[0].oops" in body
        assert jobs(stack) == {"one", "two"}
        write_jobs(file, "four")
        assert stack.process is not None
        stack.process.send_signal(signal.SIGHUP)
        wait_for(lambda: jobs(stack) == {"four"}, "the job of the signal")
        assert stack.stop() == 0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_accepts_the_prometheus_file_that_both_compose_files_mount() -> None:
    """The real tool on the real file."""
    command = ["promtool", "check", "config", str(ROOT / "config/prometheus/prometheus.yml")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def request_without_redirect(url: str) -> str:
    """Where the answer sends a browser."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    try:
        urllib.request.build_opener(Stay).open(url)
    except urllib.error.HTTPError as answer:
        with answer:
            return str(answer.headers["location"])
    raise AssertionError("no redirect")


def test_the_doors_answer_options_and_unknown_paths(tmp_path: Path) -> None:
    """404s, and /metrics on every door, are answers and no traceback."""
    with Stack(tmp_path) as stack:
        stack.start()
        for part in ("prometheus", "loki", "agent"):
            assert get(stack.url(part, "/no/such/path"))[0] == 404
            status, text = get(stack.url(part, "/metrics"))
            assert status == 200
            assert "process_resident_memory_bytes" in text
        with urllib.request.urlopen(stack.url("ui", "/")) as answer:
            assert answer.status == 200
        graph = request_without_redirect(stack.url("prometheus", "/graph?g0.expr=up&g0.range_input=2h"))
        assert graph == stack.url("ui", "/explore?datasource=prometheus&from=now-2h&to=now&expr=up")
        assert stack.resident_mb() < 150
        assert stack.stop() == 0
