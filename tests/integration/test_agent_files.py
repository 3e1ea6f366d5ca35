"""Files that grow, rotate, shrink and vanish, while the server is there, away, or refuses: every line arrives once."""

import bz2
import gzip
import os
from pathlib import Path

import pytest
import yaml
from tests.support.agents import agent_on, append, running
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def numbered(start: int, end: int) -> list[str]:
    return [f"line {n}" for n in range(start, end)]


async def arrived(receiver: LokiReceiver, lines: list[str]) -> None:
    await until(lambda: len(receiver.lines()) >= len(lines), what=f"{len(lines)} lines")
    assert sorted(receiver.lines()) == sorted(lines)


async def test_a_file_is_followed(tmp_path: Path, logs: Path) -> None:
    """What is there is read, what is appended too; a file that comes later is found."""
    append(logs / "a.log", "one")
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url):
        await arrived(receiver, ["one"])
        append(logs / "a.log", "two")
        append(logs / "b.log", "three")
        await arrived(receiver, ["one", "two", "three"])
    assert set(receiver.stored()) == {
        (("filename", str(logs / "a.log")), ("job", "app")),
        (("filename", str(logs / "b.log")), ("job", "app")),
    }


async def test_equal_lines_are_different_lines(tmp_path: Path, logs: Path) -> None:
    """Lines that are read in the same moment have different times, so that a store keeps them all."""
    append(logs / "a.log", *["same"] * 500)
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url):
        await arrived(receiver, ["same"] * 500)


async def test_half_a_line_waits_for_its_end(tmp_path: Path, logs: Path) -> None:
    """A last line without newline is not sent before it is whole."""
    (logs / "a.log").write_bytes(b"one\nhalf a li")
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url) as manager:
        await arrived(receiver, ["one"])
        with (logs / "a.log").open("ab") as file:
            file.write(b"ne\nnext")
        await arrived(receiver, ["one", "half a line"])
        assert [file.read_to for file in manager.jobs[0].files.values()] == [16]


async def test_rotation_by_rename(tmp_path: Path, logs: Path) -> None:
    """The renamed file is read to its end, late lines and a last one without newline included; then the new one."""
    path = logs / "a.log"
    append(path, *numbered(0, 10))
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url):
        await arrived(receiver, numbered(0, 10))
        path.rename(logs / "a.log.1")
        append(path, *numbered(20, 30))
        await arrived(receiver, numbered(0, 10) + numbered(20, 30))
        with (logs / "a.log.1").open("a") as file:
            file.write("line 10\nline 11")
        await arrived(receiver, numbered(0, 12) + numbered(20, 30))


async def test_rotation_by_copy_and_truncate(tmp_path: Path, logs: Path) -> None:
    """After truncation reading begins again at the start, also where the file has grown past the old offset at once."""
    path = logs / "a.log"
    append(path, *numbered(0, 10))
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url):
        await arrived(receiver, numbered(0, 10))
        os.truncate(path, 0)
        append(path, *numbered(10, 12))
        await arrived(receiver, numbered(0, 12))
        os.truncate(path, 0)
        append(path, *numbered(100, 200))
        await arrived(receiver, numbered(0, 12) + numbered(100, 200))


async def test_a_deleted_file_is_forgotten(tmp_path: Path, logs: Path) -> None:
    """It is closed, its position goes, and a new file of the same name is read from its start."""
    path = logs / "a.log"
    append(path, "one")
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url) as manager:
        await arrived(receiver, ["one"])
        path.unlink()
        await until(lambda: not manager.jobs[0].files, what="the file to be let go")
        append(path, "two")
        await arrived(receiver, ["one", "two"])


async def test_a_restart_goes_on_where_it_stopped(tmp_path: Path, logs: Path) -> None:
    """positions.yaml is Promtail's; nothing is sent twice and what came in between is not missed."""
    path = logs / "a.log"
    append(path, "one")
    async with LokiReceiver() as receiver:
        async with running(tmp_path, receiver.url):
            await arrived(receiver, ["one"])
        assert yaml.safe_load((tmp_path / "positions.yaml").read_text()) == {"positions": {str(path): "4"}}
        append(path, "two")
        async with running(tmp_path, receiver.url):
            await arrived(receiver, ["one", "two"])
        assert [len(entries) for entries in receiver.streams().values()] == [2]


