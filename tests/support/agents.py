"""Agents on temporary folders, fast enough for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from spyglass.agent.manager import AgentManager
from spyglass.config.promtail import parse_promtail
from spyglass.storage.clock import SystemClock


def agent_config(folder: Path, url: str, *, pattern: str = "logs/*.log", **job: Any) -> str:
    """A Promtail file that reads `pattern` under `folder`; `job` adds to its only scrape config."""
    scrape = {
        "job_name": "app",
        "static_configs": [{"labels": {"job": "app", "__path__": str(folder / pattern)}}],
        **job,
    }
    return yaml.safe_dump(
        {
            "positions": {"filename": str(folder / "positions.yaml"), "sync_period": "100ms"},
            "clients": [
                {
                    "url": url,
                    "batchwait": "30ms",
                    "backoff_config": {"min_period": "20ms", "max_period": "50ms"},
                    "timeout": "5s",
                }
            ],
            "global": {"file_watch_config": {"min_poll_frequency": "20ms", "max_poll_frequency": "20ms"}},
            "target_config": {"sync_period": "200ms"},
            "scrape_configs": [scrape],
        }
    )


def agent_on(folder: Path, url: str, **job: Any) -> AgentManager:
    return AgentManager(
        parse_promtail(agent_config(folder, url, **job), file="p.yml", folder=folder), clock=SystemClock()
    )


@asynccontextmanager
async def running(folder: Path, url: str, **job: Any) -> AsyncIterator[AgentManager]:
    """A started agent; stopped at the end."""
    manager = agent_on(folder, url, **job)
    await manager.start()
    try:
        yield manager
    finally:
        await manager.stop()
        assert not manager.failure


def append(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(line + "\n" for line in lines))
