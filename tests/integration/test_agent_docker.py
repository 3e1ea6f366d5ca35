"""Container logs over Docker's API on a unix socket: the decision record's own scrape config and what else can happen."""

from pathlib import Path
from typing import Any

import yaml
from tests.support.agents import agent_on, running
from tests.support.docker_api import DockerApi, FakeContainer
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until

RELABEL = [
    {"source_labels": ["__meta_docker_container_name"], "regex": "/(.*)", "target_label": "container"},
    {"source_labels": ["__meta_docker_container_log_stream"], "target_label": "stream"},
]


def docker_job(socket: Path, **more: Any) -> dict[str, Any]:
    discovery = {"host": f"unix://{socket}", "refresh_interval": "50ms", **more.pop("discovery", {})}
    return {"static_configs": [], "docker_sd_configs": [discovery], "relabel_configs": RELABEL, **more}


def at(second: int) -> str:
    return f"2026-03-02T10:00:{second:02d}.000000001Z"


async def test_both_streams_of_a_container(tmp_path: Path) -> None:
    """Lines carry Docker's times and the labels that relabelling makes of each stream."""
    backend = FakeContainer("backend")
    backend.say("hello\n", time=at(0))
    backend.say("oh no\n", time=at(1), stream=2)
    socket = tmp_path / "docker.sock"
    async with (
        LokiReceiver() as receiver,
        DockerApi(socket, [backend]),
        running(tmp_path, receiver.url, **docker_job(socket)),
    ):
        await until(lambda: len(receiver.lines()) == 2)
        backend.say("more\n", time=at(2))
        await until(lambda: len(receiver.lines()) == 3)
    stored = {
        dict(labels)["stream"]: [(e.time_ns, e.line) for e in entries] for labels, entries in receiver.stored().items()
    }
    start = 1772445600_000000001
    assert stored == {"stdout": [(start, "hello"), (start + 2 * 10**9, "more")], "stderr": [(start + 10**9, "oh no")]}
    assert {dict(labels)["container"] for labels in receiver.stored()} == {"backend"}


async def test_long_lines_come_in_pieces(tmp_path: Path) -> None:
    """Docker cuts a line at 16 KiB; the pieces of a stream are put together, with the time of the first."""
    backend = FakeContainer("backend")
    backend.say("a" * 16384, time=at(0))
    backend.say("between\n", time=at(1), stream=2)
    backend.say("end\n", time=at(2))
    socket = tmp_path / "docker.sock"
    async with (
        LokiReceiver() as receiver,
        DockerApi(socket, [backend]),
        running(tmp_path, receiver.url, **docker_job(socket)),
    ):
        await until(lambda: len(receiver.lines()) == 2)
    assert sorted(receiver.lines()) == ["a" * 16384 + "end", "between"]


async def test_a_terminal_has_no_frames(tmp_path: Path) -> None:
    """With a terminal everything is stdout, and lines end with a carriage return."""
    shell = FakeContainer("shell", tty=True)
    shell.say("prompt\r\n", time=at(0))
    socket = tmp_path / "docker.sock"
    async with (
        LokiReceiver() as receiver,
        DockerApi(socket, [shell]),
        running(tmp_path, receiver.url, **docker_job(socket)),
    ):
        await until(lambda: receiver.lines() == ["prompt"])


async def test_containers_come_and_go(tmp_path: Path) -> None:
    """A new container is found at the next refresh, one that ended is let go, one that relabelling drops is not read."""
    first, dropped = FakeContainer("first"), FakeContainer("dropped", labels={"com.example.logs": "no"})
    first.say("one\n", time=at(0))
    dropped.say("nothing\n", time=at(0))
    socket = tmp_path / "docker.sock"
    rules = [
        {"source_labels": ["__meta_docker_container_label_com_example_logs"], "regex": "no", "action": "drop"},
        *RELABEL,
    ]
    job = docker_job(socket, relabel_configs=rules, discovery={"filters": [{"name": "network", "values": ["crm"]}]})
    async with (
        LokiReceiver() as receiver,
        DockerApi(socket, [first, dropped]) as docker,
        running(tmp_path, receiver.url, **job) as manager,
    ):
        await until(lambda: receiver.lines() == ["one"])
        second = FakeContainer("second")
        second.say("two\n", time=at(5))
        docker.containers.append(second)
        await until(lambda: receiver.lines() == ["one", "two"])
        first.running = False
        first.changed.set()
        await until(lambda: first.identifier not in manager.docker_jobs[0].containers)
        assert docker.filters[0] == '{"network": ["crm"]}'


async def test_a_restart_asks_for_what_is_new(tmp_path: Path) -> None:
    """The position is the time of the last line, in seconds in positions.yaml as Promtail keeps it."""
    backend = FakeContainer("backend")
    backend.say("one\n", time=at(0))
    socket = tmp_path / "docker.sock"
    async with LokiReceiver() as receiver, DockerApi(socket, [backend]) as docker:
        async with running(tmp_path, receiver.url, **docker_job(socket)):
            await until(lambda: receiver.lines() == ["one"])
        positions = yaml.safe_load((tmp_path / "positions.yaml").read_text())["positions"]
        assert positions == {f"cursor-{backend.identifier}": "1772445600"}
        backend.say("two\n", time=at(1))
        async with running(tmp_path, receiver.url, **docker_job(socket)):
            await until(lambda: receiver.lines() == ["one", "two"])
        assert docker.requests[-1]["since"] == "1772445600.000000001"
        assert sum(len(entries) for entries in receiver.streams().values()) == 2


async def test_without_docker_the_agent_says_so_and_goes_on(tmp_path: Path) -> None:
    """A missing socket is a problem on the status page, logged once; when Docker comes, its containers are read."""
    socket = tmp_path / "docker.sock"
    backend = FakeContainer("backend")
    backend.say("one\n", time=at(0))
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url, **docker_job(socket)) as manager:
        problem = f"cannot list the containers of unix://{socket}: No such file or directory"
        await until(lambda: manager.docker_jobs[0].problem == problem)
        assert manager.is_ready
        async with DockerApi(socket, [backend]):
            await until(lambda: receiver.lines() == ["one"])
            assert manager.docker_jobs[0].problem == ""


async def test_multiline_on_a_container(tmp_path: Path) -> None:
    """What a stage holds is sent when its time has come, though the container stays silent."""
    backend = FakeContainer("backend")
    backend.say("E1\n", time=at(0))
    backend.say("  at x\n", time=at(1))
    socket = tmp_path / "docker.sock"
    job = docker_job(socket, pipeline_stages=[{"multiline": {"firstline": "^E", "max_wait_time": "10ms"}}])
    async with LokiReceiver() as receiver, DockerApi(socket, [backend]), running(tmp_path, receiver.url, **job):
        await until(lambda: receiver.lines() == ["E1\n  at x"])


def test_the_agent_of_this_test_is_not_started(tmp_path: Path) -> None:
    """Building a manager opens nothing."""
    assert not agent_on(tmp_path, "http://127.0.0.1:1/loki/api/v1/push").is_ready
