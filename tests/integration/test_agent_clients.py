"""What a push carries, and several clients at once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.agents import agent_config, append
from tests.support.loki_receiver import LokiReceiver
from tests.support.waiting import until

from spyglass.agent.manager import AgentManager
from spyglass.config.promtail import parse_promtail
from spyglass.storage.clock import SystemClock


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def agent_with(folder: Path, clients: list[dict[str, Any]], **options: Any) -> AgentManager:
    """An agent whose clients have these options besides the usual ones."""
    data = yaml.safe_load(agent_config(folder, "http://loki:3100/"))
    usual = data["clients"][0]
    data["clients"] = [{**usual, **client} for client in clients]
    file = parse_promtail(yaml.safe_dump(data), file="p.yml", folder=folder)
    return AgentManager(file, clock=SystemClock(), **options)


async def test_headers_credentials_tenant_and_external_labels(tmp_path: Path, logs: Path) -> None:
    """As the client's block says; a label of the line wins over an external one."""
    append(logs / "a.log", "one")
    (tmp_path / "secret").write_text("pass\n")
    client = {
        "tenant_id": "acme",
        "basic_auth": {"username": "user", "password_file": "secret"},
        "headers": {"X-Extra": "yes"},
        "external_labels": {"cluster": "c1", "job": "other"},
    }
    async with LokiReceiver() as receiver:
        manager = agent_with(tmp_path, [{"url": receiver.url, **client}])
        await manager.start()
        try:
            await until(lambda: receiver.lines() == ["one"])
        finally:
            await manager.stop()
    (push,) = receiver.pushes
    assert push.tenant == "acme"
    assert push.headers["Authorization"] == "Basic dXNlcjpwYXNz"
    assert push.headers["X-Extra"] == "yes"
    assert push.headers["Content-Type"] == "application/x-protobuf"
    assert [dict(labels)["cluster"] + dict(labels)["job"] for labels in receiver.stored()] == ["c1app"]


async def test_every_client_gets_every_line(tmp_path: Path, logs: Path) -> None:
    """Each with its own labels; one that stays away is given up after max_retries, so that the others go on."""
    append(logs / "a.log", "one")
    async with LokiReceiver() as first, LokiReceiver() as second, LokiReceiver(statuses=[503] * 1000) as broken:
        backoff = {"min_period": "5ms", "max_period": "5ms", "max_retries": 3}
        clients: list[dict[str, Any]] = [
            {"url": first.url, "external_labels": {"to": "first"}},
            {"url": second.url},
            {"url": broken.url, "backoff_config": backoff},
        ]
        manager = agent_with(tmp_path, clients)
        await manager.start()
        try:
            await until(lambda: first.lines() == second.lines() == ["one"])
            append(logs / "a.log", "two")
            await until(lambda: first.lines() == second.lines() == ["one", "two"])
        finally:
            await manager.stop()
        assert manager.metrics.dropped_entries.collect().samples[0][2] >= 1
        assert [dict(labels).get("to") for labels in first.stored()] == ["first"]
        assert [dict(labels).get("to") for labels in second.stored()] == [None]


async def test_names_of_containers_are_mapped(tmp_path: Path, logs: Path) -> None:
    """Paths and hosts of the file are those of containers; lines and positions keep the names of the file."""
    append(logs / "a.log", "one")
    data = yaml.safe_load(agent_config(Path("/app"), "http://loki:3100/loki/api/v1/push"))
    file = parse_promtail(yaml.safe_dump(data), file="p.yml")
    async with LokiReceiver() as receiver:
        manager = AgentManager(
            file,
            clock=SystemClock(),
            map_path=lambda path: str(tmp_path) + path.removeprefix("/app") if path.startswith("/app") else path,
            map_url=lambda url: url.replace("loki:3100", f"127.0.0.1:{receiver.port}"),
        )
        await manager.start()
        try:
            await until(lambda: receiver.lines() == ["one"])
        finally:
            await manager.stop()
    assert [dict(labels)["filename"] for labels in receiver.stored()] == ["/app/logs/a.log"]
    positions = yaml.safe_load((tmp_path / "positions.yaml").read_text())["positions"]
    assert positions == {"/app/logs/a.log": "4"}


async def test_long_lines_are_cut_or_dropped(tmp_path: Path, logs: Path) -> None:
    """limits_config.max_line_size, and readline_rate that drops."""
    append(logs / "a.log", "short", "a line that is too long", "x")
    data = yaml.safe_load(agent_config(tmp_path, "http://loki:3100/"))
    async with LokiReceiver() as receiver:
        data["clients"][0]["url"] = receiver.url
        data["limits_config"] = {
            "max_line_size": "6B",
            "max_line_size_truncate": True,
            "readline_rate_enabled": True,
            "readline_rate": 0.001,
            "readline_burst": 2,
        }
        manager = AgentManager(parse_promtail(yaml.safe_dump(data), file="p.yml"), clock=SystemClock())
        await manager.start()
        try:
            await until(lambda: receiver.lines() == ["short", "a line"])
        finally:
            await manager.stop()