async def test_rotation_while_nobody_looks(tmp_path: Path, logs: Path) -> None:
    """The rest of the old file is found under its new name, by its inode."""
    path = logs / "a.log"
    append(path, "one")
    async with LokiReceiver() as receiver:
        async with running(tmp_path, receiver.url):
            await arrived(receiver, ["one"])
        append(path, "two")
        path.rename(logs / "a.log.1")
        append(path, "three", "four", "five")
        async with running(tmp_path, receiver.url):
            await arrived(receiver, ["one", "two", "three", "four", "five"])
        assert sum(len(entries) for entries in receiver.streams().values()) == 5


async def test_promtails_positions_are_taken_over(tmp_path: Path, logs: Path) -> None:
    """A positions file that Promtail wrote is where reading begins."""
    path = logs / "a.log"
    append(path, "one", "two")
    (tmp_path / "positions.yaml").write_text(f'positions:\n  {path}: "4"\n')
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url):
        await arrived(receiver, ["two"])


async def test_removing_positions_reads_everything_again(tmp_path: Path, logs: Path) -> None:
    """The state file does not know better than the operator."""
    append(logs / "a.log", "one")
    async with LokiReceiver() as receiver:
        async with running(tmp_path, receiver.url):
            await arrived(receiver, ["one"])
        (tmp_path / "positions.yaml").unlink()
        async with running(tmp_path, receiver.url):
            await until(lambda: sum(len(e) for e in receiver.streams().values()) == 2, what="the line again")


async def test_the_server_goes_and_comes_back(tmp_path: Path, logs: Path) -> None:
    """While it is away lines wait in their files, not in memory; then they all arrive, once."""
    path = logs / "a.log"
    receiver = LokiReceiver()
    async with receiver:
        append(path, *numbered(0, 10))
        async with running(tmp_path, receiver.url) as manager:
            await arrived(receiver, numbered(0, 10))
            await receiver.__aexit__()
            append(path, *numbered(10, 20))
            await until(lambda: bool(manager.clients[0].failing), what="a failed push")
            assert manager.is_ready
            async with receiver:
                await arrived(receiver, numbered(0, 20))
                await until(lambda: not manager.clients[0].failing, what="recovery")


async def test_memory_is_bounded_while_the_server_is_away(tmp_path: Path, logs: Path) -> None:
    """Reading pauses when the buffer is full, and goes on later."""
    text = "x" * 2000
    with (logs / "a.log").open("w") as file:
        file.writelines(f"{n} {text}\n" for n in range(20_000))
    receiver = LokiReceiver()
    async with receiver:
        port_url = receiver.url
    manager = agent_on(tmp_path, port_url)
    await manager.start()
    try:
        await until(lambda: manager.registry.gauge("promtail_buffered_bytes", "").collect().samples[0][2] > 3 << 20)
        await until(lambda: bool(manager.clients[0].failing), what="a failed push")
        (file_read,) = manager.jobs[0].files.values()
        assert file_read.read_to < 10 << 20
        async with receiver:
            await until(lambda: sum(len(e) for e in receiver.streams().values()) >= 20_000, seconds=30)
            assert len(receiver.lines()) == 20_000
    finally:
        await manager.stop()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_busy_server_is_asked_again(tmp_path: Path, logs: Path, status: int) -> None:
    """429 and 5xx are tried again with the same lines and times."""
    append(logs / "a.log", "one")
    async with LokiReceiver(statuses=[status] * 3) as receiver, running(tmp_path, receiver.url) as manager:
        await arrived(receiver, ["one"])
        retries = manager.metrics.batch_retries.collect().samples
        assert [value for _, _, value in retries] == [3.0]


async def test_a_refusal_is_final(tmp_path: Path, logs: Path) -> None:
    """Another 4xx drops the batch, counted with its reason; what comes later is sent."""
    append(logs / "a.log", "one")
    async with LokiReceiver(statuses=[400]) as receiver, running(tmp_path, receiver.url) as manager:
        await until(lambda: receiver.refused == 1)
        append(logs / "a.log", "two")
        await arrived(receiver, ["two"])
        ((_, labels, value),) = manager.metrics.dropped_entries.collect().samples
        assert dict(labels)["reason"] == "ingester_error"
        assert value == 1


async def test_exclusion_and_braces(tmp_path: Path, logs: Path) -> None:
    """`__path__` knows braces and folders; `__path_exclude__` takes files away."""
    (logs / "deep").mkdir()
    for name in ("a.log", "b.txt", "skip.log", "deep/c.log"):
        append(logs / name, name)
    labels = {"__path__": str(logs / "**/*.{log,txt}"), "__path_exclude__": str(logs / "skip.*")}
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url, static_configs=[{"labels": labels}]):
        await arrived(receiver, ["a.log", "b.txt", "deep/c.log"])


