"""The Loki API of a real process: what must survive restarts, large bodies, many clients at once."""

import json
import threading
import time
from pathlib import Path

from tests.support.stack import Stack, get, post, wait_for

from spyglass.formats.loki_push import encode_protobuf
from spyglass.model.log_entry import LogEntry

PUSH = "/loki/api/v1/push"
JSON = {"Content-Type": "application/json"}
LIMITS = """
auth_enabled: false
limits_config:
  ingestion_rate_mb: 200
  ingestion_burst_size_mb: 200
  max_line_size: 0
compactor:
  delete_request_cancel_period: 1s
"""


def loki_with(folder: Path, text: str) -> Stack:
    """The logs part alone, with a Loki file of its own."""
    stack = Stack(folder, targets="logs")
    (stack.folder / "loki.yml").write_text(text)
    config = json.loads((stack.folder / "spyglass.yml").read_text())
    config["files"]["loki"] = str(stack.folder / "loki.yml")
    (stack.folder / "spyglass.yml").write_text(json.dumps(config))
    return stack


def push(stack: Stack, job: str, lines: list[str]) -> tuple[int, str]:
    now = time.time_ns()
    values = [[str(now + n), line] for n, line in enumerate(lines)]
    body = json.dumps({"streams": [{"stream": {"job": job}, "values": values}]}).encode()
    return post(stack.url("loki", PUSH), body, JSON)


def lines(stack: Stack, query: str) -> list[str]:
    return sorted(line for _, _, line in stack.lines(query))


def test_a_delete_survives_a_kill_and_is_carried_out_by_housekeeping(tmp_path: Path) -> None:
    """Asked for, killed, started again: the lines go once the cancel period is over, the others stay."""
    with loki_with(tmp_path, LIMITS) as stack:
        stack.start()
        assert push(stack, "a", ["secret 1", "public"])[0] == 204
        time_s = str(time.time() - 60)
        query = f"query=%7Bjob%3D%22a%22%7D%20%7C%3D%20%22secret%22&start={time_s}"
        assert post(stack.url("loki", f"/loki/api/v1/delete?{query}"), b"", {})[0] == 204
        stack.kill()
        stack.start()

        def status() -> str:
            (request,) = json.loads(get(stack.url("loki", "/loki/api/v1/delete"))[1])
            return str(request["status"])

        wait_for(lambda: status() == "processed", "the request is carried out", seconds=40)
        assert lines(stack, '{job="a"}') == ["public"]
        assert stack.stop() == 0


def test_flushed_lines_are_there_before_and_after_a_kill(tmp_path: Path) -> None:
    """POST /flush is 204; nothing is lost or doubled."""
    with loki_with(tmp_path, LIMITS) as stack:
        stack.start()
        push(stack, "a", ["1", "2"])
        assert post(stack.url("loki", "/flush"), b"", {})[0] == 204
        push(stack, "a", ["3"])
        assert lines(stack, '{job="a"}') == ["1", "2", "3"]
        stack.kill()
        stack.start()
        assert lines(stack, '{job="a"}') == ["1", "2", "3"]


def test_large_lines_awkward_bytes_and_many_clients(tmp_path: Path) -> None:
    """A line of 10 MB byte-exact where the limit is off; NUL; hundreds of pushes at once, each line once."""
    with loki_with(tmp_path, LIMITS) as stack:
        stack.start()
        line = "x" * (10 << 20)
        body = encode_protobuf([('{job="large"}', [LogEntry(time.time_ns(), line)])])
        assert post(stack.url("loki", PUSH), body, {"Content-Type": "application/x-protobuf"})[0] == 204
        assert lines(stack, '{job="large"}') == [line]
        assert push(stack, "nul", ["a\0b", "\ud7ff\uffff"])[0] == 204
        assert lines(stack, '{job="nul"}') == ["a\0b", "\ud7ff\uffff"]
        statuses: list[int] = []

        def client(number: int) -> None:
            for n in range(50):
                statuses.append(push(stack, "many", [f"{number}-{n}-{k}" for k in range(10)])[0])

        threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(statuses) == {204}
        every = lines(stack, '{job="many"}')
        assert len(every) == len(set(every)) == 8 * 50 * 10


def test_bodies_over_the_limit_are_refused_and_the_server_lives(tmp_path: Path) -> None:
    """413; the next request is answered."""
    with loki_with(tmp_path, LIMITS) as stack:
        stack.start()
        status, text = post(stack.url("loki", PUSH), bytes((100 << 20) + 1), JSON)
        assert (status, "request body too large" in text) == (413, True)
        assert push(stack, "a", ["x"])[0] == 204
        assert stack.resident_mb() < 600


def test_tenants_limits_are_read_again_while_it_runs(tmp_path: Path) -> None:
    """runtime_config names a file; what is written into it later holds without a restart."""
    overrides = tmp_path / "overrides.yml"
    overrides.write_text("overrides: {a: {max_line_size: 10}}")
    text = f"auth_enabled: true\nruntime_config: {{file: {overrides}, period: 1s}}\n"
    with loki_with(tmp_path, text) as stack:
        stack.start()

        def push_as(tenant: str, line: str) -> int:
            body = json.dumps({"streams": [{"stream": {"job": "x"}, "values": [[str(time.time_ns()), line]]}]})
            return post(stack.url("loki", PUSH), body.encode(), {**JSON, "X-Scope-OrgID": tenant})[0]

        assert (push_as("a", "twenty characters...."), push_as("b", "twenty characters....")) == (400, 204)
        overrides.write_text("overrides: {b: {max_line_size: 10}}")
        wait_for(lambda: push_as("a", "twenty characters....") == 204, "the file to be read again")
        assert push_as("b", "twenty characters....") == 400
