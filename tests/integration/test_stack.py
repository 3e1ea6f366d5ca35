"""The whole stack as a user meets it: started, asked, misconfigured, smoked."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance_data import ROOT
from tests.support.stack import Stack, free_ports, get, wait_for

EXAMPLE = ROOT / "examples" / "clientforge"


def spyglass(*arguments: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    """One run of the command."""
    command = [sys.executable, "-m", "spyglass", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=timeout, check=False, env=os.environ | {"NO_COLOR": "1"}
    )


@pytest.fixture(scope="module")
def fastapi_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Spyglass and the FastAPI back end."""
    (port,) = free_ports(1)
    with Stack(tmp_path_factory.mktemp("stack"), backend_port=port) as stack:
        arguments = ["-m", "clientforge", "--port", str(port), "--logs", str(stack.logs)]
        backend = subprocess.Popen([sys.executable, *arguments], cwd=EXAMPLE)
        try:
            wait_for(lambda: get(f"http://127.0.0.1:{port}/api/v1/health")[0] == 200, "the back end answers")
            yield stack.start()
        finally:
            backend.terminate()
            backend.wait()
        assert stack.stop() == 0


def smoke(stack: Stack) -> "subprocess.CompletedProcess[str]":
    doors = ["--prometheus", stack.url("prometheus"), "--loki", stack.url("loki"), "--ui", stack.url("ui")]
    return spyglass("smoke", "--backend", f"http://127.0.0.1:{stack.backend_port}", *doors, timeout=180)


def test_the_smoke_test_passes_against_the_fastapi_back_end(fastapi_stack: Stack) -> None:
    """25 requests are seen in metrics, logs and the dashboard."""
    answer = smoke(fastapi_stack)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "5 checks passed" in answer.stdout


def test_the_decision_records_commands_work_verbatim_but_for_the_port(fastapi_stack: Stack) -> None:
    """The targets curl, the rate query, and the Loki curl to the instant endpoint with its warning."""
    stack = fastapi_stack
    targets = json.loads(get(stack.url("prometheus", "/api/v1/targets"))[1])["data"]["activeTargets"]
    assert {(t["labels"]["job"], t["labels"]["instance"]) for t in targets} == {
        ("backend", "backend:3000"),
        ("prometheus", "localhost:9090"),
    }
    wait_for(lambda: stack.query("rate(http_requests_total[1m])"), "a rate", seconds=40)
    log = stack.logs / "combined.log"
    with log.open("a") as sink:
        sink.write(json.dumps({"level": "error", "timestamp": now_text(), "message": "ERROR for the curl"}) + "\n")
    query = {"query": '{job="backend"} |= "ERROR"', "limit": "10"}

    def entries() -> list[str]:
        answer = json.loads(get(stack.url("loki", "/loki/api/v1/query"), query)[1])
        assert any("query_range" in text for text in answer["warnings"])
        return [line for s in answer["data"]["result"] for _, line in s["values"] if "for the curl" in line]

    assert len(wait_for(entries, "the error is found")) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('{job="backend"}', 4),
        ('{job="backend"} |= "ERROR"', 1),
        ('{job="backend"} | json | tenantId="tenant-uuid"', 2),
        ('{job="backend"} | json | duration > 1000', 1),
    ],
)
def test_the_decision_records_log_queries_give_right_answers(query: str, expected: int, fastapi_stack: Stack) -> None:
    """All four, over lines whose answers are known."""
    marked = query.replace('{job="backend"}', '{job="backend", filename=~".*/four.log"}', 1)
    four = fastapi_stack.logs / "four.log"
    if not four.exists():
        rows = [
            ("tenant-uuid", 5.5, "info", "ok"),
            ("other", 1500, "info", "slow"),
            ("tenant-uuid", 12, "error", "ERROR x"),
        ]
        entries = [
            {"level": level, "timestamp": now_text(), "message": text, "tenantId": tenant, "duration": duration}
            for tenant, duration, level, text in rows
        ]
        four.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + "not json\n")
    wait_for(lambda: len(fastapi_stack.lines('{filename=~".*/four.log"}')) == 4, "the lines arrive")
    # `| json` on a line that is no JSON keeps the line with an error label; its fields are empty.
    assert len(fastapi_stack.lines(marked)) == expected


def now_text() -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_status_and_down_know_the_running_stack(fastapi_stack: Stack) -> None:
    """status names every part as healthy."""
    answer = spyglass("status", str(fastapi_stack.folder), "--json")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    report = json.loads(answer.stdout)
    assert {part["part"]: part["health"] for part in report["parts"]} == dict.fromkeys(
        ("metrics", "logs", "agent", "ui"), "ok"
    )
    assert report["numbers"]["process_resident_memory_bytes"] > 1e7


