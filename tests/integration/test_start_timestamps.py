"""Upstream's st-storage and use-start-timestamps, through the command line: pushed, scraped, asked, and asked again after a kill."""

import json
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.stack import free_ports, get, wait_for
from tests.unit.formats.test_remote_write import v2_body

from spyglass.formats import snappy, wire

FLAGS = "--enable-feature=st-storage,use-start-timestamps,promql-experimental-functions"


@contextmanager
def running(folder: Path, port: int, *flags: str) -> Iterator[str]:
    """Spyglass on Prometheus' command line; killed at the end."""
    (folder / "prometheus.yml").write_text("global: {}\n")
    command = [sys.executable, "-m", "spyglass", "prometheus", f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--web.enable-remote-write-receiver", *flags], stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: get(url + "/-/ready")[0] == 200, "it is ready")
        yield url
    finally:
        process.kill()
        process.wait()


def push(url: str, *samples: tuple[float, int, int]) -> None:
    """Remote write 2.0: (value, time, start) of born_total."""
    rows = [wire.put_double(1, v) + wire.put_int(2, t) + wire.put_int(3, s) for v, t, s in samples]
    series = wire.put_packed_varints(1, [1, 2]) + b"".join(wire.put_bytes(2, row) for row in rows)
    request = urllib.request.Request(
        url + "/api/v1/write",
        data=snappy.compress(v2_body(["", "__name__", "born_total"], series)),
        headers={
            "Content-Encoding": "snappy",
            "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
            "X-Prometheus-Remote-Write-Version": "2.0.0",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204


def ask(url: str, query: str, time_s: float) -> list[str]:
    status, body = get(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query, "time": time_s}))
    assert status == 200, body
    return [row["value"][1] for row in json.loads(body)["data"]["result"]]


@pytest.mark.parametrize("flags", [(FLAGS,), ("--enable-feature=promql-experimental-functions",)])
def test_the_first_increase_counts_and_survives_a_kill(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """With the flags; without them the same pushes leave the answers as they ever were, and no trace on disk."""
    used = flags == (FLAGS,)
    now_ms = time.time_ns() // 1_000_000
    (port,) = free_ports(1)
    for turn in range(2):
        with running(tmp_path, port, *flags) as url:
            if turn == 0:
                push(url, (4.0, now_ms, now_ms - 30_000))
            at = now_ms / 1000
            assert ask(url, "increase(born_total[1m])", at) == (["4"] if used else [])
            assert ask(url, "start_timestamp(born_total)", at) == ([f"{(now_ms - 30_000) / 1000:.13g}"] if used else [])
            assert ask(url, "born_total", at) == ["4"]
    assert bool(list((tmp_path / "data").rglob("start_timestamps"))) == used
