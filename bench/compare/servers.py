"""The servers under test as processes: how each starts, what it has used. CPU and memory are read from /proc."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 120
STOP_SECONDS = 120

NOTHING_TO_SCRAPE = "global: {scrape_interval: 1h}\n"


@dataclass
class Server:
    """One process on a loopback port, its data and its log in `folder`. ask_also: form values that every query carries."""

    name: str
    command: Sequence[str]
    port: int
    folder: Path
    ask_also: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Seconds until a query is answered."""
        began = time.perf_counter()
        with (self.folder / "log").open("ab") as sink:
            self.process = subprocess.Popen(
                self.command, stdout=sink, stderr=sink, cwd=self.folder, env=self._environment()
            )
        while True:
            try:
                urllib.request.urlopen(f"{self.base}/api/v1/query?query=1", timeout=1).read()
                return time.perf_counter() - began
            except OSError:
                if self.process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                    raise SystemExit(f"{self.name} does not start: {self.log()}") from None
                time.sleep(0.01)

    def _environment(self) -> dict[str, str]:
        """Compiled modules are kept beside the data, as an installed package's are, whatever the environment says of them."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return kept | {"PYTHONPYCACHEPREFIX": str(self.folder / "compiled")}

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-800:]

    def stop(self) -> None:
        """SIGTERM, and what does not end by that is killed."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu(self) -> float:
        """User and system seconds so far."""
        fields = self._proc("stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_mb(self) -> float:
        return int(self._proc("status").read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6

    def reset_peak(self) -> None:
        self._proc("clear_refs").write_text("5")

    def disk(self) -> int:
        return sum(file.stat().st_size for file in (self.folder / "data").rglob("*") if file.is_file())

    def settle(self, most_seconds: float, *, quiet_seconds: int = 8) -> None:
        """Wait until the server has been idle for a while: merges are over."""
        last, quiet, deadline = self.cpu(), 0, time.monotonic() + most_seconds
        while quiet < quiet_seconds and time.monotonic() < deadline:
            time.sleep(1)
            now = self.cpu()
            quiet = quiet + 1 if now - last < 0.05 else 0
            last = now

    def _proc(self, name: str) -> Path:
        assert self.process is not None, "the server was started"
        return Path(f"/proc/{self.process.pid}/{name}")


def _like_prometheus(program: Sequence[str], port: int, data: Path) -> list[str]:
    return [
        *program,
        # Debian's prometheus reads /etc/prometheus/prometheus.yml otherwise, which scrapes: a sample of now in the head, and after it
        # everything older than an hour is "out of bounds".
        "--config.file=prometheus.yml",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=90d",
        "--web.enable-remote-write-receiver",
        "--query.max-samples=500000000",
    ]


def _spyglass(port: int, data: Path) -> list[str]:
    return _like_prometheus([sys.executable, "-m", "spyglass", "prometheus"], port, data)


def _prometheus(port: int, data: Path) -> list[str]:
    return _like_prometheus(["prometheus"], port, data)


def _victoria(port: int, data: Path) -> list[str]:
    # Its cache of results would answer the second round; the offset hides the newest samples from an instant query.
    asked = ["-search.disableCache", "-search.latencyOffset=0s", "-search.maxPointsPerTimeseries=100000"]
    limits = ["-search.maxSamplesPerQuery=2000000000", "-search.maxUniqueTimeseries=2000000"]
    where = [f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={data}", "-retentionPeriod=100y"]
    return ["victoria-metrics", *where, "-promscrape.config=prometheus.yml", *asked, *limits]


COMMANDS: Mapping[str, Callable[[int, Path], list[str]]] = {
    "spyglass": _spyglass,
    "prometheus": _prometheus,
    "victoria": _victoria,
}


def installed(names: Sequence[str]) -> list[str]:
    """Those of `names` that can be started here."""
    return [name for name in names if shutil.which(COMMANDS[name](0, Path())[0])]


def server(name: str, folder: Path, *, config: str = NOTHING_TO_SCRAPE) -> Server:
    """Not started. folder: made here. config: the text of prometheus.yml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(config)
    port = 19090 + list(COMMANDS).index(name)
    command = COMMANDS[name](port, folder / "data")
    return Server(name, command, port, folder, {"nocache": "1"} if name == "victoria" else {})
