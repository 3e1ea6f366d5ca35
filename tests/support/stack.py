"""A real Spyglass process on free ports, with the repository's own configuration files."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance_data import ROOT

PARTS = ("prometheus", "loki", "agent", "ui")


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(check: Callable[[], Any], what: str, *, seconds: float = 30.0) -> Any:
    """The first true value of `check`; exceptions of the network count as not yet."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            last = check()
            if last:
                return last
        except (OSError, ValueError, KeyError, IndexError) as err:
            last = err
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what} (last: {last!r})")


def get(url: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and body; error statuses are answers."""
    full = f"{url}?{urllib.parse.urlencode(query)}" if query else url
    request = urllib.request.Request(full, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
    """Status and body of a POST."""
    request = urllib.request.Request(url, data=body, headers=dict(headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


@dataclass
class Stack:
    """One installation in a folder. `start` returns when every door answers."""

    folder: Path
    backend_port: int = 0
    targets: str = "all"
    extra: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
        self.logs = self.folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.write_config()

    def write_config(self) -> None:
        config = ROOT / "config"
        text = {
            "files": {
                "prometheus": str(config / "prometheus/prometheus.yml"),
                "loki": str(config / "loki/loki-config.yml"),
                "promtail": str(config / "promtail/promtail-config.yml"),
                "grafana_provisioning": str(config / "grafana/provisioning"),
            },
            "data": str(self.folder / "data"),
            "ports": self.ports,
            "hosts": {
                "backend:3000": f"127.0.0.1:{self.backend_port or 1}",
                "prometheus:9090": f"127.0.0.1:{self.ports['prometheus']}",
                "loki:3100": f"127.0.0.1:{self.ports['loki']}",
            },
            "paths": {
                "/app/logs": str(self.logs),
                "/var/lib/grafana/dashboards": str(ROOT / "dashboards"),
                "/tmp/positions.yaml": str(self.folder / "positions.yaml"),
            },
        }
        # JSON is YAML.
        (self.folder / "spyglass.yml").write_text(json.dumps(text, indent=1) + self.extra)

    def url(self, part: str, path: str = "") -> str:
        return f"http://127.0.0.1:{self.ports[part]}{path}"

    @property
    def command(self) -> list[str]:
        file = str(self.folder / "spyglass.yml")
        return [sys.executable, "-m", "spyglass", "up", file, f"--target={self.targets}", "--demo-login"]

    def start(self) -> "Stack":
        with (self.folder / "spyglass.log").open("ab") as sink:
            self.process = subprocess.Popen(self.command, stdout=sink, stderr=sink, env=os.environ | {"NO_COLOR": "1"})
        wait_for(self._up, f"the doors answer; log: {self.log()}")
        return self

    def _up(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.log()}")
        return (self.folder / "data/spyglass.json").exists() and self._pid_is_ours()

    def _pid_is_ours(self) -> bool:
        assert self.process is not None
        state = json.loads((self.folder / "data/spyglass.json").read_text())
        return bool(state["pid"] == self.process.pid)

    def log(self) -> str:
        path = self.folder / "spyglass.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def query(self, expression: str, **parameters: str) -> list[dict[str, Any]]:
        """The result of an instant PromQL query."""
        status, body = get(self.url("prometheus", "/api/v1/query"), {"query": expression, **parameters})
        assert status == 200, body
        result: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return result

    def lines(
        self, query: str, *, limit: int = 5000, start: int = 0, end: int = 0
    ) -> list[tuple[dict[str, str], int, str]]:
        """(labels, time_ns, line) of a log query over the last hour."""
        now = time.time_ns()
        window = {"start": str(start or now - 3600 * 10**9), "end": str(end or now + 60 * 10**9), "limit": str(limit)}
        status, body = get(self.url("loki", "/loki/api/v1/query_range"), {"query": query, **window})
        assert status == 200, body
        streams = json.loads(body)["data"]["result"]
        return [(s["stream"], int(at), line) for s in streams for at, line, *_ in s["values"]]

    def resident_mb(self) -> float:
        assert self.process is not None
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
