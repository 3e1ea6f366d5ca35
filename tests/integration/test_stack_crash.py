"""kill -9 of the whole process while it takes samples and lines: what was acknowledged is there afterwards, once."""

import json
import os
import threading
import time
from collections import Counter
from pathlib import Path

import cramjam
from tests.support.stack import Stack, get, post

from spyglass.formats.remote_write.v1 import encode_v1
from spyglass.model.labels import labels_of

ROUNDS = int(os.environ.get("SPYGLASS_CRASH_ROUNDS", "4"))


class Writer:
    """Sends numbered samples and lines until told to stop; remembers those that were acknowledged."""

    def __init__(self, stack: Stack, first: int) -> None:
        self.stack, self.number = stack, first
        self.samples: dict[int, int] = {}
        self.lines: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            self.number += 1
            now = time.time_ns()
            try:
                self._sample(now // 1_000_000)
                self._lines(now)
            except OSError:
                # The server is gone: what was on its way is not acknowledged.
                return

    def _sample(self, time_ms: int) -> None:
        plain = encode_v1(
            [(labels_of({"__name__": "crash", "id": f"s{self.number % 7}"}), [(time_ms, float(self.number))])]
        )
        body = bytes(cramjam.snappy.compress_raw(plain))
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        headers["X-Prometheus-Remote-Write-Version"] = "0.1.0"
        status, text = post(self.stack.url("prometheus", "/api/v1/write"), body, headers)
        assert status == 204, text
        self.samples[self.number] = time_ms

    def _lines(self, now: int) -> None:
        values = [[str(now), f"line {self.number}"], [str(now), f"twin of {self.number}"]]
        body = json.dumps({"streams": [{"stream": {"job": "crash"}, "values": values}]}).encode()
        status, text = post(self.stack.url("loki", "/loki/api/v1/push"), body, {"Content-Type": "application/json"})
        assert status == 204, text
        self.lines.append(self.number)


def stored_lines(stack: Stack) -> Counter[str]:
    found: Counter[str] = Counter()
    for part in ("line", "twin"):
        for kind in range(10):
            found.update(line for _, _, line in stack.lines(f'{{job="crash"}} |= "{part} " |~ "{kind}$"'))
    return found


def stored_samples(stack: Stack) -> Counter[tuple[float, int]]:
    status, body = get(stack.url("prometheus", "/api/v1/query"), {"query": "crash[1h]", "time": str(time.time() + 60)})
    assert status == 200, body
    series = json.loads(body)["data"]["result"]
    return Counter((float(value), round(at * 1000)) for one in series for at, value in one["values"])


def test_nothing_that_was_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    """Round after round on the same data: kill in the middle of writing, start again, count."""
    with Stack(tmp_path, targets="metrics,logs") as stack:
        samples: dict[int, int] = {}
        lines: list[int] = []
        number = 0
        for round_number in range(ROUNDS):
            stack.start()
            writer = Writer(stack, number)
            time.sleep(0.15 + 0.07 * (round_number % 5))
            stack.kill()
            writer.stop()
            number = writer.number
            samples |= writer.samples
            lines += writer.lines
        stack.start()
        found_lines, found_samples = stored_lines(stack), stored_samples(stack)
        assert len(samples) > ROUNDS
        assert len(lines) > ROUNDS
        missing = [n for n in lines if f"line {n}" not in found_lines or f"twin of {n}" not in found_lines]
        assert missing == []
        assert [line for line, count in found_lines.items() if count > 1] == []
        assert [n for n, at in samples.items() if (float(n), at) not in found_samples] == []
        assert [sample for sample, count in found_samples.items() if count > 1] == []
        assert stack.stop() == 0