def test_query_and_logql_commands_print_results(fastapi_stack: Stack) -> None:
    """In a pipe: plain text with tabs; errors end with exit code 1 and the position."""
    wait_for(lambda: fastapi_stack.query("up == 1"), "targets are up")
    answer = spyglass("query", "--url", fastapi_stack.url("prometheus"), "sum(up) by (job)")
    assert answer.returncode == 0
    assert re.search(r'\{job="backend"\}\t1', answer.stdout), answer.stdout
    wrong = spyglass("query", "--url", fastapi_stack.url("prometheus"), "sum(up")
    assert wrong.returncode == 1
    assert "parse error" in wrong.stderr
    labels = spyglass("logql", "--url", fastapi_stack.url("loki"), "--labels")
    assert "job" in labels.stdout.split()


def test_a_second_start_on_the_same_data_is_refused_with_the_pid(fastapi_stack: Stack) -> None:
    """Whose data it is, and what to do."""
    assert fastapi_stack.process is not None
    answer = spyglass("up", str(fastapi_stack.folder))
    assert answer.returncode == 1
    assert f"process {fastapi_stack.process.pid}" in answer.stderr
    assert "spyglass down" in answer.stderr


def test_a_port_in_use_says_which_whose_and_how_to_change_it(tmp_path: Path) -> None:
    """The third port of four is taken: nothing is started."""
    stack = Stack(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.ports["agent"]))
        taken.listen()
        answer = spyglass("up", str(tmp_path / "spyglass.yml"))
    assert answer.returncode == 1
    assert f"port {stack.ports['agent']} is in use by" in answer.stderr
    assert f"pid {os.getpid()}" in answer.stderr
    assert "ports.agent in spyglass.yml" in answer.stderr


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "prometheus",
            "scrape_configs:\n- job_name: a\n  scrape_intervall: 5s\n",
            "prometheus.yml:3: scrape_configs[0].scrape_intervall",
        ),
        ("loki", "limits_config:\n  retention_period: soon\n", "loki.yml:2: limits_config.retention_period"),
        ("promtail", "clients: [\n", "promtail.yml:2: is not valid YAML"),
    ],
)
def test_a_malformed_file_is_one_error_with_file_line_and_key(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    """Exit code 2, nothing started."""
    stack = Stack(tmp_path)
    (tmp_path / f"{name}.yml").write_text(text)
    config = json.loads((tmp_path / "spyglass.yml").read_text())
    config["files"][name] = str(tmp_path / f"{name}.yml")
    (tmp_path / "spyglass.yml").write_text(json.dumps(config))
    answer = spyglass("up", str(tmp_path / "spyglass.yml"))
    assert answer.returncode == 2
    assert answer.stderr.startswith("error: ")
    assert problem in answer.stderr
    assert stack.process is None


def test_a_missing_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Exit code 2."""
    answer = spyglass("up", str(tmp_path / "nowhere.yml"))
    assert answer.returncode == 2
    assert "nowhere.yml: no such file" in answer.stderr


def test_detach_status_logs_and_down(tmp_path: Path) -> None:
    """The background life of an installation."""
    stack = Stack(tmp_path)
    started = spyglass("up", str(tmp_path), "--detach")
    assert started.returncode == 0, started.stderr
    try:
        assert spyglass("status", str(tmp_path), "--quiet").returncode == 0
        assert "login admin, password" in spyglass("logs", str(tmp_path)).stdout
        again = spyglass("up", str(tmp_path), "--detach")
        assert again.returncode == 1
        assert "runs already" in again.stderr
    finally:
        stopped = spyglass("down", str(tmp_path))
    assert stopped.returncode == 0, stopped.stderr
    assert spyglass("status", str(tmp_path), "--quiet").returncode == 1
    assert stack.process is None


@pytest.mark.skipif(
    shutil.which("node") is None and not (Path(sys.executable).with_name("node")).exists(), reason="no Node"
)
@pytest.mark.skipif(not (ROOT / "examples/express/node_modules").is_dir(), reason="examples/express is not installed")
def test_the_smoke_test_passes_against_the_express_back_end(tmp_path: Path) -> None:
    """A foreign client: Express, prom-client and winston, unaware of Spyglass."""
    own = Path(sys.executable).with_name("node")
    node = str(own) if own.exists() else "node"
    (port,) = free_ports(1)
    with Stack(tmp_path, backend_port=port) as stack:
        environment = os.environ | {"PORT": str(port), "LOGS": str(stack.logs)}
        # The environment's node is a program that starts another: both are ended.
        backend = subprocess.Popen(
            [node, "server.js"], cwd=ROOT / "examples/express", env=environment, start_new_session=True
        )
        try:
            wait_for(lambda: get(f"http://127.0.0.1:{port}/api/v1/health")[0] == 200, "Express answers")
            stack.start()
            answer = smoke(stack)
        finally:
            os.killpg(backend.pid, signal.SIGTERM)
            backend.wait()
        assert answer.returncode == 0, answer.stdout + answer.stderr
        heap = stack.query("nodejs_heap_size_used_bytes / nodejs_heap_size_total_bytes * 100")
        assert 0 < float(heap[0]["value"][1]) <= 100
        assert stack.stop() == 0


def drop_in(arguments: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "spyglass", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_drop_in_command_lines_run_on_upstreams_flags(tmp_path: Path) -> None:
    """prometheus, loki and promtail, as three processes that talk to each other, end with 0 on SIGTERM."""
    prometheus, loki, promtail = free_ports(3)
    (tmp_path / "logs").mkdir()
    (tmp_path / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: loki\n  static_configs: [{{targets: ['127.0.0.1:{loki}']}}]\n"
    )
    (tmp_path / "loki.yml").write_text(
        f"auth_enabled: false\ncommon: {{path_prefix: {tmp_path}/loki}}\nserver: {{http_listen_port: 1}}\n"
    )
    (tmp_path / "promtail.yml").write_text(
        json.dumps(
            {
                "server": {"http_listen_port": promtail},
                "positions": {"filename": str(tmp_path / "positions.yaml")},
                "clients": [{"url": f"http://127.0.0.1:{loki}/loki/api/v1/push"}],
                "scrape_configs": [
                    {
                        "job_name": "x",
                        "static_configs": [
                            {"targets": ["localhost"], "labels": {"job": "x", "__path__": f"{tmp_path}/logs/*.log"}}
                        ],
                    }
                ],
            }
        )
    )
    processes = [
        drop_in(
            [
                "prometheus",
                f"--config.file={tmp_path}/prometheus.yml",
                "--storage.tsdb.path",
                str(tmp_path / "tsdb"),
                f"--web.listen-address=127.0.0.1:{prometheus}",
                "--storage.tsdb.retention.time=15d",
                "--web.enable-lifecycle",
                "--web.console.libraries=/usr/share/console_libraries",
            ]
        ),
        drop_in(
            [
                "loki",
                f"-config.file={tmp_path}/loki.yml",
                "-server.http-listen-port",
                str(loki),
                "-config.expand-env=true",
            ]
        ),
        drop_in(["promtail", "-config.file", str(tmp_path / "promtail.yml"), "-server.http-listen-address=127.0.0.1"]),
    ]
    try:
        (tmp_path / "logs" / "a.log").write_text("hello from a file\n")
        lines = {"query": '{job="x"}'}
        wait_for(
            lambda: "hello from a file" in get(f"http://127.0.0.1:{loki}/loki/api/v1/query_range", lines)[1], "the line"
        )
        up = {"query": 'up{job="loki"} == 1'}
        wait_for(lambda: '"value"' in get(f"http://127.0.0.1:{prometheus}/api/v1/query", up)[1], "the target is up")
        flags = json.loads(get(f"http://127.0.0.1:{prometheus}/api/v1/status/flags")[1])["data"]
        assert flags["storage.tsdb.retention.time"] == "15d"
        assert get(f"http://127.0.0.1:{promtail}/ready")[0] == 200
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(30) for process in processes]
        outputs = [process.stdout.read().decode() for process in processes if process.stdout]
        for process in processes:
            if process.stdout:
                process.stdout.close()
    assert codes == [0, 0, 0], outputs
    assert outputs[0].count("web.console.libraries") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["prometheus", "--no-such-flag"], 1, "unknown long flag '--no-such-flag'"),
        (
            ["prometheus", "--config.file=/nowhere.yml", "--web.listen-address=127.0.0.1:0"],
            2,
            "/nowhere.yml: no such file",
        ),
        (["loki", "-no.such.flag"], 2, "flag provided but not defined: -no.such.flag"),
        (["loki", "-config.file=/nowhere.yml"], 1, "/nowhere.yml"),
        (["promtail", "-config.file=/nowhere.yml"], 1, "/nowhere.yml"),
        (["promtail", "-nope"], 2, "flag provided but not defined: -nope"),
    ],
)
def test_drop_in_command_lines_have_upstreams_exit_codes(
    arguments: list[str], code: int, text: str, tmp_path: Path
) -> None:
    """Bad command lines and files, before anything runs."""
    command = [sys.executable, "-m", "spyglass", *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=tmp_path)
    assert answer.returncode == code
    assert text in answer.stderr