async def test_compressed_files(tmp_path: Path, logs: Path) -> None:
    """gz and bz2 are read once; a restart does not read them again."""
    (logs / "a.log.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    (logs / "b.log.bz2").write_bytes(bz2.compress(b"three\r\nfour"))
    job = {"pattern": "logs/*", "decompression": {"enabled": True, "initial_delay": "0s"}}
    async with LokiReceiver() as receiver:
        for _ in range(2):
            async with running(tmp_path, receiver.url, **job):
                await arrived(receiver, ["one", "two", "three", "four"])
        assert sum(len(entries) for entries in receiver.streams().values()) == 4


async def test_file_discovery(tmp_path: Path, logs: Path) -> None:
    """Groups of a file_sd file are read, and read again when it changes."""
    append(logs / "a.log", "one")
    append(logs / "b.log", "two")
    groups = tmp_path / "groups.yml"
    groups.write_text(f"- labels: {{__path__: {logs}/a.log, v: 1.10}}\n")
    job = {"static_configs": [], "file_sd_configs": [{"files": [str(groups)]}]}
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url, **job):
        await arrived(receiver, ["one"])
        assert dict(next(iter(receiver.stored())))["v"] == "1.10"
        groups.write_text(f"- labels: {{__path__: {logs}/a.log, v: 1.10}}\n- labels: {{__path__: {logs}/b.log}}\n")
        await arrived(receiver, ["one", "two"])


async def test_held_lines_are_sent_when_the_agent_stops(tmp_path: Path, logs: Path) -> None:
    """A block that multiline still holds leaves with the last batch; it is not read again."""
    append(logs / "a.log", "E1", " more")
    stages = [{"multiline": {"firstline": "^E", "max_wait_time": "1h"}}]
    async with LokiReceiver() as receiver:
        async with running(tmp_path, receiver.url, pipeline_stages=stages) as manager:
            await until(lambda: all(f.read_to for f in manager.jobs[0].files.values()) and bool(manager.jobs[0].files))
            assert receiver.lines() == []
        assert receiver.lines() == ["E1\n more"]
        assert yaml.safe_load((tmp_path / "positions.yaml").read_text())["positions"] == {str(logs / "a.log"): "9"}


async def test_reload_keeps_positions(tmp_path: Path, logs: Path) -> None:
    """Another configuration takes over where the first one stopped."""
    append(logs / "a.log", "one")
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url) as manager:
        await arrived(receiver, ["one"])
        other = agent_on(tmp_path, receiver.url, pipeline_stages=[{"static_labels": {"added": "yes"}}])
        await manager.reload(other.config)
        append(logs / "a.log", "two")
        await arrived(receiver, ["one", "two"])
        assert {dict(labels).get("added") for labels in receiver.stored()} == {None, "yes"}


async def test_a_disk_that_takes_no_positions(tmp_path: Path, logs: Path) -> None:
    """Nothing is sent that could not be written down first; it goes on when the disk does, and says so meanwhile."""
    append(logs / "a.log", "one")
    (tmp_path / "positions.yaml.state.new").mkdir()
    async with LokiReceiver() as receiver, running(tmp_path, receiver.url) as manager:
        await until(lambda: "cannot write" in manager.problem)
        assert receiver.lines() == []
        (tmp_path / "positions.yaml.state.new").rmdir()
        await arrived(receiver, ["one"])
        assert manager.problem == ""


async def test_stopping_in_the_middle_loses_nothing(tmp_path: Path, logs: Path) -> None:
    """Stopped again and again while it reads, with a stage that holds lines back: each line arrives once."""
    stages = [{"multiline": {"firstline": "^E", "max_wait_time": "1h"}}]
    lines = [f"E{n} {'x' * 300}" for n in range(20_000)]
    append(logs / "a.log", *lines)
    async with LokiReceiver() as receiver:
        for _ in range(20):
            async with running(tmp_path, receiver.url, pipeline_stages=stages) as manager:
                seen = len(receiver.pushes)
                await until(lambda: len(receiver.pushes) > seen or len(receiver.lines()) == len(lines))  # noqa: B023
                assert manager.is_ready
        assert sorted(receiver.lines()) == sorted(lines)
        assert sum(len(entries) for entries in receiver.streams().values()) == len(lines)
